import io
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from goods.errors import GoodsError, PictureError, PictureFault
from goods.pictures import PictureLimits, PictureLoader
from goods.product import Picture


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 30, 40)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def loader() -> Iterator[PictureLoader]:
    with PictureLoader(PictureLimits(max_bytes=100_000, attempts=1)) as loader:
        yield loader


def refused(loader: PictureLoader, location: str) -> tuple[PictureFault, str]:
    with pytest.raises(PictureError) as error:
        loader.load(Picture(location))
    return error.value.fault, str(error.value)


def test_a_picture_is_loaded_from_a_path_a_url_or_its_bytes(
    tmp_path: Path, loader: PictureLoader
) -> None:
    file = tmp_path / "a shirt.jpg"
    file.write_bytes(jpeg())
    assert "%20" in file.as_uri()
    for picture in (Picture(str(file)), Picture(file.as_uri()), Picture("nowhere", jpeg())):
        assert loader.read(picture) == jpeg()
        assert loader.load(picture).size == (64, 48)


def test_a_picture_is_loaded_from_a_parquet_file(tmp_path: Path, loader: PictureLoader) -> None:
    file = tmp_path / "p.parquet"
    parquet.write_table(pa.table({"image": [{"bytes": jpeg(), "path": "1.jpg"}]}), file)
    assert loader.load(Picture(f"{file}#row=0")).size == (64, 48)


def test_a_picture_is_loaded_over_http_by_one_client(
    loader: PictureLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = set()

    def get(client: httpx.Client, request: httpx.Request, **_: object) -> httpx.Response:
        clients.add(client)
        return httpx.Response(200, content=jpeg(), request=request)

    monkeypatch.setattr(httpx.Client, "send", get)
    assert loader.load(Picture("https://shop.test/1.jpg")).size == (64, 48)
    assert loader.load(Picture("http://shop.test/2.jpg")).size == (64, 48)
    (client,) = clients
    loader.close()
    assert client.is_closed


def test_a_large_jpeg_may_be_loaded_smaller(loader: PictureLoader) -> None:
    assert loader.load(Picture("shirt", jpeg((800, 600))), at_least=300).size == (400, 300)


@pytest.mark.parametrize(
    ("location", "fault", "hint"),
    [
        ("none.jpg", PictureFault.GONE, "(No such file or directory); paths start at the"),
        ("a.jpg/b.jpg", PictureFault.GONE, "(Not a directory)"),
        ("a\0b.jpg", PictureFault.GONE, "(embedded null byte)"),
        ("x" * 300, PictureFault.GONE, "(File name too long)"),
        ("", PictureFault.NOT_A_PICTURE, "it is a folder or a device, not a file"),
        ("pipe", PictureFault.NOT_A_PICTURE, "it is a folder or a device, not a file"),
        ("large.jpg", PictureFault.REFUSED, "it has 100,001 bytes, more than 100,000"),
        ("text.jpg", PictureFault.NOT_A_PICTURE, "it is none of JPEG"),
        ("empty.jpg", PictureFault.BROKEN, "it is empty"),
        ("none.parquet#row=0", PictureFault.GONE, "there is no such file"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_with_its_path(
    tmp_path: Path, loader: PictureLoader, location: str, fault: PictureFault, hint: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "text.jpg").write_text("a shirt")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(bytes(100_001))
    os.mkfifo(tmp_path / "pipe")
    found, message = refused(loader, f"{tmp_path}/{location}")
    assert found is fault
    assert hint in message
    assert message.startswith(f"{tmp_path}/"[:60])


def test_a_file_without_the_right_to_read_it_is_refused(
    tmp_path: Path, loader: PictureLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.jpg").write_bytes(jpeg())
    monkeypatch.setattr(Path, "read_bytes", deny)  # root may read everything
    fault, message = refused(loader, str(tmp_path / "a.jpg"))
    assert fault is PictureFault.REFUSED
    assert message.endswith("it may not be read; see its rights")


def test_other_protocols_are_refused(loader: PictureLoader) -> None:
    fault, message = refused(loader, "s3://bucket/a.jpg")
    assert fault is PictureFault.REFUSED
    assert "only paths, file:// and http(s):// URLs can be read" in message


def test_a_long_location_is_cut_in_errors(loader: PictureLoader) -> None:
    _, message = refused(loader, "https:/" + "x" * 5000)
    assert len(message) < 250
    assert "xxx…xxx" in message


def test_bytes_at_hand_are_limited_too(loader: PictureLoader) -> None:
    with pytest.raises(PictureError, match=r"^shirt: it has 100,001 bytes"):
        loader.read(Picture("shirt", bytes(100_001)))


@pytest.mark.parametrize(
    "limits", [{"max_bytes": 0}, {"max_pixels": -1}, {"timeout_s": 0}, {"attempts": 0}]
)
def test_limits_that_allow_nothing_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(GoodsError, match="it has to be more than 0"):
        PictureLimits(**limits)
    with pytest.raises(GoodsError, match="it cannot be negative"):
        PictureLimits(max_wait_s=-1)
