"""Which slices are named, and in which order."""

import numpy as np
import pytest

from model.evaluation.results import Measure, TaskResult
from model.evaluation.slices import slices, weakest


def task(
    values: list[float],
    queries: list[str] | None = None,
    ceilings: list[float] | None = None,
    **fields: list[str],
) -> TaskResult:
    names = queries or [str(n) for n in range(len(values))]
    name = " + ".join(fields) if queries else "titles"
    measure = Measure("P@10", np.array(values), np.array(ceilings or [1.0] * len(values)))
    return TaskResult(name, names, [measure], fields)


def test_slices_of_few_queries_are_left_out() -> None:
    colours = ["red"] * 5 + ["green"] * 4 + [""] * 6
    [red] = slices([task([0.1] * 15, colour=colours)])
    assert (red.field, red.value, red.queries) == ("colour", "red", 5)
    assert red.means == pytest.approx((0.1,))


def test_where_each_query_has_its_own_value_each_stands_for_itself() -> None:
    found = slices([task([0.5, 0.1, 0.9], colour=["red", "green", "blue"])])
    assert [one.value for one in found] == ["green", "red", "blue"]


def test_each_query_of_a_task_named_after_its_fields_is_a_slice() -> None:
    queries = ["green skirts", "green shirts"]
    found = slices(
        [task([0.1, 0.8], queries, colour=["green", "green"], kind=["skirts", "shirts"])]
    )
    assert "green skirts" in {one.value for one in found if one.field == "colour + kind"}


def test_slices_are_ordered_by_the_last_model_and_keep_every_model() -> None:
    first, last = ([0.1, 0.9], [0.9, 0.2])
    found = slices([task(values, colour=["red", "green"]) for values in (first, last)])
    assert [(one.value, one.means) for one in found] == [("green", (0.9, 0.2)), ("red", (0.1, 0.9))]


def test_a_score_near_its_ceiling_is_not_weak() -> None:
    found = slices([task([0.4, 0.5], ceilings=[0.4, 1.0], colour=["rare", "common"])])
    assert [(one.value, one.ceiling) for one in found] == [("common", 1.0), ("rare", 0.4)]


def test_many_queries_that_are_bad_come_before_few_that_are_a_little_worse() -> None:
    colours = ["few"] * 5 + ["many"] * 50 + ["good"] * 50
    values = [0.1] * 5 + [0.2] * 50 + [0.9] * 50
    assert [one.value for one in slices([task(values, colour=colours)])] == ["many", "few", "good"]


def test_what_is_named_already_is_not_named_again_under_a_longer_name() -> None:
    phrases = ["women blue heels"] * 5 + ["women red heels"] * 5
    found = slices(
        [
            task(
                [0.0] * 5 + [1.0] * 5,
                kind=["blue heels"] * 5 + ["red heels"] * 5,
                phrase=phrases,
            )
        ]
    )
    assert [one.value for one in found[:2]] == ["blue heels", "women blue heels"]
    assert [one.value for one in weakest(found, 3)] == ["blue heels"]  # red is above the mean
    assert weakest(found, 0) == []


def test_where_all_is_alike_nothing_is_weakest() -> None:
    found = slices([task([0.7] * 10, colour=["red"] * 5 + ["green"] * 5)])
    assert len(found) == 2
    assert weakest(found, 3) == []
