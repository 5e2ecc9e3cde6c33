"""Drawings of jeans, trousers and shorts.

Heights count down from the waist.
"""

from dataclasses import dataclass

from goods.sample.drawings.shapes import (
    Cut,
    Drawing,
    Fill,
    Outline,
    Part,
    both,
    disc,
    line,
    mirrored,
)

_CROTCH = 0.56


@dataclass(frozen=True, slots=True)
class _Legs:
    """The measures of a pair of trousers; widths are halves, of one leg for knee and hem."""

    waist: float
    hip: float
    knee: float
    hem: float
    length: float

    @property
    def centre(self) -> float:
        """Where the middle of a leg is."""
        return self.hip * 0.5 + 0.02


def jeans(cut: Cut) -> Drawing:
    """Five-pocket denim with contrasting stitches."""
    knee, hem = {"skinny": (0.12, 0.085), "straight": (0.15, 0.14), "flared": (0.13, 0.2)}[
        cut.style
    ]
    legs = _legs(cut, knee, hem, 1.7)
    x, low = legs.centre, legs.length
    pocket = line((0.12, 0.11), (0.15, 0.24, 1), (legs.hip, 0.24), fill=Fill.STITCH)
    side = line((x + knee - 0.02, 1.0), (x + hem - 0.015, low), fill=Fill.STITCH)
    cuff = line((x - hem, low - 0.045), (x + hem, low - 0.045), fill=Fill.STITCH)
    rivet = disc(0, 0.06, 0.024, Fill.METAL, lift=0.5)
    trims = (*both(pocket), *both(side), *both(cuff), *_fly(Fill.STITCH), *_waistband(legs))
    return Drawing((_panel(legs), *trims, rivet), drape=0.8)


def trousers(cut: Cut) -> Drawing:
    """Trousers with pressed creases and slanted pockets."""
    knee, hem = {"tapered": (0.15, 0.1), "straight": (0.16, 0.15), "wide-leg": (0.2, 0.23)}[
        cut.style
    ]
    legs = _legs(cut, knee, hem, 1.7)
    x, low = legs.centre, legs.length
    crease = line((0.15, 0.14), (x, 0.76, 0.8), (x, low), fill=Fill.FOLD, width=0.022)
    pocket = line((0.19, 0.11), (legs.hip * 0.93, 0.35))
    button = disc(0, 0.06, 0.02, Fill.INSIDE, lift=0.5)
    trims = (*both(crease), *both(pocket), *_fly(Fill.SEAM), *_waistband(legs))
    return Drawing((_panel(legs), *trims, button), drape=0.8)


def shorts(cut: Cut) -> Drawing:
    """Short trousers with a buttoned waist or a drawstring."""
    legs = _legs(cut, 0.2, 0.215 + 0.02 * cut.flare, 0.95)
    x, low = legs.centre, legs.length
    cuff = line((x - legs.hem, low - 0.06), (x + legs.hem, low - 0.06))
    pocket = line((0.2, 0.11), (legs.hip * 0.97, 0.36))
    panel, band, *loops = _panel(legs), *_waistband(legs)
    if cut.style != "drawstring":
        button = disc(0, 0.06, 0.022, Fill.INSIDE, lift=0.5)
        return Drawing((panel, *both(cuff), *both(pocket), *_fly(Fill.SEAM), band, *loops, button))
    gathers = (
        line((x, 0), (x, 0.1), fill=Fill.FOLD, width=0.014) for x in (0.06, 0.12, 0.18, 0.24)
    )
    cord = line((0.02, 0.06), (0.05, 0.16, 1), (0.035, 0.3), fill=Fill.LABEL, width=0.022, lift=0.5)
    waist = (band, *(part for gather in gathers for part in both(gather)), *both(cord))
    return Drawing((panel, *both(cuff), *both(pocket), line((0, 0.1), (0, _CROTCH)), *waist))


def _legs(cut: Cut, knee: float, hem: float, length: float) -> _Legs:
    reach = 0.08 if length < 1 else 0.05
    wide = 0.02 * cut.width
    return _Legs(0.28 + wide, 0.355 + wide, knee, hem, length + reach * cut.length)


def _panel(legs: _Legs) -> Part:
    """The front of both legs."""
    x, low, middle = legs.centre, legs.length, (_CROTCH + legs.length) / 2 + 0.03
    outside: Outline = ((legs.waist, 0), (legs.hip, 0.38, 0.8), (x + legs.knee, middle, 0.9))
    hem: Outline = ((x + legs.hem, low), (max(x - legs.hem, 0.015), low + 0.012))
    inside: Outline = ((max(x - legs.knee, 0.012), middle, 0.8), (0.012, _CROTCH + 0.03, 0.2))
    return Part(mirrored(((0, 0.02, 1), *outside, *hem, *inside, (0, _CROTCH))))


def _waistband(legs: _Legs) -> tuple[Part, Part, Part]:
    """The band and two belt loops."""
    half: Outline = ((0, 0.02, 1), (legs.waist, 0), (legs.waist + 0.012, 0.09), (0, 0.11, 1))
    x = legs.waist * 0.6
    loop = line((x, 0), (x + 0.004, 0.11), fill=Fill.PLAIN, width=0.03, lift=0.7)
    return Part(mirrored(half), Fill.PLAIN, lift=0.3), *both(loop)


def _fly(fill: Fill) -> tuple[Part, Part]:
    """The seam in the middle and the stitched curve beside it."""
    return (
        line((0, 0.1), (0, _CROTCH)),
        line((0.07, 0.11), (0.065, 0.33, 0.6), (0, 0.43), fill=fill),
    )
