"""Where catalogs come from: folders, patterns, standard input, web servers, buckets and the hub."""

import gzip
import io
import pickle
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import fsspec
import httpx
import pyarrow as pa
import pytest
from catalogs import HEADER, SHIRT, good_rows, json_lines, products, refused
from pyarrow import parquet

from goods.catalog import Catalog, open_catalog
from goods.embedded import EmbeddedPictures
from goods.errors import CatalogError, PictureError, PictureFault
from goods.pictures import PictureLoader
from goods.product import Picture
from goods.spool import Spool
from picture_host import Answer, Host, picture_host

ROWS = (HEADER + good_rows(30_000)).encode()  # more than one block
LINES = json_lines(*({"id": n, "image": f"{n}.jpg", "colour": "red"} for n in range(30))).encode()


@pytest.fixture
def host() -> Iterator[Host]:
    with picture_host() as served:
        yield served


@pytest.fixture
def bucket() -> Iterator[fsspec.AbstractFileSystem]:
    """A store of this process: `memory://shop/...`."""
    store = fsspec.filesystem("memory")
    yield store
    store.rm("/", recursive=True)


def parquet_bytes(first: int, count: int, **columns: list[object]) -> bytes:
    """Rows with embedded pictures; that of row n is `b"picture n"`."""
    numbers = range(first, first + count)
    pictures = [{"bytes": b"picture %d" % n, "path": None} for n in numbers]
    stream = io.BytesIO()
    table = {"id": [f"p{n}" for n in numbers], "image": pictures, **columns}
    parquet.write_table(pa.table(table), stream, row_group_size=2)
    return stream.getvalue()


def with_ranges(body: bytes, version: str = "1") -> "Sending":
    return Sending(body, version)


class Sending:
    """Answers with the ranges that are asked for."""

    def __init__(self, body: bytes, version: str) -> None:
        self.body, self.version = body, version
        self.fails = 0

    def __call__(self, answer: Answer) -> None:
        if self.fails:
            self.fails -= 1
            return answer.send(HTTPStatus.SERVICE_UNAVAILABLE)
        first, last = map(int, answer.headers["Range"].removeprefix("bytes=").split("-"))
        sent = self.body[first : last + 1]
        place = f"bytes {first}-{first + len(sent) - 1}/{len(self.body)}"
        answer.send(HTTPStatus.PARTIAL_CONTENT, sent, Content_Range=place, ETag=self.version)
        return None


def test_a_catalog_on_a_web_server_is_read_by_ranges_as_often_as_wanted(host: Host) -> None:
    catalog = open_catalog(host.url("/data/shop.csv?key=1", with_ranges(ROWS)))
    first = products(catalog)
    assert len(first) == 30_000
    assert first == products(catalog)
    assert first[3].picture.location == f"http://127.0.0.1:{host.server_port}/data/images/3.jpg"
    assert catalog.count_estimate() is None


def test_a_catalog_of_a_server_without_ranges_is_read_from_its_start(host: Host) -> None:
    zipped = gzip.compress(ROWS, mtime=0)
    url = host.url("/shop.csv.gz", lambda answer: answer.send(200, zipped))
    assert len(products(open_catalog(url))) == 30_000


def test_parquet_needs_a_server_with_ranges(host: Host) -> None:
    body = parquet_bytes(0, 3)
    whole = host.url("/whole.parquet", lambda answer: answer.send(200, body))
    with pytest.raises(CatalogError, match="sends no ranges: download it, and name the file"):
        open_catalog(whole)
    catalog = open_catalog(host.url("/shop.parquet", with_ranges(body)))
    third = products(catalog)[2].picture
    assert third.data == b"picture 2"
    with pytest.raises(PictureError, match="come with its rows alone") as error:
        EmbeddedPictures().read(third.location)
    assert error.value.fault is PictureFault.REFUSED


def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goods.ranges._MAX_WAIT_S", 0.01)
    sending = with_ranges(ROWS)
    url = host.url("/shop.csv", sending)
    sending.fails = 2
    assert len(products(open_catalog(url))) == 30_000
    sending.fails = 99
    with pytest.raises(CatalogError, match=r"shop\.csv cannot be read: .*503"):
        open_catalog(url)


def test_a_catalog_that_is_replaced_while_it_is_read_is_refused(host: Host) -> None:
    sending = with_ranges(ROWS)
    rows = open_catalog(host.url("/shop.csv", sending)).products()
    next(rows)
    sending.version = "2"
    with pytest.raises(CatalogError, match="it was replaced while it was read; run again"):
        list(rows)


