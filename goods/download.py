"""Pictures over HTTP, with one policy for all that can go wrong on the way."""

import asyncio
import logging
import threading
from concurrent.futures import Future

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from goods.answers import Fetched
from goods.errors import PictureError, PictureFault, blamed_on
from goods.exchange import Exchange, parsed
from goods.hosts import Host, NoAnswerError, PassingError
from goods.limits import PictureLimits

log = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.5  # doubled after every attempt, and a random part of it is waited
_MAX_REDIRECTS = 5


class Downloader:
    """Fetches pictures; owns the connections, and a thread in which all of them are served.

    Safe to use from several threads; hundreds of downloads may wait without one of their own.

    Time-outs, broken connections, 408, 425, 429 and 5xx are tried again, with a growing, jittered
    wait or as long as `Retry-After` says. A host that does not answer at all is waited for, see
    `Host`. All else is final.
    """

    def __init__(self, limits: PictureLimits) -> None:
        self._limits = limits
        self._hosts: dict[str, Host] = {}
        self._in_flight = asyncio.Semaphore(limits.in_flight)
        self._exchange = Exchange(limits)
        self._backoff = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=limits.max_wait_s)
        self._jitter = wait_random(max=min(_FIRST_WAIT_S, limits.max_wait_s))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="downloads", daemon=True
        )
        self._thread.start()

    def get(self, url: str, known: str | None = None) -> Fetched:
        """What is at a URL; see `submit`."""
        return self.submit(url, known).result()

    def submit(self, url: str, known: str | None = None) -> Future[Fetched]:
        """What will have come from a URL; may be cancelled.

        Args:
            url: Where the picture is.
            known: The validator of an earlier answer: the bytes come only if they are others.

        Raises:
            PictureError: From the future: GONE, BUSY, REFUSED or, for an answer that breaks off,
                BROKEN.
        """
        return asyncio.run_coroutine_threadsafe(self._fetch(url, known), self._loop)

    def close(self) -> None:
        """Give up what is on its way, and close the connections."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._exchange.close()
        await self._loop.shutdown_default_executor()  # which looks up names

    async def _fetch(self, url: str, known: str | None) -> Fetched:
        policy = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts),
            wait=self._wait_s,
            retry=retry_if_exception_type(PassingError),
            before_sleep=_log_attempt,
            reraise=True,
        )
        with blamed_on(url):
            return await policy(self._attempt, url, known)

    async def _attempt(self, url: str, known: str | None) -> Fetched:
        """The answer to one attempt, of which those that found the host away are none."""
        while True:
            place = parsed(url)
            try:
                for _ in range(1 + _MAX_REDIRECTS):
                    host = self._host(place)
                    async with host.turn(), self._in_flight:
                        answer = await self._exchange.ask(place, host, known)
                    if isinstance(answer, Fetched):
                        return answer
                    place = answer
            except NoAnswerError:
                if not host.is_away:
                    raise
            else:
                raise PictureError(PictureFault.GONE, "it redirects in circles")

    def _host(self, url: httpx.URL) -> Host:
        name = url.netloc.decode("ascii")
        return self._hosts.setdefault(name, Host(name, self._limits))

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.wait_s if isinstance(error, PassingError) else None
        return self._backoff(state) if asked_s is None else asked_s + self._jitter(state)


def _log_attempt(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("%s: %s; trying again in %.1f s", state.args[0], error, state.upcoming_sleep)
