from collections.abc import Sequence
from itertools import chain, combinations

import pytest

from goods.errors import CatalogError, SchemaError
from goods.infer import infer_schema
from goods.overrides import Overrides
from goods.product import Picture
from goods.profile import Profile
from goods.schema import CatalogSchema, FieldKind
from goods.separators import separator_of
from goods.values import Cell

ROWS = 200


def schema_of(told: Overrides | None = None, **columns: Sequence[Cell]) -> CatalogSchema:
    """What is inferred from these columns, which repeat themselves over the sample."""
    rows = [[cells[row % len(cells)] for cells in columns.values()] for row in range(ROWS)]
    return infer_schema(list(columns), rows, told)


def kind_of(column: str, cells: Sequence[Cell]) -> FieldKind | None:
    schema = schema_of(id=codes(), image=["a.jpg"], **{column: cells})
    return schema.fields[0].kind if schema.fields else None


def codes(prefix: str = "sku-") -> list[str]:
    return [f"{prefix}{row}" for row in range(ROWS)]


def sentences() -> list[str]:
    return [f"A soft linen shirt with {row} buttons" for row in range(ROWS)]


@pytest.mark.parametrize(
    "column", ["id", "product_id", "Product ID", "sku", "ASIN", "articleId", "Variant SKU"]
)
def test_the_id_is_known_by_its_name(column: str) -> None:
    assert schema_of(**{"image": ["a.jpg"], "ref": codes("r"), column: codes()}).id == column


def test_of_two_ids_the_one_that_differs_between_rows_is_taken() -> None:
    schema = schema_of(product_id=["a", "b"], sku=codes(), image=["a.jpg"])
    assert (schema.id, schema.group) == ("sku", "product_id")


def test_an_id_that_repeats_is_still_the_id_when_there_is_no_other() -> None:
    assert schema_of(id=["a", "b"], image=["a.jpg"]).id == "id"


def test_an_id_without_a_known_name_is_known_by_its_values() -> None:
    schema = schema_of(colour=["red", "blue"], referenz=codes(), image=["a.jpg"])
    assert schema.id == "referenz"


def test_values_that_differ_in_a_few_rows_are_no_ids_yet() -> None:
    with pytest.raises(CatalogError, match="no column looks like the shop's id"):
        infer_schema(["image", "price"], [["a.jpg", "3"], ["b.jpg", "4"]])


def test_row_numbers_are_no_ids() -> None:
    numbers = [str(row) for row in range(ROWS)]
    with pytest.raises(CatalogError, match="no column looks like the shop's id"):
        schema_of(**{"Unnamed: 0": numbers, "image": ["a.jpg"]})


def test_without_an_id_the_columns_are_listed_and_the_remedy_named() -> None:
    with pytest.raises(CatalogError, match=r'there are colour, image.*schema file: `id = "'):
        schema_of(colour=["red", "blue"], image=["a.jpg"])


@pytest.mark.parametrize("column", ["image", "Image URL", "img", "photo", "productImage", "link"])
def test_the_picture_is_known_by_its_name(column: str) -> None:
    schema = schema_of(**{"id": codes(), "swatch": ["s.png"], column: ["https://x.test/a.jpg?w=9"]})
    assert schema.picture == column


def test_a_picture_without_a_known_name_is_known_by_its_values() -> None:
    schema = schema_of(id=codes(), link=["https://shop.test/p/1"], bild=["a/1.JPG", "a/2.webp"])
    assert schema.picture == "bild"


def test_embedded_pictures_are_pictures() -> None:
    assert schema_of(id=codes(), cover=[Picture("x", b"")]).picture == "cover"


def test_a_picture_url_may_have_no_suffix() -> None:
    assert schema_of(id=codes(), image=["https://cdn.test/83"]).picture == "image"


def test_without_a_picture_a_template_is_proposed() -> None:
    with pytest.raises(CatalogError, match=r"no column looks like the picture.*images/\{id\}\.jpg"):
        schema_of(id=codes(), colour=["red"])


def test_title_group_and_split_are_known_by_their_names() -> None:
    schema = schema_of(
        id=codes(),
        image=["a.jpg"],
        productDisplayName=sentences(),
        split=["train", "valid"],
        item_group_id=["g1", "g2"],
    )
    assert (schema.title, schema.group, schema.split) == (
        "productDisplayName",
        "item_group_id",
        "split",
    )
    assert (schema.fields, schema.texts) == ((), ())


def test_a_split_column_with_other_values_is_a_keyword() -> None:
    schema = schema_of(id=codes(), image=["a.jpg"], split=["side", "front"])
    assert schema.split is None
    assert schema.fields[0].kind is FieldKind.KEYWORD


