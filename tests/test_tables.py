import gzip
import time
from pathlib import Path

import pytest
from catalogs import (
    DRESS,
    GOOD,
    HEADER,
    SHIRT,
    catalog_of,
    good_rows,
    json_lines,
    products,
    refused,
)
from hypothesis import given
from hypothesis import strategies as st

from goods.catalog import RefusedRow
from goods.errors import CatalogError
from goods.product import Product


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", "\ufeff" + HEADER + SHIRT),
        ("p.csv", HEADER.replace(",", ";") + SHIRT.replace(",", ";")),
        ("p.csv", HEADER.replace(",", "\t") + SHIRT.replace(",", "\t")),
        ("p.TSV", HEADER.replace(",", "\t") + SHIRT.replace(",", "\t")),
        ("p.csv", "\n" + HEADER.replace("\n", "\r\n") + "\n \n" + SHIRT.replace("\n", "\r\n")),
        ("p.csv", HEADER.replace("title", '"ti\ntle"') + SHIRT),
        ("p.csv.gz", gzip.compress((HEADER + SHIRT).encode(), mtime=0)),
        ("p.jsonl", '{"id": "83-A", "image": "images/83.jpg", "colour": "red"}'),
        ("p.ndjson", '\n{"id": "83-A", "image": "images/83.jpg", "colour": "red"}\n\n'),
        (
            "p.jsonl.gz",
            gzip.compress(b'{"id":"83-A","image":"images/83.jpg","colour":"red"}', mtime=0),
        ),
    ],
)
def test_a_text_file_is_read_whatever_its_dialect(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    (shirt,) = products(catalog_of(tmp_path, text, name))
    assert (shirt.id, shirt.row, shirt.attributes["colour"]) == ("83-A", 1, "red")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("85,a.jpg,red,9", " (product 85): it has 4 cells, but the header has 5"),
        (",a.jpg,red,9,Shirt", ": it has no id: id is empty"),
        ("p7,a.jpg,red,9,Shirt", " (product p7): row 8 has the same id; make it unique"),
        ("85,NA,red,9,Shirt", " (product 85): it has no picture: image is empty"),
        ("85,a.jpg,red,free,Shirt", " (product 85): price 'free' is not a number"),
        ("85,a.jpg,red,inf,Shirt", " (product 85): price 'inf' is not a finite number"),
        ("85,a.jpg,red,nan,Shirt", " (product 85): price 'nan' is not a finite number"),
        ("85,a.jpg,red,9,Sh\0irt", " (product 85): it has a NUL byte"),
        (f"85,a.jpg,red,9,{'x' * 10_001}", " (product 85): title has 10,001 characters"),
        (f"85,a.jpg,{'x' * 10_001},9,Shirt", " (product 85): colour has 10,001 characters"),
        (f"{'8' * 513},a.jpg,red,9,Shirt", f" (product {'8' * 512}): id has 513 characters"),
        ('85,a.jpg,red,9,"Shirt"s', f": the quotes of line {GOOD + 2} do not match"),
        ('85,a.jpg,"red,9\nShirt"', " (product 85): it has 3 cells, but the header has 5; it goes"),
    ],
)
def test_a_bad_row_is_refused_by_number_and_the_rows_around_it_are_kept(
    tmp_path: Path, row: str, why: str
) -> None:
    catalog = catalog_of(tmp_path, HEADER + good_rows() + row + "\n" + DRESS)
    *good, bad, dress = catalog.products()
    assert refused(catalog) == [bad]
    assert isinstance(bad, RefusedRow)
    assert bad.reason.startswith(f"products.csv row {GOOD + 1}{why}")
    assert [found.row for found in (*good, bad, dress)] == list(range(1, GOOD + 3))


def test_surplus_cells_are_the_rest_of_a_title_in_the_last_column(tmp_path: Path) -> None:
    row = "85,a.jpg,red,9,Shirt, striped,long\n"
    _, shirt = products(catalog_of(tmp_path, HEADER + DRESS + row))
    assert shirt.title == "Shirt, striped,long"


def test_surplus_cells_are_refused_where_the_last_column_is_no_text(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path, "id,image,title,colour\n1,a.jpg,Shirt,red\n2,a.jpg,Long,shirt,red\n"
    )
    (bad,) = refused(catalog)
    assert bad == RefusedRow(
        2, "2", "products.csv row 2 (product 2): it has 5 cells, but the header has 4"
    )


def test_a_quote_that_is_never_closed_is_refused_at_the_end(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, HEADER + good_rows() + '85,"a.jpg,red,9,Shirt\n' + DRESS)
    (bad,) = refused(catalog)
    assert bad.row == GOOD + 1
    assert f"the quotes of line {GOOD + 2} do not match (unexpected end of data)" in bad.reason


