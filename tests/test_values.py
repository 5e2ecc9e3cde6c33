import math
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goods.schema import FieldKind
from goods.values import Cell, boolean, keywords, number, split_name, text, value


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("83", 83),
        ("-5", -5),
        (" 39.90 ", 39.9),
        ("$1,299.00", 1299),
        ("US$ 40", 40),
        ("40 EUR", 40),
        ("39,90 €", 39.9),
        ("1.299,00 €", 1299),
        ("1.299 €", 1299),
        ("1,299", 1299),
        ("1.299", 1.299),
        ("0,500", 0.5),
        ("1 299,00 kr", 1299),
        ("1'299.00 CHF", 1299),
        ("1,299,000", 1299000),
        ("Rs. 499", 499),
        (12, 12),
        (12.5, 12.5),
    ],
)
def test_numbers_and_prices_are_read_in_the_notations_of_shops(cell: str, expected: float) -> None:
    assert number(cell) == expected


@pytest.mark.parametrize(
    "cell", ["free", "38,39,40", "1_2", "EUR", "1,29,999", "4 for 3", "9" * 99]
)
def test_what_is_no_number_is_quoted(cell: str) -> None:
    with pytest.raises(ValueError, match=f"^'{cell[:60]}.*' is not a number$"):
        number(cell)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "nan", float("inf")])
def test_infinity_is_no_number(cell: str | float) -> None:
    with pytest.raises(ValueError, match="is not a finite number"):
        number(cell)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back(expected: float) -> None:
    assert number(repr(expected)) == expected


@given(st.integers(min_value=0, max_value=10**12))
def test_grouped_prices_are_read_back_in_both_conventions(cents: int) -> None:
    price = f"{cents / 100:,.2f}"
    swapped = price.translate(str.maketrans(",.", ".,"))
    assert number(f"${price}") == number(f"{swapped} €") == cents / 100


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_a_value_error(cell: str) -> None:
    with suppress(ValueError):
        assert math.isfinite(number(cell))


@pytest.mark.parametrize("cell", ["", "  ", "NA", "N/A", "NaN", "null", "None", None, float("nan")])
def test_a_missing_value_is_none_whatever_its_kind(cell: str | None) -> None:
    assert [value(cell, kind) for kind in FieldKind] == [None, None, None]


@pytest.mark.parametrize("cell", ["Nadia", "none", "n/a ", "Null & Co"])
def test_a_name_that_resembles_a_missing_value_stays(cell: str) -> None:
    assert value(cell, FieldKind.KEYWORD) == cell.strip()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(83.0, "83"), (83, "83"), (8.5, "8.5"), (True, "true"), (("a", "b"), "a, b")],
)
def test_a_typed_cell_reads_as_people_write_it(cell: float, expected: str) -> None:
    assert text(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"), [("Yes", True), ("n", False), (0, False), (True, True)]
)
def test_claims_are_read(cell: str | bool, expected: bool) -> None:
    assert boolean(cell) is expected


def test_what_is_no_claim_is_quoted() -> None:
    with pytest.raises(ValueError, match=r"^'maybe' is neither true nor false"):
        boolean("maybe")


def test_several_keywords_keep_their_order_and_come_once() -> None:
    assert keywords(("red", "", "blue ", "red", "NA")) == ("red", "blue")
    assert value(("NA",), FieldKind.KEYWORD) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("S|M|L", ("S", "M", "L")),
        (" M | | S|M|", ("M", "S")),
        ("M", ("M",)),
        ("NA|Blue, dark", ("Blue, dark",)),
        ("", None),
        ("||", None),
        (("S|M", "L"), ("S|M", "L")),
    ],
)
def test_a_separator_makes_several_keywords_of_a_text(
    cell: Cell, expected: tuple[str, ...] | None
) -> None:
    assert value(cell, FieldKind.KEYWORD, "|") == expected


@given(st.sampled_from(["|", ";", ",", " + "]), st.lists(st.text(max_size=8), max_size=6))
@example(" + ", ["", "x"])
def test_values_that_were_joined_come_back(separator: str, values: list[str]) -> None:
    parts = [part for part in values if not set(part) & set(separator)]
    joined = value(separator.join(parts), FieldKind.KEYWORD, separator)
    assert joined == value(tuple(parts), FieldKind.KEYWORD)


@pytest.mark.parametrize(
    ("cell", "expected"), [("Train", "train"), ("validation", "val"), ("", None)]
)
def test_splits_have_one_spelling(cell: str, expected: str | None) -> None:
    assert split_name(cell) == expected


def test_an_unknown_split_is_quoted() -> None:
    with pytest.raises(ValueError, match=r"^'holdout' is not train, val or test$"):
        split_name("holdout")
