"""The card of a checkpoint: what it is, how good, how it was made, and what it is not for."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from model.training.history import CURVES
from model.training.identity import flat
from model.training.recipe import RECORD
from model.training.report import TrainReport, measures
from model.training.showcase import SHEET

CARD = "README.md"


def save_record(report: TrainReport, folder: Path) -> None:
    """Write `goods.json` and the model card into a checkpoint's folder, pictures being there."""
    record = json.dumps(report.to_json(), indent=2) + "\n"
    shown = [name for name in (CURVES, SHEET) if (folder / name).is_file()]
    for name, text in ((RECORD, record), (CARD, model_card(report, shown))):
        fresh = folder / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / name)


def model_card(report: TrainReport, shown: Sequence[str] = ()) -> str:
    """The README of a checkpoint.

    Args:
        report: What it tells.
        shown: Names of pictures beside it.
    """
    return _CARD.format(
        base=_name_of(report.base),
        catalog=report.catalog,
        counts=report.products,
        refused=report.refused,
        epochs=report.recipe.epochs,
        best=report.best_epoch,
        seconds=report.seconds,
        recipe=", ".join(_recipe(report)),
        seed=report.seed,
        scores="\n".join(_score_rows(report)) or "| no test products | | |",
        history="\n".join(_history_rows(report)),
        curves=f"\n![Loss, learning rate and score]({CURVES})\n" if CURVES in shown else "",
        guard=f"\n## What was kept of the training\n{report.guard.markdown()}\n"
        if report.guard
        else "",
        sheet=f"\n![What base and model find]({SHEET})\n" if SHEET in shown else "",
    )


def _kept(report: TrainReport) -> str:
    """What was tried between base and tuned model, if anything was."""
    if not report.guard:
        return ""
    return f"\n## What was kept of the training\n{report.guard.markdown()}\n"


def _name_of(base: str) -> str:
    """A hub name, or a folder's without the folders of this machine above it."""
    return Path(base).resolve().name if Path(base).is_dir() else base


def _recipe(report: TrainReport) -> Iterator[str]:
    """What was done; what was left out is 0, "none" or False."""
    for name, value in flat(asdict(report.recipe)):
        if value and value != "none":
            yield f"{name} {value}"


def _score_rows(report: TrainReport) -> Iterator[str]:
    for name, before, after in measures(report.test, report.base_test) if report.test else ():
        yield f"| {name} | {'-' if before is None else f'{before:.3f}'} | {after:.3f} |"


def _history_rows(report: TrainReport) -> Iterator[str]:
    for record in report.history:
        loss = "-" if record.loss is None else f"{record.loss:.3f}"
        score = "-" if record.score is None else f"{record.score:.3f}"
        yield f"| {record.epoch or 'the base'} | {loss} | {score} | {record.seconds:.0f} |"


_CARD = """---
library_name: transformers
pipeline_tag: feature-extraction
tags: [clip, product-search]
---
# {base}, trained on {catalog}

Finds a shop's products by text and by picture: both become unit vectors, near when they belong
together. Trained by clip-for-goods on {counts[train]:,} products; epoch {best} of {epochs} is kept,
the one with the highest score on {counts[val]:,} validation products.

## Scores on {counts[test]:,} test products
Exact search among products that were never trained on, by their pictures alone. A hit on a twin
(same title, variant group or picture) is right. P@10 is the share of right products among the
first 10 hits; where fewer than 10 are right, a perfect order reaches what "at most" says. The CLIP
score says how alike, not how good.

| measure | base | this model |
|---|---|---|
{scores}
{sheet}{guard}
## Training
`{recipe}`, seed {seed}, {seconds:.0f} s; {refused:,} rows or pictures could not be used.
{curves}
| epoch | loss | score on validation products | seconds |
|---|---|---|---|
{history}

The score is the mean of title recall@10 and of the mean P@10 of phrases. `goods.json` has all
numbers, `history.csv` every step, `epochs.csv` every score of every epoch, `splits.csv` which
product was used for what.

## Limits
- The scores are of this catalog: other shops, other photographs and other ways to ask score
  differently. Measure with `goods evaluate`.
- It knows what pictures show and what the catalog says of them: not size, fit, price or stock.
- It may have lost some of what the base knew besides.
- A cosine orders the hits of one query; it is no probability, and is not comparable over queries.
- What the licence of the base's weights and the rights in the catalog's pictures demand holds for
  this model as well.

## Use
`goods ingest --model FOLDER ...`, or `AutoModel`, `AutoTokenizer` and `AutoImageProcessor` of
`transformers`: each loads this folder with `from_pretrained`.
"""
