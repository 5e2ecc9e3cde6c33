"""The vocabulary of an index, kept as long as the index stays what it is."""

import time
from collections.abc import Callable
from pathlib import Path

from goods.index import VectorIndex
from goods.schema import FieldKind
from search.understand import Vocabulary, read_thesaurus
from search.understand.thesaurus import shipped_thesaurus

VALUES_LIMIT = 10_000
"""Values of a field up to which they are words to understand; a field with more holds codes."""

CHECK_S = 60.0
"""Seconds for which an index is taken not to have changed."""


class LiveVocabulary:
    """Builds the vocabulary of an index on first use, and again after the index has changed.

    Args:
        index: Where the values are.
        synonyms: A shop's own words beside the shipped ones, see `read_thesaurus`.
        clock: Gives seconds.

    Raises:
        ThesaurusError: The file of synonyms cannot be read.
    """

    def __init__(
        self,
        index: VectorIndex,
        synonyms: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._thesaurus = read_thesaurus(synonyms) if synonyms else shipped_thesaurus()
        self._clock = clock
        self._built: Vocabulary | None = None
        self._state: tuple[str, int] | None = None
        self._checked_at = 0.0

    def get(self) -> Vocabulary:
        """The vocabulary; at most a minute older than the index."""
        if self._built is None or self._clock() - self._checked_at >= CHECK_S:
            info = self._index.info()
            state = info.generation, info.points
            if self._built is None or state != self._state:
                self._built = self._build()
            self._state, self._checked_at = state, self._clock()
        return self._built

    def _build(self) -> Vocabulary:
        schema = self._index.contract.schema
        facets: dict[str, dict[str, int]] = {}
        for field in schema.fields:
            if field.kind is not FieldKind.NUMBER:
                counts = self._index.facet(field.name, limit=VALUES_LIMIT)
                is_claim = field.kind is FieldKind.BOOLEAN
                if len(counts) < VALUES_LIMIT:
                    facets[field.name] = {
                        str(c.value).lower() if is_claim else str(c.value): c.count for c in counts
                    }
        return Vocabulary.build(schema, facets, self._thesaurus)
