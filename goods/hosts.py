"""What the requests to one host share: how many at once, when to rest, and whether it answers.

A picture that is gone costs that picture. A host that is gone would cost every picture it has; so
it is told apart, waited for by one request at a time, and nothing is refused if it comes back.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from goods.errors import PictureError, PictureFault
from goods.limits import PictureLimits

log = logging.getLogger(__name__)

_SUSPICIONS = 3  # failures in a row after which it is the host and not the picture
_FIRST_WAIT_S = 1.0  # doubled after every failure, and half of it is random


class PassingError(PictureError):
    """What may be gone in a moment."""

    def __init__(self, fault: PictureFault, message: str, wait_s: float | None = None) -> None:
        super().__init__(fault, message)
        self.wait_s = wait_s  # as the host asks


class NoAnswerError(PassingError):
    """A host did not answer at all.

    Args:
        message: How it was found out.
        evidence: Failures of the same evidence count once: a single picture may hang on a host
            that is well.
    """

    def __init__(self, message: str, evidence: object) -> None:
        super().__init__(PictureFault.BUSY, message)
        self.evidence = evidence


class Host:
    """One host. Lives in one event loop, so that nothing here needs a lock of threads."""

    def __init__(self, name: str, limits: PictureLimits) -> None:
        self.name = name
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.per_host)
        self._rests_until = 0.0
        self._suspicions: set[object] = set()
        self._outage: _Outage | None = None
        self._probing = asyncio.Lock()

    @property
    def is_away(self) -> bool:
        """Whether it is waited for."""
        return self._outage is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The time for one request, when there is a place for it and the host is there.

        Raises:
            PictureError: BUSY; it rests or stays away for too long. Nothing was asked for.
        """
        async with self._slots:
            await self._rest()
            if self._outage is not None:
                async with self._probing:
                    outage = self._outage  # it may be over by now
                    if outage is not None:
                        await outage.pause()
                        try:
                            yield
                        except NoAnswerError as error:
                            outage.go_on(error)
                            raise
                        return
            try:
                yield
            except NoAnswerError as error:
                self._suspect(error)
                raise

    def answered(self) -> None:
        """Note that it is there, whatever it says."""
        self._suspicions.clear()
        if self._outage is not None:
            log.warning("%s answers again", self.name)
            self._outage = None

    def rest(self, wait_s: float | None) -> None:
        """Note that it asks for no requests for so long."""
        self._rests_until = max(self._rests_until, time.monotonic() + (wait_s or 0))

    async def _rest(self) -> None:
        while (left_s := self._rests_until - time.monotonic()) > 0:
            if left_s > self._limits.max_wait_s:
                raise PictureError(
                    PictureFault.BUSY,
                    f"{self.name} asks to wait {left_s:.0f} s; run again later",
                )
            await asyncio.sleep(left_s + random.uniform(0, min(0.5, self._limits.max_wait_s)))  # noqa: S311 - jitter

    def _suspect(self, error: NoAnswerError) -> None:
        self._suspicions.add(error.evidence)
        if self._outage is None and len(self._suspicions) >= _SUSPICIONS:
            self._outage = _Outage(self.name, self._limits, error)


class _Outage:
    """A time without an answer: the host is asked ever more rarely, and one day no more."""

    def __init__(self, name: str, limits: PictureLimits, error: NoAnswerError) -> None:
        self._name = name
        self._error = error
        self._max_wait_s = limits.max_wait_s
        self._began = time.monotonic()
        self._ends = self._began + limits.patience_s
        self._failures = _SUSPICIONS
        self._wait_s = min(_FIRST_WAIT_S, limits.max_wait_s)
        self._plan()

    async def pause(self) -> None:
        """Wait until it may be asked again.

        Raises:
            PictureError: BUSY; that would be for too long.
        """
        now = time.monotonic()
        if self._is_given_up and now < self._next_try:
            raise PictureError(
                PictureFault.BUSY,
                f"{self._name} is down: {self._error}, asked {self._failures} times in "
                f"{self._last_try - self._began:.0f} s; run again when it is up",
            )
        await asyncio.sleep(self._next_try - now)

    def go_on(self, error: NoAnswerError) -> None:
        """Note that it did not answer this time either."""
        self._error = error
        self._failures += 1
        self._wait_s = min(2 * self._wait_s, self._max_wait_s)
        self._plan()

    def _plan(self) -> None:
        self._last_try = time.monotonic()
        self._is_given_up = self._last_try >= self._ends
        wait_s = self._wait_s * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret
        self._next_try = self._last_try + wait_s
        if self._is_given_up:
            log.warning("%s does not answer; its pictures are refused", self._name)
            return
        self._next_try = min(self._next_try, self._ends)
        log.warning(
            "%s does not answer; trying again in %.1f s",
            self._name,
            self._next_try - self._last_try,
        )