@pytest.mark.parametrize(
    ("status", "why"), [(404, "there is no such file"), (403, "may not be read"), (400, "400")]
)
def test_a_web_server_that_refuses_says_why(host: Host, status: int, why: str) -> None:
    url = host.url("/shop.csv", lambda answer: answer.send(status))
    with pytest.raises(CatalogError, match=rf"shop\.csv cannot be read: .*{why}"):
        open_catalog(url)


def test_a_catalog_in_a_bucket_names_pictures_beside_it(
    bucket: fsspec.AbstractFileSystem,
) -> None:
    bucket.pipe("/shop/data/p.csv", (HEADER + SHIRT).encode())
    bucket.pipe("/shop/data/images/83.jpg", b"a shirt")
    (shirt,) = products(open_catalog("memory://shop/data/p.csv"))
    assert shirt.picture == Picture("memory://shop/data/images/83.jpg")
    assert shirt.picture.is_remote
    with PictureLoader() as loader:
        fetched = loader.start(shirt.picture).result()
        assert fetched.data == b"a shirt"
        assert loader.fetch(shirt.picture, fetched.validator).data is None
        bucket.pipe("/shop/data/images/83.jpg", b"a better shirt")
        assert loader.fetch(shirt.picture, fetched.validator).data == b"a better shirt"


def test_a_picture_that_is_not_in_its_bucket_is_gone() -> None:
    with PictureLoader() as loader, pytest.raises(PictureError, match="no such file") as error:
        loader.read(Picture("memory://shop/none.jpg"))
    assert error.value.fault is PictureFault.GONE


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        (PermissionError("Forbidden"), PictureFault.REFUSED),
        (TimeoutError(), PictureFault.BUSY),
        (httpx.ReadError("connection reset"), PictureFault.BUSY),  # as a store's own package does
    ],
)
def test_what_a_store_raises_becomes_a_fault(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, fault: PictureFault
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.info", fail)
    with PictureLoader() as loader, pytest.raises(PictureError) as error:
        loader.start(Picture("memory://shop/a.jpg")).result()
    assert error.value.fault is fault


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as if it were not installed
    with pytest.raises(CatalogError, match="not installed: pip install s3fs"):
        open_catalog("s3://shop/p.csv")
    with PictureLoader() as loader, pytest.raises(PictureError, match="pip install s3fs") as error:
        loader.read(Picture("s3://shop/a.jpg"))
    assert error.value.fault is PictureFault.REFUSED


def test_protocols_that_nobody_vouches_for_are_refused() -> None:
    with pytest.raises(CatalogError, match="ftp:// cannot be read"):
        open_catalog("ftp://shop/p.csv")


@pytest.mark.parametrize("name", ["memory://shop/data/", "memory://shop/*/part-*.parquet"])
def test_parquet_files_in_a_bucket_are_one_catalog(
    bucket: fsspec.AbstractFileSystem, name: str
) -> None:
    for number in range(3):
        bucket.pipe(f"/shop/data/part-{number}.parquet", parquet_bytes(5 * number, 5))
    catalog = open_catalog(name)
    found = products(catalog)
    assert [product.id for product in found] == [f"p{n}" for n in range(15)]
    assert [product.row for product in found] == list(range(1, 16))
    assert catalog.count_estimate() == 15
    last = found[-1].picture
    assert last.location == "memory:///shop/data/part-2.parquet#row=4"
    assert EmbeddedPictures().read(last.location) == last.data == b"picture 14"
    with PictureLoader() as loader:
        assert loader.read(Picture(last.location)) == b"picture 14"
        assert loader.validator(Picture(last.location))


@pytest.mark.parametrize("name", ["", "*.parquet"])
def test_a_folder_or_pattern_of_parquet_files_is_one_catalog(tmp_path: Path, name: str) -> None:
    for number in range(3):
        (tmp_path / f"{number}.parquet").write_bytes(parquet_bytes(5 * number, 5))
    catalog = open_catalog(tmp_path / name)
    assert [product.id for product in products(catalog)] == [f"p{n}" for n in range(15)]
    assert catalog.count_estimate() == 15
    assert catalog.location == str(tmp_path / "*.parquet")


def test_a_parquet_file_that_differs_from_the_first_stops_the_reading(tmp_path: Path) -> None:
    (tmp_path / "1.parquet").write_bytes(parquet_bytes(0, 2, colour=["red", "red"]))
    (tmp_path / "2.parquet").write_bytes(parquet_bytes(2, 2))
    with pytest.raises(CatalogError, match=r"2\.parquet has other columns .*\['colour'\]"):
        open_catalog(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "why"), [("*.parquet", "leads to no file"), ("*.csv", r"have to be \.parquet")]
)
def test_a_pattern_that_leads_to_no_parquet_is_refused(
    tmp_path: Path, pattern: str, why: str
) -> None:
    (tmp_path / "a.csv").write_text(HEADER + SHIRT)
    with pytest.raises(CatalogError, match=why):
        open_catalog(tmp_path / pattern)


