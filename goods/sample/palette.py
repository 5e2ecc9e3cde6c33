"""The named colours of the sample catalog."""

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "black": (30, 30, 33),
    "white": (246, 245, 242),
    "grey": (140, 140, 139),
    "navy": (27, 38, 84),
    "blue": (42, 108, 205),
    "turquoise": (58, 190, 190),
    "green": (48, 132, 68),
    "yellow": (245, 205, 58),
    "orange": (238, 125, 38),
    "red": (204, 34, 44),
    "pink": (240, 150, 180),
    "purple": (116, 58, 150),
    "brown": (106, 66, 40),
    "beige": (214, 190, 152),
}

_NEUTRALS = ("white", "black", "navy", "beige")
_ACCENTS = (*_NEUTRALS, "red", "yellow", "pink", "turquoise")
_CONTRAST_MIN = 270  # stripes of less than this read as one colour at 192 pixels
_HUE_JITTER = 5  # per channel; a larger one moves grey towards purple
_LIGHT_JITTER = 10


def dyed(name: str, rng: np.random.Generator) -> Rgb:
    """A shade of a named colour, as no two dye lots are the same."""
    shift = rng.integers(-_HUE_JITTER, _HUE_JITTER + 1, size=3)
    shift += rng.integers(-_LIGHT_JITTER, _LIGHT_JITTER + 1)
    red, green, blue = np.clip(np.array(COLOURS[name]) + shift, 18, 250).tolist()
    return red, green, blue


def contrast(one: Rgb, other: NDArray[np.floating] | Rgb) -> float:
    """How far two colours look apart, 0 to about 760: the "redmean" weighting of RGB distance."""
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    red = (a[0] + b[0]) / 2
    weights = np.array([2 + red / 256, 4, 2 + (255 - red) / 256])
    return float(np.sqrt((weights * (a - b) ** 2).sum()))


def accents(name: str, is_neutral: bool = False) -> tuple[str, ...]:
    """The colours that show well on a named one; the neutral ones never change what it is called.

    Half-transparent checks mix with what is below, and red over grey would read as pink.
    """
    return tuple(
        other
        for other in (_NEUTRALS if is_neutral else _ACCENTS)
        if contrast(COLOURS[name], COLOURS[other]) > _CONTRAST_MIN
    )
