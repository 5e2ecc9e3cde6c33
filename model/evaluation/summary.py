"""What an evaluation comes to: means with intervals, and every later model against the first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from model.evaluation.evaluate import ALL
from model.evaluation.tasks import CATALOG, FILES, MARQO

_ASKED = {CATALOG: "", MARQO: ", asked as in Marqo's benchmark", FILES: ", asked by judged queries"}
_SIGNIFICANT = 0.05
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(number: int) -> str:
    """What tables and pages call a model: A, B ... Z, A2 ..."""
    turn, place = divmod(number, len(_LETTERS))
    return _LETTERS[place] + (str(turn + 1) if turn else "")


def is_below_one(ceiling: float) -> bool:
    """Whether a ceiling is worth telling: it differs from 1 in the three digits that are shown."""
    return ceiling < 1 - 5e-4


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over queries, and where it would lie for other queries like these (95 %)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What a later model scores above the first.

    Attributes:
        mean: Positive where it is better.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_value: Of a paired randomisation test, for itself.
        corrected: The p-value corrected for all tests of the run (Holm): with many tests some
            look significant by chance.
    """

    mean: float
    low: float
    high: float
    p_value: float
    corrected: float

    @property
    def is_significant(self) -> bool:
        """Whether chance alone would seldom show it, all tests of the run considered."""
        return self.corrected < _SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one task.

    Attributes:
        task: The task's name.
        queries: How many.
        measure: "P@10".
        ceiling: What perfect orders reach.
        scores: Of each model.
        gains: Of each model after the first.
        is_aside: Shown apart, and part of no average; see `tasks.Task`.
    """

    task: str
    queries: int
    measure: str
    ceiling: float
    scores: Sequence[Score]
    gains: Sequence[Gain]
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class Average:
    """A measure over tasks, each of which counts the same.

    Attributes:
        tasks: Their names.
        measure: "P@10".
        ceiling: What perfect orders reach.
        means: Of each model.
    """

    tasks: Sequence[str]
    measure: str
    ceiling: float
    means: Sequence[float]


@dataclass(frozen=True, slots=True)
class Weak:
    """Queries of a task that ask for one value: "green skirts".

    Attributes:
        task: The task.
        field: The field, or several.
        value: What is asked for.
        queries: How many of them.
        measure: The task's first measure.
        ceiling: What perfect orders reach.
        means: Of each model.
    """

    task: str
    field: str
    value: str
    queries: int
    measure: str
    ceiling: float
    means: Sequence[float]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is printed, and written as JSON.

    Attributes:
        catalog: The catalog's file name.
        split: Which products.
        protocol: How they were asked.
        products: How many were searched.
        models: Their names.
        stamps: Their model stamps.
        trained_on: For each how many of the products it has learned from.
        clip_scores: For each the mean of 100 * cosine of a title and its picture.
        rows: Every measure.
        averages: Over tasks with the same measures.
        weakest: Where the last model falls short, per task.
    """

    catalog: str
    split: str
    protocol: str
    products: int
    models: Sequence[str]
    stamps: Sequence[str]
    trained_on: Sequence[int]
    clip_scores: Sequence[float | None]
    rows: Sequence[Row]
    averages: Sequence[Average]
    weakest: Sequence[Weak]

    @property
    def title(self) -> str:
        """What was searched, and by which questions: "663 test products of shop.csv"."""
        which = "" if self.split == ALL else f"{self.split} "
        return f"{self.products:,} {which}products of {self.catalog}{_ASKED[self.protocol]}"

    def to_json(self) -> dict[str, Any]:
        """A plain form."""
        return asdict(self)
