"""Drawings of handbags, backpacks and caps."""

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


def handbag(cut: Cut) -> Drawing:
    """A bag for the hand or the shoulder: tote, satchel or half-moon."""
    return {"tote": _tote, "satchel": _satchel, "half-moon": _half_moon}[cut.style](cut)


def _tote(cut: Cut) -> Drawing:
    base, low = 0.6 + 0.06 * cut.width, 0.87 + 0.08 * cut.length
    side = base + 0.06 + 0.05 * cut.flare
    front: Outline = ((0, 0.03, 1), (side, 0, 0.05), (base, low, 0.25), (0, low + 0.04, 1))
    patch: Outline = ((0.24, 0.12), (0.32, 0.12), (0.32, 0.25, 0.4), (0.24, 0.25, 0.4))
    near = ((-0.28, 0.15), (-0.27, -0.53, 0.9), (0.27, -0.53, 0.9), (0.28, 0.15))
    far = ((-0.27, 0.1), (-0.26, -0.61, 0.9), (0.26, -0.61, 0.9), (0.27, 0.1))
    return Drawing(
        (
            line(*far, fill=Fill.INSIDE, width=0.05),
            Part(mirrored(((0, -0.04, 1), (side, 0), (0, 0.07, 1))), Fill.INSIDE),
            Part(mirrored(front)),
            line((-side, 0.07), (0, 0.1, 1), (side, 0.07), fill=Fill.STITCH),
            line(*near, fill=Fill.PLAIN, width=0.06, lift=0.6),
            *both(Part(patch, Fill.PLAIN, lift=0.4)),
            *both(disc(0.28, 0.2, 0.016, Fill.METAL)),
        ),
        drape=0.45,
        is_standing=True,
    )


def _satchel(cut: Cut) -> Drawing:
    side, low = 0.62 + 0.06 * cut.width, 0.7 + 0.08 * cut.length
    front: Outline = ((0, 0), (side - 0.05, 0, 0.3), (side, low, 0.3), (0, low + 0.02, 1))
    shoulder: Outline = ((0, -0.06), (side - 0.08, -0.06, 0.4), (side - 0.01, 0.1, 0.4))
    lip: Outline = ((side - 0.02, 0.26, 0.5), (0.2, 0.4, 0.8), (0, 0.4))
    edge = ((-side + 0.05, 0.23), (-0.2, 0.365, 0.8), (0.2, 0.365, 0.8), (side - 0.05, 0.23))
    grip = ((-0.26, -0.02), (-0.24, -0.36, 0.8), (0.24, -0.36, 0.8), (0.26, -0.02))
    clasp: Outline = ((0, 0.32), (0.08, 0.32, 0.2), (0.08, 0.45, 0.4), (0, 0.45))
    return Drawing(
        (
            line(*grip, fill=Fill.PLAIN, width=0.07, lift=0.4),
            Part(mirrored(front)),
            *both(disc(0.26, -0.03, 0.045, Fill.METAL, lift=0.3)),
            Part(mirrored((*shoulder, *lip)), lift=0.9),
            line(*edge, fill=Fill.STITCH),
            Part(mirrored(clasp), Fill.METAL, lift=0.7),
        ),
        drape=0.15,
        is_standing=True,
    )


def _half_moon(cut: Cut) -> Drawing:
    side = 0.7 + 0.05 * cut.width
    rim: Outline = ((0, 0.08, 1), (side * 0.6, 0.04, 0.6), (side, -0.08, 0.5))
    bowl: Outline = ((side * 0.98, 0.4, 1), (side * 0.5, 0.72, 1), (0, 0.72, 1))
    left = ((-side + 0.06, 0), (-side * 0.7, -0.6, 0.9), (0, -0.85, 1))
    right = ((side * 0.7, -0.6, 0.9), (side - 0.06, 0))
    zipper = ((-side + 0.07, 0), (0, 0.16, 1), (side - 0.07, 0))
    seam = (
        (-side * 0.85, 0.2),
        (-side * 0.5, 0.62, 0.9),
        (side * 0.5, 0.62, 0.9),
        (side * 0.85, 0.2),
    )
    return Drawing(
        (
            line(*left, *right, fill=Fill.PLAIN, width=0.07, lift=0.3),
            Part(mirrored((*rim, *bowl))),
            line(*zipper, fill=Fill.METAL, width=0.025),
            line(*seam, fill=Fill.STITCH),
            *both(disc(side - 0.06, 0, 0.055, Fill.METAL, lift=0.4)),
        ),
        drape=0.3,
        is_standing=True,
    )


