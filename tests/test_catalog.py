import tracemalloc
import uuid
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
from hypothesis import assume, given
from hypothesis import strategies as st

from goods.catalog import open_catalog
from goods.errors import CatalogError, SchemaError
from goods.product import absolute_location, point_id

REAL = Path(__file__).parents[2] / "shared" / "data"
needs_real_data = pytest.mark.skipif(
    not REAL.exists(), reason="the real catalogs are not beside this checkout"
)


def test_a_row_becomes_a_product(tmp_path: Path) -> None:
    (shirt, _) = products(catalog_of(tmp_path, HEADER + SHIRT + DRESS))
    assert (shirt.id, shirt.title, shirt.row) == ("83-A", "Linen shirt", 1)
    assert shirt.picture.location == str(tmp_path / "images" / "83.jpg")
    assert shirt.attributes == {"colour": "red", "price": 39.9}


def test_roles_of_every_sort_reach_the_product(tmp_path: Path) -> None:
    header = "sku,img,name,description,style_id,split,organic\n"
    row = "a,https://x.test/a.jpg,Shirt,A long text about a shirt,s1,validation,yes\n"
    (shirt,) = products(catalog_of(tmp_path, header + row))
    assert shirt.picture.location == "https://x.test/a.jpg"
    assert shirt.texts == {"description": "A long text about a shirt"}
    assert (shirt.group, shirt.split, shirt.attributes) == ("s1", "val", {"organic": True})


def test_a_missing_value_is_absent(tmp_path: Path) -> None:
    bare = products(catalog_of(tmp_path, HEADER + SHIRT + "85,images/85.jpg,NA,null,\n"))[1]
    assert (bare.title, bare.attributes) == ("", {})


def test_an_id_stays_as_the_shop_writes_it(tmp_path: Path) -> None:
    ids = ["007", "123.0", "Größe-1", "商品一", "a b", "1e5"]
    rows = "".join(f"{product_id},a.jpg,red,9,Shirt\n" for product_id in ids)
    assert [product.id for product in products(catalog_of(tmp_path, HEADER + rows))] == ids


def test_a_catalog_can_be_read_again(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, HEADER + SHIRT + DRESS)
    assert products(catalog) == products(catalog)


def test_an_id_of_a_refused_row_may_come_again(tmp_path: Path) -> None:
    corrected = "85,a.jpg,red,free,Shirt\n85,a.jpg,red,9,Shirt\n"
    catalog = catalog_of(tmp_path, HEADER + good_rows() + corrected)
    assert [row.row for row in refused(catalog)] == [GOOD + 1]


def test_memory_grows_by_the_ids_alone(tmp_path: Path) -> None:
    rows = 10_000
    catalog = catalog_of(tmp_path, HEADER + good_rows(rows))
    peaks = []
    for _ in range(2):  # the interpreter's table of names may happen to grow during one of them
        tracemalloc.start()
        count = sum(1 for _ in catalog.products())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == rows
    assert (
        min(peaks) < 500 * rows
    )  # 120 and what the interpreter rounds up; the products take 1,200


@given(st.text("ab./~ \\:é", max_size=8))
def test_a_reference_is_located_as_pathlib_does(reference: str) -> None:
    assume("://" not in reference and not reference.startswith("~"))
    for folder in (Path("/"), Path("/shop/data")):
        assert absolute_location(reference, folder) == str((folder / reference).absolute())


def test_only_a_tilde_at_the_front_is_somebodys_home() -> None:
    shop = Path("/shop")
    assert absolute_location("~/a.jpg", shop) == str(Path.home() / "a.jpg")
    assert absolute_location("./~", shop) == "/shop/~"
    assert absolute_location("./~root/a.jpg", shop) == "/shop/~root/a.jpg"
    assert (
        absolute_location("~nobody-of-that-name/a.jpg", shop) == "/shop/~nobody-of-that-name/a.jpg"
    )


