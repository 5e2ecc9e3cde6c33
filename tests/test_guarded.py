"""Trainings with the forgetting guard and with LoRA, from the settings to the checkpoint."""

import json
from pathlib import Path

import pytest
import torch

from checkpoints import tiny_clip
from goods.catalog import Catalog, open_catalog
from goods.errors import TrainingError
from interruptions import Stopped
from model.checkpoint import load_checkpoint
from model.training import train as training
from model.training.events import Event
from model.training.fit import Step
from model.training.guard import Blend, weights_of
from model.training.report import TrainReport
from model.training.settings import LORA_LR, TrainSettings
from model.training.train import train
from shop import make_shop


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return open_catalog(make_shop(tmp_path_factory.mktemp("shop"), 120))


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("general"), 40, first=500)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("base"))


def settings(base: Path | str, **others: object) -> TrainSettings:
    usual = {"epochs": 2, "batch_size": 16, "lr": 3e-3, "device": "cpu", "is_blended": False}
    return TrainSettings(base=str(base), **(usual | others))  # type: ignore[arg-type] # passed on


def learned_share(base: Path, out: Path, tuned: Path) -> float:
    """How far the checkpoint in `out` has gone from base to tuned; NaN when not on that line."""
    start, end, found = (weights_of(load_checkpoint(str(at))) for at in (base, tuned, out))
    name = "text_projection.weight"
    share = float(((found[name] - start[name]) / (end[name] - start[name])).median())
    is_between = all(
        torch.allclose(found[key], start[key].lerp(end[key], share), atol=1e-5) for key in start
    )
    return share if is_between else float("nan")


