"""Fine-tuning, from a base and a catalog to a checkpoint that is shown to be better."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from goods.catalog import Catalog
from goods.pictures import PictureLoader
from goods.schema import CatalogSchema
from goods.sheet import save_sheet
from model.captions import Captioner
from model.checkpoint import put_back, replaced
from model.disk import refuse_unwritable, room_for, sole_writer
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.evaluation.evaluate import Evaluation, HeldOut, evaluate, hold_out
from model.evaluation.results import QueryHits
from model.pairs import Pairs
from model.scratch import PREFIX
from model.splits import FILE_NAME, SPLITS, write_splits
from model.stamp import stamp_of
from model.training.card import save_record
from model.training.course import Course
from model.training.events import Event, Looked
from model.training.fit import Fit
from model.training.guarded import guard_checkpoint, refuse_blind_guard, refuse_useless_general
from model.training.identity import identity_of
from model.training.lora import merged
from model.training.preparation import compute_of, load_base, load_products
from model.training.ranks import Ranks
from model.training.refusals import (
    refuse_foreign_folder,
    refuse_full_disk,
    refuse_to_forget,
    refuse_useless_splits,
    refuse_vain_mirror,
    refuse_what_teaches_nothing,
    weights_bytes,
)
from model.training.replay import load_replay, refuse_useless_replay
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
        TrainingError: The catalog or the settings teach nothing, another process trains into the
            same folder, the disk is full, or the loss stopped being a number; the best checkpoint
            until then is kept.
        ModelError: The base cannot be loaded.
    """
    refuse_unwritable(out)
    with sole_writer(out), PictureLoader(settings.picture_limits) as loader:
        # What can be refused before it costs anything.
        put_back(out)
        refuse_foreign_folder(out)
        folder = StateFolder(out)
        refuse_to_forget(folder, settings.resume)
        refuse_useless_splits(settings, catalog)
        refuse_useless_replay(settings)
        guarding = settings.guarding
        if guarding:
            refuse_useless_general(guarding)
        device = ranks.device(settings.device)
        compute = compute_of(settings, device)
        compute.refuse_no_compiler(device)

        # The base and the products.
        towers = load_base(settings, catalog, folder, ranks)
        stamp = stamp_of(towers)
        refuse_vain_mirror(settings, towers)
        refuse_full_disk(towers, folder)
        towers.to(device)
        encoder, schema = Encoder(towers), catalog.schema
        recipe, seed = settings.recipe, settings.seed
        pairs = load_products(
            settings, catalog, towers, loader, lambda seen: progress(Looked(seen))
        )
        captioner = Captioner(pairs.products, schema, seed, recipe.captions)
        refuse_what_teaches_nothing(pairs, captioner, settings, schema)
        if guarding and guarding.is_bounded:
            refuse_blind_guard(pairs)
        replay = load_replay(settings, towers, pairs, loader)
        identity = identity_of(stamp, recipe, seed, compute.autocast, pairs, schema, replay)
        report = _blank_report(settings, catalog, pairs)
        fit = Fit(towers, pairs, captioner, recipe, schema.phrase, seed, compute, ranks, replay)
        course = Course(fit, identity, folder, report, settings.save_every_min)

        # What the base scores, where it has learned anything yet.
        if folder.has_state:
            course.resume(pairs.products, progress)
        else:
            keeps_base = folder.begin(settings.base)
            if not settings.base.startswith(PREFIX):
                record = _record(0, None, time.perf_counter(), pairs, schema, encoder)
                progress(record)
                course.begin(record, *_verdict(pairs, schema, encoder))
            if keeps_base:
                course.save()  # else a crash could leave the first epoch in place of its base

        # Epochs; the best checkpoint so far is always in place.
        for epoch in ranks.from_first(course.epochs_left):
            started = time.perf_counter()
            loss = course.learn(epoch, progress)
            record = _record(epoch, loss, started, pairs, schema, encoder)
            progress(record)
            if course.finish(record):
                _keep(course, towers, pairs, out)
            course.save()

        # The best between base and best epoch, or what of it the base can bear.
        if guarding and not course.report.guard and len(pairs.numbers("val")):
            origin = str(folder.base or settings.base)
            blend, guarded = guard_checkpoint(
                out, origin, guarding, pairs, schema, device, loader, progress
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
    device = ranks.device(settings.device)
    towers = load_base(settings, catalog, StateFolder(out), ranks)
    towers.to(device)
    recipe, schema, seed = settings.recipe, catalog.schema, settings.seed
    with PictureLoader(settings.picture_limits) as loader:
        pairs = load_products(settings, catalog, towers, loader)
        captioner = Captioner(pairs.products, schema, seed, recipe.captions)
        compute = compute_of(settings, device)
        replay = load_replay(settings, towers, pairs, loader)
        fit = Fit(towers, pairs, captioner, recipe, schema.phrase, seed, compute, ranks, replay)
        for epoch in ranks.from_first(range(0)):
            for _ in fit.epoch(epoch):
                pass


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
        catalog.name,
        settings.recipe,
        settings.seed,
        counts,
        len(pairs.refused),
    )
