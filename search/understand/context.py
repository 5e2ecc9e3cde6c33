"""What a phrase's neighbours make of it: refused, said of something else, or meant."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from search.understand.pieces import Piece, Role
from search.understand.vocabulary import Sense

_EITHER = frozenset({("or",), ("/",)})
_OF_PARTS = frozenset({"colour", "material"})
_WITHOUT = frozenset({("no",), ("without",), ("non",)})
_ALWAYS_OWN = frozenset({"pattern", "sleeve", "size"})  # "a dress with stripes" is striped
_OF_WEARERS = frozenset({"gender", "season", "occasion", "size"})
_LINKS = frozenset({Sense.SKIP, Sense.OR, Sense.WITH})


def settle(pieces: Sequence[Piece], parts: Collection[str]) -> list[Sequence[Piece]]:
    """Give every piece its role; the refusals of which nothing came, each with its pieces."""
    vain = _refuse(pieces, parts)
    _set_parts_aside(pieces, parts)
    _set_company_aside(pieces)
    _set_compounds_aside(pieces)
    _set_general_aside(pieces)
    _doubt_alternatives(pieces)
    _drop_links(pieces)
    return vain


def _refuse(pieces: Sequence[Piece], parts: Collection[str]) -> list[Sequence[Piece]]:
    """Follow every "not" to what it is said of."""
    vain: list[Sequence[Piece]] = []
    place = 0
    while place < len(pieces):
        if pieces[place].sense is Sense.NOT:
            end, is_vain = _refused_to(pieces, place, parts)
            for piece in pieces[place:end]:
                if piece.role is Role.KEPT:
                    piece.role = Role.DROPPED
            if is_vain:
                vain.append(pieces[place:end])
            place = max(end, place + 1)
        else:
            if _is_free_of(pieces, place):
                pieces[place].role = Role.REFUSED
                pieces[place + 1].role = Role.DROPPED
            place += 1
    return vain


def _is_free_of(pieces: Sequence[Piece], place: int) -> bool:
    """Whether "-free" follows: "leather-free"."""
    after = pieces[place + 1] if place + 1 < len(pieces) else None
    is_material = pieces[place].aspect == "material" and bool(pieces[place].refusable)
    return is_material and after is not None and after.words == ("free",)


def _refused_to(pieces: Sequence[Piece], place: int, parts: Collection[str]) -> tuple[int, bool]:
    """Where a refusal ends, and whether nothing comes of it; `place` if it refuses nothing."""
    at = _pass(pieces, place + 1, {Sense.SKIP, Sense.WITH, Sense.FOR, Sense.NOT})
    if at >= len(pieces) or _breaks(pieces[at]):
        return place, False
    first = pieces[at]
    if not first.names:
        if first.sense is not None:
            return place, False
        return _unknown_to(pieces, at + 1), True
    end = at + 1
    refused = [first]
    while (joined := _joined(pieces, end, first.aspect)) is not None:
        refused.append(pieces[joined])
        end = joined + 1
    while end < len(pieces) and _is_adjective(pieces[end]):
        end += 1
    follower = pieces[end] if end < len(pieces) and not _breaks(pieces[end]) else None
    is_of_part = pieces[place].words in _WITHOUT and first.aspect in _OF_PARTS
    if follower and is_of_part and (follower.sense is None or follower.words[-1] in parts):
        return end + 1, True
    can_refuse = [piece for piece in refused if piece.refusable]
    for piece in can_refuse:
        piece.role = Role.REFUSED
    return end, not can_refuse


def _unknown_to(pieces: Sequence[Piece], end: int) -> int:
    """Past further unknown words that are refused with one before `end`: "no lace *or frills*"."""
    while end + 1 < len(pieces) and pieces[end].sense is Sense.OR and not pieces[end].is_apart:
        if pieces[end + 1].sense is not None or _breaks(pieces[end + 1]):
            break
        end += 2
    return end


def _joined(pieces: Sequence[Piece], end: int, aspect: str) -> int | None:
    """Where the next of several refused things is: "not red *or blue*"."""
    at = _pass(pieces, end, {Sense.OR, Sense.SKIP, Sense.NOT})
    joints = [piece.sense for piece in pieces[end:at]]
    if not {Sense.OR, Sense.NOT} & set(joints) or at >= len(pieces) or pieces[at].is_apart:
        return None
    return at if pieces[at].names and pieces[at].aspect == aspect else None


def _is_adjective(piece: Piece) -> bool:
    return piece.names and piece.aspect not in ("garment", "size", "gender") and not _breaks(piece)


def _pass(pieces: Sequence[Piece], place: int, senses: Collection[Sense]) -> int:
    """The first place from here on where a piece has another sense, or stands apart."""
    while place < len(pieces) and pieces[place].sense in senses and not pieces[place].is_apart:
        place += 1
    return place


def _breaks(piece: Piece) -> bool:
    return piece.is_apart or piece.measured is not None


def _set_parts_aside(pieces: Sequence[Piece], parts: Collection[str]) -> None:
    """Colours and materials of stripes, straps and the like: "with red stripes"."""
    for place in range(len(pieces) - 2, -1, -1):
        piece, after = pieces[place], pieces[place + 1]
        if piece.role is not Role.KEPT or piece.aspect not in _OF_PARTS or after.is_apart:
            continue
        if after.sense is Sense.OR and place + 2 < len(pieces):
            after = pieces[place + 2]
            is_of_part = after.role is Role.ASIDE and after.aspect == piece.aspect
        else:
            is_of_part = after.words[:1] != () and after.words[0] in parts
            is_of_part = is_of_part or (after.role is Role.ASIDE and after.aspect in _OF_PARTS)
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
        if _breaks(piece) or piece.sense is Sense.NOT or piece.words == ("in",):
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
