"""A picture with what a query means in it in colour, and the rest pale."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_PALE = 0.55  # how far what is cold fades to white
_TINT = 0.3
_WARM = "#e5341f"


def heated(image: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """The picture in RGB: in its colours and tinted where the map is hot, pale and grey elsewhere.

    Args:
        image: The picture, in any mode.
        heat: `(rows, columns)` numbers over the whole picture, see `model.heat.heat_map`; 0 and
            below is cold.
    """
    picture, hottest = image.convert("RGB"), float(heat.max())
    share = np.clip(heat / hottest, 0, 1) if hottest > 0 else np.zeros_like(heat)
    mask = Image.fromarray(np.uint8(255 * share))
    grey = picture.convert("L").convert("RGB")
    pale = Image.blend(grey, Image.new("RGB", picture.size, "white"), _PALE)
    warm = Image.blend(picture, Image.new("RGB", picture.size, _WARM), _TINT)
    return Image.composite(warm, pale, mask.resize(picture.size, Image.Resampling.BICUBIC))
