"""The studio: the lit wall behind a product, and the shadows."""

import numpy as np
from PIL import Image, ImageFilter

from goods.sample.look import Shot
from goods.sample.patterns import Plane


def backdrop(covered: Plane, shot: Shot, is_standing: bool) -> Plane:
    """The wall (size, size, 3), 0 to 255, with the shadow of what covers it, 0 to 1."""
    axis = np.linspace(-1, 1, len(covered), dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    towards_x, towards_y = shot.light
    wall = 1 + 0.035 * (x * towards_x + y * towards_y) - 0.03 * (x**2 + y**2)
    shadow = _pool(covered, shot) if is_standing else _halo(covered, shot)
    lit = (wall * (1 - shadow))[..., None] * np.array(shot.backdrop)
    return np.asarray(lit, dtype=np.float32)


def _halo(covered: Plane, shot: Shot) -> Plane:
    """The shadow of something that lies a finger above the wall."""
    far = away(blurred(covered, len(covered) * 0.035), shot, len(covered) * 0.02)
    return 0.22 * far + 0.16 * blurred(covered, len(covered) * 0.012)


def _pool(covered: Plane, shot: Shot) -> Plane:
    """The shadow under something that stands: a dark core and a wide rim."""
    size = len(covered)
    rows, columns = np.nonzero(covered > 0.5)
    reach = (columns.max() - columns.min()) / 2
    middle = columns.min() + reach - shot.light[0] * size * 0.02
    axis = np.arange(size, dtype=np.float32)
    across, down = (axis - middle) / reach, (axis - rows.max()) / (size * 0.022)
    core = np.outer(np.exp(-(down**2)), np.exp(-1.2 * across**4))
    rim = np.outer(np.exp(-((down / 3.2) ** 2)), np.exp(-0.9 * across**2))
    return 0.36 * core + 0.14 * rim


def away(shadow: Plane, shot: Shot, distance_px: float) -> Plane:
    """The shadow moved away from the light."""
    towards_x, towards_y = shot.light
    return np.roll(
        shadow, (round(-towards_y * distance_px), round(-towards_x * distance_px)), (0, 1)
    )


def blurred(mask: Plane, radius_px: float) -> Plane:
    """The mask out of focus, 0 to 1."""
    image = Image.fromarray((mask * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius_px)), dtype=np.float32) / 255
