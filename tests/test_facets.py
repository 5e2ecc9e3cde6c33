"""Facets are what pandas counts, in both homes, under any filters."""

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from homes import HOMES, new_home
from hypothesis import given
from hypothesis import strategies as st
from points import COLOURS, CONTRACT

from goods.errors import QueryError
from goods.index import AnyOf, Condition, Exists, Not, Point, Range, VectorIndex
from goods.product import point_id
from search.facets import RANGES, count_facets, edges

SIZES = {"edge": (3000, 200), "server": (150, 20)}  # the double counts in Python
TAGS = [f"tag {n}" for n in range(130)]
FIELDS = ["colour", "tags", "price_2", "in-stock"]


def payload(number: int, chance: random.Random) -> dict[str, object]:
    """A product with gaps."""
    made: dict[str, object] = {"id": f"p{number}", "picture": "p.jpg"}
    made["colour"] = chance.choices((*COLOURS, "Größe"), (9, 5, 2, 1))[0]
    if chance.random() < 0.8:
        made["tags"] = chance.sample(TAGS, chance.randint(1, 4))
    if chance.random() < 0.9:
        made["price_2"] = round(chance.lognormvariate(3, 1), 2)
    if chance.random() < 0.7:
        made["in-stock"] = chance.random() < 0.6
    return made


@pytest.fixture(scope="module", params=HOMES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[VectorIndex, pd.DataFrame, int]]:
    count, filters = SIZES[request.param]
    chance, vector = random.Random(0), np.eye(8, dtype=np.float32)[0]
    payloads = [payload(number, chance) for number in range(count)]
    index = new_home(request.param, tmp_path_factory.mktemp("facets") / "index")
    index.create(replace(CONTRACT))
    index.upsert([Point(point_id(str(p["id"])), vector, p) for p in payloads])
    yield index, pd.DataFrame(payloads), filters
    index.close()


def drawn(chance: random.Random) -> list[tuple[str, Condition]]:
    """Up to three conditions on different fields."""
    low = chance.uniform(1, 60)
    made: dict[str, Condition] = {
        "colour": AnyOf("colour", tuple(chance.sample(COLOURS, chance.randint(1, 2)))),
        "tags": AnyOf("tags", tuple(chance.sample(TAGS, 40))),
        "price_2": Range("price_2", gte=low, lt=low + chance.uniform(0, 80)),
        "in-stock": chance.choice([AnyOf("in-stock", (True,)), Exists("in-stock")]),
    }
    names = chance.sample(FIELDS, chance.randint(0, 3))
    return [(name, Not(made[name]) if chance.random() < 0.3 else made[name]) for name in names]


def rows(frame: pd.DataFrame, condition: Condition) -> "pd.Series[bool]":
    """Which rows hold to a condition, as pandas sees it."""
    match condition:
        case Not(inner):
            return ~rows(frame, inner)
        case Exists(field):
            return frame[field].notna()
        case AnyOf("tags", values):
            return frame["tags"].map(
                lambda t: isinstance(t, list) and not set(values).isdisjoint(t)
            )
        case AnyOf(field, values):
            return frame[field].isin(values)
        case Range(field, _, gte, lt, _):
            return (frame[field] >= gte) & (frame[field] < lt)
    raise AssertionError(condition)


@pytest.mark.parametrize("widen", [False, True])
def test_counts_are_those_of_pandas(
    shop: tuple[VectorIndex, pd.DataFrame, int], widen: bool
) -> None:
    index, frame, filters = shop
    chance = random.Random(1)
    for _ in range(filters // 2):
        conditions = drawn(chance)
        found = count_facets(index, FIELDS, [c for _, c in conditions], limit=1000, widen=widen)
        for name in FIELDS:
            mask = np.ones(len(frame), dtype=bool)
            for about, condition in conditions:
                if not (widen and about == name):
                    mask &= rows(frame, condition).to_numpy(dtype=bool)
            column = frame.loc[mask, name].dropna()
            if name == "price_2":
                assert (name in found.numbers) == bool(len(column))
                if name in found.numbers:
                    number = found.numbers[name]
                    assert (number.low, number.high) == (column.min(), column.max())
                    assert sum(r.count for r in number.ranges) == len(column)
                    for r in number.ranges[:-1]:
                        assert r.count == ((column >= r.low) & (column < r.high)).sum()
            else:
                counted = {f.value: f.count for f in found.values[name]}
                assert counted == column.explode().value_counts().to_dict()
                assert list(counted.values()) == sorted(counted.values(), reverse=True)


def test_as_many_values_are_counted_as_asked_for(
    shop: tuple[VectorIndex, pd.DataFrame, int],
) -> None:
    index, frame, _ = shop
    assert len(count_facets(index, ["tags"], limit=7).values["tags"]) == 7
    assert len(count_facets(index, ["tags"]).values["tags"]) == 100
    assert (
        len(count_facets(index, ["tags"], limit=1000).values["tags"])
        == frame["tags"].explode().nunique()
    )


def test_a_field_that_is_not_there_is_refused(shop: tuple[VectorIndex, pd.DataFrame, int]) -> None:
    with pytest.raises(QueryError, match=r"no field 'size'.*colour"):
        count_facets(shop[0], ["size"])


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ranges_are_few_and_hold_both_ends(low: float, width: float) -> None:
    high = low + width
    bounds = edges(low, high)
    assert 2 <= len(bounds) <= RANGES + 2
    assert bounds[0] <= low
    assert high <= bounds[-1]
    assert bounds == sorted(bounds)


def test_ranges_are_round() -> None:
    assert edges(3.5, 97) == [0, 20, 40, 60, 80, 100]
    assert edges(10, 10) == [10, 10]
    assert edges(0, 0.7) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
