"""Drawings of jackets and blazers."""

from goods.sample.drawings.shapes import Cut, Drawing, Fill, Outline, Part, both, line, mirrored
from goods.sample.drawings.torso import (
    Torso,
    body,
    buttons,
    front_zip,
    hem_rib,
    hem_seam,
    inside_back,
    sleeves,
)


def jacket(cut: Cut) -> Drawing:
    """A bomber, puffer or trucker jacket."""
    wide = 0.03 * cut.width
    torso = Torso(
        "collar",
        "long",
        shoulder=0.45 + wide,
        chest=0.45 + wide,
        waist=0.43 + wide,
        hem=0.42 + wide,
        length=1.34 + 0.05 * cut.length,
    )
    details = {"bomber": _bomber, "puffer": _puffer, "trucker": _trucker}[cut.style](torso)
    arms = sleeves(torso, 1.6 + cut.width, has_cuffs=True)
    return Drawing((*inside_back(torso), *arms, body(torso), *details), drape=0.7)


def _bomber(torso: Torso) -> tuple[Part, ...]:
    collar: Outline = (
        (0, 0.2),
        (0.13, -0.03, 0.4),
        (0.2, 0.02, 0.6),
        (0.14, 0.16, 0.8),
        (0.02, 0.27),
    )
    pocket = line((0.17, 0.84), (0.27, 1.06), fill=Fill.INSIDE, width=0.03)
    zipper = front_zip(0.22, torso.length + 0.02)
    return (hem_rib(torso, 0.12), *both(Part(collar, Fill.PLAIN, lift=0.7)), *both(pocket), *zipper)


def _puffer(torso: Torso) -> tuple[Part, ...]:
    collar: Outline = ((0, -0.1, 1), (0.17, -0.12, 0.6), (0.2, 0.08, 0.8), (0, 0.18, 1))
    seams = tuple(line((-0.5, y), (0, y + 0.03, 1), (0.5, y), width=0.02) for y in (0.28, 0.4))
    arms = tuple(
        part
        for y in (0.45, 0.63, 0.81, 0.99)
        for part in both(line((0.44, y + 0.06), (0.9, y - 0.04), width=0.022))
    )
    rolls = tuple(_roll(torso, y) for y in (0.52, 0.69, 0.86, 1.03, 1.2))
    zipper = front_zip(-0.06, torso.length + 0.02)
    return (*arms, *seams, *rolls, Part(mirrored(collar), lift=0.7), *zipper)


def _roll(torso: Torso, top: float) -> Part:
    """One quilted roll around the body."""
    side, low = torso.hem, top + 0.18
    bulge: Outline = (
        (side + 0.01, top, 0.5),
        (side + 0.03, top + 0.09, 1),
        (side + 0.01, low, 0.5),
    )
    return Part(mirrored(((0, top + 0.01, 1), *bulge, (0, low + 0.01, 1))), lift=0.45)


def _trucker(torso: Torso) -> tuple[Part, ...]:
    collar: Outline = ((0.005, 0.18), (0.15, -0.06, 0.2), (0.23, 0.04, 0.1), (0.2, 0.27, 0.1))
    pocket: Outline = ((0.11, 0.44), (0.33, 0.44), (0.33, 0.54), (0.22, 0.6), (0.11, 0.54))
    low = torso.length
    return (
        line((-torso.chest, 0.4), (torso.chest, 0.4), fill=Fill.STITCH),
        *both(line((0.15, 0.54), (0.11, low - 0.1), fill=Fill.STITCH)),
        *both(line((0.045, 0.2), (0.045, low), fill=Fill.STITCH)),
        *both(Part(pocket, lift=0.4)),
        hem_seam(torso, 0.1, Fill.STITCH),
        *both(Part(collar, lift=0.8)),
        *buttons(0.28, low - 0.05, 6, Fill.METAL),
    )


def blazer(cut: Cut) -> Drawing:
    """A tailored jacket with notched lapels, single- or double-breasted."""
    wide = 0.025 * cut.width
    torso = Torso(
        "lapels",
        "long",
        shoulder=0.45 + wide,
        chest=0.43 + wide,
        waist=0.37 + wide,
        hem=0.44 + wide,
        length=1.44 + 0.06 * cut.length,
    )
    lining: Outline = ((0, 0, 1), (0.14, -0.02, 0.3), (0.17, 0), (0.1, 0.42), (0, 0.62))
    flap: Outline = ((0.15, 1.02), (0.35, 1.0), (0.355, 1.08, 0.3), (0.155, 1.1, 0.3))
    columns = (-0.1, 0.1) if cut.style == "double-breasted" else (0.02,)
    return Drawing(
        (
            Part(mirrored(lining), Fill.INSIDE),
            inside_back(torso)[1],
            *sleeves(torso, 0.6 + cut.width),
            body(torso),
            line((0, 0.62), (0, torso.length - 0.1, 0.6), (-0.05, torso.length + 0.01)),
            line((0.2, 0.58), (0.34, 0.555), width=0.03),
            *both(Part(flap, lift=0.5)),
            *_lapels(),
            *(part for x in columns for part in buttons(0.7, 0.88, 2, Fill.GUM, x)),
        ),
        drape=0.6,
    )


def _lapels() -> tuple[Part, ...]:
    """The notched lapels with the collar above them."""
    notch: Outline = ((0.14, 0.1, 0.4), (0.18, 0.24), (0.3, 0.235))
    lapel = (*notch, (0.2, 0.42, 0.6), (0.0, 0.64), (0.06, 0.38, 0.5))
    collar: Outline = (
        (0.1, -0.04, 0.4),
        (0.19, 0, 0.3),
        (0.285, 0.2),
        (0.17, 0.22),
        (0.1, 0.08, 0.5),
    )
    return (*both(Part(lapel, grain=20, lift=0.8)), *both(Part(collar, grain=30, lift=0.7)))
