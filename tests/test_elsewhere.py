"""Pictures that are looked up in a catalog, because the index's own references lead nowhere."""

from pathlib import Path

import pytest

from goods.catalog import open_catalog
from goods.schema import CatalogSchema
from search.api.elsewhere import RETRY_S, CatalogPictures
from shop import make_shop, read_rows, write_rows


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop", count=3)


@pytest.fixture
def schema(catalog: Path) -> CatalogSchema:
    return open_catalog(catalog).schema


def without(catalog: Path, column: str) -> None:
    rows = read_rows(catalog)
    write_rows(catalog, [{k: v for k, v in row.items() if k != column} for row in rows])


@pytest.mark.parametrize("column", ["colour", "title"])
def test_a_catalog_needs_no_columns_beyond_ids_and_pictures(
    catalog: Path, schema: CatalogSchema, column: str
) -> None:
    without(catalog, column)
    found = CatalogPictures(str(catalog)).find("P-1", schema)
    assert found is not None
    assert Path(found.location) == catalog.parent / "images/P-1.jpg"


@pytest.mark.parametrize("column", ["id", "image"])
def test_a_catalog_without_ids_or_pictures_has_none_and_is_named_once(
    catalog: Path, schema: CatalogSchema, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    without(catalog, column)
    now = [0.0]
    pictures = CatalogPictures(str(catalog), clock=lambda: now[0])
    for now[0] in (0.0, 1.0, 1.0 + RETRY_S):
        assert pictures.find("P-1", schema) is None
    assert len(caplog.messages) == 1
    assert f"has no column '{column}'" in caplog.text


def test_a_catalog_that_was_away_is_read_when_it_is_back(
    catalog: Path, schema: CatalogSchema
) -> None:
    now = [0.0]
    pictures = CatalogPictures(str(catalog), clock=lambda: now[0])
    catalog.rename(catalog.with_suffix(".away"))
    assert pictures.find("P-1", schema) is None
    catalog.with_suffix(".away").rename(catalog)
    assert pictures.find("P-1", schema) is None, "not tried again for every picture"
    now[0] = RETRY_S
    assert pictures.find("P-1", schema) is not None


def test_products_of_a_later_night_are_found_once_the_index_has_changed(
    catalog: Path, schema: CatalogSchema
) -> None:
    pictures = CatalogPictures(str(catalog))
    assert pictures.find("P-5", schema) is None
    make_shop(catalog.parent, count=6)
    assert pictures.find("P-5", schema) is None, "it is not read for every picture"
    pictures.forget()
    assert pictures.find("P-5", schema) is not None
