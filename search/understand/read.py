"""From a shopper's text to filters: no model, no I/O, the same answer every time."""

import re
from collections.abc import Iterable, Iterator, Sequence

from search.understand.avoided import avoided
from search.understand.context import settle
from search.understand.decision import NotCarried, Substituted, Understanding, Understood, Why
from search.understand.pieces import Piece, Role, pieces
from search.understand.resolve import Choice
from search.understand.vocabulary import Sense, Vocabulary
from search.understand.words import clean

SOFT = frozenset({"season", "occasion"})
"""Aspects that only move products up: a dress for the summer may be labelled Fall."""

_GAP = "\0"
_GAPS = re.compile(rf"[\s,;]*{_GAP}[\s,;{_GAP}-]*")


def understand(text: str, vocabulary: Vocabulary) -> Understanding:
    """What a shopper's text asks for, in the words of a catalog.

    A word becomes a filter when it can mean one thing; when it is unclear it stays text, which the
    model reads, or moves products up. Amounts are taken as the catalog's own currency.
    """
    text = clean(text)
    found = pieces(text, vocabulary)
    vain = settle(found, vocabulary.thesaurus.parts)
    demands = [*_demands(text, found)]
    hard = [demand for demand, is_soft in demands if not is_soft]
    soft = [demand for demand, is_soft in demands if is_soft]
    not_carried = [*_not_carried(text, found), *(_in_vain(text, group) for group in vain)]
    return Understanding(
        _left(text, found),
        tuple(_merged(hard)),
        tuple(_merged(soft)),
        tuple(dict.fromkeys(_substituted([*hard, *soft]))),
        tuple(dict.fromkeys(not_carried)),
        tuple(dict.fromkeys(avoided(text, vain, vocabulary.thesaurus))),
    )


def _demands(text: str, found: Sequence[Piece]) -> Iterator[tuple[Understood, bool]]:
    """What is asked for, and whether it only moves products up."""
    garments = [piece for piece in found if _is_asked(piece) and piece.aspect == "garment"]
    field = _common_field(garments)
    for piece in found:
        said = text[piece.start : piece.end]
        if piece.measured and piece.measured.field:
            for op, bound in piece.measured.bounds:
                yield Understood(piece.measured.field, op, (bound,), said), False
        elif piece.role is Role.REFUSED and piece.meaning:
            yield _refused(piece.meaning.choices[0], said, piece), False
        elif _is_asked(piece) and piece.meaning:
            is_soft = piece.role is Role.HINT or piece.aspect in SOFT
            choices = piece.meaning.choices
            if piece.aspect == "garment" and len(garments) > 1:
                is_soft = is_soft or field is None
                choices = tuple(choice for choice in choices if field in (choice.field, None))
            yield _asked(choices[0], said, piece), is_soft
        elif piece.sense is Sense.UNSURE and piece.meaning and piece.role in (Role.KEPT, Role.HINT):
            for choice in piece.meaning.choices:
                yield _asked(choice, said, piece), True


def _is_asked(piece: Piece) -> bool:
    return piece.sense is Sense.VALUE and piece.role in (Role.KEPT, Role.HINT)


def _common_field(garments: Sequence[Piece]) -> str | None:
    """The field that has a value for every garment, the likeliest of them; None if there is none.

    "dresses and bags" asks for either, but what two fields demand has to hold together.
    """
    ranks = [
        {choice.field: rank for rank, choice in enumerate(piece.meaning.choices)}
        for piece in garments
        if piece.meaning
    ]
    common = set.intersection(*map(set, ranks)) if ranks else set()
    return min(common, key=lambda field: (sum(rank[field] for rank in ranks), field), default=None)


def _asked(choice: Choice, said: str, piece: Piece) -> Understood:
    return Understood(choice.field, "=", choice.values, said, _why(choice, piece))


def _refused(choice: Choice, said: str, piece: Piece) -> Understood:
    if choice.refused == (True,):
        return Understood(choice.field, "=", (False,), f"not {said}", _why(choice, piece))
    return Understood(choice.field, "!=", choice.refused, said, _why(choice, piece))


def _why(choice: Choice, piece: Piece) -> Why:
    return Why.SPELLING if piece.is_corrected and choice.why is Why.SAID else choice.why


def _merged(demands: Iterable[Understood]) -> Iterator[Understood]:
    """The demands, with the values of one field together: they are accepted, or refused, alike."""
    together: dict[tuple[str, str], list[Understood]] = {}
    for demand in demands:
        own = "" if demand.op in ("=", "!=") else str(demand.values)
        together.setdefault((demand.field, demand.op + own), []).append(demand)
    order = list(Why)
    for same in together.values():
        values = tuple(dict.fromkeys(value for demand in same for value in demand.values))
        said = ", ".join(dict.fromkeys(demand.said for demand in same))
        why = max((demand.why for demand in same), key=order.index)
        yield Understood(same[0].field, same[0].op, values, said, why)


def _substituted(demands: Iterable[Understood]) -> Iterator[Substituted]:
    for demand in demands:
        if demand.why is not Why.SAID:
            yield Substituted(demand.said, tuple(map(str, demand.values)), demand.why)


def _not_carried(text: str, found: Sequence[Piece]) -> Iterator[NotCarried]:
    for piece in found:
        said = text[piece.start : piece.end]
        if piece.measured and piece.measured.field is None:
            yield NotCarried(said, f"no {piece.measured.role} in this catalog")
        elif piece.sense is Sense.MISSING and piece.role is Role.KEPT:
            what = "size" if piece.aspect == "size" else "value"
            yield NotCarried(said, f"no such {what} in this catalog")


def _in_vain(text: str, group: Sequence[Piece]) -> NotCarried:
    return NotCarried(text[group[0].start : group[-1].end], "no value to exclude")


def _left(text: str, found: Sequence[Piece]) -> str:
    """The text without what is refused, measured or sized; a comma stands where it was."""
    kept: list[str] = []
    end = 0
    for piece in found:
        is_gone = piece.role in (Role.DROPPED, Role.REFUSED) or piece.measured
        if is_gone or (piece.aspect == "size" and piece.role is Role.KEPT):
            kept += [text[end : piece.start], _GAP]
            end = piece.end
    if not end:
        return text
    left = _GAPS.sub(_GAP, "".join([*kept, text[end:]])).strip(f"{_GAP} ,;-")
    return left.replace(_GAP, ", ")
