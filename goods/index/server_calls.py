"""Calls to a Qdrant server: which failures are tried again, what the others mean."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError

import grpc
import httpx
import tenacity
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from goods.errors import IndexRequestError, IndexStoreError

logger = logging.getLogger(__name__)

OLDEST = (1, 16)
"""ACORN, strict mode and collection metadata exist from this version on."""

_TRANSIENT_HTTP = {429, 500, 502, 503, 504}
_TRANSIENT_GRPC = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
_REFUSED = {401, 403, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
_GONE = {404, grpc.StatusCode.NOT_FOUND}
_NOT_TAKEN = {400, 413, 422, grpc.StatusCode.INVALID_ARGUMENT}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        attempts: How often a call is tried when it fails for a passing reason.
        longest_wait_s: Longest pause between two tries.
        graph_timeout_s: How long it may take to build a graph.
        poll_s: Pause between two looks at whether it has.
    """

    attempts: int = 6
    longest_wait_s: float = 20
    graph_timeout_s: float = 3600
    poll_s: float = 0.5


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later."""
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _TRANSIENT_HTTP
    if isinstance(error, ResponseHandlingException):
        return isinstance(error.source, httpx.TransportError)
    if isinstance(error, grpc.RpcError):
        return _grpc_code(error) in _TRANSIENT_GRPC
    return isinstance(error, ResourceExhaustedResponse)


def retrying(patience: Patience) -> tenacity.Retrying:
    """The policy for every call: transient failures only, bounded, with jitter, logged."""
    backoff = tenacity.wait_random_exponential(multiplier=0.2, max=patience.longest_wait_s)

    def wait_s(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ResourceExhaustedResponse):  # the server said when
            return min(error.retry_after_s, patience.longest_wait_s)
        return backoff(state)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_transient),
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=wait_s,
        before_sleep=_log_attempt,
        reraise=True,
    )


def _log_attempt(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("the Qdrant server: %s; trying again in %.1f s", error, state.upcoming_sleep)


@contextmanager
def server_errors(address: str) -> Iterator[None]:
    """Turn the client's failures into one sentence each."""
    try:
        yield
    except UnexpectedResponse as error:
        raise _failure(address, error.status_code, _detail(error)) from error
    except grpc.RpcError as error:
        detail = error.details() if isinstance(error, grpc.Call) else str(error)
        raise _failure(address, _grpc_code(error), detail) from error
    except ResourceExhaustedResponse as error:
        raise IndexStoreError(_sentence(address, 429, str(error))) from error
    except ResponseHandlingException as error:
        if not is_transient(error):
            raise IndexStoreError(_stranger(address, error.source)) from error
        raise IndexStoreError(
            f"{address} does not answer ({error}); is the server running and reachable?"
        ) from error
    except JSONDecodeError as error:
        raise IndexStoreError(_stranger(address, error)) from error


def check_version(address: str, version: str) -> tuple[int, int]:
    """The server's version, major and minor; refuse one that lacks what the index relies on.

    Raises:
        IndexStoreError: The server is older than `OLDEST`, or does not say.
    """
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise IndexStoreError(f"{address} is Qdrant {version}; {oldest} or newer is needed")
    return int(found[1]), int(found[2])


def _stranger(address: str, error: Exception) -> str:
    return (
        f"{address} does not answer as Qdrant does ({type(error).__name__}); "
        "is it the address of its REST port?"
    )


def _failure(
    address: str, status: int | grpc.StatusCode | None, detail: str | None
) -> IndexStoreError:
    kind = IndexRequestError if status in _NOT_TAKEN else IndexStoreError
    return kind(_sentence(address, status, detail))


def _sentence(address: str, status: int | grpc.StatusCode | None, detail: str | None) -> str:
    shown = f"HTTP {status}" if isinstance(status, int) else f"gRPC {getattr(status, 'name', '?')}"
    if status in _REFUSED:
        return f"{address} refuses the API key ({shown}); pass the right one as --api-key"
    if status in _GONE:
        return (
            f"{address} has lost what was open ({detail}); "
            "if somebody rebuilt or deleted it, open the index again"
        )
    return f"{address} failed: {detail} ({shown})"


def _detail(error: UnexpectedResponse) -> str:
    """What the server says; its answers look like {"status": {"error": "..."}}."""
    try:
        return str(error.structured()["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return error.reason_phrase


def _grpc_code(error: grpc.RpcError) -> grpc.StatusCode | None:
    return error.code() if isinstance(error, grpc.Call) else None
