"""Large pictures at a fraction of their size, early, and with the vectors of the whole."""

from PIL import Image

_AMPLE = 2  # times the pixels that are wanted: parts of one at the edge are not seen any more


def draft(image: Image.Image, at_least: int) -> tuple[int, int]:
    """Have a JPEG decoded smaller; the size that it will have without what is no whole pixel.

    A pixel that was begun at the edge stretches the picture by a part of itself, which is seen in
    its vector the more the smaller it is: cosines of .97 at 77 pixels, with a model of 64.
    """
    for scale in (8, 4, 2):
        is_multiple = not any(side % scale for side in image.size)
        if min(image.size) >= scale * at_least * (1 if is_multiple else _AMPLE):
            whole = _whole(image, scale)
            width, height = image.size
            is_drafted = image.draft(None, (width // scale, height // scale)) is not None
            return whole if is_drafted else image.size
    return image.size


def averaged(image: Image.Image, at_least: int) -> Image.Image:
    """The image at a fraction of its size: 4.7 ms instead of 10.4 to resize 1080 x 1440 pixels."""
    scale = min(image.size) // (_AMPLE * at_least)
    return cropped(image.reduce(scale), _whole(image, scale)) if scale > 1 else image


def _whole(image: Image.Image, scale: int) -> tuple[int, int]:
    """Its size at a fraction, without what is less than half a pixel."""
    return round(image.width / scale), round(image.height / scale)


def cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The upper left part of an image that is of this size, or a pixel larger."""
    return image if image.size == size else image.crop((0, 0, *size))
