"""Fine-tuning, from a base and a catalog to a checkpoint that is shown to be better."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from goods.catalog import Catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.sheet import save_sheet
from model.captions import Captioner, all_facts
from model.checkpoint import load_checkpoint, replaced
from model.dual_encoder import DualEncoder
from model.encoder import Encoder, choose_device
from model.evaluation.evaluate import Evaluation, HeldOut, evaluate, hold_out
from model.pairs import Pairs, PictureStore, load_pairs
from model.scratch import PREFIX, build_scratch
from model.splits import FILE_NAME, SPLITS, given_places, write_splits
from model.training.fit import Fit, Step
from model.training.recipe import DEFAULT_BASE, Recipe, recipe_for
from model.training.refusals import refuse_foreign_folder, refuse_what_teaches_nothing
from model.training.report import EpochRecord, TrainReport, save_record
from model.training.showcase import Found, before_and_after, find

SHEET = "before-and-after.png"


@dataclass(frozen=True, slots=True)
class Looked:
    """So many products of the catalog have been looked at."""

    products: int


Event = Looked | Step | EpochRecord
"""What a training tells on its way: pictures first, then steps, and after each epoch its scores."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What to train, and on what; where None, the base's own recipe decides.

    Attributes:
        base: A checkpoint's folder or hub name, or "scratch:tiny" or "scratch:small".
        epochs: Passes over the training products.
        batch_size: Pairs per step.
        lr: Peak learning rate.
        seed: Of everything random; on a CPU the same seed gives the same weights.
        device: "auto" or a torch device.
        dtype: "auto" (bfloat16 where CUDA has it, else float32), "float32" or "bfloat16".
        limit: Take only the first so many rows of the catalog.
        splits: A CSV that assigns products to splits; else the catalog's own column does, else
            groups are assigned by a digest, 80 : 10 : 10.
        picture_memory_gib: For decoded pictures; what does not fit is decoded anew every epoch.
    """

    base: str = DEFAULT_BASE
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"
    limit: int | None = None
    splits: Path | None = None
    picture_memory_gib: float = 4.0

    def __post_init__(self) -> None:
        if self.dtype not in ("auto", "float32", "bfloat16"):
            raise TrainingError(
                f"training in {self.dtype} is not supported: gradients vanish; "
                "pass auto, float32 or bfloat16"
            )
        if self.seed < 0:
            raise TrainingError(f"the seed {self.seed} is negative; pass 0 or more")
        _ = self.recipe

    @property
    def recipe(self) -> Recipe:
        """The base's recipe with what was chosen here."""
        usual = recipe_for(self.base)
        return replace(
            usual,
            epochs=usual.epochs if self.epochs is None else self.epochs,
            batch_size=usual.batch_size if self.batch_size is None else self.batch_size,
            lr=usual.lr if self.lr is None else self.lr,
        )


