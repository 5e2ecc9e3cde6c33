"""What every search client answers, by an index of its own or by a service."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from search.answer import Answer
from search.facets import FACET_LIMIT, Facets
from search.filters import Filters
from search.options import SearchOptions, Understand
from search.query import Example, Query
from search.understand.decision import Understanding


class Searcher(ABC):
    """Searches one index; as a context manager, it is closed at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        """The products that a query of several parts is about, under the filters.

        An empty query gives all products under the filters, sorted if the options say so.

        Raises:
            QueryError: The index has no such product; a filter, facet, option or cursor cannot be
                used; or the parts of the query cancel each other out.
            PictureError: A picture cannot be used.
        """

    def by_text(
        self,
        text: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
        understand: Understand = "off",
    ) -> Answer:
        """The products that look like what the text says, or are called so; see `search`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets, understand=understand)
        return self.search(Query(texts=(text,)), filters, options)

    def by_image(
        self,
        image: Example,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """The products closest to a picture: a path, URL, bytes or image; see `search`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets)
        return self.search(Query(images=(image,)), filters, options)

    def similar_to(
        self,
        product_id: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """The products closest to one of the catalog, without it and its variants; see `search`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets)
        return self.search(Query(products=(product_id,)), filters, options)

    @abstractmethod
    def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        """What the products under the filters have: counts per value, ranges of numbers.

        Args:
            names: Fields to count; all of them when empty.
            filters: What the counted products hold to.
            limit: Values counted per field.
            widen: Count each field under the filters on the other fields alone.

        Raises:
            QueryError: There is no such field, or a filter cannot be used.
        """

    @abstractmethod
    def understand(self, text: str) -> Understanding:
        """What a shopper's text asks for, in the words of this catalog; nothing is searched."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the index, or of the connections to the service."""


class AsyncSearcher(ABC):
    """A `Searcher` for programs that wait with `await`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @abstractmethod
    async def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        """See `Searcher.search`."""

    async def by_text(
        self,
        text: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
        understand: Understand = "off",
    ) -> Answer:
        """See `Searcher.by_text`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets, understand=understand)
        return await self.search(Query(texts=(text,)), filters, options)

    async def by_image(
        self,
        image: Example,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """See `Searcher.by_image`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets)
        return await self.search(Query(images=(image,)), filters, options)

    async def similar_to(
        self,
        product_id: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """See `Searcher.similar_to`."""
        options = SearchOptions(limit=limit, offset=offset, facets=facets)
        return await self.search(Query(products=(product_id,)), filters, options)

    @abstractmethod
    async def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        """See `Searcher.facets`."""

    @abstractmethod
    async def understand(self, text: str) -> Understanding:
        """See `Searcher.understand`."""

    @abstractmethod
    async def close(self) -> None:
        """See `Searcher.close`."""
