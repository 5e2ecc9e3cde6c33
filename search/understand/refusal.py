"""What a "not" is said of: one value or several, or things that no field tells of."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from search.understand.pieces import OF_PARTS, Piece, Role
from search.understand.vocabulary import Sense
from search.understand.words import singular

_WITHOUT = frozenset({("no",), ("without",), ("non",)})
_OF_THINGS = frozenset(
    tuple(words.split())
    for words in (
        "no", "without", "minus", "excluding", "except", "except for", "apart from", "doesnt have",
        "dont want", "do not want",
    )
)  # fmt: skip
"""What is followed by the name of a thing; after "not" or "isnt" an adjective may stand alone."""

_LEAVES = frozenset(
    {
        "i", "im", "id", "ive", "my", "me", "we", "our", "you", "your", "he", "she", "his", "her",
        "they", "their", "this", "there", "to", "as", "if", "than", "then", "because", "since",
        "when", "while", "what", "who", "where", "how", "would", "will", "can", "should", "must",
        "need", "want", "wants", "looking", "around", "near", "under", "over", "between",
    }
)  # fmt: skip
"""Words that no name of a thing goes on with."""

_LONGEST = 3
"""Words of a thing's name: "big front pockets"."""

_SLEEVES = frozenset({"sleeve", "sleeves"})


def refuse(pieces: Sequence[Piece], parts: AbstractSet[str]) -> list[Sequence[Piece]]:
    """Follow every "not" to what it is said of; the refusals of which nothing came."""
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


def _refused_to(pieces: Sequence[Piece], place: int, parts: AbstractSet[str]) -> tuple[int, bool]:
    """Where a refusal ends, and whether nothing comes of it; `place` if it refuses nothing."""
    at = _pass(pieces, place + 1, {Sense.SKIP, Sense.WITH, Sense.FOR, Sense.NOT})
    if at >= len(pieces) or pieces[at].breaks:
        return place, False
    first = pieces[at]
    if not first.names:
        if first.sense is not None or first.words[0] in _LEAVES:
            return place, False
        return _unknown_to(pieces, place, at, parts), True
    end = at + 1
    refused = [first]
    while (joined := _joined(pieces, end, first.aspect)) is not None:
        refused.append(pieces[joined])
        end = joined + 1
    is_of_part = pieces[place].words in _WITHOUT and first.aspect in OF_PARTS
    while end < len(pieces) and _is_adjective(pieces[end]):
        end += 1
        if is_of_part and pieces[end - 1].words[-1] in parts:  # "without red stripes"
            return end, True
    follower = pieces[end] if end < len(pieces) and not pieces[end].breaks else None
    if follower and is_of_part and (follower.sense is None or follower.words[-1] in parts):
        is_named = follower.sense is None
        return _thing_to(pieces, end, parts, _LONGEST, is_thing=True) if is_named else end + 1, True
    can_refuse = [piece for piece in refused if piece.refusable]
    for piece in can_refuse:
        piece.role = Role.REFUSED
    return end, not can_refuse


def _unknown_to(pieces: Sequence[Piece], place: int, at: int, parts: AbstractSet[str]) -> int:
    """Past what is refused from `at` on and no word of it known: "no lace trim *or frills*"."""
    is_thing = any(piece.words in _OF_THINGS for piece in pieces[place:at])
    is_thing = is_thing or any(piece.sense is Sense.WITH for piece in pieces[place:at])
    most = 1 if pieces[place].words == ("-",) else _LONGEST
    end = _thing_to(pieces, at, parts, most, is_thing=is_thing)
    while end + 1 < len(pieces) and pieces[end].sense is Sense.OR and not pieces[end].is_apart:
        if not _goes_on(pieces[end + 1]):
            break
        end = _thing_to(pieces, end + 1, parts, most, is_thing=is_thing)
    return end


def _thing_to(
    pieces: Sequence[Piece], start: int, parts: AbstractSet[str], most: int, *, is_thing: bool
) -> int:
    """Past the unknown words from `start` on that name one thing: "no *side pockets*".

    It ends with a plural, with a part, or where the unknown words do. A "not" may as well be said
    of one word alone ("not heavy warm jacket"), and of many words that do not end nobody can tell.
    """
    end = start + 1
    while end < len(pieces) and _goes_on(pieces[end]) and not _is_head(pieces, end - 1, parts):
        end += 1
        if end - start > most:
            return start + 1
    if is_thing and not _is_plural(pieces[end - 1]):
        end = _part_to(pieces, end, parts) or end
    return end if is_thing or _is_plural(pieces[end - 1]) else start + 1


def _part_to(pieces: Sequence[Piece], at: int, parts: AbstractSet[str]) -> int | None:
    """Past a part that is told by what a field knows: "big *prints*", "long *leather straps*"."""
    if at >= len(pieces) or pieces[at].breaks or not pieces[at].names:
        return None
    if pieces[at].aspect in ("pattern", "sleeve"):
        return at + 1 if pieces[at].words[-1] in parts | _SLEEVES else None
    if pieces[at].aspect not in OF_PARTS or at + 1 >= len(pieces) or not _goes_on(pieces[at + 1]):
        return None
    end = _thing_to(pieces, at + 1, parts, _LONGEST, is_thing=True)
    return end if pieces[end - 1].words[-1] in parts else None


def _goes_on(piece: Piece) -> bool:
    return piece.sense is None and not piece.breaks and piece.words[0] not in _LEAVES


def _is_head(pieces: Sequence[Piece], place: int, parts: AbstractSet[str]) -> bool:
    """Whether a word is what the words before it are said of: "big *logos* stretchy"."""
    after = pieces[place + 1]
    is_part = pieces[place].words[-1] in parts
    return _is_plural(pieces[place]) or (
        is_part and not (_is_plural(after) or after.words[-1] in parts)
    )


def _is_plural(piece: Piece) -> bool:
    word = piece.words[-1]
    return word.endswith("s") and singular(word) != word


def _joined(pieces: Sequence[Piece], end: int, aspect: str) -> int | None:
    """Where the next of several refused things is: "not red *or blue*"."""
    at = _pass(pieces, end, {Sense.OR, Sense.SKIP, Sense.NOT})
    joints = [piece.sense for piece in pieces[end:at]]
    if not {Sense.OR, Sense.NOT} & set(joints) or at >= len(pieces) or pieces[at].is_apart:
        return None
    return at if pieces[at].names and pieces[at].aspect == aspect else None


def _is_adjective(piece: Piece) -> bool:
    return piece.names and piece.aspect not in ("garment", "size", "gender") and not piece.breaks


def _pass(pieces: Sequence[Piece], place: int, senses: Collection[Sense]) -> int:
    """The first place from here on where a piece has another sense, or stands apart."""
    while place < len(pieces) and pieces[place].sense in senses and not pieces[place].is_apart:
        place += 1
    return place
