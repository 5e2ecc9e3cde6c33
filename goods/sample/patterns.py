"""Patterns: how much of which ink lies at each point of a cloth.

Every pattern maps cloth coordinates to weights of three inks (the product's colour, the second
colour, a third for details) that sum to 1, with edges one pixel soft.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of one design.

    Attributes:
        name: A key of `PATTERNS`.
        variety: Which of its kinds, 0 to 1: upright or across, gingham or tartan ...
        scale: 0 (fine) to 1 (bold).
        seed: Places what is scattered.
    """

    name: str
    variety: float = 0.0
    scale: float = 0.5
    seed: int = 0


def inks(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> Plane:
    """Ink weights (height, width, 3) of a pattern at cloth coordinates, whose unit is half a side.

    `pixel` is the size of one pixel in these units.
    """
    second, third = PATTERNS[pattern.name](pattern, u, v, pixel)
    second = second * (1 - third)
    return np.stack([1 - second - third, second, third], axis=-1)


def _inside(distance: Plane, pixel: float) -> Plane:
    """Coverage, 0 to 1, from a signed distance that is negative inside."""
    coverage: Plane = np.clip(0.5 - distance / (1.3 * pixel), 0, 1)
    return coverage


def _band(t: Plane, period: float, share: float, pixel: float) -> Plane:
    """Coverage of bands across `t`: each period has one, `share` of it wide."""
    from_centre = np.abs(np.mod(t, period) - period / 2)
    return _inside(from_centre - period * share / 2, pixel)


def _plain(_: Pattern, u: Plane, __: Plane, ___: float) -> tuple[Plane, Plane]:
    nothing = np.zeros_like(u)
    return nothing, nothing


def _striped(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> tuple[Plane, Plane]:
    period = 0.09 + 0.13 * pattern.scale
    across = v if pattern.variety < 0.6 else u
    return _band(across, period, 0.26 + 0.5 * (pattern.variety % 0.3), pixel), np.zeros_like(u)


def _checked(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> tuple[Plane, Plane]:
    period = 0.12 + 0.16 * pattern.scale
    if pattern.variety < 0.35:  # gingham
        bands = (_band(u, period, 0.44, pixel) + _band(v, period, 0.44, pixel)) / 2
        return bands, np.zeros_like(u)
    if pattern.variety < 0.6:  # windowpane
        panes = np.maximum(_band(u, period, 0.16, pixel), _band(v, period, 0.16, pixel))
        return panes, np.zeros_like(u)
    wide = period * 1.4  # tartan
    bands = (_band(u, wide, 0.42, pixel) + _band(v, wide, 0.42, pixel)) * 0.45
    threads = np.maximum(
        _band(u + wide / 2, wide, 0.09, pixel), _band(v + wide / 2, wide, 0.09, pixel)
    )
    return bands, threads * 0.85


def _dotted(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> tuple[Plane, Plane]:
    period = 0.12 + 0.13 * pattern.scale
    rows = np.floor(v / period)
    du = np.mod(u + (rows % 2) * period / 2, period) - period / 2
    dv = np.mod(v, period) - period / 2
    radius = period * (0.23 + 0.1 * pattern.variety)
    return _inside(np.hypot(du, dv) - radius, pixel), np.zeros_like(u)


def _floral(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> tuple[Plane, Plane]:
    period = 0.2 + 0.14 * pattern.scale
    rng = np.random.default_rng(pattern.seed)
    jitter = rng.uniform(-0.1, 0.1, size=(16, 16, 2)) * period
    turn = rng.uniform(0, 2 * np.pi, size=(16, 16))
    size = rng.uniform(0.78, 1.0, size=(16, 16)) * period * 0.42
    row = np.floor(v / period).astype(np.int64)
    shifted = u + (row % 2) * period / 2
    column = np.floor(shifted / period).astype(np.int64)
    cell = (row % 16, column % 16)
    du = np.mod(shifted, period) - period / 2 - jitter[..., 0][cell]
    dv = np.mod(v, period) - period / 2 - jitter[..., 1][cell]
    from_heart = np.hypot(du, dv)
    petals = 5 + round(pattern.variety)
    reach = size[cell] * (
        0.5 + 0.5 * np.abs(np.cos(petals / 2 * (np.arctan2(dv, du) + turn[cell])))
    )
    hearts = _inside(from_heart - size[cell] * 0.26, pixel)
    return _inside(from_heart - reach, pixel), hearts


def _zigzag(pattern: Pattern, u: Plane, v: Plane, pixel: float) -> tuple[Plane, Plane]:
    period = 0.14 + 0.12 * pattern.scale
    wave = np.abs(np.mod(u, period * 1.6) / (period * 1.6) - 0.5) * period * 1.5
    return _band(v + wave, period, 0.4, pixel), np.zeros_like(u)


PATTERNS: dict[str, Callable[[Pattern, Plane, Plane, float], tuple[Plane, Plane]]] = {
    "plain": _plain,
    "striped": _striped,
    "checked": _checked,
    "dotted": _dotted,
    "floral": _floral,
    "zigzag": _zigzag,
    "graphic": _plain,  # the print is a part of the drawing
}