def test_every_picture_of_a_folder_is_a_product(tmp_path: Path) -> None:
    names = ["shoes/red-high_heels.JPG", "dresses/b.png", "dresses/a.jpg", "women/dresses/c.webp"]
    for name in [*names, "loose.jpeg", ".hidden.jpg", ".trash/x.jpg", "dresses/notes.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    catalog = open_catalog(tmp_path)
    found = products(catalog)
    assert [product.id for product in found] == [
        "dresses/a",
        "dresses/b",
        "loose",
        "shoes/red-high_heels",
        "women/dresses/c",
    ]
    assert [product.attributes.get("category") for product in found] == [
        "dresses",
        "dresses",
        None,
        "shoes",
        "dresses",
    ]
    assert found[3].title == "red high heels"
    assert found[3].picture.location == str(tmp_path / "shoes" / "red-high_heels.JPG")
    assert catalog.schema.phrase == ("category",)
    assert catalog.count_estimate() == 5


def test_a_folder_of_pictures_obeys_a_schema_file(tmp_path: Path) -> None:
    (tmp_path / "dresses").mkdir()
    (tmp_path / "dresses" / "a.jpg").write_bytes(b"")
    schema = tmp_path / "schema.toml"
    schema.write_text('title = ""\nignore = ["category", "title"]')
    found = open_catalog(tmp_path, schema).schema
    assert (found.id, found.picture, found.title, found.fields) == ("id", "picture", None, ())


def test_a_name_that_is_no_text_costs_one_row(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    Path(str(tmp_path / "b") + "\udcff.jpg").write_bytes(b"")  # a byte that is not UTF-8
    (bad,) = refused(open_catalog(tmp_path))
    assert "it has half a character" in bad.reason


@pytest.fixture
def spool() -> Iterator[Spool]:
    kept = Spool(io.BufferedReader(io.BytesIO(LINES)))
    yield kept
    kept.close()


def test_a_stream_is_read_again_from_what_was_kept(spool: Spool) -> None:
    halfway = spool.open()
    assert halfway.read(10) == LINES[:10]
    assert spool.open().read() == LINES
    assert halfway.read() == LINES[10:]


def test_standard_input_cannot_be_shared_by_processes(spool: Spool) -> None:
    with pytest.raises(CatalogError, match="by one process alone; write it to a file"):
        pickle.dumps(spool)


def schema_of(lines: bytes) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from goods.cli import main; main()", "schema", "-"]
    done = subprocess.run(command, input=lines, capture_output=True, check=False)
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_rows_of_a_database_can_be_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    done = schema_of(LINES)
    assert done.returncode == 0, done.stderr
    assert 'id = "id"\npicture = "image"' in done.stdout


def test_an_empty_standard_input_is_refused() -> None:
    done = schema_of(b"")
    assert done.returncode == 1
    assert "standard input is empty" in done.stderr


def test_a_broken_line_of_standard_input_costs_one_row(standard_input: Catalog) -> None:
    (bad,) = refused(standard_input)
    assert bad.reason.startswith("standard input row 31: it is not JSON")
    assert len(list(standard_input.products())) == 31
    good = next(standard_input.products())
    assert good.picture.location == str(Path.cwd() / "0.jpg")  # type: ignore[union-attr]  # a product
    assert standard_input.count_estimate() is None


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    spool = Spool(io.BufferedReader(io.BytesIO(LINES + b'{"id": \n')))
    monkeypatch.setattr("goods.sources.standard_input", lambda: spool)
    yield open_catalog("-")
    spool.close()


def test_a_terminal_is_told_what_to_pipe_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(CatalogError, match=r"is a terminal: pipe them in.*goods schema -"):
        open_catalog("-")
