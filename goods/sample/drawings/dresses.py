"""Drawings of dresses and skirts."""

from goods.sample.drawings.shapes import Cut, Drawing, Fill, Outline, Part, both, line, mirrored
from goods.sample.drawings.torso import Torso, body, inside_back, neck_rib, sleeves

_DRESS_LENGTHS = {"mini": 1.2, "midi": 1.5, "maxi": 1.85}
_WAIST = 0.66


def dress(cut: Cut) -> Drawing:
    """A dress with a fitted waist, mini to maxi; wide cuts have wide necklines."""
    wide = 0.02 * cut.width
    neck = ("v-neck", "crew neck", "square neck", "scoop neck")[int((cut.width + 1) * 1.99)]
    torso = Torso(
        neck,
        cut.sleeve,
        shoulder=0.33 + wide,
        chest=0.31 + wide,
        waist=0.23 + wide,
        hem=0.235 + wide,
        length=_WAIST,
    )
    low = _DRESS_LENGTHS[cut.style] + 0.04 * cut.length
    hem = 0.44 + 0.1 * cut.flare + 0.1 * (low - 1.2)
    side: Outline = ((torso.hem - 0.005, 0.63, 0.1), (torso.hem + 0.1 + 0.05 * cut.flare, 0.84, 1))
    skirt_half = ((0, 0.64), *side, (hem, low - 0.03, 0.15), (0, low + 0.05, 1))
    band: Outline = ((0, 0.61), (torso.hem - 0.012, 0.6), (torso.hem - 0.008, 0.665), (0, 0.675))
    return Drawing(
        (
            *inside_back(torso),
            *sleeves(torso),
            body(torso),
            neck_rib(torso, 0.022),
            Part(mirrored(skirt_half)),
            *_pleats(3, torso.hem, hem, _WAIST + 0.02, low),
            Part(mirrored(band), Fill.PLAIN, lift=0.3),
        ),
        drape=1.1,
    )


_SKIRTS = {"pencil": (0.36, 0.3), "a-line": (0.35, 0.5), "pleated": (0.37, 0.55)}  # hip, hem


def skirt(cut: Cut) -> Drawing:
    """A pencil, A-line or pleated skirt, above the knee to below it."""
    hip, hem = (width + 0.03 * cut.width for width in _SKIRTS[cut.style])
    low = (1.05 if cut.style == "pencil" else 0.9) + 0.25 * cut.length
    hem += 0.0 if cut.style == "pencil" else 0.12 * (low - 0.9)
    half: Outline = ((0, 0.02, 1), (0.26, 0), (hip, 0.33, 0.9), (hem, low, 0.1), (0, low + 0.06, 1))
    band: Outline = ((0, 0.02, 1), (0.262, 0), (0.28, 0.1), (0, 0.125, 1))
    details: tuple[Part, ...]
    if cut.style == "pencil":
        dart = line((0.13, 0.11), (0.14, 0.3))
        details = (line((0.1, low + 0.05), (0.1, low - 0.22)), *both(dart))
    else:
        details = _pleats(6 if cut.style == "pleated" else 2, 0.28, hem, 0.12, low)
    panel = Part(mirrored(half))
    return Drawing((panel, *details, Part(mirrored(band), Fill.PLAIN, lift=0.4)), drape=1.1)


def _pleats(count: int, waist: float, hem: float, top: float, low: float) -> tuple[Part, ...]:
    """Soft folds that fan out from the waist, this many on each side."""
    shares = ((i + 0.5) / count for i in range(count))
    return tuple(
        part
        for share in shares
        for part in both(
            line(
                (share * waist, top),
                (share * (waist * 0.4 + hem * 0.6), (top + low) / 2, 0.8),
                (share * hem, low + 0.04),
                fill=Fill.FOLD,
                width=0.03,
            )
        )
    )
