"""For operators and browsers' sessions: health, metrics, keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse, Response

from search.api.errors import RefusedError
from search.api.guard import COOKIE, SESSION_S
from search.api.search_routes import service_of
from search.api.wire import SessionKey

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def operator_routes() -> APIRouter:
    """The routes that say how the service is, and let browsers in."""
    router = APIRouter(tags=["operation"])
    alive: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {"example": {"status": "alive"}}}}
    }

    @router.get("/healthz", summary="Whether the process is alive", responses=alive)
    async def get_health() -> Response:
        return JSONResponse({"status": "alive"})

    @router.get("/readyz", summary="Whether it can search")
    async def get_readiness(request: Request) -> Response:
        reasons = service_of(request).reasons
        if reasons:
            told = "; ".join(f"the {name} index {reason}" for name, reason in reasons.items())
            raise RefusedError(503, told)
        return JSONResponse({"status": "ready"})

    @router.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "All numbers."}},
    )
    async def get_metrics(request: Request) -> Response:
        return Response(service_of(request).counters.text(), headers={"Content-Type": _TEXT})

    @router.post(
        "/session", summary="Let a browser in by a cookie", status_code=204, response_class=Response
    )
    async def post_session(request: Request, given: Annotated[SessionKey, Body()]) -> Response:
        keys = service_of(request).keys
        if keys.is_open:
            return Response(status_code=204)
        if not keys.is_read_key(given.key):
            raise RefusedError(401, "this is not the key")
        response = Response(status_code=204)
        response.set_cookie(
            COOKIE,
            keys.session(),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    return router
