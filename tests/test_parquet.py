import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from goods.catalog import Catalog, open_catalog
from goods.embedded import EmbeddedPictures
from goods.errors import CatalogError, PictureError, PictureFault
from goods.product import Picture, Product


def write(file: Path, columns: dict[str, object], rows_per_group: int = 2) -> Path:
    parquet.write_table(pa.table(columns), file, row_group_size=rows_per_group)
    return file


def products(catalog: Catalog) -> list[Product]:
    return [row for row in catalog.products() if isinstance(row, Product)]


def embedded(file: Path, count: int = 5) -> Path:
    """A catalog as hubs have them; the bytes of picture n are `b"picture n"`."""
    pictures = [{"bytes": b"picture %d" % n, "path": f"{n}.jpg"} for n in range(count)]
    return write(file, {"id": list(range(count)), "image": pictures})


def test_embedded_pictures_come_with_their_products(tmp_path: Path) -> None:
    file = embedded(tmp_path / "p.parquet")
    catalog = open_catalog(file)
    assert catalog.count_estimate() == 5
    assert [product.picture for product in products(catalog)] == [
        Picture(f"{file}#row={n}", b"picture %d" % n) for n in range(5)
    ]


def test_an_embedded_picture_is_found_again_by_its_location(tmp_path: Path) -> None:
    found = products(open_catalog(embedded(tmp_path / "p.parquet")))
    assert len(found) == 5
    again = EmbeddedPictures()
    for product in reversed(found):
        assert again.read(product.picture.location) == product.picture.data


def test_a_second_column_of_pictures_has_locations_of_its_own(tmp_path: Path) -> None:
    back = [b"back 0", b"back 1"]
    front = [{"bytes": b"front", "path": None}] * 2
    file = write(tmp_path / "p.parquet", {"id": [1, 2], "image": front, "back image": back})
    schema = tmp_path / "schema.toml"
    schema.write_text('picture = "back image"')
    _, second = products(open_catalog(file, schema))
    assert second.picture.location == f"{file}#row=1&column=back%20image"
    assert EmbeddedPictures().read(second.picture.location) == second.picture.data == b"back 1"


def test_a_picture_that_is_only_named_is_read_from_where_it_is(tmp_path: Path) -> None:
    pictures = [
        {"bytes": None, "path": "a/1.jpg"},
        {"bytes": None, "path": "https://x.test/2"},
        None,
    ]
    column = pa.array(pictures, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    file = write(tmp_path / "p.parquet", {"id": [1, 2, 3], "image": column})
    found = list(open_catalog(file).products())
    assert [p.picture for p in found[:2] if isinstance(p, Product)] == [
        Picture(str(tmp_path / "a" / "1.jpg")),
        Picture("https://x.test/2"),
    ]
    assert "it has no picture" in str(found[2])


def test_bytes_that_are_no_pictures_are_not_taken_for_them(tmp_path: Path) -> None:
    columns = {"id": [1, 2], "hash": [b"a", b"b"], "image": ["a.jpg", "b.jpg"]}
    assert open_catalog(write(tmp_path / "p.parquet", columns)).schema.picture == "image"


def test_typed_columns_become_typed_attributes(tmp_path: Path) -> None:
    columns = {
        "id": pa.array([83.0, 84.0, None]),
        "image": ["a.jpg", "b.jpg", "c.jpg"],
        "price": pa.array([Decimal("39.90"), None, None]),
        "year": pa.array([2011, None, 2012], pa.float32()),
        "is_new": [True, False, None],
        "colour": pa.array(["red", "blue", None]).dictionary_encode(),
        "tags": [["linen", "summer"], [], None],
        "added": [dt.date(2024, 5, 1)] * 3,
        "stock": [{"Berlin": 3}] * 3,
    }
    catalog = open_catalog(write(tmp_path / "p.parquet", columns))
    first, second, third = catalog.products()
    assert isinstance(first, Product)
    assert isinstance(second, Product)
    assert first.id == "83"
    assert first.attributes == {
        "price": 39.9,
        "year": 2011.0,
        "is_new": True,
        "colour": "red",
        "tags": ("linen", "summer"),
        "added": "2024-05-01",
    }
    assert second.attributes == {"is_new": False, "colour": "blue", "added": "2024-05-01"}
    assert "p.parquet row 3: it has no id" in str(third)


def test_columns_may_have_dots_in_their_names(tmp_path: Path) -> None:
    columns = {"id": [1], "image": ["a.jpg"], "a.b": ["red"], "a": [{"b": 1}]}
    (product,) = products(open_catalog(write(tmp_path / "p.parquet", columns)))
    assert product.attributes == {"a_b": "red"}


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("p.parquet#row=5", PictureFault.GONE),
        ("p.parquet#row=0&column=other", PictureFault.GONE),
        ("none.parquet#row=0", PictureFault.GONE),
        ("p.parquet#row=first", PictureFault.GONE),
        ("broken.parquet#row=0", PictureFault.BROKEN),
    ],
)
def test_an_embedded_picture_that_is_not_there_is_said_to_be_gone(
    tmp_path: Path, place: str, fault: PictureFault
) -> None:
    embedded(tmp_path / "p.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(PictureError) as refused:
        EmbeddedPictures().read(str(tmp_path / place))
    assert refused.value.fault is fault


def test_a_file_that_is_damaged_in_the_middle_stops_the_reading(tmp_path: Path) -> None:
    file = embedded(tmp_path / "p.parquet", 2000)
    catalog = open_catalog(file)
    whole = file.read_bytes()
    file.write_bytes(b"PAR1" + b"\xff" * (len(whole) // 2) + whole[4 + len(whole) // 2 :])
    with pytest.raises(CatalogError, match="cannot be read as Parquet"):
        list(catalog.products())


def test_memory_is_bounded_by_the_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups, rows, size = 20, 10, 20_000
    monkeypatch.setattr("goods.parquet._BATCH_BYTES", rows * size)
    noise = np.random.default_rng(0)
    pictures = [{"bytes": noise.bytes(size), "path": ""} for _ in range(groups * rows)]
    columns = {"id": list(range(groups * rows)), "image": pictures}
    catalog = open_catalog(write(tmp_path / "p.parquet", columns, rows))
    del columns, pictures
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in catalog.products())
    assert most < 6 * rows * size


def test_a_name_that_stands_for_two_columns_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays(
        [pa.array([1]), pa.array(["a"]), pa.array(["b"])], ["id", "a", "a"]
    )
    parquet.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(CatalogError, match=r"more than one column \['a'\]"):
        open_catalog(tmp_path / "p.parquet")