@pytest.fixture(scope="module")
def unguarded(base: Path, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "model"
    report = train(settings(base), catalog, out)
    assert report.guard is None
    assert "What was kept of the training" not in (out / "README.md").read_text()
    return out


@pytest.fixture(scope="module")
def guarded(
    base: Path, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainReport, Path, list[Event]]:
    """Held to a bound in everyday words that a whole training breaks."""
    out, events = tmp_path_factory.mktemp("out") / "model", list[Event]()
    asked = settings(base, guard=True, max_loss=0.5)
    return train(asked, catalog, out, events.append), out, events


def test_a_blend_of_base_and_tuned_model_is_what_is_kept(
    guarded: tuple[TrainReport, Path, list[Event]], base: Path, unguarded: Path
) -> None:
    report, out, events = guarded
    assert report.guard is not None
    assert 0 < report.guard.alpha < 1, "the test would show nothing"
    assert learned_share(base, out, unguarded) == pytest.approx(report.guard.alpha, abs=1e-3)
    assert len([event for event in events if isinstance(event, Blend)]) == 13


def test_the_kept_blend_is_what_was_measured_in_the_end(
    guarded: tuple[TrainReport, Path, list[Event]],
) -> None:
    report, _, _ = guarded
    assert report.guard is not None
    before, kept, after = report.guard.test
    assert kept.shop == pytest.approx(report.test.score, abs=1e-6)
    assert before.shop == pytest.approx(report.base_test.score, abs=1e-6)
    assert before.general == pytest.approx(1)
    assert after.general < kept.general < 1


def test_record_card_and_report_hold_the_table(
    guarded: tuple[TrainReport, Path, list[Event]],
) -> None:
    report, out, _ = guarded
    assert report.guard is not None
    record = json.loads((out / "goods.json").read_text())["guard"]
    assert record["alpha"] == report.guard.alpha
    assert len(record["val"]) == 13
    card = (out / "README.md").read_text()
    assert f"## What was kept of the training\n{report.guard.markdown()}" in card
    assert report.guard.verdict in report.lines()


def test_by_default_the_best_blend_for_the_shop_is_kept(
    base: Path, catalog: Catalog, unguarded: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    report = train(settings(base, is_blended=None), catalog, out)
    assert report.guard is not None
    assert report.guard.measure is None
    best = max(report.guard.val, key=lambda blend: blend.shop)
    assert report.guard.alpha == best.alpha
    assert learned_share(base, out, unguarded) == pytest.approx(best.alpha, abs=1e-3)
    kept = next(blend for blend in report.guard.test if blend.alpha == best.alpha)
    assert report.test is not None
    assert report.test.score == pytest.approx(kept.shop), "what is reported is what was kept"


def test_without_validation_products_nothing_is_blended(
    base: Path, catalog: Catalog, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text("id,split\n" + "".join(f"P-{n},train\n" for n in range(40)))
    asked = settings(base, epochs=1, is_blended=None, splits=splits)
    assert train(asked, catalog, tmp_path / "model").guard is None


def test_plain_and_scratch_trainings_are_not_blended() -> None:
    assert TrainSettings(recipe_name="plain").guarding is None
    assert TrainSettings(base="scratch:tiny").guarding is None
    assert TrainSettings(is_blended=False).guarding is None
    blending = TrainSettings().guarding
    assert blending is not None
    assert not blending.is_bounded


def test_a_general_catalog_switches_the_guard_on(
    base: Path, catalog: Catalog, general: Path, tmp_path: Path
) -> None:
    report = train(settings(base, epochs=1, general=general), catalog, tmp_path / "model")
    assert report.guard is not None
    assert report.guard.measure == "titles and phrases on products.csv"
    assert report.guard.max_loss == 0.05


@pytest.mark.parametrize("moment", ["while blends are tried", "after one was kept"])
def test_a_blend_is_not_blended_again_after_a_kill(
    moment: str,
    guarded: tuple[TrainReport, Path, list[Event]],
    base: Path,
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, whole, _ = guarded
    out = tmp_path / "model"

    def stop(*_: object) -> None:
        raise Stopped

    def tell(event: Event) -> None:
        if moment.startswith("while") and isinstance(event, Blend) and event.alpha == 0.5:
            raise Stopped

    monkeypatch.setattr(training, "save_sheet", stop)
    with pytest.raises(Stopped):
        train(settings(base, guard=True, max_loss=0.5), catalog, out, tell)
    monkeypatch.undo()
    resumed = train(settings(base, guard=True, max_loss=0.5, resume=True), catalog, out)
    assert resumed.guard == report.guard
    ours, theirs = (weights_of(load_checkpoint(str(at))) for at in (out, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_general_catalog_that_is_of_no_use_is_refused_before_the_training(
    base: Path, catalog: Catalog, general: Path, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text("id,split\nP-500,test\n")
    asked = settings(base, general=general, general_splits=splits)
    with pytest.raises(TrainingError, match="no validation product to choose by"):
        train(asked, catalog, tmp_path / "model", lambda event: pytest.fail(str(event)))


def test_the_guard_needs_validation_products(base: Path, catalog: Catalog, tmp_path: Path) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text("id,split\n" + "".join(f"P-{n},train\n" for n in range(40)))
    asked = settings(base, epochs=1, guard=True, splits=splits)
    with pytest.raises(TrainingError, match="chooses by validation products"):
        train(asked, catalog, tmp_path / "model", refuse_steps)


def refuse_steps(event: Event) -> None:
    assert not isinstance(event, Step), "it should have been refused before the training"


@pytest.mark.parametrize("others", [{"guard": True}, {"lora_rank": 4}])
def test_a_scratch_base_has_nothing_to_keep(others: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match="has learned nothing yet"):
        settings("scratch:tiny", **others)


@pytest.mark.parametrize("bound", [-0.1, 1.0])
def test_a_bound_that_is_no_share_is_refused(bound: float) -> None:
    with pytest.raises(TrainingError, match="--max-forgetting"):
        settings("shop", guard=True, max_loss=bound)


def test_adapters_learn_faster_unless_told_otherwise(base: Path) -> None:
    usual = TrainSettings(base=str(base)).recipe
    assert TrainSettings(base=str(base), lora_rank=4).recipe.lr == usual.lr * LORA_LR
    assert TrainSettings(base=str(base), lora_rank=4, lr=1e-3).recipe.lr == 1e-3
    assert TrainSettings(base=str(base), lora_rank=4).recipe.lora_rank == 4
    with pytest.raises(TrainingError, match="rank -1"):
        settings(base, lora_rank=-1)


def test_a_training_with_lora_leaves_an_ordinary_checkpoint_that_has_learned(
    base: Path, catalog: Catalog, tmp_path: Path
) -> None:
    report = train(settings(base, lora_rank=4, epochs=6), catalog, tmp_path / "model")
    before = weights_of(load_checkpoint(str(base)))
    after = weights_of(load_checkpoint(str(tmp_path / "model")))
    assert set(after) == set(before)
    name = "text_model.embeddings.token_embedding.weight"
    assert torch.equal(after[name], before[name]), "only adapters learn"
    assert report.history[-1].loss < report.history[1].loss
    assert report.test != report.base_test
