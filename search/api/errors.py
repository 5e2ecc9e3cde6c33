"""How failures are told to callers: a status, a code, a sentence; never a trace, never a path."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from goods.errors import (
    GoodsError,
    IndexRequestError,
    IndexStoreError,
    ModelError,
    PictureError,
    PictureFault,
    QueryError,
)
from search.api.home import NotReadyError

log = logging.getLogger("goods.serve")

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    421: "wrong_host",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}
_PICTURES = {
    PictureFault.GONE: "there is no picture at this address",
    PictureFault.BUSY: "the picture's host does not answer in time",
    PictureFault.REFUSED: "the picture is too large, or its host may not be asked from here",
    PictureFault.BROKEN: "the picture is damaged",
    PictureFault.NOT_A_PICTURE: "this is no picture; send JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF",
    PictureFault.TOO_SMALL: "the picture is too small to show anything",
    PictureFault.BLANK: "the picture has one colour all over, and shows nothing",
}
_SHOWN = 3  # faults of one request that are named


class RefusedError(Exception):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer that tells of a failure."""
    code = _CODES.get(status, "error")
    body = {"error": {"code": code, "message": message}}
    return JSONResponse(body, status, headers)


def tell_errors(app: FastAPI) -> None:
    """Turn every expected failure into an answer."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(GoodsError, _expected)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)  # noqa: S101 - as it was registered
    return problem(error.status, str(error), error.headers)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, str(error.detail), headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101
    faults: Sequence[Any] = error.errors()
    return problem(422, "; ".join(_sentence(fault) for fault in faults[:_SHOWN]))


def _sentence(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"] if part not in {"query", "body", "path"})
    return f"{where[:100]}: {fault['msg']}" if where else str(fault["msg"])


async def _expected(_request: Request, error: Exception) -> JSONResponse:
    status, message = told(error)
    if status >= 500 and not isinstance(error, NotReadyError):
        log.warning("answered with %d: %s", status, error)
    return problem(status, message, {"Retry-After": "5"} if status == 503 else None)


def told(error: Exception) -> tuple[int, str]:
    """Status and sentence of an expected failure; the details of some are for the log alone."""
    if isinstance(error, NotReadyError):
        return 503, str(error)
    if isinstance(error, PictureError):  # its own words name addresses, paths and options
        return 422, _PICTURES[error.fault]
    if isinstance(error, QueryError):
        return 400, str(error)
    if isinstance(error, IndexRequestError):
        return 400, "the index does not take this request"
    if isinstance(error, IndexStoreError | ModelError):
        return 503, "the index or its model cannot be used now; the log says why"
    return 400, "the request cannot be answered"
