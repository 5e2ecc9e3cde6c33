"""Which slices are named, and in which order."""

import numpy as np
import pytest

from model.evaluation.results import Measure, TaskResult
from model.evaluation.slices import slices


def task(values: list[float], queries: list[str] | None = None, **fields: list[str]) -> TaskResult:
    names = queries or [str(n) for n in range(len(values))]
    name = " + ".join(fields) if queries else "titles"
    return TaskResult(name, names, [Measure("P@10", np.array(values), 1.0)], fields)


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
    assert (found[0].field, found[0].value) == ("colour + kind", "green skirts")


def test_slices_are_ordered_by_the_last_model_and_keep_every_model() -> None:
    first, last = ([0.1, 0.9], [0.9, 0.2])
    found = slices([task(values, colour=["red", "green"]) for values in (first, last)])
    assert [(one.value, one.means) for one in found] == [("green", (0.9, 0.2)), ("red", (0.1, 0.9))]