def test_a_title_of_ten_megabytes_costs_one_row_and_little_time(tmp_path: Path) -> None:
    huge = f'85,a.jpg,red,9,"{"x, " * (10 << 20)}"\n'
    catalog = catalog_of(tmp_path, HEADER + huge + good_rows())
    started = time.process_time()
    (bad,) = refused(catalog)
    assert time.process_time() - started < 10  # 0.5 s on a quiet core
    assert "title has" in bad.reason
    assert len(bad.reason) < 200


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", b"", "is empty"),
        ("p.jsonl", b"\n", "is empty"),
        ("p.csv", HEADER.encode(), "has no products: nothing follows the header"),
        ("p.csv", b"id,image,image\n1,a.jpg,b.jpg\n", r"more than one column \['image'\]"),
        ("p.csv", b"colour,image\nred,a.jpg\nred,b.jpg\n", "no column looks like the shop's id"),
        ("p.csv", b"id,image\n1,a,b\n2,c,d\n", "no row that can be read; row 1: it has 3 cells"),
        ("p.csv", "id,image\n1,größe.jpg\n".encode("cp1252"), r"not UTF-8 \(byte 0xf6\).*1252"),
        ("p.csv", "id,image\n1,a.jpg\n".encode("utf-16"), "it may be UTF-16.*iconv -f UTF-16"),
        ("p.csv.gz", b"id,image\n", "cannot be read: Not a gzipped file"),
        ("p.csv.gz", gzip.compress(good_rows().encode(), mtime=0)[:-9], "cannot be read: "),
        ("p.xlsx", b"PK", "a catalog is a .csv, .tsv, .jsonl or .parquet file"),
        ("p.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_is_no_catalog_is_refused_before_any_work(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(CatalogError, match=f"{name}.*{message}"):
        catalog_of(tmp_path, content, name)


def test_another_encoding_late_in_the_file_stops_the_reading(tmp_path: Path) -> None:
    rows = HEADER + good_rows(20_000)
    catalog = catalog_of(tmp_path, rows.encode() + "x,a.jpg,grün,9,x\n".encode("cp1252"))
    with pytest.raises(CatalogError, match="is not UTF-8"):
        list(catalog.products())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"id": ', "it is not JSON"),
        ("[1]", "it is not a JSON object"),
        ("[" * 100_000, "it is not JSON"),
        ('{"id": 1' + "0" * 5000 + "}", "it is not JSON"),
        ('{"id": "3", "image": "a.jpg", "price": 1e999}', "'inf' is not a finite number"),
        ('{"id": "3", "image": "\\ud83d"}', r"it has half a character, '\\ud83d'"),
        ('{"id": "3"}', "it has no picture"),
    ],
)
def test_a_bad_json_line_costs_one_row(tmp_path: Path, line: str, why: str) -> None:
    good = json_lines(*({"id": n, "image": "a.jpg", "price": n} for n in range(GOOD)))
    last = json_lines({"id": "last", "image": "a.jpg", "price": None, "late": 1})
    catalog = catalog_of(tmp_path, f"{good}\n{line}\n{last}", "p.jsonl")
    *_, bad, _ = catalog.products()
    assert refused(catalog) == [bad]
    assert isinstance(bad, RefusedRow)
    assert bad.reason.startswith(f"p.jsonl row {GOOD + 1}")
    assert why.replace(r"\\", "\\") in bad.reason
    assert bad.reason.encode()


def test_the_number_of_rows_is_estimated_without_parsing(tmp_path: Path) -> None:
    assert catalog_of(tmp_path, HEADER + good_rows(7)).count_estimate() == 7
    row = json_lines({"id": 1, "image": "a.jpg"})
    assert catalog_of(tmp_path, row, "p.jsonl").count_estimate() == 1
    zipped = gzip.compress((HEADER + SHIRT).encode())
    assert catalog_of(tmp_path, zipped, "p.csv.gz").count_estimate() is None


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
def test_every_row_becomes_a_product_or_a_reason_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    lines = "".join(f"{product_id},a.jpg,{title}\n" for product_id, title in rows)
    catalog = catalog_of(folder, "id,image,title\nfirst,a.jpg,title\n" + lines)
    found = list(catalog.products())
    assert [row.row for row in found] == list(range(1, len(found) + 1))
    ids = [row.id for row in found if isinstance(row, Product)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("text", "fault"),
    [("hello\n", "it is not JSON"), ("[1, 2]\n[3]\n", "it is not a JSON object")],
)
def test_a_file_without_json_objects_is_not_called_empty(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(CatalogError, match=f"has no line with a JSON object; .*{fault}"):
        catalog_of(tmp_path, text, "p.jsonl")
