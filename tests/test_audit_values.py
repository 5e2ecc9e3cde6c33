"""What an audit finds in values: gaps, numbers that cannot be, typos, contradictions."""

import pytest

from goods.product import Picture, Product, Value
from goods.schema import CatalogSchema, Field, FieldKind
from ingest.audit.clashes import clash_findings
from ingest.audit.findings import Kind
from ingest.audit.gaps import gap_findings
from ingest.audit.numbers import number_findings, price_fields
from ingest.audit.typos import typo_findings

SCHEMA = CatalogSchema(
    "id",
    "image",
    "title",
    (
        Field("category", FieldKind.KEYWORD, "category"),
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("price", FieldKind.NUMBER, "price"),
        Field("stock", FieldKind.NUMBER, "stock"),
    ),
    phrase=("colour", "category"),
)


def products(rows: list[dict[str, Value]], title: str = "") -> list[Product]:
    return [
        Product(
            str(row.get("id", f"P-{n}")),
            Picture(f"{n}.jpg"),
            str(row.get("title", title)),
            {name: value for name, value in row.items() if name not in ("id", "title")},
            row=n + 1,
        )
        for n, row in enumerate(rows)
    ]


def colours(**counts: int) -> list[Product]:
    """Products by colour; `_` in a name is a space."""
    return products(
        [{"colour": name.replace("_", " ")} for name, count in counts.items() for _ in range(count)]
    )


def mappings(found: list[Product]) -> dict[str, str]:
    return {f.given: f.suggested for f in typo_findings(found, SCHEMA)}


def test_gaps_are_counted_with_their_share_and_examples() -> None:
    rows: list[dict[str, Value]] = [{"colour": "Red", "price": 1.0, "stock": 1.0}] * 8
    rows += [{"price": 1.0, "stock": 1.0}] * 2
    found = [f for f in gap_findings(products(rows, "Shirt"), SCHEMA) if f.field == "colour"]
    assert [(f.kind, f.count, f.products) for f in found] == [
        (Kind.MISSING_VALUES, 2, ("P-8", "P-9"))
    ]
    assert "2 of 10 products (20.0 %)" in found[0].note


def test_each_product_without_a_price_is_found() -> None:
    rows: list[dict[str, Value]] = [{"price": 1.0}, {"price": 1.0}, {}]
    found = [f for f in gap_findings(products(rows), SCHEMA) if f.field == "price"]
    assert [(f.kind, f.products) for f in found] == [(Kind.MISSING_PRICE, ("P-2",))]


def test_prices_that_are_nearly_all_missing_are_one_finding() -> None:
    rows: list[dict[str, Value]] = [{"price": 1.0}, {}, {}]
    found = [f for f in gap_findings(products(rows), SCHEMA) if f.field == "price"]
    assert [(f.kind, f.count) for f in found] == [(Kind.MISSING_PRICE, 2)]


def test_a_field_is_a_price_by_its_name() -> None:
    names = ("sale_price", "Preis", "weight", "MSRP")
    fields = tuple(Field(name, FieldKind.NUMBER, name) for name in names)
    assert price_fields(CatalogSchema("id", "image", fields=fields)) == {
        "sale_price",
        "Preis",
        "MSRP",
    }


def priced(prices: list[float], category: str = "Shirt") -> list[Product]:
    return products([{"price": price, "category": category} for price in prices])


@pytest.mark.parametrize(
    ("price", "said"), [(0.0, "zero"), (-3.0, "negative"), (2999.0, "100 times"), (0.3, "less")]
)
def test_an_absurd_price_is_found(price: float, said: str) -> None:
    usual = [20.0 + n % 21 for n in range(60)]
    (found,) = number_findings(priced([*usual, price]), SCHEMA)
    assert (found.kind, found.products) == (Kind.ODD_PRICE, ("P-60",))
    assert said in found.note


def test_a_price_is_judged_among_its_category() -> None:
    shirts, rings = [20.0 + n % 9 for n in range(30)], [2000.0 + n % 9 for n in range(30)]
    rows: list[dict[str, Value]] = [{"price": p, "category": "Shirt"} for p in [*shirts, 2000.0]]
    rows += [{"price": p, "category": "Ring"} for p in rings]
    (found,) = number_findings(products(rows), SCHEMA)
    assert found.products == ("P-30",)
    assert "of Shirt" in found.note


def test_a_dear_product_is_not_absurd() -> None:
    usual = [20.0 + n % 21 for n in range(60)]
    assert list(number_findings(priced([*usual, 95.0]), SCHEMA)) == []


def test_equal_prices_leave_room_for_a_little_more() -> None:
    assert list(number_findings(priced([20.0] * 40 + [30.0]), SCHEMA)) == []


def test_too_few_prices_say_nothing_about_what_is_usual() -> None:
    assert list(number_findings(priced([20.0] * 5 + [9000.0]), SCHEMA)) == []


def test_odd_numbers_of_other_fields_are_found() -> None:
    stock = [float(n % 40) for n in range(200)]
    rows: list[dict[str, Value]] = [{"stock": n} for n in [*stock, -1.0]]
    (found,) = number_findings(products(rows), SCHEMA)
    assert (found.kind, found.given) == (Kind.ODD_NUMBER, "-1")


