"""Data sets by name; a folder stands for the hub, which `datasets` reads the same way."""

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
from catalogs import products
from pyarrow import parquet

from goods.catalog import open_catalog
from goods.embedded import EmbeddedPictures
from goods.errors import CatalogError
from goods.hub import open_hub

COLOUR = {"names": ["red", "blue"], "_type": "ClassLabel"}


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two splits of two files; the picture of row n is `b"picture n"`."""
    folder = tmp_path / "shop" / "data"
    folder.mkdir(parents=True)
    for split, part, first in (("train", 0, 0), ("train", 1, 2), ("test", 0, 4), ("test", 1, 6)):
        pictures = [{"bytes": b"picture %d" % n, "path": f"{n}.jpg"} for n in (first, first + 1)]
        table = pa.table({"id": [first, first + 1], "image": pictures, "colour": [1, -1]})
        noted = {"huggingface": json.dumps({"info": {"features": {"colour": COLOUR}}})}
        file = folder / f"{split}-0000{part}-of-00002.parquet"
        parquet.write_table(table.replace_schema_metadata(noted), file)
    return folder.parent


def test_a_data_set_is_a_catalog_with_its_pictures(data: Path) -> None:
    catalog = open_catalog(f"hub:{data}@test")
    found = products(catalog)
    assert found == products(catalog)
    assert [(product.id, product.row) for product in found] == [
        ("4", 1),
        ("5", 2),
        ("6", 3),
        ("7", 4),
    ]
    assert found[3].picture.data == b"picture 7"
    assert EmbeddedPictures().read(found[3].picture.location) == b"picture 7"
    assert catalog.location == f"hub:{data}@test"


def test_numbers_of_classes_are_read_as_their_names(data: Path) -> None:
    train = products(open_catalog(f"hub:{data}:default@train"))
    assert [product.attributes.get("colour") for product in train] == ["blue", None] * 2


def test_rows_without_ids_are_told_apart_by_their_numbers(data: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('id = "row"')
    catalog = open_catalog(f"hub:{data}", schema)
    assert [product.id for product in products(catalog)] == [str(n) for n in range(1, 9)]


def test_without_a_split_all_are_read(data: Path) -> None:
    assert len(products(open_catalog(f"hub:{data}"))) == 8


@pytest.mark.parametrize(
    ("suffix", "why"),
    [
        ("@dev", r"no split 'dev'; there are \['train', 'test'\]"),
        (":other", "cannot be found: BuilderConfig 'other' not found"),
        ("-none", "cannot be found: "),
        ("@", "write hub:owner/name"),
    ],
)
def test_what_a_data_set_has_not_is_said(data: Path, suffix: str, why: str) -> None:
    with pytest.raises(CatalogError, match=why):
        open_hub(f"hub:{data}{suffix}")
