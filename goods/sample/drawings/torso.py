"""The parts that garments of the upper body share: neck, body, sleeves, hem, buttons, zip.

Heights count down from the point where the neck meets the shoulder.
"""

from dataclasses import dataclass

from goods.sample.drawings.shapes import (
    Fill,
    Outline,
    Part,
    Vertex,
    both,
    disc,
    flipped,
    line,
    mirrored,
)

_TIP = 0.13  # the shoulder's tip
_ARMPIT = 0.5

_NECKLINES: dict[str, Outline] = {  # the right half, from its lowest point to the shoulder
    "crew neck": ((0, 0.13, 1), (0.13, 0.13, 1), (0.17, 0)),
    "v-neck": ((0, 0.35, 0.15), (0.16, 0)),
    "scoop neck": ((0, 0.3, 1), (0.19, 0.3, 1), (0.21, 0)),
    "square neck": ((0, 0.25), (0.19, 0.25, 0.1), (0.21, 0)),
    "turtleneck": ((0, 0.02, 1), (0.13, 0.02, 1), (0.15, 0)),
    "collar": ((0, 0.17, 0.2), (0.15, 0)),
    "lapels": ((0, 0.62, 0.1), (0.17, 0)),
}


@dataclass(frozen=True, slots=True)
class Torso:
    """The measures of an upper body; widths are halves.

    Attributes:
        neck: The kind of neckline.
        sleeve: "short", "long" or "sleeveless".
        shoulder: Width at the shoulder's tip.
        chest: Width under the arms.
        waist: Width at the waist.
        hem: Width at the hem.
        length: Height of the hem.
        tail: How far the middle of the hem hangs below its sides.
    """

    neck: str
    sleeve: str
    shoulder: float
    chest: float
    waist: float
    hem: float
    length: float
    tail: float = 0.0

    @property
    def neckline(self) -> Outline:
        """The right half of the neckline, from its lowest point to the shoulder."""
        return _NECKLINES[self.neck]


def body(torso: Torso) -> Part:
    """The front panel."""
    if torso.sleeve == "sleeveless":
        side = torso.neckline[-1][0] + 0.085
        arm: Outline = (
            (side, 0.03, 0.1),
            (side - 0.01, _ARMPIT - 0.08, 1),
            (torso.chest, _ARMPIT, 0.1),
        )
    else:
        arm = ((torso.shoulder, _TIP, 0.1), (torso.chest - 0.03, _ARMPIT - 0.12, 0.6))
    side_seam: Outline = (
        (torso.chest, _ARMPIT, 0.2),
        (torso.waist, (_ARMPIT + torso.length) / 2, 1),
        (torso.hem, torso.length - torso.tail, 0.15 + torso.tail * 4),
    )
    middle = torso.length + torso.tail * 0.3
    hem: Outline = ((torso.hem * 0.55, middle, 1 if torso.tail else 0), (0, middle + 0.015, 1))
    return Part(mirrored((*torso.neckline, *arm, *side_seam, *hem)), lift=0.5)


def inside_back(torso: Torso) -> tuple[Part, ...]:
    """The inside of the back that shows through the neckline, with the brand's label."""
    side, low = torso.neckline[-1][0], torso.neckline[0][1]
    half: Outline = ((0, 0.03, 1), (side * 0.8, 0.03, 1), (side, 0), (side * 0.8, low), (0, low))
    label = Part(mirrored(((0, 0.05), (0.05, 0.05), (0.05, 0.085), (0, 0.085))), Fill.LABEL)
    return Part(mirrored(half), Fill.INSIDE), label


def neck_rib(torso: Torso, width: float = 0.045) -> Part:
    """The knitted band along the neckline."""
    left = flipped(reversed(torso.neckline[1:]))
    return Part((*left, *torso.neckline), Fill.PLAIN, width=width, lift=0.15)


def sleeves(torso: Torso, slack: float = 0.0, has_cuffs: bool = False) -> tuple[Part, ...]:
    """Both sleeves, hanging a little away from the body; nothing when it has none."""
    if torso.sleeve == "sleeveless":
        return ()
    x, wide = torso.shoulder, 0.03 * slack
    shoulder: Outline = ((x - 0.06, _TIP - 0.025), (x + 0.055, _TIP + 0.02, 1))
    under: Outline = ((torso.chest - 0.02, _ARMPIT + 0.04), (torso.chest - 0.08, _TIP + 0.2))
    if torso.sleeve == "short":
        outer, inner = (x + 0.27 + wide, 0.47), (x + 0.09, 0.6)
        arm = Part((*shoulder, (*outer, 0.1), (*inner, 0.1), *under), grain=-32, lift=0.2)
        return (*both(arm), *both(line(_near(outer, -0.045), _near(inner, -0.045))))
    outer, inner = (x + 0.3 + wide, 1.16), (x + 0.155, 1.19)
    outside: Outline = ((x + 0.2 + wide, 0.64, 0.8), (*outer, 0.1))
    inside: Outline = ((*inner, 0.1), (x + 0.06, 0.74, 0.6))
    arm = Part((*shoulder, *outside, *inside, *under), grain=-14, lift=0.2)
    if not has_cuffs:
        return (*both(arm), *both(line(_near(outer, -0.05), _near(inner, -0.05))))
    cuff: Outline = (
        _near(outer, -0.075),
        _near(outer, 0.015),
        _near(inner, 0.015),
        _near(inner, -0.075),
    )
    return (*both(arm), *both(Part(cuff, Fill.PLAIN, lift=0.25)))


def _near(end: tuple[float, float], along: float) -> Vertex:
    """The point this far along a sleeve from one corner of its end; negative is up."""
    return end[0] + along * 0.2, end[1] + along


def hem_rib(torso: Torso, height: float = 0.1) -> Part:
    """The knitted band at the bottom."""
    top, low, side = torso.length - height, torso.length + 0.015, torso.hem
    half: Outline = (
        (0, top + 0.015, 1),
        (side + 0.005, top),
        (side - 0.03, low, 0.2),
        (0, low + 0.015, 1),
    )
    return Part(mirrored(half), Fill.PLAIN, lift=0.25)


def hem_seam(torso: Torso, height: float, fill: Fill = Fill.SEAM) -> Part:
    """The seam above a folded hem."""
    y = torso.length - height
    return line((-torso.hem, y), (0, y + 0.015, 1), (torso.hem, y), fill=fill)


def buttons(
    top: float, bottom: float, count: int, fill: Fill = Fill.LABEL, x: float = 0.0
) -> tuple[Part, ...]:
    """A row of buttons from top to bottom."""
    step = (bottom - top) / (count - 1)
    return tuple(disc(x, top + i * step, 0.02, fill, lift=0.6) for i in range(count))


def front_zip(top: float, bottom: float) -> tuple[Part, ...]:
    """A metal zip down the middle, its puller at the top."""
    puller: Outline = (
        (0, top + 0.02),
        (0.014, top + 0.02),
        (0.02, top + 0.11, 0.5),
        (0, top + 0.11),
    )
    return (
        line((0, top), (0, bottom), width=0.06),
        line((0, top), (0, bottom), fill=Fill.METAL, width=0.026),
        Part(mirrored(puller), Fill.METAL, lift=0.6),
    )
