"""What a training did, in numbers: for people, for machines, and for the checkpoint's folder."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from model.evaluation.evaluate import Evaluation
from model.training.guard import GuardReport
from model.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One pass over the training products.

    Attributes:
        epoch: From 1; 0 is the base before any training.
        loss: Mean over its steps; None for the base.
        val: What the model then scored on the validation products, if there are any.
        seconds: What the pass and its evaluation took.
    """

    epoch: int
    loss: float | None
    val: Evaluation | None
    seconds: float

    @property
    def score(self) -> float | None:
        """What the best epoch is chosen by."""
        return self.val.score if self.val else None

    def to_json(self) -> dict[str, Any]:
        """A plain form, with the score."""
        return asdict(self) | {"score": self.score}


@dataclass(frozen=True, slots=True)
class TrainReport:
    """A whole training.

    Attributes:
        base: What was fine-tuned.
        catalog: The catalog's file name.
        recipe: How.
        seed: Of all that was random.
        products: How many of each split.
        refused: How many rows and pictures could not be used.
        history: One record per epoch.
        base_test: What the base scores on the test products; None for a base without training.
        test: What the kept model scores on them; None while training, or without test products.
        guard: How much of the training was kept, where that was asked.
    """

    base: str
    catalog: str
    recipe: Recipe
    seed: int
    products: dict[str, int]
    refused: int
    history: tuple[EpochRecord, ...] = ()
    base_test: Evaluation | None = None
    test: Evaluation | None = None
    guard: GuardReport | None = None

    @property
    def best_epoch(self) -> int:
        """The one that is kept: the highest `Evaluation.score` on validation products.

        Without such products the last one.
        """
        scores = {record.epoch: record.score for record in self.history if record.epoch}
        if None in scores.values():
            return len(scores)
        return max(scores, key=lambda epoch: scores[epoch] or 0.0, default=0)

    @property
    def seconds(self) -> float:
        """How long all epochs took."""
        return sum(record.seconds for record in self.history)

    def to_json(self) -> dict[str, Any]:
        """A plain form, for `goods.json`."""
        return asdict(self) | {
            "history": [record.to_json() for record in self.history],
            "best_epoch": self.best_epoch,
            "chosen_by": "score: mean of title recall@10 and phrase P@10, validation products",
            "measured_by": "exact search among test products, pictures only; twins are right",
            "seconds": self.seconds,
        }

    def lines(self) -> list[str]:
        """What people want to know first."""
        counts = ", ".join(f"{count:,} {split}" for split, count in self.products.items())
        kept = f"epoch {self.best_epoch} of {self.recipe.epochs} kept, {self.seconds:.0f} s"
        scores = comparison(self.test, self.base_test) if self.test else []
        guarded = self.guard.lines() if self.guard else []
        return [f"{counts} products; {self.refused:,} refused; {kept}", *scores, *guarded]


def comparison(tuned: Evaluation, base: Evaluation | None) -> list[str]:
    """One line per measure; what the base scores comes first, where there is one."""
    rows = list(measures(tuned, base))
    width = max((len(name) for name, _, _ in rows), default=0) + 1
    lines = [f"{'':<{width}}{'base':>7} -> {'trained':>7}"] if base else []
    for name, before, after in rows:
        shown = f"{before:7.3f} -> " if before is not None else ""
        lines.append(f"{name:<{width}}{shown}{after:7.3f}")
    return lines


def measures(
    tuned: Evaluation, base: Evaluation | None = None
) -> Iterator[tuple[str, float | None, float]]:
    """Every measure by name: what the base scores, if there is one, and what the model does."""
    before = dict(_scores(base)) if base else {}
    for name, after in _scores(tuned):
        yield name, before.get(name), after


def _scores(scores: Evaluation) -> Iterator[tuple[str, float]]:
    if titles := scores.titles:
        yield f"{titles.queries:,} titles: recall@1", titles.recall_at_1
        yield "titles: recall@5", titles.recall_at_5
        yield "titles: recall@10", titles.recall_at_10
        yield "titles: MRR@10", titles.mrr
        yield "titles: CLIP score (100 x cosine)", titles.clip_score
    for phrases in scores.phrases:
        fields = " + ".join(phrases.fields)
        yield (
            f"{phrases.queries:,} phrases of {fields}: P@10{_at_most(phrases.ceiling)}",
            phrases.precision_at_10,
        )


def _at_most(ceiling: float) -> str:
    """What a perfect order reaches, where that is not 1."""
    return f" (at most {ceiling:.3f})" if ceiling < 1 else ""
