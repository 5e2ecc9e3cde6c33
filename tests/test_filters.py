"""Filters: what people type, checked against the catalog."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter_values import HARD
from goods.errors import FilterError
from goods.index import AnyOf, Exists, Not, Range
from goods.schema import CatalogSchema, Field, FieldKind
from search.expressions import expressions
from search.filters import Between, Filters

SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    fields=(
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("price", FieldKind.NUMBER, "price"),
        Field("in_stock", FieldKind.BOOLEAN, "in_stock"),
    ),
)
COLOURS = ["Red", "Navy Blue", "Navy, Blue", "Off-White", "Été"]


def values_of(name: str) -> list[str] | None:
    return COLOURS if name == "colour" else None


def parse(*expressions: str) -> tuple[object, ...]:
    return Filters.parse(expressions).conditions(SCHEMA, values_of)


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("colour=Red", AnyOf("colour", ("Red",))),
        ("colour=Red,Off-White", AnyOf("colour", ("Red", "Off-White"))),
        ("colour = Red , Off-White", AnyOf("colour", ("Red", "Off-White"))),
        ('colour="Navy, Blue"', AnyOf("colour", ("Navy, Blue",))),
        ('colour= "Red" , "Navy, Blue"', AnyOf("colour", ("Red", "Navy, Blue"))),
        ("colour!=Red", Not(AnyOf("colour", ("Red",)))),
        ("colour=navy blue", AnyOf("colour", ("Navy Blue",))),
        ("colour=ÉTÉ", AnyOf("colour", ("Été",))),
        ("price<40", Range("price", lt=40)),
        ("price<=40", Range("price", lte=40)),
        ("price>40.5", Range("price", gt=40.5)),
        ("price>=1e2", Range("price", gte=100)),
        ("price=10..40", Range("price", gte=10, lte=40)),
        ("price=10..", Range("price", gte=10)),
        ("price=..40", Range("price", lte=40)),
        ("price=40", AnyOf("price", (40.0,))),
        ("price!=40", Not(AnyOf("price", (40.0,)))),
        ("in_stock=true", AnyOf("in_stock", (True,))),
        ("in_stock=No", AnyOf("in_stock", (False,))),
        ("in_stock=y", AnyOf("in_stock", (True,))),
        ("in_stock=N,1", AnyOf("in_stock", (False, True))),
        ("colour=*", Exists("colour")),
        ("price!=*", Not(Exists("price"))),
    ],
)
def test_an_expression_means_one_condition(expression: str, condition: object) -> None:
    assert parse(expression) == (condition,)


def test_expressions_on_one_field_all_hold_except_values_which_add_up() -> None:
    assert parse("price>10", "price<40") == (Range("price", gt=10), Range("price", lt=40))
    assert parse("colour=Red", "colour=Été") == (AnyOf("colour", ("Red", "Été")),)


@pytest.mark.parametrize("expression", ["", "colour", "=Red", "colour=", "price<", "a b=c", "<3"])
def test_an_expression_that_cannot_be_read_shows_the_forms(expression: str) -> None:
    with pytest.raises(FilterError, match=r"cannot be read; write colour=Red"):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("color=Red", "no field 'color'; did you mean colour"),
        ("wobble=Red", "the fields are: colour, in_stock, price"),
        ("colour=Redd", "no value 'Redd'; did you mean Red"),
        ("colour=Navy", "did you mean Navy Blue or Navy, Blue"),
        ("colour=xyz", "the values are: Navy Blue"),
        ("colour=Red,", "no value ''"),
        ("colour=Re\nd", r"no value 'Re\\nd'; did you mean Red"),
        ('colour="Red', "no value '\"Red'; did you mean Red"),
        ('colour="R"ed', "no value '\"R\"ed'; did you mean Red"),
        ("price<cheap", "price is a number; 'cheap' is not one"),
        ("price=nan", "price is a number; 'nan' is not one"),
        ("price<inf", "'inf' is not one"),
        ("colour<3", "colour is not a number; filter it by colour=VALUE"),
        ("in_stock=maybe", "in_stock is true or false; 'maybe' is neither"),
        ("sizes!=*", "no field 'sizes'"),
    ],
)
def test_what_the_catalog_does_not_have_is_answered_with_what_it_has(
    expression: str, message: str
) -> None:
    with pytest.raises(FilterError, match=message):
        parse(expression)


def test_filters_can_be_written_in_python() -> None:
    filters = Filters(
        any_of={"colour": ["Red"], "in_stock": [True]},
        none_of={"price": [3]},
        between={"price": Between(lt=40)},
        exists=["colour"],
        missing=["price"],
    )
    assert filters.conditions(SCHEMA, values_of) == (
        AnyOf("colour", ("Red",)),
        AnyOf("in_stock", (True,)),
        Not(AnyOf("price", (3.0,))),
        Range("price", lt=40),
        Exists("colour"),
        Not(Exists("price")),
    )


def test_a_single_value_needs_no_list() -> None:
    filters = Filters(any_of={"colour": "Red"})
    assert filters.conditions(SCHEMA, values_of) == (AnyOf("colour", ("Red",)),)


def test_values_are_not_checked_against_a_vocabulary_that_is_too_large() -> None:
    conditions = Filters(any_of={"colour": ["Anything"]}).conditions(SCHEMA, lambda name: None)
    assert conditions == (AnyOf("colour", ("Anything",)),)


@given(st.sampled_from(["", "colour=", "colour!=", "price=", "in_stock="]), st.text(max_size=40))
def test_any_text_is_a_filter_or_a_filter_error(beginning: str, text: str) -> None:
    try:
        conditions = parse(beginning + text)
    except FilterError:
        return
    assert len(conditions) == 1


@given(st.sampled_from(COLOURS), st.sampled_from(["=", "!="]))
def test_every_value_of_the_catalog_can_be_typed(value: str, operator: str) -> None:
    quoted = f'"{value}"' if "," in value else value
    [condition] = parse(f"colour{operator}{quoted}")
    expected = AnyOf("colour", (value,))
    assert condition == (expected if operator == "=" else Not(expected))


@pytest.mark.parametrize("value", HARD)
def test_a_value_that_is_hard_to_write_is_read_again(value: str) -> None:
    filters = Filters({"colour": [value], "size": [value, "Red"]}, {"brand": ["Red", value]})
    assert Filters.parse(expressions(filters)) == filters


@pytest.mark.parametrize("kind", [np.float64, np.float32, int, float])
def test_a_bound_is_sent_as_a_number_whatever_type_it_has(kind: type) -> None:
    bounds = Between(gte=kind(10), lt=kind(40))
    assert list(expressions(Filters(between={"price": bounds}))) == ["price>=10.0", "price<40.0"]


def test_bounds_that_are_a_pair_are_told_how_to_be_written() -> None:
    with pytest.raises(FilterError, match=r"bounds of price are \(1, 2\); write Between\(gte="):
        Filters(between={"price": (1, 2)})  # type: ignore[dict-item] # that is the point


def test_a_filter_without_values_cannot_be_sent() -> None:
    with pytest.raises(FilterError, match="a filter on colour needs values"):
        list(expressions(Filters(any_of={"colour": []})))