@pytest.mark.parametrize(
    ("column", "cells", "kind"),
    [
        ("colour", ["red", "blue", ""], FieldKind.KEYWORD),
        ("tags", [("linen", "summer"), ("wool",)], FieldKind.KEYWORD),
        ("sizes", [("38", "40"), ("40",)], FieldKind.KEYWORD),
        ("category", ["Apparel & Accessories > Clothing > Shirts & Tops"], FieldKind.KEYWORD),
        ("size", ["38", "40", "XL"], FieldKind.KEYWORD),
        ("price", ["$1,299.00", "$5.00"], FieldKind.NUMBER),
        ("price", ["40 EUR", "", "12,50 €"], FieldKind.NUMBER),
        ("year", [2011, 2012.0, None], FieldKind.NUMBER),
        ("price", [*["9.99"] * 199, "free"], FieldKind.NUMBER),
        ("price", [*["9.99"] * 190, *["free"] * 10], FieldKind.KEYWORD),
        ("organic", ["yes", "No", "y"], FieldKind.BOOLEAN),
        ("in_stock", [True, False], FieldKind.BOOLEAN),
        ("isNew", ["0", "1"], FieldKind.BOOLEAN),
        ("kids", ["0"], FieldKind.BOOLEAN),
        ("is_new", ["0", "1", "2"], FieldKind.NUMBER),
        ("quantity", ["0", "1"], FieldKind.NUMBER),
        ("empty", ["", "NA", None], None),
        ("Unnamed: 0", [str(row) for row in range(ROWS)], None),
        ("position", [str(row) for row in range(1, ROWS + 1)], None),
        ("seller_id", ["4", "7"], None),
        ("colour_group_code", ["4", "7"], None),
        ("dup_group", ["4", "7", ""], None),
        ("checksum", codes("7f"), None),
        ("warning", ["Keep away from fire and from children; " * 3], None),
        ("page", ["https://shop.test/a b c d", "https://shop.test/e"], None),
        ("swatch", ["red.png", "blue.png"], None),
        ("№", ["0", "1"], FieldKind.NUMBER),
    ],
)
def test_the_kind_of_a_field_is_read_from_its_values(
    column: str, cells: Sequence[Cell], kind: FieldKind | None
) -> None:
    assert kind_of(column, cells) is kind


def several(*choices: str, of: int = 3, between: str = "|") -> list[str]:
    """Cells with all lists of one to so many of the choices."""
    lists = (combinations(choices, count) for count in range(1, of + 1))
    return [between.join(chosen) for chosen in chain.from_iterable(lists)]


def separator_in(column: str, cells: Sequence[Cell]) -> str:
    schema = schema_of(id=codes(), image=["a.jpg"], **{column: cells})
    return schema.fields[0].separator if schema.fields else ""


@pytest.mark.parametrize(
    ("column", "cells", "separator"),
    [
        ("size", ["S|M|L", "S|M", "M|L", "L"], "|"),
        ("size", several("38", "40", "42", "44", between=" ; "), ";"),
        ("tags", several(*(f"new {colour}" for colour in "abcdefghi")), "|"),
        ("tags", [*several("linen", "wool", "silk"), "silk|a rare one"], "|"),
        ("size", several("S", "M", "L", between=", "), ""),
        ("size", several("S", "M", "L", between="/"), ""),
        ("size", ["S|M|L", "S|M|L", "XL"], ""),
        ("size", ["S|M", "L|XL", "36|38"], ""),
        ("size", ["S|M", "S | M", "M|", "M", "S"], ""),
        ("size", [("S|M", "M|L"), ("S|L",)], ""),
        ("model", [f"Levi's | fit {n}" for n in range(501, 520)], ""),
        ("colour", ["Black &amp; Red", "Black &amp; Blue", "Black &amp; Tan", "Red", "Tan"], ""),
        ("organic", ["yes;no", "no;yes", "yes", "no"], ""),
        ("swatch", several("a.png", "b.png", "c.png"), ""),
        ("page", several("https://a.test", "https://b.test", "https://c.test"), ""),
        ("related_ids", several("83", "84", "85"), ""),
        ("care", several("wash", "dry", "iron", between=";"), ""),
        ("notes", several("do not tumble dry", "wash it at 40", "iron it very low"), ""),
    ],
)
def test_a_separator_stands_between_parts_that_come_again(
    column: str, cells: Sequence[Cell], separator: str
) -> None:
    assert separator_in(column, cells) == separator


def test_a_column_of_numbers_has_no_separator() -> None:
    assert separator_of(Profile("price", ["9.99"] * 400 + ["1;5", "1;7", "5;7"])) == ""


def test_roles_have_no_separators() -> None:
    lists = several("linen", "wool", "silk")
    schema = schema_of(id=codes(), image=["a.jpg"], title=lists, item_group_id=lists)
    assert (schema.title, schema.group, schema.fields) == ("title", "item_group_id", ())


def test_lists_that_hardly_repeat_are_keywords_of_their_parts() -> None:
    tags = [f"tag{n % 7}|tag{n % 11}|tag{n % 13}" for n in range(ROWS)]
    assert kind_of("tags", tags) is FieldKind.KEYWORD
    assert kind_of("tags", [tag.replace("|", "/") for tag in tags]) is None


