"""The search client: texts, pictures and products in; products out, with total and facets."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from PIL import Image

from goods.errors import FilterError, QueryError
from goods.index import (
    Condition,
    IndexInfo,
    Record,
    Vector,
    VectorIndex,
    open_index,
)
from goods.limits import PictureLimits
from goods.options import BACKEND_CACHE
from goods.schema import CatalogSchema
from model.backends.accelerate import Accelerated
from model.backends.agreement import Agreement
from model.encoder import Encoder
from model.heat import heat_map
from search.answer import Answer, Hit
from search.asked import Asked, ask, ranking_of
from search.cursor import MAX_SHOWN, Cursor
from search.deadline import check
from search.embed import SOON, QueryEncoder, embed
from search.examples import find_examples, unlike
from search.facets import FACET_LIMIT, Facets, count_facets
from search.filters import Filters
from search.heat import heated
from search.hits import hits_of
from search.live import LiveCatalog
from search.options import SearchOptions
from search.pages import turn
from search.query import Query
from search.query_model import QueryModel
from search.relevance import Relevance, relevance
from search.searcher import Searcher
from search.understand import Understanding, understand
from search.understand.carried import is_carried


class SearchClient(Searcher):
    """Searches one index with the model that made it.

    Use it from one thread at a time when the index is a folder.

    Args:
        index: A folder, `http(s)://host:6333/collection`, or an index that is already open.
        model: Checkpoint to embed queries with; the one that the index names otherwise.
        api_key: For a server that asks for one.
        device: Where the model runs, see `QueryModel`.
        dtype: The model's number format.
        backend: What embeds texts; pictures are embedded by torch.
        backend_cache: Folder that keeps what was exported for a backend.
        synonyms: A file of the shop's own words, see `read_thesaurus`.
        limits: What a picture to search by may cost, and where it may come from.
        embedder: What embeds queries instead of a model of its own; it has to be the index's.

    Raises:
        IndexMissingError: There is no index yet.
        IndexLockedError: Another process holds the folder.
        ModelError: The backend cannot run here.
    """

    def __init__(
        self,
        index: str | Path | VectorIndex,
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
        self._model = QueryModel(model, device, dtype, backend, backend_cache)
        self.index = (
            open_index(str(index), api_key=api_key) if isinstance(index, str | Path) else index
        )
        try:
            self.contract = self.index.contract
            self._live = LiveCatalog(self.index, synonyms)
        except BaseException:
            self.index.close()
            raise
        self._limits = limits
        self._embedder = embedder

    @property
    def schema(self) -> CatalogSchema:
        """The catalog's fields."""
        return self.contract.schema

    @property
    def countable(self) -> tuple[str, ...]:
        """The fields that can be counted: all of them."""
        return tuple(f.name for f in self.schema.fields)

    @property
    def encoder(self) -> Encoder:
        """The model, loaded on first use.

        Raises:
            ModelMismatchError: It is not the one that made the index.
            ModelError: The backend cannot embed its texts, or agrees too little with torch.
        """
        return self._loaded.encoder

    @property
    def agreement(self) -> Agreement | None:
        """How far the backend agrees with torch on texts; None for torch, or before first use."""
        loaded: Accelerated | None = vars(self).get("_loaded")
        return loaded.agreement if loaded else None

    @cached_property
    def _loaded(self) -> Accelerated:
        return self._model.load(self.index, self.index.info().address)

    def search(
        self,
        query: Query,
        filters: Filters | None = None,
        options: SearchOptions | None = None,
    ) -> Answer:
        options = options or SearchOptions()
        started = time.perf_counter()
        filtered = self._conditions(filters)
        asked = ask(query, filtered, options, self.index, self._live.vocabulary)
        examples = find_examples(self.index, query)
        check()
        vector = None if asked.query.is_empty else self._embed(asked.query, examples)
        encoded = time.perf_counter()
        check()
        conditions = asked.conditions + unlike(examples.values(), options.include_variants)
        question = _question(query, filtered, options)
        shown = Cursor.parse(options.cursor, question).shown if options.cursor else ()
        ranking = ranking_of(asked, self.index, vector, conditions, options)
        by_group = options.by_group
        page = turn(ranking, options.limit, options.offset, shown, by_group=by_group)
        check()
        hits = tuple(hits_of(page.hits, self.index, conditions, query.words, by_group=by_group))
        total = self.index.count(conditions)
        counts = count_facets(
            self.index,
            options.facets,
            asked.conditions,
            limit=options.facet_limit,
            widen=options.widen_facets,
        )
        is_over = page.is_last or len(page.shown) > MAX_SHOWN
        following = None if is_over else str(Cursor(question, page.shown))
        done = time.perf_counter()
        return Answer(
            hits=hits,
            total=total,
            relevance=self._relevance(query, asked, hits, options),
            next=following,
            facets=counts.values,
            numbers=counts.numbers,
            understanding=asked.understanding,
            relaxed=asked.relaxed,
            encode_ms=(encoded - started) * 1e3,
            index_ms=(done - encoded) * 1e3,
        )

    def facets(
        self,
        names: Sequence[str] = (),
        filters: Filters | None = None,
        *,
        limit: int = FACET_LIMIT,
        widen: bool = False,
    ) -> Facets:
        wanted = names or self.countable
        return count_facets(self.index, wanted, self._conditions(filters), limit=limit, widen=widen)

    def heat(self, query: Query) -> Callable[[Image.Image], Image.Image]:
        """What leaves a picture its colours where it is like the query, at 64 embeddings each.

        Raises:
            QueryError: The query is empty, or cannot be used.
        """
        if not query.is_aimed:
            raise QueryError("say what to look for in the picture")
        vector = self._embed(query, find_examples(self.index, query))
        encoder = self._embedder or self.encoder
        return lambda image: heated(image, heat_map(encoder, image, vector))

    def understand(self, text: str) -> Understanding:
        return understand(text, self._live.vocabulary())

    def info(self) -> IndexInfo:
        """The state of the index."""
        return self.index.info()

    def close(self) -> None:
        self.index.close()

    def _embed(self, query: Query, examples: Mapping[str, Record]) -> Vector:
        products = {name: r.vector for name, r in examples.items() if r.vector is not None}
        return embed(query, lambda: self._embedder or self.encoder, products, self._limits)

    def _relevance(
        self, query: Query, asked: Asked, hits: Sequence[Hit], options: SearchOptions
    ) -> Relevance | None:
        """How good the best hit is, where that was measured: for texts, on a page of the best.

        Products that hold to filters which say all that the text says are what was asked for.
        """
        is_of_best = options.cursor is None and options.offset == 0 and options.sort is None
        is_text = asked.query.text_share == 1 and not asked.query.has_minus
        background = self._live.background()
        if background is None or not is_text or not is_of_best:
            return None
        cosine = max((hit.score for hit in hits), default=-1.0)
        words = max((hit.words for hit in hits), default=0.0)
        said = asked.understanding if options.understand == "filter" and not asked.relaxed else None
        if hits and said and is_carried(query.words, said, self._live.vocabulary().thesaurus):
            words = 1.0
        return relevance(background, cosine, words)

    def _conditions(self, filters: Filters | None) -> tuple[Condition, ...]:
        if not filters:
            return ()
        try:
            return filters.conditions(self.schema, self._live.values)
        except FilterError:  # a value may be newer than what was read
            return filters.conditions(self.schema, self._live.values_now)


def _question(query: Query, filtered: tuple[Condition, ...], options: SearchOptions) -> bytes:
    """Four bytes that tell this search from others, whatever page of it is asked for."""
    text = f"{options.question()} {filtered!r}".encode()
    return hashlib.blake2b(query.digest() + text, digest_size=4).digest()
