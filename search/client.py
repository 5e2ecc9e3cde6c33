"""The search client: text, picture or product in; products out, with total and facets."""

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from goods.errors import QueryError
from goods.index import (
    Condition,
    FacetCount,
    HasId,
    IndexInfo,
    Not,
    Vector,
    VectorIndex,
    open_index,
)
from goods.index.contract import check_same_model, product_of
from goods.pictures import PictureLoader
from goods.product import Picture, absolute_location, point_id
from goods.schema import CatalogSchema, FieldKind
from model.encoder import Encoder
from search.answer import Answer, Hit
from search.filters import Filters

VOCABULARY_LIMIT = 10_000
"""Values of one field up to which filters are checked against them."""

FACET_LIMIT = 100
"""Values of one field that an answer counts."""


class SearchClient:
    """Searches one index with the model that made it.

    Use it from one thread at a time when the index is a folder.

    Args:
        index: A folder, `http(s)://host:6333/collection`, or an index that is already open.
        model: Checkpoint to embed queries with; the one that the index names otherwise.
        api_key: For a server that asks for one.
        device: Where the model runs, see `Encoder.load`.
        dtype: The model's number format, see `Encoder.load`.

    Raises:
        IndexMissingError: There is no index yet.
        IndexLockedError: Another process holds the folder.
    """

    def __init__(
        self,
        index: str | Path | VectorIndex,
        model: str | None = None,
        *,
        api_key: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.index = (
            open_index(str(index), api_key=api_key) if isinstance(index, str | Path) else index
        )
        try:
            self.contract = self.index.contract
        except BaseException:
            self.index.close()
            raise
        self._model = model or self.contract.model
        self._device = device
        self._dtype = dtype
        self._vocabularies: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def schema(self) -> CatalogSchema:
        """The catalog's fields."""
        return self.contract.schema

    @property
    def countable(self) -> tuple[str, ...]:
        """The fields whose values can be counted: keywords and booleans."""
        return tuple(f.name for f in self.schema.fields if f.kind is not FieldKind.NUMBER)

    @cached_property
    def encoder(self) -> Encoder:
        """The model, loaded on first use.

        Raises:
            ModelMismatchError: It is not the one that made the index.
        """
        encoder = Encoder.load(self._model, self._device, self._dtype)
        address = self.index.info().address
        check_same_model(address, self.contract, encoder.stamp, encoder.name)
        return encoder

    def by_text(
        self,
        text: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """The products whose pictures are closest to what the text says.

        Raises:
            QueryError: The text is empty, or a filter or facet cannot be used.
        """
        if not text.strip():
            raise QueryError("the text is empty; say what to look for")
        encoder, started = self.encoder, time.perf_counter()
        vector = encoder.texts([text])[0]
        return self._search(vector, started, filters, (), limit, offset, facets)

    def by_image(
        self,
        image: str | Path | bytes | Image.Image,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """The products whose pictures are closest to a picture: a path, URL, bytes or image.

        Raises:
            PictureError: The picture cannot be used.
            QueryError: A filter or facet cannot be used.
        """
        encoder, started = self.encoder, time.perf_counter()
        if isinstance(image, Image.Image):
            loaded = image
        else:
            with PictureLoader() as loader:
                loaded = loader.load(_picture(image), at_least=encoder.image_size)
        vector = encoder.images([loaded])[0]
        return self._search(vector, started, filters, (), limit, offset, facets)

    def similar_to(
        self,
        product_id: str,
        filters: Filters | None = None,
        *,
        limit: int = 10,
        offset: int = 0,
        facets: Sequence[str] = (),
    ) -> Answer:
        """The products closest to one of the catalog, without itself.

        Raises:
            QueryError: The index has no such product, or a filter or facet cannot be used.
        """
        started = time.perf_counter()
        itself = point_id(product_id)
        records = self.index.fetch([itself], with_vectors=True)
        if not records or records[0].vector is None:
            raise QueryError(f"there is no product {product_id!r} in the index")
        others = (Not(HasId((itself,))),)
        return self._search(records[0].vector, started, filters, others, limit, offset, facets)

    def facets(
        self, names: Sequence[str] = (), filters: Filters | None = None, *, limit: int = FACET_LIMIT
    ) -> dict[str, tuple[FacetCount, ...]]:
        """How many products have each value, most frequent first, under the filters.

        Args:
            names: Keyword and boolean fields; all of them when empty.
            filters: What the counted products hold to.
            limit: Values counted per field.

        Raises:
            QueryError: A field cannot be counted, or a filter cannot be used.
        """
        if unknown := set(names) - set(self.countable):
            raise QueryError(f"no facet {sorted(unknown)}; there are {', '.join(self.countable)}")
        conditions = self._conditions(filters)
        return {
            name: tuple(self.index.facet(name, conditions, limit=limit))
            for name in names or self.countable
        }

    def info(self) -> IndexInfo:
        """The state of the index."""
        return self.index.info()

    def close(self) -> None:
        """Let go of the index."""
        self.index.close()

    def _search(
        self,
        vector: Vector,
        started: float,
        filters: Filters | None,
        more: tuple[Condition, ...],
        limit: int,
        offset: int,
        facets: Sequence[str],
    ) -> Answer:
        if limit < 1 or offset < 0:
            raise QueryError(f"limit {limit}, offset {offset}: ask for at least 1, from 0 on")
        encoded = time.perf_counter()
        conditions = self._conditions(filters) + more
        found = self.index.search(
            vector.astype(np.float32), limit, offset=offset, conditions=conditions
        )
        hits = tuple(Hit(product_of(f.payload, self.schema), f.score) for f in found)
        total = self.index.count(conditions)
        counts = self.facets(facets, filters) if facets else {}
        done = time.perf_counter()
        return Answer(hits, total, counts, (encoded - started) * 1e3, (done - encoded) * 1e3)

    def _conditions(self, filters: Filters | None) -> tuple[Condition, ...]:
        return filters.conditions(self.schema, self._vocabulary) if filters else ()

    def _vocabulary(self, name: str) -> Sequence[str] | None:
        """The field's values, or None when they are too many to check against."""
        if name not in self._vocabularies:
            counts = self.index.facet(name, limit=VOCABULARY_LIMIT)
            self._vocabularies[name] = tuple(str(count.value) for count in counts)
        values = self._vocabularies[name]
        return values if len(values) < VOCABULARY_LIMIT else None


def _picture(source: str | Path | bytes) -> Picture:
    if isinstance(source, bytes):
        return Picture("the query picture", source)
    return Picture(absolute_location(str(source), Path.cwd()))