def backpack(cut: Cut) -> Drawing:
    """A backpack from the front: zipped, or a rucksack with a flap."""
    side, low = 0.5 + 0.04 * cut.width, 1.5 + 0.06 * cut.length
    strap = ((0.3, 0.2), (side + 0.16, 0.45, 0.9), (side + 0.12, 1.25, 0.8), (side - 0.1, 1.4))
    loop = ((-0.12, 0), (-0.12, -0.2, 0.9), (0.12, -0.2, 0.9), (0.12, 0))
    shoulder: Outline = ((0, -0.05, 1), (side * 0.9, -0.05, 0.9), (side, 0.55, 0.5))
    base: Outline = ((side + 0.03, low, 0.35), (0, low + 0.03, 1))
    wing_top: Outline = ((side - 0.02, 1.0), (side + 0.1, 1.05, 0.6))
    wing = (*wing_top, (side + 0.11, low - 0.06, 0.6), (side, low - 0.04))
    pocket_top: Outline = ((0, 0.82, 1), (side * 0.72, 0.82, 0.6))
    pocket = (*pocket_top, (side * 0.8, low - 0.08, 0.4), (0, low - 0.05, 1))
    closure = _flap(side) if cut.style == "rucksack" else _zips(side)
    return Drawing(
        (
            *both(line(*strap, fill=Fill.INSIDE, width=0.1)),
            line(*loop, fill=Fill.PLAIN, width=0.055),
            Part(mirrored((*shoulder, *base))),
            *both(Part(wing, Fill.PLAIN, lift=0.2)),
            Part(mirrored(pocket), lift=0.7),
            *closure,
        ),
        drape=0.4,
        is_standing=True,
    )


def _flap(side: float) -> tuple[Part, ...]:
    """A flap over the top, held by two leather belts."""
    top: Outline = ((0, -0.09, 1), (side * 0.92, -0.08, 0.8), (side + 0.02, 0.45, 0.5))
    flap = Part(mirrored((*top, (side * 0.9, 0.73, 0.7), (0, 0.77, 1))), lift=0.9)
    belt = line((0.2, 0.65), (0.2, 1.05), fill=Fill.GUM, width=0.07, lift=0.6)
    return flap, *both(belt), *both(disc(0.2, 0.91, 0.05, Fill.METAL, lift=0.4))


def _zips(side: float) -> tuple[Part, ...]:
    """A zip around the top, another on the pocket, and a sewn-on badge."""
    left = ((-side * 0.86, 0.75), (-side * 0.84, 0.13, 0.8), (0, 0.09, 0.9))
    right = ((side * 0.84, 0.13, 0.8), (side * 0.86, 0.75))
    pocket_zip = ((-side * 0.62, 0.96), (0, 0.92, 1), (side * 0.62, 0.96))
    badge: Outline = ((0, 0.45), (0.12, 0.45, 0.2), (0.12, 0.6, 0.2), (0, 0.6))
    return (
        line(*left, *right, fill=Fill.INSIDE, width=0.035),
        line((0.16, 0.13), (0.19, 0.3), fill=Fill.TRIM, width=0.035, lift=0.6),
        line(*pocket_zip, fill=Fill.METAL, width=0.025),
        Part(mirrored(badge), Fill.TRIM, lift=0.4),
    )


def cap(cut: Cut) -> Drawing:
    """A peaked cap from the side, the peak to the left."""
    high = -0.6 - 0.06 * cut.length
    front: Outline = ((-0.42, 0.12), (-0.46, -0.4, 0.9), (-0.15, high, 0.9), (0.3, high, 1))
    back: Outline = ((0.66, -0.4, 0.9), (0.66, 0.12, 0.2), (0.1, 0.18, 1))
    peak_top: Outline = (
        (-0.44, 0.02, 0.3),
        (-0.62, 0.04, 0.7),
        (-1.02, 0.2, 0.9),
        (-0.96, 0.32, 0.8),
    )
    peak = (*peak_top, (-0.4, 0.2, 0.9), (0.12, 0.17, 0.3), (-0.1, 0.07, 0.7))
    rim = ((-0.58, 0.11), (-0.9, 0.21, 0.9), (-0.88, 0.26, 0.9), (-0.4, 0.15))
    return Drawing(
        (
            Part((*front, *back)),
            line((0.08, high + 0.07), (-0.2, -0.35, 0.9), (-0.2, 0.1)),
            line((0.08, high + 0.07), (0.36, -0.35, 0.9), (0.36, 0.14)),
            disc(-0.02, -0.32, 0.022, Fill.INSIDE),
            disc(0.5, -0.26, 0.022, Fill.INSIDE),
            disc(-0.33, -0.16, 0.085, Fill.TRIM, lift=0.3),
            Part(peak, Fill.PLAIN, lift=0.8),
            line(*rim, fill=Fill.STITCH),
            disc(0.08, high + 0.06, 0.04, Fill.PLAIN, lift=0.4),
        ),
        drape=0.3,
    )


def beanie(cut: Cut) -> Drawing:
    """A knitted hat with a turned-up brim, perhaps with a pompom."""
    high = -0.62 - 0.08 * cut.length
    crown: Outline = ((0, high, 1), (0.36, high, 1), (0.58, -0.15, 0.8), (0.58, 0.3), (0, 0.34, 1))
    brim: Outline = ((0, 0.14, 1), (0.6, 0.1, 0.3), (0.6, 0.46, 0.4), (0, 0.52, 1))
    hat = (Part(mirrored(crown)), Part(mirrored(brim), Fill.PLAIN, lift=0.8))
    if cut.style == "cuffed":
        return Drawing(hat, drape=0.3)
    return Drawing((disc(0, high - 0.06, 0.17, Fill.TRIM, lift=0.5), *hat), drape=0.3)
