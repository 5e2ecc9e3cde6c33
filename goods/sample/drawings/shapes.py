"""The language that products are drawn in: soft polygons.

x runs to the right from a garment's own axis, y down; the unit is about half the width of a shirt
with its sleeves, and the painter fits the whole into the picture. A shape is a few vertices
`(x, y)` or `(x, y, softness)`: softness 0 keeps the corner, 1 spends half of both edges on rounding
it, so that an outline of all ones is a quadratic B-spline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

Vertex = tuple[float, float] | tuple[float, float, float]
Outline = tuple[Vertex, ...]

_BEND = np.linspace(0.0, 1.0, 7)[:, None]  # at 192 pixels seven chords per corner look round


class Fill(Enum):
    """What a part is made of."""

    CLOTH = auto()  # the product's colour with its pattern
    PLAIN = auto()  # the product's colour alone: ribs, bands, straps
    TRIM = auto()  # the second colour: prints, soles, side stripes
    INSIDE = auto()  # the product's colour in its own shadow: linings, openings
    SOLE = auto()  # rubber, off-white
    GUM = auto()  # leather and cork soles
    METAL = auto()
    LABEL = auto()
    SEAM = auto()  # a shade darker than what it crosses, or lighter on black
    STITCH = auto()  # a shade lighter
    FOLD = auto()  # a soft crease


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a product: a filled outline or, with a width, a line along it.

    Attributes:
        outline: Its vertices.
        fill: What it is made of.
        width: 0 fills the closed outline; more draws the open line this wide.
        grain: Degrees by which the pattern turns, as in a sleeve.
        lift: How far it stands off what lies beneath, 0 to 1: the depth of the shadow it casts.
    """

    outline: Outline
    fill: Fill = Fill.CLOTH
    width: float = 0.0
    grain: float = 0.0
    lift: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The proportions of one design: what a drawing function turns into parts.

    Attributes:
        style: The kind within the category, such as "v-neck" or "tote".
        sleeve: "short", "long" or "sleeveless"; empty where a product has none.
        width: -1 (slim) to 1 (wide).
        length: -1 (short) to 1 (long).
        flare: -1 (tapered) to 1 (flared).
        emblem: The name of a printed motif; empty without one.
    """

    style: str = ""
    sleeve: str = ""
    width: float = 0.0
    length: float = 0.0
    flare: float = 0.0
    emblem: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A product in parts, the lowest first.

    Attributes:
        parts: Its parts.
        drape: How much the material falls in folds, 0 (stiff) to 1.
        is_standing: Whether it stands on the ground rather than lying flat.
    """

    parts: tuple[Part, ...]
    drape: float = 1.0
    is_standing: bool = False


def curve(outline: Outline, is_closed: bool) -> NDArray[np.float64]:
    """The points (n, 2) along an outline with its corners rounded."""
    corners = np.array([vertex[:2] for vertex in outline], dtype=np.float64)
    softness = [vertex[2] if len(vertex) == 3 else 0.0 for vertex in outline]
    pieces = []
    for i, (corner, soft) in enumerate(zip(corners, softness, strict=True)):
        is_end = not is_closed and i in {0, len(corners) - 1}
        if is_end or soft == 0.0:
            pieces.append(corner[None])
            continue
        start = corner + (corners[i - 1] - corner) * soft / 2
        end = corner + (corners[(i + 1) % len(corners)] - corner) * soft / 2
        pieces.append((1 - _BEND) ** 2 * start + 2 * _BEND * (1 - _BEND) * corner + _BEND**2 * end)
    return np.concatenate(pieces)


def flipped(outline: Iterable[Vertex]) -> Outline:
    """The outline seen in a mirror at x = 0, in the same order."""
    return tuple((-vertex[0], *vertex[1:]) for vertex in outline)


def mirrored(half: Sequence[Vertex]) -> Outline:
    """A symmetric outline from its right half, given from top to bottom."""
    left = flipped(reversed(half))
    return (*half, *(vertex for vertex in left if vertex[0] != 0))


def both(part: Part) -> tuple[Part, Part]:
    """A part and its mirror image, as sleeves and pockets come."""
    return part, replace(part, outline=flipped(part.outline), grain=-part.grain)


def moved(parts: Iterable[Part], dx: float, dy: float, scale: float = 1.0) -> tuple[Part, ...]:
    """The parts scaled about the centre, then moved."""
    return tuple(
        replace(
            part,
            outline=tuple(
                (vertex[0] * scale + dx, vertex[1] * scale + dy, *vertex[2:])
                for vertex in part.outline
            ),
            width=part.width * scale,
        )
        for part in parts
    )


def disc(x: float, y: float, radius: float, fill: Fill, lift: float = 0.0) -> Part:
    """A round part: a button, an eyelet, a wheel."""
    turns = np.arange(8) * np.pi / 4
    reach = radius * 1.04  # the curve passes just inside its control polygon
    outline = tuple(
        (x + reach * float(np.cos(t)), y + reach * float(np.sin(t)), 1.0) for t in turns
    )
    return Part(outline, fill, lift=lift)


def line(*vertices: Vertex, fill: Fill = Fill.SEAM, width: float = 0.012, lift: float = 0) -> Part:
    """An open line: a seam unless told otherwise."""
    return Part(vertices, fill, width=width, lift=lift)
