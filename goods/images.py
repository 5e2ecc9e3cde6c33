"""From encoded bytes to an image: upright, 8-bit RGB, the only kind that models see."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import cast

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from goods.errors import PictureError, PictureFault
from goods.shrink import averaged, cropped, draft

Image.MAX_IMAGE_PIXELS = None  # its check warns by side effect; `open_image` has one that does not

FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
FORMATS += ("AVIF",) if features.check("avif") else ()

_SIGNATURE = re.compile(rb"(?s)\xff\xd8\xff|\x89PNG|GIF8|RIFF|II\*\0|MM\0\*|....ftypavi")
_WEB_PAGE = "it is a web page (HTML); the link has to lead to the picture itself"
_HINTS = {
    b"<html": _WEB_PAGE,
    b"<!doctype html": _WEB_PAGE,
    b"<svg": "it is an SVG drawing; export it as PNG",
    b"ftyphei": "it is a HEIC photograph; convert it to JPEG",
}
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,  # where warnings are errors
    struct.error,
    zlib.error,
)
"""What Pillow raises when a file is not as its format says."""

_ORIENTATION = 0x0112  # EXIF 2.32, table 4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SAMPLE = (64, 64)  # pixels
_WHITE = (255, 255, 255, 255)
_PEAKS = (1.0, 255.0, 65535.0)  # what white may be in pictures of wide numbers
_filters = Lock()


def open_image(data: bytes, max_pixels: int, min_side: int = 1) -> Image.Image:
    """The picture with its header read, and no pixel yet.

    Raises:
        PictureError: It is empty or no picture, its header is damaged, or it has too many pixels
            or too few.
    """
    if not data:
        raise PictureError(PictureFault.BROKEN, "it is empty; upload it again")
    try:
        with _quiet():
            image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if _SIGNATURE.match(data):
            raise _broken(error) from error
        beginning = data[:512].lower()
        hints = (hint for mark, hint in _HINTS.items() if mark in beginning)
        unknown = f"it is none of {', '.join(FORMATS)}"
        raise PictureError(PictureFault.NOT_A_PICTURE, next(hints, unknown)) from error
    except _DAMAGE as error:
        raise _broken(error) from error
    if image.width * image.height > max_pixels:
        raise PictureError(
            PictureFault.REFUSED,
            f"it has {image.width:,} x {image.height:,} pixels, more than {max_pixels:,}; "
            "scale it down",
        )
    if min(image.size) < min_side:
        raise PictureError(
            PictureFault.TOO_SMALL,
            f"it has {image.width} x {image.height} pixels, less than {min_side} on a side; "
            "it is an icon or counts visits",
        )
    return image


def refuse_blank(image: Image.Image, min_contrast: int) -> None:
    """Tell a picture of a product from a sheet of paper.

    Raises:
        PictureError: BLANK; in no colour are its pixels `min_contrast` levels apart.
    """
    # A few pixels tell of almost every photograph that it is one, in a hundredth of the time.
    sample = image.resize(_SAMPLE, Image.Resampling.NEAREST)
    if _contrast(sample) < min_contrast and _contrast(image) < min_contrast:
        raise PictureError(
            PictureFault.BLANK,
            "it has one colour all over, as placeholders do; upload a photograph",
        )


def to_rgb(image: Image.Image, at_least: int | None = None) -> Image.Image:
    """The pixels of an opened picture; of an animation, those of the first frame.

    What is transparent becomes white, and 16 bits are scaled to 8. With `at_least`, a JPEG may be
    decoded at 1/2, 1/4 or 1/8 of its size, as long as its shorter side keeps that many pixels, and
    where its size is no multiple, twice as many. What is larger still is averaged down to that.

    Raises:
        PictureError: It is cut off or damaged.
    """
    try:
        size = draft(image, at_least) if at_least else image.size
        _load(image)
        image = _upright(cropped(image, size))
        if image.mode.startswith(("I", "F")):
            image = _eight_bits(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image)
        image = image if image.mode == "RGB" else image.convert("RGB")
        return averaged(image, at_least) if at_least else image
    except _DAMAGE as error:
        raise _broken(error) from error


def _contrast(image: Image.Image) -> float:
    extrema = cast("tuple[tuple[float, float], ...]", image.getextrema())
    return max(high - low for low, high in extrema)


def _load(image: Image.Image) -> None:
    if image.format == "TIFF":  # whose tags are read, and warned of, as late as this
        with _quiet():
            image.load()
    else:
        image.load()


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF says; damaged EXIF says nothing."""
    try:
        with _quiet():
            turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return image
    return image if turn is None else image.transpose(turn)


def _eight_bits(image: Image.Image) -> Image.Image:
    """A greyscale picture of wide numbers in mode L."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    peak = float(values.max())
    white = next((white for white in _PEAKS if peak <= white), peak)
    if image.mode.startswith("I;16"):
        white = 65535.0
    return Image.fromarray(np.clip(values * (255 / white), 0, 255).round().astype(np.uint8))


def _broken(error: Exception) -> PictureError:
    return PictureError(PictureFault.BROKEN, f"it is cut off or damaged ({error}); upload it again")


@contextmanager
def _quiet() -> Iterator[None]:
    """Drops the warnings that Pillow has for slightly damaged files.

    Python keeps its warning filters per process, hence the lock; so keep little in here.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
