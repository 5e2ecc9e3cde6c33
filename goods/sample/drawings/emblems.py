"""Motifs printed on a chest, in the unit square from -1 to 1."""

import math

from goods.sample.drawings.shapes import Fill, Outline, Part, disc


def _star(points: int, inner: float) -> Outline:
    """A star standing on two of its points."""
    turns = [math.pi * i / points - math.pi / 2 for i in range(2 * points)]
    reach = [inner if i % 2 else 1.0 for i in range(2 * points)]
    return tuple((r * math.cos(t), r * math.sin(t)) for r, t in zip(reach, turns, strict=True))


EMBLEMS: dict[str, tuple[Part, ...]] = {
    "star": (Part(_star(5, 0.42), Fill.TRIM),),
    "sun": (
        Part(_star(12, 0.72), Fill.TRIM),
        disc(0, 0, 0.5, Fill.PLAIN),
        disc(0, 0, 0.36, Fill.TRIM),
    ),
    "heart": (
        Part(
            (
                (0, -0.42),
                (0.45, -1.15, 1),
                (1.2, -0.55, 1),
                (0.75, 0.25, 0.8),
                (0, 0.95),
                (-0.75, 0.25, 0.8),
                (-1.2, -0.55, 1),
                (-0.45, -1.15, 1),
            ),
            Fill.TRIM,
        ),
    ),
    "mountain": (
        disc(0.5, -0.55, 0.26, Fill.TRIM),
        Part(((-1.1, 0.7), (-0.35, -0.55), (0.1, 0.1), (0.4, -0.2), (1.1, 0.7)), Fill.TRIM),
        Part(((-0.53, -0.25), (-0.35, -0.55), (-0.15, -0.25), (-0.35, -0.12)), Fill.PLAIN),
    ),
    "lightning": (
        Part(
            ((0.25, -1), (-0.55, 0.15), (-0.05, 0.15), (-0.25, 1), (0.6, -0.25), (0.08, -0.25)),
            Fill.TRIM,
        ),
    ),
    "wave": tuple(
        Part(
            (
                (-1, y),
                (-0.75, y - 0.35, 1),
                (-0.4, y - 0.35, 1),
                (0, y + 0.25, 1),
                (0.4, y + 0.25, 1),
                (0.75, y - 0.35, 1),
                (1, y - 0.1),
            ),
            Fill.TRIM,
            width=0.2,
        )
        for y in (-0.45, 0.05, 0.55)
    ),
}
