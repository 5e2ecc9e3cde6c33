import io
import struct
import threading
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from goods.errors import PictureError, PictureFault
from goods.images import FORMATS
from goods.pictures import PictureLimits, decode

TINY = PictureLimits(min_side=1, min_contrast=0)  # takes test pictures of a few pixels, or plain
RED, GREEN = (200, 30, 40), (20, 160, 60)


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red on the left and green on the right, with a smooth change from top to bottom."""
    width, height = size
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (width // 2, 0, width, height))
    shade = Image.linear_gradient("L").resize(size).convert("RGB")
    return Image.blend(image, shade, 0.2).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def fault_of(data: bytes, limits: PictureLimits | None = None) -> tuple[PictureFault, str]:
    with pytest.raises(PictureError) as refused:
        decode(data, "shirt.jpg", limits or PictureLimits())
    return refused.value.fault, str(refused.value)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of the bytes of two RGB images of one size."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


@pytest.mark.parametrize("kind", FORMATS)
def test_every_raster_format_is_decoded_to_rgb(kind: str) -> None:
    image = decode(encoded(picture(), kind), "shirt")
    assert (image.mode, image.size) == ("RGB", (64, 48))
    assert difference(image, picture()) < 6  # what lossy formats may change


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("P", "GIF"), ("YCbCr", "TIFF")]
)
def test_other_colour_models_are_converted(mode: str, kind: str) -> None:
    image = decode(encoded(picture(mode), kind), "shirt")
    assert image.mode == "RGB"
    assert difference(image, picture(mode).convert("RGB")) < 6


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_and_black_and_white_become_three_equal_channels(mode: str) -> None:
    red, green, blue = decode(encoded(picture(mode)), "shirt").split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    assert red.tobytes() == picture(mode).convert("L").tobytes()


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (np.array([[0, 257 * 100, 65535]], np.uint16), "PNG"),
        (np.array([[0, 257 * 100, 65535]], np.uint16), "TIFF"),
        (np.array([[0, 257 * 100, 65535]], np.int32), "TIFF"),
        (np.array([[0, 100, 255]], np.int32), "TIFF"),
        (np.array([[0, 100 << 16, 255 << 16]], np.int32), "TIFF"),
        (np.array([[0, 100 / 255, 1]], np.float32), "TIFF"),
        (np.array([[-1, 100, 255]], np.float32), "TIFF"),
    ],
)
def test_wide_numbers_are_scaled_not_clipped(pixels: np.ndarray, kind: str) -> None:
    image = decode(encoded(Image.fromarray(pixels), kind), "shirt", TINY)
    assert [image.getpixel((x, 0)) for x in range(3)] == [(0,) * 3, (100,) * 3, (255,) * 3]


def test_a_dark_16_bit_picture_stays_dark() -> None:
    dark = Image.fromarray(np.full((4, 4), 2570, np.uint16))
    assert decode(encoded(dark), "shirt", TINY).getpixel((0, 0)) == (10, 10, 10)


def test_what_is_transparent_becomes_white() -> None:
    image = picture("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert decode(encoded(image), "shirt", TINY).getcolors() == [(64 * 48, (255, 255, 255))]


def test_what_is_half_transparent_is_mixed_with_white() -> None:
    half = Image.new("LA", (4, 4), (55, 128))
    assert decode(encoded(half), "shirt", TINY).getpixel((0, 0)) == pytest.approx((155,) * 3, abs=1)


def test_a_palette_with_transparent_colours_is_laid_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    for transparency in (1, b"\xff\x00"):
        on_white = decode(encoded(image, transparency=transparency), "shirt", TINY)
        assert [on_white.getpixel((x, 0)) for x in (0, 1)] == [(10, 20, 30), (255, 255, 255)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert difference(decode(data, "shirt", TINY), frames[0]) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_upright(kind: str, orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture().transpose(turns[orientation]) if orientation > 1 else picture()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(stored, kind, exif=exif), "shirt")
    assert image.size == (64, 48)
    assert difference(image, picture()) < 6


def test_damaged_exif_is_overlooked() -> None:
    for exif in (b"Exif\0\0no TIFF", b"Exif\0\0MM\0*\0\0\0\x08\0\x03\x01\x12\0\x03\xff\xff"):
        for kind in ("JPEG", "PNG", "WEBP"):
            assert decode(encoded(picture(), kind, exif=exif), "shirt").size == (64, 48)


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_a_large_jpeg_is_decoded_smaller_but_never_too_small(factor: int) -> None:
    data = encoded(picture(size=(800, 600)), "JPEG")
    image = decode(data, "shirt", at_least=600 // factor)
    assert image.size == (800 // factor, 600 // factor)


@pytest.mark.parametrize(("width", "height"), [(804, 612), (803, 601), (805, 607)])
def test_a_jpeg_whose_size_is_no_multiple_is_neither_stretched_nor_shifted(
    width: int, height: int
) -> None:
    data = encoded(picture(size=(width, height)), "JPEG")
    image = decode(data, "shirt", at_least=75)
    assert image.size == (round(width / 4), round(height / 4))
    assert difference(image, picture(size=(width, height)).resize(image.size)) < 6


@pytest.mark.parametrize("target", [224, 100, 75])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_smaller_decode_is_the_same_picture_after_resizing(kind: str, target: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    cloth = Image.fromarray(noise).resize((800, 600), Image.Resampling.BICUBIC)
    data = encoded(cloth, kind, quality=90)
    size = (target * 4 // 3, target)
    small, full = (
        decode(data, "shirt", at_least=at_least).resize(size, Image.Resampling.BICUBIC)
        for at_least in (target, None)
    )
    assert difference(small, full) < 4  # of 255, on the hardest cloth: noise


def test_the_whole_picture_is_decoded_where_nothing_smaller_is_asked_for() -> None:
    assert decode(encoded(picture(size=(801, 603)), "JPEG"), "shirt").size == (801, 603)
    assert decode(encoded(picture()), "shirt", at_least=20).size == (64, 48)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_has_to_be_decoded_whole_is_averaged_down_afterwards(kind: str) -> None:
    data = encoded(picture(size=(801, 603)), kind)
    sizes = [decode(data, "shirt", at_least=side).size for side in (302, 150, 100, 75)]
    assert sizes == [(801, 603), (400, 302), (267, 201), (200, 151)]


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and has no pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    fault, message = fault_of(png_header(20_000, 20_000))
    assert fault is PictureFault.REFUSED
    assert "20,000 x 20,000 pixels, more than 64,000,000; scale it down" in message


def test_a_tracking_pixel_or_an_icon_is_too_small() -> None:
    fault, message = fault_of(encoded(picture(size=(1, 1))))
    assert fault is PictureFault.TOO_SMALL
    assert "it has 1 x 1 pixels, less than 8 on a side" in message
    assert fault_of(encoded(picture(size=(400, 7))))[0] is PictureFault.TOO_SMALL
    assert decode(encoded(picture(size=(400, 8))), "shirt").size == (400, 8)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_placeholder_of_one_colour_is_blank(kind: str) -> None:
    fault, message = fault_of(encoded(Image.new("RGB", (300, 400), (240, 241, 239)), kind))
    assert fault is PictureFault.BLANK
    assert "it has one colour all over" in message


def test_a_small_mark_or_a_faint_shade_is_a_picture() -> None:
    page = Image.new("RGB", (300, 400), (255, 255, 255))
    page.putpixel((151, 263), RED)
    assert decode(encoded(page), "shirt").getpixel((151, 263)) == RED
    faint = Image.linear_gradient("L").point(lambda level: 240 + level // 32)
    assert decode(encoded(faint), "shirt", PictureLimits(min_contrast=7)).size == (256, 256)
    assert fault_of(encoded(faint))[0] is PictureFault.BLANK


def test_the_limits_are_what_is_set() -> None:
    data = encoded(picture())
    assert fault_of(data, PictureLimits(max_pixels=64 * 48 - 1))[0] is PictureFault.REFUSED
    assert fault_of(data, PictureLimits(max_bytes=len(data) - 1))[0] is PictureFault.REFUSED
    exact = PictureLimits(max_pixels=64 * 48, max_bytes=len(data))
    assert decode(data, "shirt", exact).size == (64, 48)


@pytest.mark.parametrize(
    ("data", "fault", "hint"),
    [
        (b"", PictureFault.BROKEN, "it is empty"),
        (b"\xff\xd8\xff\xe0", PictureFault.BROKEN, "cut off or damaged"),
        (png_header(64, 48), PictureFault.BROKEN, "cut off or damaged"),
        (b"A soft linen shirt", PictureFault.NOT_A_PICTURE, "it is none of JPEG, PNG"),
        (b"\n<!DOCTYPE html><p>", PictureFault.NOT_A_PICTURE, "it is a web page (HTML)"),
        (b"<?xml?><svg/>", PictureFault.NOT_A_PICTURE, "it is an SVG drawing; export it"),
        (b"\0\0\0\x18ftypheic", PictureFault.NOT_A_PICTURE, "it is a HEIC photograph"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", PictureFault.NOT_A_PICTURE, "it is none of"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_name_and_a_hint(
    data: bytes, fault: PictureFault, hint: str
) -> None:
    found, message = fault_of(data)
    assert found is fault
    assert message.startswith("shirt.jpg: ")
    assert hint in message


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_picture_is_broken(kind: str) -> None:
    data = encoded(picture(size=(200, 150)), kind)
    assert fault_of(data[: len(data) // 2])[0] is PictureFault.BROKEN


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_a_damaged_picture_is_decoded_or_refused_without_a_warning(
    kind: str, data: st.DataObject
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    damaged = bytearray(
        encoded(picture(size=(16, 12)), kind, **({} if kind in "BMP GIF" else {"exif": exif}))
    )
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, 2 * len(damaged))) :]
    with suppress(PictureError):
        assert decode(bytes(damaged), "shirt", PictureLimits(max_pixels=10**6)).mode == "RGB"


def test_threads_that_decode_leave_the_warning_filters_as_they_were() -> None:
    data = encoded(picture(), "TIFF")
    before = list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [decode(data, "shirt") for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