def train(
    settings: TrainSettings,
    catalog: Catalog,
    out: Path,
    progress: Callable[[Event], None] = lambda _: None,
) -> TrainReport:
    """Fine-tune a base on a catalog; the best epoch's checkpoint is then in the folder `out`.

    Raises:
        TrainingError: The catalog or the settings teach nothing, or the loss stopped being a
            number; the best checkpoint until then is kept.
        ModelError: The base cannot be loaded.
    """
    refuse_foreign_folder(out)
    device = choose_device(settings.device)
    towers = _base(settings, catalog)
    towers.to(device)
    encoder, schema, recipe = Encoder(towers), catalog.schema, settings.recipe
    with PictureLoader() as loader:
        pairs = _pairs(settings, catalog, towers, loader, progress)
        captioner = Captioner(pairs.products, schema, settings.seed, recipe.captions)
        refuse_what_teaches_nothing(pairs, captioner, recipe)
        report = _blank_report(settings, catalog, pairs)

        # The base, where it has learned anything yet.
        before = _Verdict(None, ())
        if not settings.base.startswith(PREFIX):
            started = time.perf_counter()
            val = _scores(hold_out(pairs, "val", encoder), schema, encoder)
            record = EpochRecord(0, None, val, time.perf_counter() - started)
            progress(record)
            before = _verdict(pairs, schema, encoder)
            report = replace(report, base_test=before.scores, history=(record,))

        # Epochs; the best checkpoint so far is always in place.
        autocast = _autocast(settings.dtype, device)
        fit = Fit(towers, pairs, captioner, recipe, schema.phrase, settings.seed, autocast)
        for epoch in range(1, recipe.epochs + 1):
            started = time.perf_counter()
            loss = _learn(fit, epoch, report, out, progress)
            val = _scores(hold_out(pairs, "val", encoder), schema, encoder)
            record = EpochRecord(epoch, loss, val, time.perf_counter() - started)
            progress(record)
            report = replace(report, history=(*report.history, record))
            if report.best_epoch == epoch:
                _keep(report, towers, pairs, out)

        # What was kept, as everybody will load it.
        kept = Encoder.load(str(out), settings.device, "float32")
        after = _verdict(pairs, schema, kept)
        report = replace(report, test=after.scores)
        save_record(report, out)
        if after.found:
            save_sheet(before_and_after(before.found, after.found, loader), out / SHEET)
    return report


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a model scores on the test products, and what it finds among them."""

    scores: Evaluation | None
    found: Sequence[Found]


def _verdict(pairs: Pairs, schema: CatalogSchema, encoder: Encoder) -> _Verdict:
    held_out = hold_out(pairs, "test", encoder)
    return _Verdict(_scores(held_out, schema, encoder), find(held_out, schema, encoder))


def _base(settings: TrainSettings, catalog: Catalog) -> DualEncoder:
    """The model to train; for a scratch base one with random weights and the catalog's words."""
    if not settings.base.startswith(PREFIX):
        return load_checkpoint(settings.base)
    with tempfile.TemporaryDirectory() as folder:
        captions = (
            text
            for row in islice(catalog.products(), settings.limit)
            if isinstance(row, Product)
            for text in all_facts(row, catalog.schema).values()
        )
        build_scratch(settings.base, captions, Path(folder), settings.seed)
        return load_checkpoint(folder)


def _pairs(
    settings: TrainSettings,
    catalog: Catalog,
    towers: DualEncoder,
    loader: PictureLoader,
    progress: Callable[[Event], None],
) -> Pairs:
    memory = int(settings.picture_memory_gib * 2**30)
    return load_pairs(
        islice(catalog.products(), settings.limit),
        PictureStore(loader, towers.preprocessing, memory),
        given_places(settings.splits, catalog.schema),
        lambda seen: progress(Looked(seen)),
    )


def _learn(
    fit: Fit, epoch: int, report: TrainReport, out: Path, progress: Callable[[Event], None]
) -> float:
    """The mean loss of one epoch, learned."""
    losses = []
    try:
        for step in fit.epoch(epoch):
            progress(step)
            losses.append(step.loss)
    except TrainingError as error:
        best = report.best_epoch
        kept = f"the checkpoint of epoch {best} is in {out}" if best else "nothing is saved yet"
        raise TrainingError(f"{error}; {kept}") from error
    return sum(losses) / len(losses)


def _scores(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> Evaluation | None:
    return evaluate(held_out, schema, encoder) if held_out.products else None


def _keep(report: TrainReport, towers: DualEncoder, pairs: Pairs, out: Path) -> None:
    with replaced(out) as fresh:
        towers.save(fresh)
        write_splits(fresh / FILE_NAME, pairs.places())
        save_record(report, fresh)


def _blank_report(settings: TrainSettings, catalog: Catalog, pairs: Pairs) -> TrainReport:
    counts = {split: len(pairs.numbers(split)) for split in SPLITS}
    return TrainReport(
        settings.base,
        catalog.path.name,
        settings.recipe,
        settings.seed,
        counts,
        len(pairs.refused),
    )


def _autocast(dtype: str, device: torch.device) -> torch.dtype | None:
    is_fast = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if dtype == "bfloat16" or (dtype == "auto" and is_fast) else None
