"""Several values in one cell of a catalog: on to filters and facets, night after night."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from catalogs import catalog_of, products
from nights import look, run

from goods.assembly import MAX_TEXT_LENGTH
from goods.catalog import RefusedRow, open_catalog
from goods.index import VectorIndex, open_index
from goods.product import Product, Value
from goods.schema import to_toml
from ingest.plan import Work
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from search.facets import count_facets
from search.filters import Filters
from shop import read_rows, write_rows

SIZES = ("S|M|L", "S | M", "M|L|", "L")
TAGS = ("cotton, summer sale", "wool, new", "cotton, new", "Sale")


@pytest.fixture
def shop(shop: Path) -> Path:
    """A shop whose sizes are clear lists, and whose tags are only told to be some."""
    rows = read_rows(shop)
    for n, row in enumerate(rows):
        row["size"], row["tags"] = SIZES[n % 4], TAGS[n % 4]
    write_rows(shop, rows)
    return shop


@pytest.fixture
def told(tmp_path: Path) -> Path:
    file = tmp_path / "schema.toml"
    file.write_text('[separators]\ntags = ","\n')
    return file


def ingested(shop: Path, told: Path | None, encoder: Encoder) -> dict[Work, int]:
    folder = shop.parent
    settings = IngestSettings(folder / "refused.jsonl", folder / "journal.db")
    with closing(open_index(str(folder / "index"))) as index:
        return dict(ingest(open_catalog(shop, told), index, encoder, settings).works)


@pytest.fixture
def index(shop: Path, told: Path, encoder: Encoder) -> Iterator[VectorIndex]:
    ingested(shop, told, encoder)
    with closing(open_index(str(shop.parent / "index"))) as index:
        yield index


@pytest.mark.parametrize(
    ("expression", "count"),
    [("size=M", 30), ("size=S", 20), ("size=L,S", 40), ("size!=M", 10), ("tags=summer sale", 10)],
)
def test_each_value_of_a_cell_can_be_filtered(
    index: VectorIndex, expression: str, count: int
) -> None:
    values = {name: [f.value for f in index.facet(name)] for name in ("size", "tags")}
    conditions = Filters.parse([expression]).conditions(index.contract.schema, values.get)
    assert index.count(conditions) == count


def test_each_value_of_a_cell_is_counted(index: VectorIndex) -> None:
    counted = count_facets(index, ["size", "tags"], (), limit=9).values
    assert {v.value: v.count for v in counted["size"]} == {"M": 30, "L": 30, "S": 20}
    tags = {"cotton": 20, "new": 20, "summer sale": 10, "wool": 10, "Sale": 10}
    assert {v.value: v.count for v in counted["tags"]} == tags


def test_the_index_keeps_the_separators(index: VectorIndex) -> None:
    kept = {field.name: field.separator for field in index.contract.schema.fields}
    assert (kept["size"], kept["tags"], kept["colour"]) == ("|", ",", "")


def test_a_printed_schema_says_the_separators(shop: Path, told: Path) -> None:
    catalog = open_catalog(shop, told)
    printed = to_toml(catalog.schema, catalog.columns)
    assert '[separators] # of several keywords in one cell\n"size" = "|"\n"tags" = ","\n' in printed
    told.write_text(printed)
    assert open_catalog(shop, told).schema == catalog.schema


def test_a_night_with_another_separator_rewrites_payloads_and_embeds_nothing(
    shop: Path, told: Path, encoder: Encoder
) -> None:
    plain = told.with_name("plain.toml")
    plain.write_text('[fields]\nsize = "keyword"\ntags = "keyword"\n')
    assert ingested(shop, plain, encoder) == {Work.NEW: 40}
    assert ingested(shop, plain, encoder) == {Work.NONE: 40}
    assert ingested(shop, told, encoder) == {Work.PAYLOAD: 40}
    assert ingested(shop, told, encoder) == {Work.NONE: 40}
    assert ingested(shop, plain, encoder) == {Work.PAYLOAD: 40}


def test_lists_stay_lists_in_a_night_that_does_not_look_like_them(
    shop: Path, told: Path, encoder: Encoder
) -> None:
    ingested(shop, told, encoder)
    rows = read_rows(shop)
    for row in rows[4:]:
        row["size"], row["tags"] = "M", "wool"
    write_rows(shop, rows)
    assert look(shop, encoder).works == {Work.PAYLOAD: 36, Work.NONE: 4}
    assert run(shop, encoder).works == {Work.PAYLOAD: 36, Work.NONE: 4}
    with closing(open_index(str(shop.parent / "index"))) as index:
        assert index.facet("size")[0].value == "M"
        assert {field.separator for field in index.contract.schema.fields} == {"", "|", ","}


def sizes(folder: Path, name: str, text: str) -> list[Value | None]:
    return [product.attributes.get("size") for product in products(catalog_of(folder, text, name))]


def test_texts_of_every_source_are_split_and_lists_are_left(tmp_path: Path) -> None:
    cells = ["S|M", "M|L", "S|L", "S", ""]
    expected = [("S", "M"), ("M", "L"), ("S", "L"), ("S",), None]
    csv = "id\timage\tsize\n" + "".join(f"{n}\t{n}.jpg\t{c}\n" for n, c in enumerate(cells))
    assert sizes(tmp_path, "a.tsv", csv) == expected
    row = '{{"id": "{}", "image": "a.jpg", "size": {}}}\n'
    objects = "".join(row.format(n, f'"{cell}"') for n, cell in enumerate(cells))
    assert sizes(tmp_path, "b.jsonl", objects) == expected
    assert sizes(tmp_path, "c.jsonl", row.format("1", '["S|M", "L"]')) == [("S|M", "L")]


def test_a_value_may_be_too_long_and_a_cell_of_many_may_not(tmp_path: Path) -> None:
    cells = {"1": "|".join(["M"] * MAX_TEXT_LENGTH), "2": "M|" + "x" * (MAX_TEXT_LENGTH + 1)}
    file, told = tmp_path / "shop.csv", tmp_path / "schema.toml"
    write_rows(file, [{"id": n, "image": "a.jpg", "size": cell} for n, cell in cells.items()])
    told.write_text('[separators]\nsize = "|"\n')
    good, bad = open_catalog(file, told).products()
    assert isinstance(good, Product)
    assert good.attributes == {"size": ("M",)}
    assert isinstance(bad, RefusedRow)
    assert bad.reason.endswith("size has 10,001 characters; 10,000 are allowed")
