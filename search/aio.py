"""The search client for programs that wait with `await`."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from goods.limits import PictureLimits
from goods.options import BACKEND_CACHE
from search.answer import Answer
from search.client import SearchClient
from search.embed import SOON, QueryEncoder
from search.facets import FACET_LIMIT, Facets
from search.filters import Filters
from search.options import SearchOptions
from search.query import Query
from search.searcher import AsyncSearcher
from search.understand.decision import Understanding

T = TypeVar("T")


class AsyncSearchClient(AsyncSearcher):
    """A `SearchClient` whose searches run in a thread of their own, one after the other.

    Args:
        index: As for `SearchClient`, with all that follows.
    """

    def __init__(
        self,
        index: str | Path,
        model: str | None = None,
        *,
        api_key: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        backend: str = "torch",
        backend_cache: Path = BACKEND_CACHE,
        synonyms: Path | None = None,
        limits: PictureLimits = SOON,
        embedder: QueryEncoder | None = None,
    ) -> None:
        self._make = partial(
            SearchClient,
            index,
            model,
            api_key=api_key,
            device=device,
            dtype=dtype,
            backend=backend,
            backend_cache=backend_cache,
            synonyms=synonyms,
            limits=limits,
            embedder=embedder,
        )
        self._thread = ThreadPoolExecutor(1, "search")
        self._client: SearchClient | None = None

    async def __aenter__(self) -> Self:
        await self._run(lambda client: client)
        return self

    async def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        return await self._run(lambda client: client.search(query, filters, options))

    async def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        return await self._run(lambda c: c.facets(names, filters, limit=limit, widen=widen))

    async def understand(self, text: str) -> Understanding:
        return await self._run(lambda client: client.understand(text))

    async def close(self) -> None:
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
