"""Drawings of t-shirts, shirts, sweaters and hoodies."""

from goods.sample.drawings.emblems import EMBLEMS
from goods.sample.drawings.shapes import (
    Cut,
    Drawing,
    Fill,
    Outline,
    Part,
    both,
    line,
    mirrored,
    moved,
)
from goods.sample.drawings.torso import (
    Torso,
    body,
    buttons,
    front_zip,
    hem_rib,
    hem_seam,
    inside_back,
    neck_rib,
    sleeves,
)


def t_shirt(cut: Cut) -> Drawing:
    """A t-shirt, a long-sleeved top or a tank top."""
    wide, hem = 0.03 * cut.width, 0.02 * cut.flare
    torso = Torso(
        cut.style,
        cut.sleeve,
        shoulder=0.43 + wide,
        chest=0.42 + wide,
        waist=0.385 + wide + hem,
        hem=0.41 + wide + hem,
        length=1.4 + 0.06 * cut.length,
    )
    parts = (*inside_back(torso), *sleeves(torso, cut.width), body(torso), hem_seam(torso, 0.045))
    return Drawing((*parts, neck_rib(torso), *_chest_print(cut)))


def _chest_print(cut: Cut) -> tuple[Part, ...]:
    return moved(EMBLEMS[cut.emblem], 0.0, 0.65, 0.24) if cut.emblem else ()


def shirt(cut: Cut) -> Drawing:
    """A buttoned shirt with a chest pocket and a folded or a standing collar."""
    wide = 0.025 * cut.width
    torso = Torso(
        "collar",
        cut.sleeve,
        shoulder=0.43 + wide,
        chest=0.42 + wide,
        waist=0.375 + wide + 0.02 * cut.flare,
        hem=0.41 + wide,
        length=1.46 + 0.05 * cut.length,
        tail=0.09,
    )
    pocket: Outline = (
        (0.13, 0.38),
        (0.31, 0.38),
        (0.31, 0.57, 0.2),
        (0.22, 0.61),
        (0.13, 0.57, 0.2),
    )
    return Drawing(
        (
            Part(
                mirrored(((0, -0.05, 1), (0.15, -0.06, 0.4), (0.15, 0.03), (0, 0.2))), Fill.INSIDE
            ),
            inside_back(torso)[1],
            *sleeves(torso, cut.width, has_cuffs=cut.sleeve == "long"),
            body(torso),
            *both(line((0.042, 0.17), (0.042, torso.length + 0.03))),
            Part(pocket, lift=0.4),
            line((0.13, 0.42), (0.31, 0.42)),
            *_shirt_collar(cut.style),
            *buttons(0.25, torso.length - 0.12, 6),
        )
    )


def _shirt_collar(style: str) -> tuple[Part, Part]:
    if style == "band collar":
        stand: Outline = ((0.0, 0.19), (0.13, -0.04, 0.3), (0.18, 0.0, 0.3), (0.015, 0.25))
        return both(Part(stand, Fill.PLAIN, lift=0.5))
    leaf: Outline = ((0.005, 0.17), (0.15, -0.05, 0.3), (0.2, 0.05, 0.2), (0.17, 0.27))
    return both(Part(leaf, grain=40, lift=0.8))


def sweater(cut: Cut) -> Drawing:
    """A knitted jumper with ribbed cuffs and hem."""
    torso = _loose_torso(cut, cut.style, 1.36)
    if cut.style == "turtleneck":
        roll: Outline = ((0, -0.15, 1), (0.15, -0.15, 0.4), (0.17, 0.04, 0.5), (0, 0.07, 1))
        fold = line((-0.15, -0.05), (0, -0.02, 1), (0.15, -0.05))
        neck: tuple[Part, ...] = (Part(mirrored(roll), Fill.PLAIN, lift=0.7), fold)
    else:
        neck = (neck_rib(torso, 0.07),)
    behind = inside_back(torso) if cut.style != "turtleneck" else ()
    arms = sleeves(torso, 1 + cut.width, has_cuffs=True)
    return Drawing((*behind, *arms, body(torso), hem_rib(torso), *neck), drape=0.8)


def hoodie(cut: Cut) -> Drawing:
    """A hooded sweatshirt with a pouch pocket, perhaps with a zip."""
    torso = _loose_torso(cut, "crew neck", 1.38)
    hood: Outline = ((0, -0.2, 1), (0.22, -0.2, 0.8), (0.27, 0.02, 0.8), (0.2, 0.16, 0.4), (0, 0.2))
    opening: Outline = ((0, -0.11, 1), (0.14, -0.11, 1), (0.15, 0.06, 0.8), (0, 0.21, 0.3))
    pouch: Outline = ((0, 0.94), (0.17, 0.94, 0.1), (0.28, 1.14, 0.2), (0.28, 1.27), (0, 1.27))
    cord = ((0.07, 0.17), (0.08, 0.3, 1), (0.065, 0.44))
    return Drawing(
        (
            *sleeves(torso, 1 + cut.width, has_cuffs=True),
            body(torso),
            hem_rib(torso),
            Part(mirrored(pouch), lift=0.5),
            *_chest_print(cut),
            *(front_zip(0.19, torso.length + 0.02) if cut.style == "zip-up" else ()),
            Part(mirrored(hood), lift=0.5),
            Part(mirrored(opening), Fill.INSIDE),
            line((-0.15, 0.04), (0, 0.21), (0.15, 0.04), width=0.02),
            *both(line(*cord, fill=Fill.LABEL, width=0.018, lift=0.6)),
        ),
        drape=0.8,
    )


def _loose_torso(cut: Cut, neck: str, length: float) -> Torso:
    wide = 0.035 * cut.width
    return Torso(
        neck,
        "long",
        shoulder=0.44 + wide,
        chest=0.44 + wide,
        waist=0.43 + wide,
        hem=0.41 + wide,
        length=length + 0.06 * cut.length,
    )
