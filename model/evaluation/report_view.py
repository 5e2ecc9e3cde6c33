"""What the report page shows, worked out from results: intervals, tests, slices and failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from model.evaluation.plots import Bar, ScatterPoint, score_bars, slice_scatter
from model.evaluation.results import ModelResult, QueryHits, TaskResult, by_task
from model.evaluation.slices import Slice, slices, weakest
from model.evaluation.statistics import bootstrap_interval
from model.evaluation.summary import Gain, Row, Summary, letter

WEAKEST = 12  # slices shown at once
PER_FIELD = 40  # values of one field, behind a click
QUERIES = 6  # of a task, in pictures
HITS = 8
MAX_PICTURES = 1000  # on the page; some 4 kB each


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice: a bar for each model."""

    field: str
    value: str
    queries: int
    ceiling: float
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class FieldTable:
    """The slices of one field, worst first, and how many more there are."""

    field: str
    rows: Sequence[SliceRow]
    left_out: int


@dataclass(frozen=True, slots=True)
class TaskView:
    """One section of the page.

    Attributes:
        anchor: What links lead to.
        name: The task's.
        queries: How many.
        rows: Its scores; it is judged by the first.
        bars_svg: The same as a plot.
        scatter_svg: Slices, first model against last; empty with one model or too few slices.
        weakest: The slices where the last model falls short.
        fields: All slices by field.
        shown: For each query what each model found.
    """

    anchor: str
    name: str
    queries: int
    rows: Sequence[Row]
    bars_svg: str
    scatter_svg: str
    weakest: Sequence[SliceRow]
    fields: Sequence[FieldTable]
    shown: Sequence[Sequence[QueryHits]]


def verdict(gain: Gain) -> str:
    """Better, worse, or alike where no difference is shown."""
    if not gain.is_significant:
        return "alike"
    return "better" if gain.mean > 0 else "worse"


def task_views(results: Sequence[ModelResult], summary: Summary) -> list[TaskView]:
    """A section for each task."""
    tasks = by_task(results)
    most = MAX_PICTURES // max(1, HITS * len(results) * len(tasks))
    queries = max(1, min(QUERIES, most))
    rows = iter(summary.rows)
    return [
        _view(f"task-{number}", task, list(islice(rows, len(task[0].measures))), queries)
        for number, task in enumerate(tasks, 1)
    ]


def _view(
    anchor: str, results: Sequence[TaskResult], rows: Sequence[Row], queries: int
) -> TaskView:
    first = results[0]
    found = slices(results)
    return TaskView(
        anchor=anchor,
        name=first.task,
        queries=len(first.queries),
        rows=rows,
        bars_svg=score_bars(
            [row.measure for row in rows],
            [
                [Bar(score.mean, score.low, score.high) for score in of_model]
                for of_model in zip(*(row.scores for row in rows), strict=True)
            ],
            [row.ceiling for row in rows],
            anchor,
            f"Scores of {first.task}; the table beside says the same in numbers",
        ),
        scatter_svg=_scatter(anchor, results, found),
        weakest=[_slice_row(one) for one in weakest(found, WEAKEST)],
        fields=_field_tables([*first.slices, first.task], found),
        shown=_failures(results, queries),
    )


def _scatter(anchor: str, results: Sequence[TaskResult], found: Sequence[Slice]) -> str:
    if len(results) < 2 or len(found) < 3:
        return ""
    points = [ScatterPoint(one.means[0], one.means[-1], one.queries) for one in found]
    better = sum(point.after > point.before for point in points)
    worse = sum(point.after < point.before for point in points)
    first, last = letter(0), letter(len(results) - 1)
    label = (
        f"{len(points)} slices of {results[0].task}: "
        f"{last} is better on {better}, worse on {worse}, than {first}"
    )
    return slice_scatter(points, f"{anchor}-slices", f"model {first}", f"model {last}", label)


def _field_tables(fields: Sequence[str], found: Sequence[Slice]) -> list[FieldTable]:
    tables = []
    for field in dict.fromkeys(fields):
        rows = [one for one in found if one.field == field]
        if rows:
            shown = [_slice_row(one) for one in rows[:PER_FIELD]]
            tables.append(FieldTable(field, shown, len(rows) - len(shown)))
    return tables


def _slice_row(one: Slice) -> SliceRow:
    bars = [_bar(values) for values in one.scores]
    return SliceRow(one.field, one.value, one.queries, one.ceiling, bars)


def _bar(values_Q: NDArray[np.float64]) -> Bar:
    interval = bootstrap_interval(values_Q)
    return Bar(float(values_Q.mean()), interval.low, interval.high)


def _failures(results: Sequence[TaskResult], queries: int) -> list[list[QueryHits]]:
    """Shown queries with what every model found: the last one's worst, then what changed most."""
    together = [list(found) for found in zip(*(result.shown for result in results), strict=True)]
    together.sort(key=lambda found: _right(found[-1]))
    worst, rest = together[: -(-queries // 2)], together[-(-queries // 2) :]
    rest.sort(key=lambda found: -abs(_right(found[-1]) - _right(found[0])))
    return [*worst, *rest][:queries]


def _right(found: QueryHits) -> int:
    return sum(hit.is_right for hit in found.hits[:HITS])
