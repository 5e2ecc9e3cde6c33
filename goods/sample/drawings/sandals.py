"""Drawings of heels and sandals; from the side, toe to the left, unless told otherwise.

The ground is at height 0.
"""

from goods.sample.drawings.shapes import Cut, Drawing, Fill, Outline, Part, both, disc, line, moved


def heels(cut: Cut) -> Drawing:
    """High-heeled pumps: stiletto, block heel or with an ankle strap."""
    rise = 0.06 * cut.length
    seat = -0.44 - rise  # where the heel meets the foot
    toe: Outline = ((-0.8, 0), (-0.88, -0.05, 0.5), (-0.64, -0.2, 0.9), (-0.36, -0.28, 0.5))
    near: Outline = ((-0.12, -0.2, 1), (0.28, seat - 0.1, 0.9), (0.55, seat - 0.29, 0.3))
    far: Outline = ((0.57, seat - 0.3), (0.3, seat - 0.24, 0.8), (-0.08, -0.38, 0.9))
    back: Outline = ((0.65, seat - 0.3, 0.6), (0.69, seat - 0.1, 0.8), (0.64, seat + 0.02, 0.3))
    arch: Outline = ((0.34, seat + 0.03, 0.6), (0.0, -0.06, 0.9), (-0.42, 0, 0.6))
    sole: Outline = ((-0.8, -0.005), *reversed(arch), (0.62, seat + 0.01))
    return Drawing(
        (
            _heel(cut.style, seat),
            Part((toe[-1], *near, *far), Fill.INSIDE),
            Part((*toe, *near, *back, *arch), lift=0.3),
            line(*sole, fill=Fill.INSIDE, width=0.03),
            *(_ankle_strap(seat - 0.3) if cut.style == "ankle-strap" else ()),
        ),
        drape=0.1,
        is_standing=True,
    )


def _heel(style: str, seat: float) -> Part:
    if style == "block":
        return Part(((0.34, seat), (0.66, seat - 0.06), (0.65, 0), (0.4, 0)))
    back: Outline = ((0.67, seat - 0.06, 0.2), (0.57, seat + 0.15, 0.7), (0.575, 0))
    return Part(((0.4, seat + 0.01), *back, (0.525, 0), (0.5, seat + 0.16, 0.8)))


def _ankle_strap(top: float) -> tuple[Part, ...]:
    """A strap from the heel around the ankle."""
    around = (
        (0.6, top - 0.2),
        (0.4, top - 0.1, 0.9),
        (0.14, top - 0.14, 0.6),
        (0.2, top - 0.24, 1),
    )
    end = ((0.4, top - 0.26, 0.9), (0.6, top - 0.2))
    rear = ((0.62, top + 0.06), (0.64, top - 0.12, 0.5), (0.6, top - 0.22))
    return (
        line(*rear, fill=Fill.PLAIN, width=0.06),
        line(*around, *end, fill=Fill.PLAIN, width=0.045, lift=0.3),
        disc(0.36, top - 0.115, 0.035, Fill.METAL, lift=0.4),
    )


def sandals(cut: Cut) -> Drawing:
    """Open shoes: slides, strapped flats, strapped wedges, or flip-flops from above."""
    if cut.style == "flip-flop":
        return _flip_flops()
    wedge = 0.22 if cut.style == "wedge" else 0.0
    tip: Outline = ((-0.86, -0.2, 0.6), (-0.86, 0, 0.5))
    back: Outline = ((0.82, 0, 0.4), (0.84, -0.22 - wedge, 0.5), (0.5, -0.2 - wedge, 0.8))
    bed = Part((*tip, *back, (-0.1, -0.16, 1), (-0.6, -0.16, 0.8)), Fill.GUM)
    tread = line((-0.85, -0.035), (0.82, -0.035), width=0.06)
    upper = _slide() if cut.style == "slide" else _straps(wedge)
    return Drawing((bed, tread, *upper), drape=0.1, is_standing=True)


def _slide() -> tuple[Part, ...]:
    """One broad band over the toes, and the shadow under its front edge."""
    front: Outline = ((-0.62, -0.16), (-0.54, -0.44, 0.7), (-0.3, -0.64, 0.8))
    back: Outline = ((-0.02, -0.62, 0.5), (0.12, -0.38, 0.8), (0.16, -0.16))
    under: Outline = ((-0.3, -0.64, 0.5), (-0.46, -0.62, 0.8), (-0.64, -0.4, 0.8), (-0.68, -0.16))
    return (
        Part((*front, *under), Fill.INSIDE),
        Part((*front, *back), lift=0.3),
        line((-0.56, -0.2), (-0.48, -0.42, 0.8), (-0.25, -0.6)),
        line((0.11, -0.18), (0.06, -0.38, 0.8), (-0.05, -0.58)),
    )


def _straps(wedge: float) -> tuple[Part, ...]:
    """Two bands over the toes and one around the ankle."""

    def band(front: float, back: float, height: float) -> Part:
        arch: Outline = ((front + 0.03, -0.2 - height, 0.9), (back - 0.06, -0.2 - height, 0.9))
        ends: Outline = ((front, -0.16), *arch, (back, -0.18))
        return line(*ends, fill=Fill.PLAIN, width=0.1, lift=0.5)

    near = ((0.73, -0.72), (0.5, -0.56, 0.8), (0.2, -0.66, 0.9))
    far = ((0.4, -0.86, 0.9), (0.72, -0.8))
    rear = (
        line((0.72, -0.2), (0.76, -0.46, 0.4), (0.7, -0.78), fill=Fill.PLAIN, width=0.08),
        line((0.3, -0.19), (0.42, -0.56), fill=Fill.PLAIN, width=0.08, lift=0.3),
        line(*near, *far, fill=Fill.PLAIN, width=0.08, lift=0.4),
        disc(0.42, -0.63, 0.05, Fill.METAL, lift=0.4),
    )
    return band(-0.74, -0.42, 0.26), band(-0.5, -0.1, 0.38), *moved(rear, 0, -wedge)


def _flip_flops() -> Drawing:
    """A pair from above."""
    right_side: Outline = ((0, -0.8, 1), (0.36, -0.76, 1), (0.4, -0.3, 1), (0.26, 0.2, 1))
    left_side: Outline = ((-0.24, 0.78, 1), (-0.16, 0.2, 1), (-0.3, -0.3, 1), (-0.3, -0.78, 1))
    bed = Part((*right_side, (0.3, 0.78, 1), (0, 0.86, 1), *left_side), Fill.GUM, lift=0.5)
    shoe = (
        bed,
        *moved((Part(bed.outline),), 0.003, -0.01, 0.93),
        line(
            (-0.22, 0.12), (-0.17, -0.2, 0.8), (0.03, -0.5), fill=Fill.TRIM, width=0.075, lift=0.8
        ),
        line((0.3, 0.1), (0.27, -0.2, 0.8), (0.03, -0.5), fill=Fill.TRIM, width=0.075, lift=0.8),
        disc(0.03, -0.5, 0.05, Fill.TRIM),
    )
    return Drawing(tuple(part for half in moved(shoe, 0.4, 0) for part in both(half)), drape=0.05)
