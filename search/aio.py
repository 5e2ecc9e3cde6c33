"""The search client for programs that wait with `await`."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from search.answer import Answer
from search.client import SearchClient
from search.facets import FACET_LIMIT, Facets
from search.filters import Filters
from search.options import SearchOptions
from search.query import Query
from search.understand.decision import Understanding

T = TypeVar("T")


class AsyncSearchClient:
    """A `SearchClient` whose searches run in a thread of their own, one after the other.

    Args:
        index: As for `SearchClient`, with all that follows.
    """

    def __init__(self, index: str, *args: Any, **kwargs: Any) -> None:
        self._make = partial(SearchClient, index, *args, **kwargs)
        self._thread = ThreadPoolExecutor(1, "search")
        self._client: SearchClient | None = None

    async def __aenter__(self) -> Self:
        await self._run(lambda client: client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        """See `SearchClient.search`."""
        return await self._run(lambda client: client.search(query, filters, options))

    async def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        """See `SearchClient.facets`."""
        return await self._run(lambda c: c.facets(names, filters, limit=limit, widen=widen))

    async def understand(self, text: str) -> Understanding:
        """See `SearchClient.understand`."""
        return await self._run(lambda client: client.understand(text))

    async def close(self) -> None:
        """Let go of the index."""
        if self._client is not None:
            await self._run(SearchClient.close)
            self._client = None
        self._thread.shutdown()

    async def _run(self, work: Callable[[SearchClient], T]) -> T:
        def in_thread() -> T:
            if self._client is None:
                self._client = self._make()
            return work(self._client)

        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)
