"""What searches have to know of an index beforehand, kept as long as the index stays what it is."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from goods.index import VectorIndex
from goods.schema import FieldKind
from search.relevance import RELEVANCE_NOTE, Background
from search.understand import Vocabulary, read_thesaurus
from search.understand.thesaurus import shipped_thesaurus

VALUES_LIMIT = 10_000
"""Values of a field up to which they are checked and understood; a field with more holds codes."""

CHECK_S = 60.0
"""Seconds for which an index is taken not to have changed."""


class LiveCatalog:
    """Reads what an index holds on first use, and again after the index has changed.

    Args:
        index: What is read.
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
        self._state: tuple[str, int] | None = None
        self._checked_at = 0.0
        self._facets: dict[str, dict[str, int]] = {}
        self._vocabulary: Vocabulary | None = None
        self._background: Background | None = None

    def vocabulary(self) -> Vocabulary:
        """The words of its fields; at most a minute older than the index."""
        self._check()
        found = self._vocabulary
        if found is None:
            schema = self._index.contract.schema
            names = [f.name for f in schema.fields if f.kind is not FieldKind.NUMBER]
            facets = {name: self._facet(name) for name in names}
            few = {name: facet for name, facet in facets.items() if len(facet) < VALUES_LIMIT}
            self._vocabulary = found = Vocabulary.build(schema, few, self._thesaurus)
        return found

    def values(self, name: str) -> Sequence[str] | None:
        """A keyword field's values, or None when they are too many; a minute old at most."""
        self._check()
        facet = self._facet(name)
        return tuple(facet) if len(facet) < VALUES_LIMIT else None

    def values_now(self, name: str) -> Sequence[str] | None:
        """The same, as they are at this moment."""
        before = self._facets.pop(name, None)
        if self._facet(name) != before:
            self._vocabulary = None
        return self.values(name)

    def background(self) -> Background | None:
        """What relevance is judged by; None where it was not measured; a minute old at most."""
        self._check()
        return self._background

    def _check(self) -> None:
        """Forget what was read if the index has changed."""
        now = self._clock()
        if self._state is not None and now - self._checked_at < CHECK_S:
            return
        info = self._index.info()
        state = info.state, info.points
        if state != self._state:
            self._facets, self._vocabulary = {}, None
            self._background = Background.of(self._index.read_note(RELEVANCE_NOTE))
        self._state, self._checked_at = state, now

    def _facet(self, name: str) -> dict[str, int]:
        """How many products have which value, as people write it; the most frequent ones."""
        facets = self._facets
        found = facets.get(name)
        if found is None:
            facets[name] = found = {
                str(c.value).lower() if isinstance(c.value, bool) else str(c.value): c.count
                for c in self._index.facet(name, limit=VALUES_LIMIT)
            }
        return found
