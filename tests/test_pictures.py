import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from goods.errors import GoodsError, PictureError, PictureFault
from goods.pictures import PictureLimits, PictureLoader
from goods.product import Picture
from picture_host import LIMITS, Host, picture_host


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def loader() -> Iterator[PictureLoader]:
    with PictureLoader(replace(LIMITS, max_bytes=100_000)) as loader:
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


@pytest.fixture
def host() -> Iterator[Host]:
    with picture_host() as host:
        yield host


def test_pictures_are_loaded_over_http(host: Host, loader: PictureLoader) -> None:
    url = host.url("/1.jpg", lambda answer: answer.send(200, jpeg()))
    assert loader.load(Picture(url)).size == (64, 48)
    started = [loader.start(Picture(url)) for _ in range(200)]
    assert {future.result().data for future in started} == {jpeg()}
    url = host.url("/2.jpg", lambda answer: answer.send(404))
    gone = loader.start(Picture(url)).exception()
    assert str(gone) == f"{url}: the host answers 404 Not Found"


def test_what_is_not_remote_is_started_and_done_at_once(
    tmp_path: Path, loader: PictureLoader
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    future = loader.start(Picture(str(tmp_path / "a.jpg")))
    assert future.done()
    assert future.result().data == jpeg()
    assert isinstance(loader.start(Picture("none.jpg")).exception(), PictureError)


def test_a_page_instead_of_a_picture_is_refused(host: Host, loader: PictureLoader) -> None:
    page = b"<!DOCTYPE html><html><p>This article is sold out</p></html>"
    fault, message = refused(loader, host.url("/1.jpg", lambda answer: answer.send(200, page)))
    assert fault is PictureFault.NOT_A_PICTURE
    assert "it is a web page (HTML)" in message


def test_a_file_is_read_again_only_when_it_was_written(
    tmp_path: Path, loader: PictureLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg())
    for picture in (Picture(str(file)), Picture(file.as_uri())):
        first = loader.fetch(picture)
        assert first.data == jpeg()
        assert first.validator == loader.validator(picture)
        with monkeypatch.context() as unread:
            unread.setattr(Path, "read_bytes", None)
            again = loader.fetch(picture, first.validator)
        assert again.data is None
        assert again.validator == first.validator
    os.utime(file, ns=(1, 1))
    changed = loader.fetch(picture, first.validator)
    assert changed.data == jpeg()
    assert changed.validator == f"file 1 {len(jpeg())}"


def test_an_embedded_picture_changes_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "p.parquet"
    parquet.write_table(pa.table({"image": [jpeg()]}), file)
    carried = Picture(f"{file}#row=0", jpeg())
    with PictureLoader() as loader:
        known = loader.validator(carried)
        assert known == loader.validator(Picture(f"{file}#row=0"))
        assert loader.fetch(carried, known).data is None
    os.utime(file, ns=(1, 1))
    with PictureLoader() as loader:
        assert loader.fetch(carried, known).data == jpeg()


def test_what_costs_a_download_or_is_in_no_file_has_no_validator_at_hand(
    loader: PictureLoader,
) -> None:
    for picture in (
        Picture("https://shop.test/1.jpg"),
        Picture("upload", jpeg()),
        Picture("none.jpg"),
        Picture("a\0b.jpg"),
        Picture("s3://bucket/a.jpg"),
    ):
        assert loader.validator(picture) is None
    assert loader.fetch(Picture("upload", jpeg()), "file 1 2").data == jpeg()


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
    fault, message = refused(loader, "ftp://host/a.jpg")
    assert fault is PictureFault.REFUSED
    assert "only paths, file:// and https://, s3://, gs://, az://, hf:// can be read" in message


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
