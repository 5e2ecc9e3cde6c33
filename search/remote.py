"""Clients of the search service: the same words as `SearchClient`, and no model of their own.

with RemoteClient("http://127.0.0.1:8000") as shop:
    hits = shop.by_text("striped linen shirt").hits
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from goods.product import Product
from search.answer import Answer
from search.facets import FACET_LIMIT, Facets
from search.filters import Filters
from search.options import SearchOptions
from search.query import Query
from search.remote_calls import (
    answer_of,
    call_of,
    checked,
    facets_of,
    filters_of,
    numbers_of,
    product_of,
    understanding_of,
    unreachable,
)
from search.searcher import AsyncSearcher, Searcher
from search.understand.decision import Understanding

TIMEOUT_S = 30.0


class RemoteClient(Searcher):
    """Asks a service; safe to use from several threads.

    Args:
        url: Where `goods serve` listens.
        key: The key, if the service wants one.
        timeout_s: How long to wait for an answer.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers=_headers(key), timeout=timeout_s)

    def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        """See `Searcher.search`; pictures of products are at the service's own addresses.

        Raises:
            QueryError: The service cannot answer this query.
            ServiceError: It does not answer, wants a key, or is busy.
        """
        call = call_of(query, filters, options or SearchOptions())
        return answer_of(self._json("POST", "/search", **call.request()), self.url)

    def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        asked = _counting(names, filters, limit, widen)
        plain = self._json("GET", "/facets", params=asked)
        return Facets(facets_of(plain), numbers_of(plain))

    def product(self, product_id: str) -> Product:
        """One product.

        Raises:
            QueryError: There is none of this id.
        """
        return product_of(self._json("GET", _path(product_id)), self.url)

    def understand(self, text: str) -> Understanding:
        return understanding_of(self._json("GET", "/understand", params={"q": text}))

    def suggest(self, text: str, limit: int = 8) -> list[str]:
        """Ways to go on typing, the most frequent first."""
        plain = self._json("GET", "/suggest", params={"q": text, "limit": limit})
        return [suggestion["text"] for suggestion in plain["suggestions"]]

    def close(self) -> None:
        self._http.close()

    def _json(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            unreachable(self.url, error)
        return checked(response).json()


class AsyncRemoteClient(AsyncSearcher):
    """A `RemoteClient` for programs that wait with `await`."""

    def __init__(self, url: str, key: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(key), timeout=timeout_s)

    async def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        call = call_of(query, filters, options or SearchOptions())
        return answer_of(await self._json("POST", "/search", **call.request()), self.url)

    async def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        asked = _counting(names, filters, limit, widen)
        plain = await self._json("GET", "/facets", params=asked)
        return Facets(facets_of(plain), numbers_of(plain))

    async def product(self, product_id: str) -> Product:
        """See `RemoteClient.product`."""
        return product_of(await self._json("GET", _path(product_id)), self.url)

    async def understand(self, text: str) -> Understanding:
        return understanding_of(await self._json("GET", "/understand", params={"q": text}))

    async def suggest(self, text: str, limit: int = 8) -> list[str]:
        """See `RemoteClient.suggest`."""
        plain = await self._json("GET", "/suggest", params={"q": text, "limit": limit})
        return [suggestion["text"] for suggestion in plain["suggestions"]]

    async def close(self) -> None:
        await self._http.aclose()

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            unreachable(self.url, error)
        return checked(response).json()


def _headers(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _path(product_id: str) -> str:
    return f"/products/{quote(product_id, safe='')}"


def _counting(
    names: Sequence[str], filters: Filters | None, limit: int, widen: bool
) -> dict[str, Any]:
    return {
        "facets": list(names) or ["all"],
        "facet_limit": limit,
        "widen": widen,
        **filters_of(filters),
    }
