"""What a training did, in numbers: for people, for machines, and for the checkpoint's folder."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.evaluation.evaluate import Evaluation
from model.training.recipe import Recipe

RECORD = "goods.json"
CARD = "README.md"


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
        return [f"{counts} products; {self.refused:,} refused; {kept}", *scores]


def save_record(report: TrainReport, folder: Path) -> None:
    """Write `goods.json` and the model card into a checkpoint's folder."""
    record = json.dumps(report.to_json(), indent=2) + "\n"
    for name, text in ((RECORD, record), (CARD, model_card(report))):
        fresh = folder / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / name)


def comparison(tuned: Evaluation, base: Evaluation | None) -> list[str]:
    """One line per measure; what the base scores comes first, where there is one."""
    lines = [f"{'':<44}{'base':>7} -> {'trained':>7}"] if base else []
    for name, before, after in measures(tuned, base):
        shown = f"{before:7.3f} -> " if before is not None else ""
        lines.append(f"{name:<44}{shown}{after:7.3f}")
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
        yield "titles: MRR", titles.mrr
        yield "titles: CLIP score (100 x cosine)", titles.clip_score
    for phrases in scores.phrases:
        fields = " + ".join(phrases.fields)
        yield f"{phrases.queries:,} phrases of {fields}: P@10", phrases.precision_at_10


def model_card(report: TrainReport) -> str:
    """The README of a checkpoint."""
    return _CARD.format(
        base=report.base,
        catalog=report.catalog,
        train=report.products["train"],
        epochs=report.recipe.epochs,
        best=report.best_epoch,
        seconds=report.seconds,
        recipe=", ".join(f"{name} {value}" for name, value in asdict(report.recipe).items()),
        seed=report.seed,
        scores="\n".join(_score_rows(report)) or "| no test products | | |",
        history="\n".join(_history_rows(report)),
    )


def _score_rows(report: TrainReport) -> Iterator[str]:
    for name, before, after in measures(report.test, report.base_test) if report.test else ():
        yield f"| {name} | {'-' if before is None else f'{before:.3f}'} | {after:.3f} |"


def _history_rows(report: TrainReport) -> Iterator[str]:
    for record in report.history:
        loss = "-" if record.loss is None else f"{record.loss:.3f}"
        score = "-" if record.score is None else f"{record.score:.3f}"
        yield f"| {record.epoch} | {loss} | {score} | {record.seconds:.0f} |"


_CARD = """---
library_name: transformers
pipeline_tag: feature-extraction
tags: [clip, product-search]
---
# {base}, trained on {catalog}

Finds a shop's products by text and by picture: both become unit vectors, near when they belong
together. Trained by clip-for-goods on {train:,} products; epoch {best} of {epochs} is kept, the
one with the highest score on the validation products.

## Scores on test products
Exact search among products that were never trained on, by their pictures alone. A hit on a twin
(same title, variant group or picture) is right. P@10 is the share of right products among the
first 10 hits, of 10 or of as many as there are. The CLIP score says how alike, not how good.

| measure | base | this model |
|---|---|---|
{scores}

## Training
`{recipe}`, seed {seed}, {seconds:.0f} s.

| epoch | loss | score on validation products | seconds |
|---|---|---|---|
{history}

The score is the mean of title recall@10 and of the mean P@10 of phrases. `goods.json` has all
numbers, `splits.csv` has which product was used for what.

## Use
`goods ingest --model FOLDER ...`, or `AutoModel`, `AutoTokenizer` and `AutoImageProcessor` of
`transformers`: each loads this folder with `from_pretrained`.
"""
