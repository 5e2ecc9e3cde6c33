"""The words of boolean fields: "on sale", "in stock", and "sold out" for what is not in stock."""

from collections.abc import Iterator, Mapping

from search.understand.decision import Why
from search.understand.resolve import Choice
from search.understand.thesaurus import Thesaurus
from search.understand.words import name_words

_STOCKED = ("in stock", "available")
_SOLD_OUT = ("out of stock", "sold out")
"""What fields are called, not what texts say: "available in red" asks for no stock."""


def claim(name: str, counts: Mapping[str, int], thesaurus: Thesaurus) -> tuple[str, Choice | None]:
    """The name of a boolean field by key, and what it means; None if it is true of no product."""
    words = [word for word in name_words(name) if word not in ("is", "has")] or name_words(name)
    return "".join(map(thesaurus.stem, words)), _choice(name, counts, is_true=True)


def stock_claims(
    name: str, counts: Mapping[str, int], thesaurus: Thesaurus
) -> Iterator[tuple[str, Choice | None]]:
    """What a boolean field of what is in stock, or sold out, makes of the words for either."""
    key, _ = claim(name, counts, thesaurus)
    stocked, sold_out = (set(map(thesaurus.key, names)) for names in (_STOCKED, _SOLD_OUT))
    if key in stocked | sold_out:
        for said in (_STOCKED[0], *_SOLD_OUT):
            word = thesaurus.key(said)
            is_true = (word in stocked) == (key in stocked)
            yield word, _choice(name, counts, is_true=is_true)


def _choice(name: str, counts: Mapping[str, int], *, is_true: bool) -> Choice | None:
    if not counts.get(str(is_true).lower()):
        return None
    return Choice(name, (is_true,), (is_true,), Why.SAID, 0)
