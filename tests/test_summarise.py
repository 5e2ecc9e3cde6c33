"""Means, averages and gains, over results made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from model.evaluation.results import Measure, ModelResult, TaskResult
from model.evaluation.summarise import summarise
from model.evaluation.summary import Summary


def asked(name: str, scores: list[float], is_aside: bool = False) -> TaskResult:
    measure = Measure("P@10", np.array(scores), np.array([1.0, 0.5]))
    return TaskResult(name, ["red", "blue"], [measure], is_aside=is_aside)


def model(name: str, *tasks: TaskResult) -> ModelResult:
    return ModelResult(name, "00", 7, tasks)


def summary(*results: ModelResult, split: str = "test", protocol: str = "catalog") -> Summary:
    return summarise(results, "shop.csv", split, protocol, slices_named=3)


BASE = model(
    "base", asked("colour", [0.2, 0.4]), asked("type", [0.6, 0.8]), asked("season", [0, 0], True)
)


def test_what_is_aside_has_a_row_but_is_part_of_no_average() -> None:
    found = summary(BASE)
    assert [(row.task, row.is_aside) for row in found.rows] == [
        ("colour", False),
        ("type", False),
        ("season", True),
    ]
    [average] = found.averages
    assert average.tasks == ["colour", "type"]
    assert average.means == pytest.approx([(0.3 + 0.7) / 2])
    assert average.ceiling == 0.75


def test_every_later_model_is_compared_with_the_first() -> None:
    models = [model(str(n), asked("colour", [score, score])) for n, score in enumerate((0, 1, 0.5))]
    [row] = summary(*models).rows
    assert [score.mean for score in row.scores] == [0, 1, 0.5]
    assert [gain.mean for gain in row.gains] == [1, 0.5]


def test_one_task_has_no_average() -> None:
    assert summary(model("m", asked("colour", [0.1, 0.2]))).averages == []


@pytest.mark.parametrize(
    ("split", "protocol", "title"),
    [
        ("test", "catalog", "7 test products of shop.csv"),
        ("all", "marqo", "7 products of shop.csv, asked as in Marqo's benchmark"),
        ("val", "files", "7 val products of shop.csv, asked by judged queries"),
    ],
)
def test_the_title_says_what_was_searched_and_by_what(
    split: str, protocol: str, title: str
) -> None:
    assert summary(BASE, split=split, protocol=protocol).title == title


def test_models_that_were_asked_different_things_are_refused() -> None:
    fewer = model("fewer", *BASE.tasks[:1])
    other = model("other", replace(BASE.tasks[0], queries=["red", "green"]), *BASE.tasks[1:])
    for second in (fewer, other):
        with pytest.raises(ValueError, match="ask them in one run"):
            summary(BASE, second)
    with pytest.raises(ValueError, match="no result"):
        summary()
