"""What routes share: the indexes, the models, the threads that searches run in."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from search.api.copies import CopyingFolder
from search.api.counters import Counters
from search.api.elsewhere import CatalogPictures
from search.api.encoders import Encoders
from search.api.errors import RefusedError
from search.api.guard import Keys
from search.api.home import Home, Served
from search.api.settings import ServiceSettings
from search.api.thumbnails import Thumbnails
from search.deadline import check, deadline

T = TypeVar("T")
log = logging.getLogger("goods.serve")

_PICTURE_THREADS = 4


class Service:
    """Everything that one process of the service owns."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.counters = Counters()
        self.keys = Keys(settings.read_key, settings.admin_key)
        self.thumbnails = Thumbnails(settings.pictures, settings.thumbnails_bytes, self.counters)
        self.elsewhere = CatalogPictures(settings.catalog)
        self._copies = CopyingFolder(settings.copies)
        encoders = Encoders(settings.query_model, self.counters)
        addresses = {"main": settings.index, "compare": settings.compare}
        self.homes: Mapping[str, Home] = {
            name: Home(
                name,
                address,
                settings,
                encoders,
                self.counters,
                self._copies,
                self._forget_pictures,
            )
            for name, address in addresses.items()
            if address is not None
        }
        self._pool = ThreadPoolExecutor(settings.threads, "search")
        self._picture_pool = ThreadPoolExecutor(_PICTURE_THREADS, "picture")
        self._refresher: asyncio.Task[None] | None = None
        self._is_over = asyncio.Event()
        self._asked: Counter[ThreadPoolExecutor] = Counter()  # running or waiting

    @property
    def reasons(self) -> dict[str, str]:
        """Why which index cannot be searched; empty when all can."""
        known = {name: home.reason for name, home in self.homes.items()}
        return {name: reason for name, reason in known.items() if reason is not None}

    def start(self) -> None:
        """Begin to open the indexes, and to look for changes."""
        self._refresher = asyncio.create_task(self._keep_fresh())

    async def close(self) -> None:
        """Let go of everything, after the requests that are on their way."""
        self._is_over.set()
        if self._refresher is not None:
            await self._refresher
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for pool in (self._pool, self._picture_pool):
            pool.shutdown(cancel_futures=True)
        for home in self.homes.values():
            home.close()
        self.thumbnails.close()
        self._copies.close()

    def _forget_pictures(self) -> None:
        self.thumbnails.clear()
        self.elsewhere.forget()

    async def _keep_fresh(self) -> None:
        while not self._is_over.is_set():
            for home in self.homes.values():
                try:
                    await asyncio.to_thread(home.refresh)
                except Exception:  # a bug must not end the looking; what is served goes on
                    log.exception("%s: looking for changes failed", home.name)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.refresh_s):
                    await self._is_over.wait()

    @contextmanager
    def lease(self, name: str) -> Iterator[Served]:
        """An index, by the name that requests use.

        Raises:
            RefusedError: There is none of this name.
            NotReadyError: It is not open yet.
        """
        home = self.homes.get(name)
        if home is None:
            raise RefusedError(400, "there is nothing to compare with; see goods serve --compare")
        with home.lease() as served:
            yield served

    async def run(self, name: str, work: Callable[[Served], T]) -> T:
        """What some work with an index gives, done in a thread.

        Raises:
            RefusedError: It takes too long, or too much is waiting already.
        """

        def leased() -> T:
            with self.lease(name) as served:
                return work(served)

        return await self._in(self._pool, leased)

    async def run_picture(self, work: Callable[[], T]) -> T:
        """The same for work that waits for pictures; it takes no thread or place of searches."""
        return await self._in(self._picture_pool, work)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        if self._asked[pool] >= self.settings.max_waiting:
            raise RefusedError(503, "too much is being asked at once", {"Retry-After": "1"})
        give_up = time.monotonic() + self.settings.timeout_s

        def in_time() -> T:
            with deadline(give_up):
                check()
                return work()

        self._asked[pool] += 1
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await asyncio.get_running_loop().run_in_executor(pool, in_time)
        except TimeoutError as error:
            raise RefusedError(
                503, "the answer takes too long; try again", {"Retry-After": "1"}
            ) from error
        finally:
            self._asked[pool] -= 1
