"""What a text refuses and no field of the catalog has a value for: "without lace"."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from search.understand.decision import Avoided
from search.understand.pieces import Piece
from search.understand.thesaurus import Aspect, Thesaurus
from search.understand.vocabulary import Sense

_BETWEEN = frozenset({Sense.NOT, Sense.OR, Sense.SKIP, Sense.WITH, Sense.FOR})


def avoided(text: str, vain: Sequence[Sequence[Piece]], thesaurus: Thesaurus) -> Iterator[Avoided]:
    """The things that refusals of which no filter came are about, in order.

    Args:
        text: The clean text.
        vain: The pieces of each such refusal, the "not" first.
        thesaurus: What else each thing is called.
    """
    for group in vain:
        for is_between, run in groupby(group, key=lambda piece: piece.sense in _BETWEEN):
            if not is_between:
                pieces = list(run)
                yield thing(text[pieces[0].start : pieces[-1].end], thesaurus)


def thing(said: str, thesaurus: Thesaurus) -> Avoided:
    """A thing to avoid, with what else it is called."""
    key = thesaurus.key(said)
    keys = (name for aspect in thesaurus.aspects.values() for name in _called(key, aspect))
    names = (" ".join(thesaurus.spelt[name]) for name in keys)
    return Avoided(said, tuple(dict.fromkeys([said, *names])))


def _called(key: str, aspect: Aspect) -> Iterator[str]:
    """Other words for it, and for what is of its kind: a plaid shirt is checked."""
    same = aspect.same.get(key, ())
    yield from same
    for word in (key, *same):
        for kind in aspect.kinds.get(word, ()):
            yield kind
            yield from aspect.same.get(kind, ())