def test_the_finest_category_is_told_by_the_parts_of_lists() -> None:
    places = [*several(*(f"place{n}" for n in range(8))), "place1"]
    kinds = [f"kind{n}" for n in range(9)]
    schema = schema_of(id=codes(), image=["a.jpg"], category=places, type=kinds)
    assert schema.phrase == ("type",)


def test_what_is_told_of_separators_goes_before_what_is_inferred() -> None:
    kinds = dict.fromkeys(("size", "tags"), FieldKind.KEYWORD)
    told = Overrides(fields=kinds, separators={"tags": ", "})
    sizes, tags = several("S", "M", "L"), ["cotton, summer sale", "wool"]
    schema = schema_of(told, id=codes(), image=["a.jpg"], size=sizes, tags=tags, fit=sizes)
    assert [field.separator for field in schema.fields] == ["", ", ", "|"]


def test_long_or_hardly_repeating_values_are_texts() -> None:
    schema = schema_of(
        id=codes(), image=["a.jpg"], notes=sentences(), care=["cold"], seller_id=sentences()
    )
    assert schema.texts == ("notes", "care")
    assert schema.fields == ()


def test_fields_have_typable_names_and_know_their_columns() -> None:
    schema = schema_of(**{"id": codes(), "image": ["a.jpg"], "Price (EUR)": ["9", "12"]})
    assert [(field.name, field.column) for field in schema.fields] == [("Price_EUR", "Price (EUR)")]


def test_the_phrase_puts_adjectives_before_the_finest_category() -> None:
    kinds = ["Shirts", "Tshirts", "Jeans"]
    schema = schema_of(
        id=codes(),
        image=["a.jpg"],
        material=["linen", "wool"],
        masterCategory=["Apparel"],
        articleType=kinds,
        baseColour=["Red", "Blue"],
        season=["Summer"],
        gender=["Men", "Women"],
        sleeve_type=["long", "short", "cap", "none at all"],
    )
    assert schema.phrase == ("gender", "baseColour", "material", "articleType")


def test_a_merchant_feed_is_understood() -> None:
    schema = schema_of(
        id=codes(),
        title=sentences(),
        description=sentences(),
        link=["https://shop.test/p/1"],
        image_link=["https://cdn.test/1.jpg"],
        price=["15.00 USD", "9.00 USD"],
        availability=["in_stock", "out_of_stock"],
        gtin=["4006381333931", "4006381333948"],
        google_product_category=["Apparel & Accessories > Shoes", "Apparel & Accessories > Hats"],
        product_type=["Shoes > Boots", "Shoes > Pumps", "Hats"],
        item_group_id=["a", "b"],
        color=["Black", "White"],
    )
    assert (schema.id, schema.title, schema.picture) == ("id", "title", "image_link")
    assert (schema.group, schema.texts) == ("item_group_id", ("description",))
    assert schema.phrase == ("color", "product_type")
    assert [field.name for field in schema.fields] == [
        "price",
        "availability",
        "google_product_category",
        "product_type",
        "color",
    ]


def test_a_catalog_without_a_category_has_no_phrase() -> None:
    assert schema_of(id=codes(), image=["a.jpg"], colour=["red"]).phrase == ()


def test_a_catalog_of_few_products_has_keywords_too() -> None:
    columns = ["id", "image", "colour", "description"]
    rows = [[f"{n}", f"{n}.jpg", f"colour {n}", f"Something nice of number {n}"] for n in range(8)]
    schema = infer_schema(columns, rows)
    assert [field.name for field in schema.fields] == ["colour"]
    assert schema.texts == ("description",)


def test_what_is_told_goes_before_what_is_inferred() -> None:
    told = Overrides(
        id="ref",
        picture="photos/{ref}.png",
        title="",
        group="",
        texts=("colour",),
        phrase=(),
        ignore=("image",),
        fields={"size": FieldKind.KEYWORD},
    )
    schema = schema_of(
        told,
        id=codes(),
        ref=codes("r"),
        image=["a.jpg"],
        title=sentences(),
        style_id=["s"],
        colour=["red"],
        size=["38", "40"],
        price=["9"],
    )
    assert (schema.id, schema.picture, schema.title) == ("ref", "photos/{ref}.png", None)
    assert (schema.group, schema.texts, schema.phrase) == (None, ("colour",), ())
    assert [(field.name, field.kind) for field in schema.fields] == [
        ("size", FieldKind.KEYWORD),
        ("price", FieldKind.NUMBER),
    ]


def test_the_column_of_a_picture_template_can_still_be_the_id() -> None:
    assert schema_of(Overrides(picture="images/{id}.jpg"), id=codes()).id == "id"


def test_a_field_that_was_told_can_be_part_of_the_phrase() -> None:
    told = Overrides(fields={"category": FieldKind.KEYWORD})
    assert schema_of(told, id=codes(), image=["a.jpg"], category=["1", "2"]).phrase == ("category",)


def test_a_told_phrase_needs_its_fields() -> None:
    with pytest.raises(SchemaError, match="phrase names"):
        schema_of(Overrides(phrase=("pattern",)), id=codes(), image=["a.jpg"])
