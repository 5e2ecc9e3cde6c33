"""When nobody waits for an answer any more: work is given up between two of its stages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_AT: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(at: float) -> Iterator[None]:
    """Work that is of use until a time of `time.monotonic`; whatever it calls can ask for it."""
    token = _AT.set(at)
    try:
        yield
    finally:
        _AT.reset(token)


def left_s() -> float | None:
    """Seconds that are left, 0 when they are over; None where nobody set a deadline."""
    at = _AT.get()
    return None if at is None else max(0.0, at - time.monotonic())


def check() -> None:
    """Go on if there is time.

    Raises:
        TimeoutError: It is over.
    """
    if left_s() == 0:
        raise TimeoutError("nobody waits for it any more")
