"""Drawings of closed shoes, seen from the side with the toe to the left.

The ground is at height 0.
"""

from dataclasses import replace

from goods.sample.drawings.shapes import Cut, Drawing, Fill, Outline, Part, disc, line, moved


def sneakers(cut: Cut) -> Drawing:
    """Laced sports shoes, low or high."""
    rise = 0.26 if cut.style == "high-top" else 0.0
    sole = 0.16 + 0.04 * cut.flare
    floor = 0.03 - sole
    front: Outline = ((-0.87, floor), (-0.88, -0.29, 0.8), (-0.62, -0.4, 1), (-0.3, -0.48, 0.6))
    collar: Outline = (
        (0.06, -0.75 - rise, 0.2),
        (0.22, -0.78 - rise, 0.5),
        (0.48, -0.62 - rise, 1),
    )
    back: Outline = ((0.72, -0.74 - rise, 0.7), (0.79, -0.52 - rise / 2, 0.6), (0.8, floor))
    far_side: Outline = ((0.73, -0.72 - rise, 0.4), (0.5, -0.8 - rise, 1))
    toe: Outline = ((-0.65, -0.39, 1), (-0.52, -0.3, 0.8), (-0.48, floor))
    heel: Outline = ((0.58, floor), (0.62, -0.37, 0.6), (0.75, -0.54 - rise / 2), (0.8, floor))
    tongue: Outline = ((0.02, -0.72), (0.1, -0.88, 0.5), (0.26, -0.88, 0.5), (0.24, -0.72))
    upper = (
        *moved((Part(tongue, Fill.PLAIN),), 0, -rise),
        Part((*front, *collar, *back), lift=0.4),
        Part(((0.16, -0.75 - rise, 0.4), (0.48, -0.59 - rise, 1), *far_side), Fill.INSIDE),
        Part((*front[:2], *toe), Fill.PLAIN, lift=0.3),
        Part(heel, Fill.TRIM, lift=0.3),
        line((-0.22, floor), (0.08, -0.28, 1), (0.42, -0.52), fill=Fill.TRIM, width=0.075),
        line((-0.05, floor), (0.2, -0.28, 1), (0.52, -0.48), fill=Fill.TRIM, width=0.04),
        line((-0.3, -0.38), (0.2, -0.7 - rise)),
    )
    return _pair((*upper, *_rubber_sole(sole), *_laces(rise)))


def _rubber_sole(height: float) -> tuple[Part, ...]:
    tip: Outline = ((-0.9, -height - 0.06, 0.7), (-0.88, 0, 0.8))
    back: Outline = ((0.8, 0, 0.4), (0.84, -height - 0.03, 0.3))
    band = Part((*tip, *back, (0.2, -height + 0.02, 1)), Fill.SOLE, lift=0.3)
    return band, line((-0.84, -0.035), (0.8, -0.035), width=0.014)


def _laces(rise: float) -> tuple[Part, ...]:
    climb = 0.073 + rise * 0.2
    return tuple(
        line(
            (-0.3 + 0.095 * i, -0.475 - climb * i),
            (-0.19 + 0.085 * i, -0.385 - climb * i),
            fill=Fill.LABEL,
            width=0.035,
            lift=0.5,
        )
        for i in range(5)
    )


def boots(cut: Cut) -> Drawing:
    """Chelsea, laced or knee-high boots."""
    top = {"chelsea": -1.06, "lace-up": -1.14, "knee-high": -1.8}[cut.style] - 0.05 * cut.length
    lean = 0.05 if cut.style == "knee-high" else 0.0
    toe: Outline = ((-0.72, -0.08), (-0.79, -0.3, 0.9), (-0.52, -0.36, 0.9), (-0.22, -0.44, 1))
    shin: Outline = ((-0.02, -0.68, 0.9), (-0.06 - lean, top + 0.03), (0.56 + lean, top - 0.03))
    back: Outline = ((0.53, -0.6, 0.8), (0.62, -0.3, 0.8), (0.62, -0.08))
    front, rear = shin[1], shin[2]
    sole: Outline = (
        (-0.73, -0.1),
        (-0.71, -0.025, 0.6),
        (0.3, -0.035),
        (0.31, 0),
        (0.61, 0),
        (0.63, -0.1),
    )
    details = {"chelsea": _gussets, "lace-up": _bootlaces, "knee-high": _strap}[cut.style](top)
    return _pair(
        (
            Part((*toe, *shin, *back), lift=0.4),
            Part((front, (0.25, top - 0.07, 1), rear, (0.25, top + 0.06, 1)), Fill.INSIDE),
            line((-0.72, -0.105), (0.61, -0.115), fill=Fill.STITCH),
            line((0.36, -0.1), (0.4, -0.3, 1), (0.58, -0.42)),
            *details,
            Part(sole, Fill.INSIDE, lift=0.2),
        )
    )


def _gussets(top: float) -> tuple[Part, ...]:
    """The elastic at the ankle and the loop to pull the boot on."""
    elastic: Outline = (
        (0.1, top + 0.03),
        (0.4, top + 0.01),
        (0.34, -0.56, 0.6),
        (0.17, -0.56, 0.6),
    )
    ribs = (
        line((0.15 + 0.06 * i, top), (0.19 + 0.04 * i, -0.6), fill=Fill.STITCH) for i in range(4)
    )
    tab = ((0.55, top + 0.06), (0.6, top - 0.08, 1), (0.5, top - 0.02))
    return line(*tab, fill=Fill.PLAIN, width=0.04), Part(elastic, Fill.INSIDE), *ribs


def _bootlaces(top: float) -> tuple[Part, ...]:
    instep = [(-0.3 + 0.065 * i, -0.44 - 0.06 * i) for i in range(4)]
    shaft = [(-0.07, -0.71 - 0.1 * i) for i in range(3)]
    cuff: Outline = ((-0.09, top), (0.58, top - 0.06), (0.58, top + 0.08), (-0.08, top + 0.12))
    return (
        line((-0.2, -0.32), (0.1, -0.64, 0.8), (0.11, top + 0.1)),
        *(
            line((x - 0.02, y), (x + 0.17, y + 0.05), fill=Fill.LABEL, width=0.03, lift=0.5)
            for x, y in (*instep, *shaft)
        ),
        Part(cuff, Fill.PLAIN, lift=0.5),
    )


def _strap(top: float) -> tuple[Part, ...]:
    """A buckled strap at the ankle."""
    strap = ((-0.05, -0.58), (0.25, -0.5, 1), (0.56, -0.58))
    return (
        line((0.4, top), (0.38, -0.5, 0.6), (0.42, -0.2)),
        line(*strap, fill=Fill.PLAIN, width=0.06, lift=0.6),
        disc(0.22, -0.53, 0.045, Fill.METAL, lift=0.5),
    )


def _pair(shoe: tuple[Part, ...]) -> Drawing:
    """The shoe with its fellow standing behind it."""
    fellow = moved((replace(part, lift=part.lift * 0.5) for part in shoe), 0.14, -0.1, 0.96)
    return Drawing((*fellow, *shoe), drape=0.12, is_standing=True)
