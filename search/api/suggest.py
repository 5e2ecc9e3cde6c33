"""How to go on typing: what the catalog has that begins like the last words."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Self

from goods.schema import FieldKind
from search.client import SearchClient

VALUES = 2000
"""Values of one field that are suggested, the most frequent ones."""

TITLES = 100_000
"""Products whose titles are read for words."""

_LAST_WORDS = 4  # so many at the end of a text may be the beginning of one value
_LOOKED_AT = 3000  # terms that begin with one letter, at most
_SHORTEST = 3  # letters of a word of a title that is worth suggesting


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on.

    Attributes:
        text: The whole text.
        field: The field whose value it ends with; None for a word of titles.
        value: The value as the catalog spells it.
        count: How many products have it.
    """

    text: str
    field: str | None
    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class _Term:
    """Something that a text may end with, and where in it somebody may have begun to type."""

    begins: str
    text: str
    field: str | None
    value: str | None
    count: int


class Suggestions:
    """The values and words of one catalog, in alphabetical order."""

    def __init__(self, terms: list[_Term]) -> None:
        self._terms = sorted(terms, key=lambda term: (term.begins, -term.count))
        self._begins = [term.begins for term in self._terms]

    @classmethod
    def collect(cls, client: SearchClient) -> Self:
        """Everything that can be suggested from an index."""
        terms: list[_Term] = []
        for field in client.schema.fields:
            if field.kind is FieldKind.KEYWORD:
                for found in client.index.facet(field.name, limit=VALUES):
                    text = " ".join(str(found.value).casefold().split())
                    words = text.split()
                    terms.extend(
                        _Term(" ".join(words[n:]), text, field.name, str(found.value), found.count)
                        for n in range(min(len(words), _LAST_WORDS))
                    )
        known = {term.text for term in terms}
        titles: Counter[str] = Counter()
        for record in islice(client.index.scan(keys=("title",)), TITLES):
            title = str(record.payload.get("title", "")).casefold()
            titles.update({word for word in title.split() if word.isalpha()})
        terms.extend(
            _Term(word, word, None, None, count)
            for word, count in titles.items()
            if len(word) >= _SHORTEST and word not in known
        )
        return cls(terms)

    def of(self, text: str, limit: int) -> list[Suggestion]:
        """The most frequent ways to complete the last word or words of a text."""
        words = text.casefold().split()
        found: dict[str, Suggestion] = {}
        for count in range(min(len(words), _LAST_WORDS), 0, -1):
            before = " ".join(words[:-count])
            beginning = " ".join(words[-count:])
            for term in self._beginning_with(beginning, limit):
                whole = f"{before} {term.text}".strip()
                suggestion = Suggestion(whole, term.field, term.value, term.count)
                found.setdefault(whole, suggestion)
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    def _beginning_with(self, beginning: str, limit: int) -> list[_Term]:
        start = bisect_left(self._begins, beginning)
        near = islice(self._terms, start, start + _LOOKED_AT)
        fits = [term for term in near if term.begins.startswith(beginning)]
        return sorted(fits, key=lambda term: (-term.count, term.text))[:limit]
