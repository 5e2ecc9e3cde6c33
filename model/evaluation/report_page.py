"""One self-contained page about what models find: numbers, plots and pictures.

The page needs no network, no script and no font of its own. Everything from a catalog is foreign
text: the template escapes it, and the page's own policy forbids whatever would slip through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from goods.pictures import PictureLoader
from goods.product import Product
from model.evaluation.outputs import PAGE, write_whole
from model.evaluation.published import Beside
from model.evaluation.report_view import HITS, TaskView, task_views, verdict
from model.evaluation.results import ModelResult
from model.evaluation.statistics import CONFIDENCE
from model.evaluation.summary import Summary, is_below_one, letter
from model.evaluation.thumbnails import thumbnails

_TEMPLATE = Path(__file__).with_name("report_page.html")


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as the page calls it, and in how many tasks it beats the first."""

    letter: str
    result: ModelResult
    better: int
    worse: int
    alike: int


def write_report(
    results: Sequence[ModelResult],
    summary: Summary,
    folder: Path,
    loader: PictureLoader,
    beside: Beside | None = None,
) -> Path:
    """The path of the page, `index.html` in `folder`, which is made if need be.

    Args:
        results: At least one model; the first is what others are compared with, the last the one
            whose failures are shown.
        summary: Of these results.
        folder: Where the page is written.
        loader: Where pictures come from; what it cannot load is shown as missing.
        beside: Published scores, or why they are not comparable; None says nothing.

    Raises:
        GoodsError: The page cannot be written.
    """
    tasks = task_views(results, summary)
    page = _template().render(
        title=summary.title,
        models=list(_models(results, tasks)),
        tasks=tasks,
        pictures=thumbnails(_pictured(tasks), loader),
        beside=beside,
        hits=HITS,
        confidence=CONFIDENCE,
        furthest=_furthest(tasks),
    )
    path = folder / PAGE
    write_whole(path, page)
    return path


def _models(results: Sequence[ModelResult], tasks: Sequence[TaskView]) -> Iterator[ModelView]:
    for number, result in enumerate(results):
        gains = [task.rows[0].gains[number - 1] for task in tasks if number]
        verdicts = [verdict(gain) for gain in gains]
        better, worse, alike = map(verdicts.count, ("better", "worse", "alike"))
        yield ModelView(letter(number), result, better, worse, alike)


def _furthest(tasks: Sequence[TaskView]) -> float:
    """The end of any drawn interval that is furthest from 0: the scale of the differences."""
    ends = (max(-gain.low, gain.high) for task in tasks for gain in task.rows[0].gains)
    return max(ends, default=0.0) or 1.0


def _pictured(tasks: Sequence[TaskView]) -> Iterator[Product]:
    """The products whose pictures the page shows."""
    for task in tasks:
        for of_every_model in task.shown:
            for found in of_every_model:
                if found.asked_by:
                    yield found.asked_by
                yield from (hit.product for hit in found.hits[:HITS])


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["below_one"] = is_below_one
    environment.filters.update(score=_score, signed=_signed, p_value=_p_value, verdict=verdict)
    return environment.get_template(_TEMPLATE.name)


def _score(value: float) -> str:
    return f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _p_value(p: float) -> str:
    said = "< .001" if p < 0.001 else "= 1" if p > 0.9995 else f"= {p:.3f}"
    return f"p {said}".replace(" ", "\N{NO-BREAK SPACE}")
