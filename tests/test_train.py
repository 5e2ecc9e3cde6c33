"""Training: it learns, keeps the best, proves it, and refuses what cannot work before it costs."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from goods.catalog import Catalog, open_catalog
from goods.errors import ModelError, TrainingError
from goods.schema import CatalogSchema
from model.checkpoint import load_checkpoint, replaced
from model.encoder import Encoder
from model.evaluation.evaluate import Evaluation, HeldOut
from model.evaluation.judge import judge
from model.quiet import quiet_libraries
from model.training import batch_loss
from model.training import train as training
from model.training.events import Event, Looked
from model.training.fit import Step
from model.training.loss import MAX_LOG_TEMPERATURE
from model.training.optimiser import optimiser, warm_cosine
from model.training.recipe import Recipe, recipe_for
from model.training.report import EpochRecord, TrainReport
from model.training.settings import TrainSettings
from model.training.train import train
from shop import make_shop, read_rows, write_rows


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return open_catalog(make_shop(tmp_path_factory.mktemp("shop"), 120))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def settings(base: Path | str, **others: object) -> TrainSettings:
    usual = {"epochs": 2, "batch_size": 16, "lr": 1e-3, "device": "cpu", "is_blended": False}
    return TrainSettings(base=str(base), **(usual | others))  # type: ignore[arg-type] # passed on


@pytest.fixture(scope="module")
def trained(
    catalog: Catalog, clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainReport, Path, list[Event]]:
    """One training that many tests look at."""
    out = tmp_path_factory.mktemp("out") / "model"
    events: list[Event] = []
    report = train(settings(clip, epochs=12, lr=3e-3), catalog, out, events.append)
    return report, out, events


def test_training_beats_its_base(trained: tuple[TrainReport, Path, list[Event]]) -> None:
    report, _, _ = trained
    assert report.test.titles.mrr > report.base_test.titles.mrr + 0.1
    assert report.history[-1].loss < report.history[1].loss


def test_plain_transformers_load_the_result(
    trained: tuple[TrainReport, Path, list[Event]], clip: Path
) -> None:
    _, out, _ = trained
    with quiet_libraries(), torch.inference_mode():
        model = AutoModel.from_pretrained(out)
        tokens = AutoTokenizer.from_pretrained(out)(["red dress"], return_tensors="pt")
        features = model.get_text_features(**tokens).pooler_output
        assert AutoImageProcessor.from_pretrained(out).size == {"shortest_edge": 32}
    own = Encoder.load(str(out), device="cpu").texts(["red dress"])
    expected = torch.nn.functional.normalize(features, dim=-1).numpy()
    np.testing.assert_allclose(own, expected, atol=1e-5)
    assert Encoder.load(str(out)).stamp != Encoder.load(str(clip)).stamp


def test_the_record_says_how_on_what_and_how_well(
    trained: tuple[TrainReport, Path, list[Event]], clip: Path
) -> None:
    report, out, _ = trained
    record = json.loads((out / "goods.json").read_text())
    assert record["base"] == str(clip)
    assert record["catalog"] == "products.csv"
    assert record["recipe"]["epochs"] == 12
    assert [epoch["epoch"] for epoch in record["history"]] == list(range(13))
    assert record["best_epoch"] == report.best_epoch
    assert record["test"]["titles"]["recall_at_10"] == report.test.titles.recall_at_10
    assert record["products"] == report.products
    assert sum(report.products.values()) == 120


def test_the_model_card_holds_the_numbers_of_base_and_model(
    trained: tuple[TrainReport, Path, list[Event]], clip: Path
) -> None:
    report, out, _ = trained
    card = (out / "README.md").read_text()
    base, tuned = report.base_test.titles.mrr, report.test.titles.mrr
    assert f"| titles: MRR@10 | {base:.3f} | {tuned:.3f} |" in card
    assert card.count("\n| 1") >= 3, "the epochs are listed"
    assert f"# {clip.name}, trained on products.csv" in card
    assert str(clip.parent) not in card, "where it was made is nobody's business"


def test_the_report_has_a_line_per_measure(
    trained: tuple[TrainReport, Path, list[Event]],
) -> None:
    report, _, _ = trained
    lines = report.lines()
    assert "0 refused; epoch" in lines[0]
    assert any(line.startswith("titles: recall@10") and "->" in line for line in lines)


def test_pictures_show_what_base_and_model_find(
    trained: tuple[TrainReport, Path, list[Event]],
) -> None:
    _, out, _ = trained
    with Image.open(out / "before-and-after.png") as sheet:
        assert min(sheet.size) > 400


def test_everything_that_happens_is_told(trained: tuple[TrainReport, Path, list[Event]]) -> None:
    report, _, events = trained
    assert [e.products for e in events if isinstance(e, Looked)] == list(range(1, 121))
    assert tuple(e for e in events if isinstance(e, EpochRecord)) == report.history
    steps = [e for e in events if isinstance(e, Step)]
    assert [step.number for step in steps] == list(range(1, steps[-1].of + 1))
    assert all(step.pairs_per_s > 0 for step in steps)


def test_what_was_saved_is_what_was_measured(
    trained: tuple[TrainReport, Path, list[Event]], catalog: Catalog
) -> None:
    report, out, _ = trained
    assert judge(Encoder.load(str(out), device="cpu"), catalog, "test") == report.test


def test_the_checkpoint_remembers_its_splits(
    trained: tuple[TrainReport, Path, list[Event]], catalog: Catalog
) -> None:
    _, out, _ = trained
    assert {"history.csv", "epochs.csv", "curves.png"} <= {path.name for path in out.iterdir()}
    rows = (out / "splits.csv").read_text().splitlines()
    assert rows[0] == "id,split,dup_group"
    assert len(rows) == 121


def test_the_best_epoch_is_kept_not_the_last(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = tmp_path / "splits.csv"
    parts = ["val"] * 7 + ["test"] * 13 + ["train"] * 100
    products = read_rows(Path(catalog.location))
    rows = [{"id": row["id"], "split": part} for row, part in zip(products, parts, strict=True)]
    write_rows(splits, rows)
    scores = [0.1, 0.5, 0.9, 0.3, 0.2]  # the base, then four epochs
    stamps: list[str] = []
    real = training.evaluate

    def graded(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> Evaluation:
        found = real(held_out, schema, encoder)
        if len(held_out.products) != 7:
            return found
        titles = replace(found.titles, recall_at_10=scores[len(stamps)])
        stamps.append(Encoder(encoder._towers).stamp)
        return replace(found, titles=titles, phrases=())

    monkeypatch.setattr(training, "evaluate", graded)
    report = train(settings(clip, epochs=4, splits=splits), catalog, tmp_path / "out")
    assert report.best_epoch == 2
    assert Encoder.load(str(tmp_path / "out"), device="cpu").stamp == stamps[2]
    record = json.loads((tmp_path / "out" / "goods.json").read_text())
    assert [epoch["score"] for epoch in record["history"]] == scores


def test_the_same_seed_gives_the_same_model(catalog: Catalog, clip: Path, tmp_path: Path) -> None:
    stamps = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(settings(clip, epochs=1, seed=seed), catalog, tmp_path / name)
        stamps.append(Encoder.load(str(tmp_path / name), device="cpu").stamp)
    assert stamps[0] == stamps[1] != stamps[2]


@pytest.mark.parametrize("make", [tiny_siglip, tiny_siglip2])
def test_siglip_bases_are_trained_too(
    make: Callable[[Path], Path], catalog: Catalog, tmp_path: Path
) -> None:
    base = make(tmp_path / "base")
    report = train(settings(base, epochs=4), catalog, tmp_path / "out")
    losses = [record.loss for record in report.history[1:]]
    assert losses[-1] < losses[0]


def test_patches_cannot_be_mirrored(catalog: Catalog, tmp_path: Path) -> None:
    base = tiny_siglip2(tmp_path / "base")
    with pytest.raises(TrainingError, match="which cannot be mirrored; train it without --mirror"):
        train(settings(base, mirror=True), catalog, tmp_path / "out", pytest.fail)


def test_matrix_products_can_be_bfloat16_while_weights_stay_float32(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    full = train(settings(clip, epochs=1), catalog, tmp_path / "full")
    half = train(settings(clip, epochs=1, dtype="bfloat16"), catalog, tmp_path / "half")
    assert half.history[1].loss == pytest.approx(full.history[1].loss, rel=0.05)
    assert half.history[1].loss != full.history[1].loss
    weights = load_file(tmp_path / "half" / "model.safetensors").values()
    assert {weight.dtype for weight in weights} == {torch.float32}


def test_a_scratch_base_needs_no_download_and_is_not_compared(
    catalog: Catalog, tmp_path: Path
) -> None:
    report = train(settings("scratch:tiny", epochs=1), catalog, tmp_path / "out")
    assert report.base_test is None
    assert report.history[0].epoch == 1
    assert "->" not in "".join(report.lines())
    assert "| - |" in (tmp_path / "out" / "README.md").read_text()


def test_training_again_replaces_the_checkpoint(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    train(settings(clip, epochs=1), catalog, out)
    before = Encoder.load(str(out), device="cpu").stamp
    train(settings(out, epochs=1), catalog, out)
    assert Encoder.load(str(out), device="cpu").stamp != before
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left over"


def test_without_validation_products_the_last_epoch_is_kept(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    write_rows(splits, [{"id": f"P-{n}", "split": "train"} for n in range(40)])
    report = train(settings(clip, splits=splits), catalog, tmp_path / "out")
    assert (report.best_epoch, report.test) == (2, None)
    assert report.history[-1].val is None
    assert "no test products" in (tmp_path / "out" / "README.md").read_text()


def test_other_folders_are_never_replaced(catalog: Catalog, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(TrainingError, match="is no checkpoint of goods; name another folder"):
        train(settings(clip), catalog, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_fewer_products_than_a_batch_are_refused(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"fewer than a batch of 16; .* lower --batch-size"):
        train(settings(clip, limit=12), catalog, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def changed_shop(folder: Path, **cells: str) -> Catalog:
    file = make_shop(folder, 40)
    write_rows(file, [row | cells for row in read_rows(file)])
    return open_catalog(file)


def test_one_caption_for_everything_is_refused(clip: Path, tmp_path: Path) -> None:
    same = changed_shop(tmp_path / "shop", title="Shirt", colour="", category="")
    splits = tmp_path / "splits.csv"
    write_rows(splits, [{"id": f"P-{n}", "split": "train"} for n in range(40)])
    with pytest.raises(TrainingError, match="are called the same, 'shirt': there is nothing"):
        train(settings(clip, splits=splits), same, tmp_path / "out")


def test_the_same_facts_for_everything_are_refused(clip: Path, tmp_path: Path) -> None:
    same = changed_shop(tmp_path / "shop", title="Shirt", colour="Red", category="Shirt")
    splits = all_train(tmp_path, 40)
    with pytest.raises(TrainingError, match="all 40 products are called the same"):
        train(settings(clip, splits=splits), same, tmp_path / "out")


def all_train(folder: Path, count: int) -> Path:
    splits = folder / "splits.csv"
    write_rows(splits, [{"id": f"P-{n}", "split": "train"} for n in range(count)])
    return splits


def test_products_without_a_word_are_counted_when_too_few_are_left(
    clip: Path, tmp_path: Path
) -> None:
    file = make_shop(tmp_path / "shop", 40)
    nameless = {"title": "", "category": "", "colour": ""}
    rows = read_rows(file)
    write_rows(file, [row | (nameless if n > 9 else {}) for n, row in enumerate(rows)])
    chosen = settings(clip, splits=all_train(tmp_path, 40), limit=40)
    with pytest.raises(
        TrainingError,
        match=r"10 products are left .* batch of 16; .* 30 without a word .* raise --limit, or",
    ):
        train(chosen, open_catalog(file), tmp_path / "out")


def test_splits_of_another_catalog_are_refused(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    write_rows(splits, [{"id": f"{n}", "split": "train"} for n in range(40)])
    with pytest.raises(
        TrainingError,
        match=r"splits.csv has a place for none of the rows of products.csv: .* such as 'P-0'",
    ):
        train(settings(clip, splits=splits), catalog, tmp_path / "out")


def test_splits_and_a_limit_that_leave_nothing_to_train_on_are_refused(
    catalog: Catalog, clip: Path, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    parts = ["val"] * 20 + ["test"] * 20 + ["train"] * 80
    write_rows(splits, [{"id": f"P-{n}", "split": part} for n, part in enumerate(parts)])
    with pytest.raises(
        TrainingError,
        match=r"the first 30 rows of .* are 0 train, 20 val, 10 test products: none .* --limit or",
    ):
        train(settings(clip, splits=splits, limit=30), catalog, tmp_path / "out")


def test_a_base_of_another_kind_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="is a bert model, not a dual encoder"):
        train(settings(base), catalog, tmp_path / "out")


def test_a_disk_without_room_is_refused_before_training(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=30_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(TrainingError, match=r"it takes \d\d MB, 30 MB are free"):
        train(settings(clip), catalog, tmp_path / "new" / "out", pytest.fail)


def test_a_place_that_cannot_be_written_is_refused_before_training(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"file is a file: no folder .*out can be made"):
        train(settings(clip), catalog, tmp_path / "file" / "out", pytest.fail)
    for place in (Path(), Path("..")):
        with pytest.raises(TrainingError, match=r"has no name of its own; name a folder in it"):
            train(settings(clip), catalog, place, pytest.fail)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(TrainingError, match=r"nothing may be written to .*, where out belongs"):
        train(settings(clip), catalog, tmp_path / "out", pytest.fail)


def test_a_catalog_without_readable_pictures_is_refused(clip: Path, tmp_path: Path) -> None:
    catalog = open_catalog(make_shop(tmp_path / "shop", 20))
    for file in (tmp_path / "shop" / "images").iterdir():
        file.write_bytes(b"<html>")
    with pytest.raises(TrainingError, match=r"20 products were refused, .*P-0.jpg.*P-2.jpg"):
        train(settings(clip), catalog, tmp_path / "out")


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    steps: list[Step] = []
    real = batch_loss.contrastive_loss

    def diverging(logits: torch.Tensor, is_true: torch.Tensor) -> torch.Tensor:
        return real(logits, is_true) * (math.nan if steps and steps[-1].epoch == 2 else 1)

    def watch(event: Event) -> None:
        if isinstance(event, Step):
            steps.append(event)

    monkeypatch.setattr(batch_loss, "contrastive_loss", diverging)
    with pytest.raises(
        TrainingError, match=r"at step (\d+) of \d+ the loss is nan .* epoch 1 is in"
    ):
        train(settings(clip), catalog, out, watch)
    assert steps[-1].epoch == 2
    assert np.isfinite(Encoder.load(str(out), device="cpu").texts(["red dress"])).all()
    kept = {path.name for path in (tmp_path / "out.training").iterdir()}
    assert kept == {"curves.png", "epochs.csv", "history.csv"}, "a state would lead here again"


def test_a_loss_that_is_never_a_number_saves_nothing(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loss, "contrastive_loss", lambda logits, _: logits.sum() * math.nan)
    with pytest.raises(TrainingError, match=r"at step 1 of .* lower --lr .*; nothing is saved yet"):
        train(settings(clip), catalog, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_temperature_stays_below_its_bound(
    catalog: Catalog, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loss, "contrastive_loss", lambda logits, _: -logits.sum())
    train(settings(clip, epochs=6, lr=0.5), catalog, tmp_path / "out")
    with quiet_libraries():
        learned = AutoModel.from_pretrained(tmp_path / "out").logit_scale.item()
    assert learned <= MAX_LOG_TEMPERATURE + 1e-6


def test_weight_decay_spares_norms_biases_and_the_temperature(clip: Path) -> None:
    towers = load_checkpoint(str(clip))
    groups = optimiser(towers, Recipe(1, 16, 1e-3, weight_decay=0.2)).param_groups
    assert {group["weight_decay"] for group in groups} == {0.2, 0.0}
    decayed, spared = (
        [weight for group in groups if group["weight_decay"] == decay for weight in group["params"]]
        for decay in (0.2, 0.0)
    )
    names = {id(weight): name for name, weight in towers.model.named_parameters()}
    is_spared = {names[id(weight)] for weight in spared}
    assert {"logit_scale", "text_model.final_layer_norm.weight"} <= is_spared
    assert not any("proj.weight" in name or "embedding.weight" in name for name in is_spared)
    assert len(spared) + len(decayed) == len(names)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(1, 16, 1e-3, warmup_share=0.1)
    shares = [warm_cosine(step, 100, recipe) for step in range(101)]
    assert shares[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(shares) == shares[10] == pytest.approx(1)
    assert shares[55] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0)
    assert warm_cosine(0, 1, recipe) == 1


def test_what_is_not_chosen_is_up_to_the_base() -> None:
    assert TrainSettings().recipe == recipe_for("openai/clip-vit-base-patch32")
    assert TrainSettings(base="scratch:small").recipe == recipe_for("scratch:small")
    chosen = TrainSettings(base="scratch:small", epochs=3, batch_size=8, lr=0.01).recipe
    assert (chosen.epochs, chosen.batch_size, chosen.lr) == (3, 8, 0.01)
    assert chosen.augmentation.mirror


def test_the_pretrained_recipe_is_the_one_asked_for() -> None:
    recipe = TrainSettings().recipe
    assert (recipe.epochs, recipe.lr) == (4, 5e-5)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"epochs": 0}, "0 epochs train nothing"),
        ({"batch_size": 1}, "nothing to tell apart"),
        ({"lr": 0.0}, "learning rate 0 is not"),
        ({"lr": 5.0}, "learning rate 5 is not"),
        ({"dtype": "float16"}, "float16 is not supported"),
        ({"seed": -1}, "seed -1 is negative"),
    ],
)
def test_settings_refuse_nonsense(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        TrainSettings(**wrong)  # type: ignore[arg-type] # that is the point


def test_a_base_that_is_not_a_dual_encoder_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no base called 'scratch:huge'"):
        train(settings("scratch:huge"), catalog, tmp_path / "out")


def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with replaced(folder) as fresh:
        (fresh / "a").write_text("old")

    def crash() -> None:
        with replaced(folder) as fresh:
            (fresh / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert (folder / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_crash_between_the_renames_is_repaired_by_the_next_call(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (tmp_path / ".model.old").mkdir()
    (tmp_path / ".model.old" / "a").write_text("old")

    def crash() -> None:
        with replaced(folder):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert (folder / "a").read_text() == "old"