def test_a_long_tail_is_not_odd() -> None:
    stock = [float(n % 40) for n in range(200)]
    rows: list[dict[str, Value]] = [{"stock": n} for n in [*stock, 800.0, 2000.0]]
    assert list(number_findings(products(rows), SCHEMA)) == []


def test_a_year_of_another_age_is_odd() -> None:
    rows: list[dict[str, Value]] = [{"stock": 2010.0 + n % 8} for n in range(200)]
    (found,) = number_findings(products([*rows, {"stock": 20111.0}]), SCHEMA)
    assert found.given == "20111"


@pytest.mark.parametrize("typo", ["Geren", "Gren", "Grenn", "Greeen"])
def test_a_rare_value_one_slip_from_a_common_one_is_a_typo(typo: str) -> None:
    expected = {} if typo == "Gren" else {typo: "Green"}  # four letters are too short to be sure
    assert mappings(colours(Green=60, **{typo: 1})) == expected


def test_a_typo_inside_a_phrase_is_found() -> None:
    assert mappings(colours(Navy_Yellow=60, Navy_Yelow=2)) == {"Navy Yelow": "Navy Yellow"}


@pytest.mark.parametrize(
    ("common", "rare"),
    [
        ("Rose", "Rust"),
        ("Tops", "Tips"),
        ("Sea_Green", "Tea_Green"),
        ("Boots", "Roots"),
        ("Summer_2011", "Summer_2012"),
        ("White", "Off_White"),
        ("Women", "Men"),
    ],
)
def test_other_words_are_not_typos(common: str, rare: str) -> None:
    assert mappings(colours(**{common: 100, rare: 2})) == {}


def test_a_word_that_titles_use_is_no_typo() -> None:
    rows: list[dict[str, Value]] = [{"category": "Shirts"}] * 100 + [{"category": "Skirts"}] * 2
    assert mappings(products(rows)) == {"Skirts": "Shirts"}
    titled = [{**row, "title": "Blue skirt"} for row in rows]
    assert mappings(products(titled)) == {}


def test_a_frequent_value_is_no_typo() -> None:
    assert mappings(colours(Green=60, Grean=30)) == {}


def test_spellings_of_one_word_are_joined_to_the_commonest() -> None:
    rows = [("Tshirts", 100), ("T-Shirts", 30), ("t shirt", 2), ("TSHIRTS", 1), ("Dress", 9)]
    shop = products([{"category": value} for value, count in rows for _ in range(count)])
    assert mappings(shop) == {"T-Shirts": "Tshirts", "TSHIRTS": "Tshirts", "t shirt": "Tshirts"}


def test_two_common_words_that_differ_in_a_plural_stay_two() -> None:
    assert mappings(colours(Short=30, Shorts=40)) == {}


def test_values_in_lists_are_looked_at_one_by_one() -> None:
    rows: list[dict[str, Value]] = [{"colour": ("Green", "White")}] * 60
    assert mappings(products([*rows, {"colour": ("Grean", "White")}])) == {"Grean": "Green"}


def test_a_mapping_says_how_many_products_it_changes() -> None:
    (found,) = typo_findings(colours(Green=60, Grean=2), SCHEMA)
    assert (found.count, found.products) == (2, ("P-60", "P-61"))
    assert "'Grean' (2 products) is nearly 'Green' (60)" in found.note


def titled(rows: list[tuple[str, str, str]]) -> list[Product]:
    return products([{"title": t, "category": c, "colour": o} for t, c, o in rows])


def test_products_of_one_title_that_disagree_are_found() -> None:
    rows = [(f"Shirt {n // 2}", "Shirts", "Red" if n % 2 else "Blue") for n in range(40)]
    rows += [("shirt  0", "Dresses", "Red")]
    (found,) = clash_findings(titled(rows), SCHEMA)  # in colours titles never agree
    assert (found.kind, found.field) == (Kind.TITLE_CLASH, "category")
    assert (found.given, found.suggested) == ("Dresses", "Shirts")
    assert found.products == ("P-0", "P-1", "P-40")


def test_a_tie_suggests_nothing() -> None:
    rows = [(f"Shirt {n // 2}", "Shirts", "Red") for n in range(40)]
    rows += [("Ring", "Rings", "Red"), ("Ring", "Belts", "Red")]
    (found,) = clash_findings(titled(rows), SCHEMA)
    assert (found.given, found.suggested) == ("Rings / Belts", "")


def test_ids_that_look_the_same_are_found() -> None:
    shop = products([{"id": "a 1"}, {"id": "A1"}, {"id": "A2"}])
    (found,) = clash_findings(shop, SCHEMA)
    assert (found.kind, found.products) == (Kind.SAME_ID, ("a 1", "A1"))


def test_a_catalog_of_nothing_has_no_finding() -> None:
    for check in (gap_findings, number_findings, typo_findings, clash_findings):
        assert list(check([], SCHEMA)) == []
