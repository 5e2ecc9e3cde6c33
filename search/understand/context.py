"""What a phrase's neighbours make of it: said of something else, or meant."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from search.understand.pieces import OF_PARTS, Piece, Role
from search.understand.refusal import refuse
from search.understand.vocabulary import Sense

_EITHER = frozenset({("or",), ("/",)})
_ALWAYS_OWN = frozenset({"pattern", "sleeve", "size"})  # "a dress with stripes" is striped
_OF_WEARERS = frozenset({"gender", "season", "occasion", "size"})
_LINKS = frozenset({Sense.SKIP, Sense.OR, Sense.WITH})


def settle(pieces: Sequence[Piece], parts: AbstractSet[str]) -> list[Sequence[Piece]]:
    """Give every piece its role; the refusals of which nothing came, each with its pieces."""
    vain = refuse(pieces, parts)
    _set_parts_aside(pieces, parts)
    _set_company_aside(pieces)
    _set_compounds_aside(pieces)
    _set_general_aside(pieces)
    _doubt_alternatives(pieces)
    _drop_links(pieces)
    return vain


def _set_parts_aside(pieces: Sequence[Piece], parts: AbstractSet[str]) -> None:
    """Colours and materials of stripes, straps and the like: "with red stripes"."""
    for place in range(len(pieces) - 2, -1, -1):
        piece, after = pieces[place], pieces[place + 1]
        if piece.role is not Role.KEPT or piece.aspect not in OF_PARTS or after.is_apart:
            continue
        if after.sense is Sense.OR and place + 2 < len(pieces):
            after = pieces[place + 2]
            is_of_part = after.role is Role.ASIDE and after.aspect == piece.aspect
        else:
            is_of_part = after.words[:1] != () and after.words[0] in parts
            is_of_part = is_of_part or (after.role is Role.ASIDE and after.aspect in OF_PARTS)
        if is_of_part:
            piece.role = Role.ASIDE


def _set_company_aside(pieces: Sequence[Piece]) -> None:
    """What a product has or goes with, not what it is: "with a belt", "for jeans"."""
    scope: Sense | None = None
    has_garment = False
    for piece in pieces:
        if piece.sense in (Sense.WITH, Sense.FOR) and not piece.is_apart:
            scope = piece.sense
            continue
        if piece.breaks or piece.sense is Sense.NOT or piece.words == ("in",):
            scope = None
        if piece.role is Role.KEPT and piece.names:
            if scope is Sense.WITH and piece.aspect not in _ALWAYS_OWN | _OF_WEARERS:
                piece.role = Role.ASIDE
            elif scope is Sense.FOR and piece.aspect in _OF_WEARERS:
                scope = None
            elif scope is Sense.FOR and has_garment and piece.aspect not in _ALWAYS_OWN:
                piece.role = Role.ASIDE
            elif piece.aspect == "garment":
                has_garment = True


def _set_compounds_aside(pieces: Sequence[Piece]) -> None:
    """Of garments side by side, all but the last: a shirt dress is a dress."""
    for piece, after in pairwise(pieces):
        if _is_garment(piece) and _is_garment(after) and not after.is_apart:
            piece.role = Role.ASIDE


def _doubt_alternatives(pieces: Sequence[Piece]) -> None:
    """Make a hint of what is one of two things of which the other is not known."""
    for one, link, other in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if link.words in _EITHER and not link.is_apart and not other.is_apart:
            for piece, beside in ((one, other), (other, one)):
                if beside.words and beside.sense is None and piece.role is Role.KEPT:
                    piece.role = Role.HINT


def _set_general_aside(pieces: Sequence[Piece]) -> None:
    """Of two words side by side, the one that says less: "kids boys" is for boys."""
    for one, other in pairwise(pieces):
        if one.role is other.role is Role.KEPT and not other.is_apart:
            if _narrows(one, other):
                other.role = Role.ASIDE
            elif _narrows(other, one):
                one.role = Role.ASIDE


def _narrows(one: Piece, other: Piece) -> bool:
    if not (one.meaning and other.meaning and one.sense is other.sense is Sense.VALUE):
        return False
    narrow, wide = one.meaning.choices[0], other.meaning.choices[0]
    return narrow.field == wide.field and set(narrow.values) < set(wide.values)


def _is_garment(piece: Piece) -> bool:
    return piece.names and piece.aspect == "garment" and piece.role is Role.KEPT


def _drop_links(pieces: Sequence[Piece]) -> None:
    """Drop the "but" and "and" that led to what is dropped."""
    for place in range(len(pieces) - 2, -1, -1):
        after = pieces[place + 1]
        leads = after.measured is not None or after.role in (Role.DROPPED, Role.REFUSED)
        if pieces[place].sense in _LINKS and leads and not after.is_apart:
            pieces[place].role = Role.DROPPED