def test_values_that_are_equal_but_not_the_same_stay_apart(tmp_path: Path) -> None:
    rows = ({"id": n, "image": "a.jpg", "tag": tag} for n, tag in enumerate([1, True, "1", "x"]))
    schema = tmp_path / "schema.toml"
    schema.write_text('[fields]\ntag = "keyword"')
    (tmp_path / "p.jsonl").write_text(json_lines(*rows))
    found = products(open_catalog(tmp_path / "p.jsonl", schema))
    assert [product.attributes["tag"] for product in found] == ["1", "true", "1", "x"]


@given(st.text())
def test_the_id_of_a_point_is_a_uuid_of_version_5(product_id: str) -> None:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/clip-for-goods/product")
    assert point_id(product_id) == uuid.uuid5(namespace, product_id)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.csv does not exist"):
        open_catalog(str(tmp_path / "none.csv"))


def test_json_values_keep_their_types(tmp_path: Path) -> None:
    row = {
        "id": 83,
        "image": ["a.jpg", "b.jpg"],
        "price": 12.5,
        "is_new": True,
        "tags": ["linen", "", None, "summer"],
        "stock": {"Berlin": 3},
        "brand": None,
    }
    (shirt,) = products(catalog_of(tmp_path, json_lines(row), "p.jsonl"))
    assert (shirt.id, shirt.picture.location) == ("83", str(tmp_path / "a.jpg"))
    assert shirt.attributes == {"price": 12.5, "is_new": True, "tags": ("linen", "summer")}


def test_a_split_that_is_none_is_refused(tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('split = "split"')
    (tmp_path / "p.csv").write_text("id,image,split\n1,a.jpg,train\n2,a.jpg,later\n")
    (bad,) = refused(open_catalog(tmp_path / "p.csv", schema))
    assert bad.reason == "p.csv row 2 (product 2): split 'later' is not train, val or test"


def test_a_schema_file_goes_before_inference(tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('id = "colour"\npicture = "{colour}/{id}.png"')
    (tmp_path / "p.csv").write_text(HEADER + SHIRT)
    (shirt,) = products(open_catalog(tmp_path / "p.csv", schema))
    assert (shirt.id, shirt.picture.location) == ("red", str(tmp_path / "red" / "83-A.png"))
    schema.write_text('id = "color"')
    with pytest.raises(SchemaError, match=r"schema\.toml: .*did you mean 'colour'"):
        open_catalog(tmp_path / "p.csv", schema)


def test_a_template_with_an_empty_column_is_no_picture(tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('picture = "{colour}/{id}.png"')
    (tmp_path / "p.csv").write_text(HEADER + "85,a.jpg,,9,Shirt\n")
    (bad,) = refused(open_catalog(tmp_path / "p.csv", schema))
    assert "it has no picture: colour is empty" in bad.reason


def test_a_kaggle_folder_is_a_catalog(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    table = "id,gender,year,productDisplayName\n1,Men,2011,Shirt, blue\n2,NA,NA,Dress\n"
    (tmp_path / "styles.csv").write_text(table)
    shirt, dress = products(open_catalog(tmp_path))
    assert shirt.picture.location == str(tmp_path / "images" / "1.jpg")
    assert (shirt.title, dress.attributes) == ("Shirt, blue", {})


def test_a_folder_without_its_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"no styles\.csv, .* and no pictures; name the catalog"):
        open_catalog(tmp_path)


@needs_real_data
@pytest.mark.parametrize(
    ("name", "count", "phrase"),
    [
        ("fashion_products", 6_699, ("gender", "baseColour", "articleType")),
        ("fashion_products_small.parquet", 44_441, ("gender", "baseColour", "articleType")),
        ("clothing/products.csv", 3_781, ("category",)),
    ],
)
def test_the_real_catalogs_are_read_without_a_refusal(
    name: str, count: int, phrase: tuple[str, ...]
) -> None:
    catalog = open_catalog(REAL / name)
    assert catalog.schema.phrase == phrase
    assert len(products(catalog)) == count == catalog.count_estimate()
