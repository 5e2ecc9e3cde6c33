"""Fine-tuning, from a base and a catalog to a checkpoint that is shown to be better."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from goods.catalog import Catalog
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.sheet import save_sheet
from model.captions import Captioner, all_facts
from model.checkpoint import load_checkpoint, put_back, replaced
from model.disk import room_for
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.evaluation.evaluate import Evaluation, HeldOut, evaluate, hold_out
from model.evaluation.results import QueryHits
from model.pairs import Pairs, PictureStore, load_pairs
from model.scratch import PREFIX, build_scratch
from model.splits import FILE_NAME, SPLITS, given_places, write_splits
from model.stamp import stamp_of
from model.training.card import save_record
from model.training.compute import Compute
from model.training.course import Course
from model.training.events import Event, Looked
from model.training.fit import Fit
from model.training.guarded import guard_checkpoint, refuse_useless_general
from model.training.identity import identity_of
from model.training.lora import merged
from model.training.ranks import Ranks
from model.training.refusals import (
    refuse_foreign_folder,
    refuse_full_disk,
    refuse_to_forget,
    refuse_useless_splits,
    refuse_what_teaches_nothing,
    weights_bytes,
)
from model.training.report import EpochRecord, TrainReport
from model.training.settings import TrainSettings
from model.training.showcase import SHEET, before_and_after, find
from model.training.state import StateFolder


def train(
    settings: TrainSettings,
    catalog: Catalog,
    out: Path,
    progress: Callable[[Event], None] = lambda _: None,
    ranks: Ranks = Ranks(),  # noqa: B008 - one process alone keeps nothing
) -> TrainReport:
    """Fine-tune a base on a catalog; the best epoch's checkpoint is then in the folder `out`.

    Until it is finished, its state is kept beside `out`: with `settings.resume` a training that was
    killed ends with the weights that it would have had, on a CPU bit for bit. Of several processes
    the first calls this; the others `assist`.

    Raises:
        TrainingError: The catalog or the settings teach nothing, the disk is full, or the loss
            stopped being a number; the best checkpoint until then is kept.
        ModelError: The base cannot be loaded.
    """
    put_back(out)
    refuse_foreign_folder(out)
    folder = StateFolder(out)
    refuse_to_forget(folder, settings.resume)
    refuse_useless_splits(settings, catalog)
    if settings.guarding:
        refuse_useless_general(settings.guarding)
    device = ranks.device(settings.device)
    towers = _base(settings, catalog, folder, ranks)
    stamp = stamp_of(towers)
    refuse_full_disk(towers, folder)
    towers.to(device)
    encoder, schema, recipe = Encoder(towers), catalog.schema, settings.recipe
    autocast = _autocast(settings.dtype, device)
    with PictureLoader() as loader:
        pairs = _pairs(settings, catalog, towers, loader, progress)
        captioner = Captioner(pairs.products, schema, settings.seed, recipe.captions)
        refuse_what_teaches_nothing(pairs, captioner, settings, schema)
        identity = identity_of(stamp, recipe, settings.seed, autocast, pairs, schema)
        report = _blank_report(settings, catalog, pairs)
        fit = _fit(settings, towers, pairs, captioner, schema, ranks)
        course = Course(fit, identity, folder, report, settings.save_every_min)

        # The base, where it has learned anything yet.
        if folder.has_state:
            course.resume(pairs.products, progress)
        else:
            folder.begin(settings.base)
            if not settings.base.startswith(PREFIX):
                record = _record(0, None, time.perf_counter(), pairs, schema, encoder)
                progress(record)
                course.begin(record, *_verdict(pairs, schema, encoder))

        # Epochs; the best checkpoint so far is always in place.
        for epoch in ranks.from_first(course.epochs_left):
            started = time.perf_counter()
            loss = course.learn(epoch, progress)
            record = _record(epoch, loss, started, pairs, schema, encoder)
            progress(record)
            if course.finish(record):
                _keep(course, towers, pairs, out)
            course.save()

        # Only as much of it as the base can bear.
        if settings.guarding and not course.report.guard:
            origin = str(folder.base or settings.base)
            blend, guarded = guard_checkpoint(
                out, origin, settings.guarding, pairs, schema, device, loader, progress
            )
            course.report = replace(course.report, guard=guarded)
            if guarded.alpha < 1:
                _keep(course, blend, pairs, out)

        # What was kept, as everybody will load it.
        kept = Encoder.load(str(out), settings.device, "float32")
        scores, found = _verdict(pairs, schema, kept)
        report = replace(course.report, test=scores)
        with room_for("the report", out, 0):
            course.draw(out)
            if found:
                save_sheet(before_and_after(course.base_found, found, loader), out / SHEET)
            save_record(report, out)
    folder.delete()
    return report


def assist(settings: TrainSettings, catalog: Catalog, out: Path, ranks: Ranks) -> None:
    """One process's share of a training that the first process leads.

    Raises:
        GoodsError: As `train`; or another process has ended.
    """
    towers = _base(settings, catalog, StateFolder(out), ranks)
    towers.to(ranks.device(settings.device))
    with PictureLoader() as loader:
        pairs = _pairs(settings, catalog, towers, loader, lambda _: None)
        captions = settings.recipe.captions
        captioner = Captioner(pairs.products, catalog.schema, settings.seed, captions)
        fit = _fit(settings, towers, pairs, captioner, catalog.schema, ranks)
        for epoch in ranks.from_first(range(0)):
            for _ in fit.epoch(epoch):
                pass


def _fit(
    settings: TrainSettings,
    towers: DualEncoder,
    pairs: Pairs,
    captioner: Captioner,
    schema: CatalogSchema,
    ranks: Ranks,
) -> Fit:
    compute = Compute(
        _autocast(settings.dtype, towers.device),
        settings.micro_batch_size,
        settings.gradient_checkpointing,
        "inductor" if settings.compile else None,
    )
    return Fit(
        towers,
        pairs,
        captioner,
        settings.recipe,
        schema.phrase,
        settings.seed,
        compute,
        ranks,
    )


def _base(
    settings: TrainSettings, catalog: Catalog, folder: StateFolder, ranks: Ranks
) -> DualEncoder:
    """The model to train; for a scratch base one with random weights and the catalog's words."""
    if not settings.base.startswith(PREFIX):
        return load_checkpoint(str(folder.base or settings.base))
    with tempfile.TemporaryDirectory() as scratch:
        captions = (
            text
            for row in islice(catalog.products(), settings.limit)
            if isinstance(row, Product)
            for text in all_facts(row, catalog.schema).values()
        )
        if ranks.is_first:  # in the others transformers saves nothing
            build_scratch(settings.base, captions, Path(scratch), settings.seed)
        ranks.copy_files(Path(scratch))
        return load_checkpoint(scratch)


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


def _record(
    epoch: int,
    loss: float | None,
    started: float,
    pairs: Pairs,
    schema: CatalogSchema,
    encoder: Encoder,
) -> EpochRecord:
    val = _scores(hold_out(pairs, "val", encoder), schema, encoder)
    return EpochRecord(epoch, loss, val, time.perf_counter() - started)


def _verdict(
    pairs: Pairs, schema: CatalogSchema, encoder: Encoder
) -> tuple[Evaluation | None, Sequence[QueryHits]]:
    """What a model scores on the test products, and what it finds among them."""
    held_out = hold_out(pairs, "test", encoder)
    return _scores(held_out, schema, encoder), find(held_out, schema, encoder)


def _scores(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> Evaluation | None:
    return evaluate(held_out, schema, encoder) if held_out.products else None


def _keep(course: Course, towers: DualEncoder, pairs: Pairs, out: Path) -> None:
    what = f"the checkpoint of epoch {course.report.best_epoch}"
    with room_for(what, out, weights_bytes(towers)), replaced(out) as fresh:
        merged(towers).save(fresh)
        write_splits(fresh / FILE_NAME, pairs.places())
        save_record(course.report, fresh)


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
