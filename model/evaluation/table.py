"""A summary as lines for the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from model.evaluation.published import Beside
from model.evaluation.summary import Gain, Row, Score, Summary, is_below_one, letter

MEASURES = 2
"""Of a task, on the terminal; JSON and the report have all."""

_LABEL = 25
_SCORE = 22  # "0.812 [0.794, 0.830]"
_LEAST_P = 0.001


def table_lines(summary: Summary) -> Iterator[str]:
    """Rows are measures by task, columns models; then averages, and where the last is weakest."""
    yield summary.title
    yield from _models(summary)
    yield ""
    yield from _scores(summary)
    if summary.weakest:
        yield ""
        yield from _weakest(summary)


def published_lines(beside: Beside) -> Iterator[str]:
    """What others published, or why it cannot stand here."""
    yield ""
    yield beside.note
    for table in beside.tables:
        measures = list(next(iter(table.scores.values())))
        yield _line(f"  {table.task}", measures, [], label=34, score=8)
        for model, scores in table.scores.items():
            yield _line(f"    {model}", [f"{scores[m]:.3f}" for m in measures], [], 34, 8)
    if beside.tables:
        yield beside.url


def _models(summary: Summary) -> Iterator[str]:
    for number, model in enumerate(summary.models):
        yield f"  {letter(number)}  {model}  (stamp {summary.stamps[number]})"
        clip_score = summary.clip_scores[number]
        if clip_score is not None:
            yield f"     CLIP score {clip_score:.1f}: 100 x cosine of a title and its picture"
        if summary.trained_on[number]:
            yield f"     was trained on {summary.trained_on[number]:,} of these products"


def _scores(summary: Summary) -> Iterator[str]:
    letters = [letter(number) for number in range(len(summary.models))]
    differences = [f"{later} - A" for later in letters[1:]]
    yield _line("means, 95 % intervals", letters, differences)
    yield from _tasks(row for row in summary.rows if not row.is_aside)
    for tasks, averages in groupby(summary.averages, key=lambda average: average.tasks):
        yield f"average of {len(tasks)} tasks, each counting the same"
        for average in list(averages)[:MEASURES]:
            first, *later = average.means
            yield _line(
                f"  {_measure(average.measure, average.ceiling)}",
                [f"{mean:.3f}" for mean in average.means],
                [f"{mean - first:+.3f}" for mean in later],
            )
    if aside := [row for row in summary.rows if row.is_aside]:
        yield "aside: by fields whose words captions leave out; part of no average"
        yield from _tasks(aside)
    if differences:
        tests = sum(len(row.gains) for row in summary.rows)
        yield f"p is corrected for {_counted(tests, 'test', 'tests')} (Holm); * is below .05"


def _tasks(rows: Iterable[Row]) -> Iterator[str]:
    for task, of_task in groupby(rows, key=lambda row: row.task):
        yield from _task(task, list(of_task))


def _task(task: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"{task}: {_counted(rows[0].queries, 'query', 'queries')}"
    for row in rows[:MEASURES]:
        yield _line(
            f"  {_measure(row.measure, row.ceiling)}",
            [_score(score) for score in row.scores],
            [_gain(gain) for gain in row.gains],
        )


def _weakest(summary: Summary) -> Iterator[str]:
    """One line per task."""
    several = len(summary.models) > 1
    yield f"weakest of {letter(len(summary.models) - 1)}" if several else "weakest"
    for (task, measure), slices in groupby(summary.weakest, key=lambda w: (w.task, w.measure)):
        named = (
            f"{weak.value} {weak.means[-1]:.3f}{_of(weak.ceiling)}"
            + (f" ({weak.queries:,} queries)" if weak.queries > 1 else "")
            for weak in slices
        )
        yield f"  {task}, {measure}: {', '.join(named)}"


def _line(
    name: str,
    scores: Sequence[str],
    gains: Sequence[str],
    label: int = _LABEL,
    score: int = _SCORE,
) -> str:
    cells = "".join(f"{cell:<{score}}" for cell in scores)
    return f"{name:<{label}}{cells}{'  '.join(f'{cell:<34}' for cell in gains)}".rstrip()


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _measure(name: str, ceiling: float) -> str:
    return f"{name:<7}(at most {ceiling:.3f})" if is_below_one(ceiling) else name


def _of(ceiling: float) -> str:
    return f" of {ceiling:.3f}" if is_below_one(ceiling) else ""


def _score(score: Score) -> str:
    return f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _gain(gain: Gain) -> str:
    p_value = f"p < {_LEAST_P}" if gain.corrected < _LEAST_P else f"p {gain.corrected:.3f}"
    star = " *" if gain.is_significant else ""
    return f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]  {p_value}{star}"
