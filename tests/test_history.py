"""What people look at while a model is trained, and after."""

import csv
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from goods.cli import main
from goods.errors import TrainingError
from model.caption_mix import CaptionMix
from model.evaluation.evaluate import Evaluation, PhraseScores, TitleScores
from model.training import progress as watching
from model.training.board import show_on_board
from model.training.card import model_card
from model.training.cli import train as command
from model.training.events import Looked, Resumed
from model.training.fit import Step
from model.training.history import save_curves, save_history
from model.training.progress import show_training
from model.training.recipe import recipe_for
from model.training.records import revived
from model.training.report import EpochRecord, TrainReport
from model.training.settings import TrainSettings
from shop import make_shop, read_rows, write_rows

STEPS = [Step(1 + n // 4, 1 + n, 8, 3.0 - n / 10, 1e-4 * n, 120.04) for n in range(8)]
SCORES = Evaluation(
    12,
    TitleScores(10, 0.25, 0.5, 0.75, 0.375, 22.5),
    (PhraseScores(("colour", "category"), 6, 0.5, 0.9),),
)
EPOCHS = [
    EpochRecord(0, None, SCORES, 1.0),
    EpochRecord(1, 2.85, replace(SCORES, titles=None), 4.0),
    EpochRecord(2, 2.45, None, 4.25),
]


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_step_is_a_row(tmp_path: Path) -> None:
    save_history(STEPS, EPOCHS, tmp_path)
    found = rows(tmp_path / "history.csv")
    assert [int(row["step"]) for row in found] == list(range(1, 9))
    assert [float(row["loss"]) for row in found] == [step.loss for step in STEPS]
    assert found[4] == {
        "step": "5",
        "epoch": "2",
        "loss": "2.6",
        "lr": "0.0004",
        "pairs_per_s": "120.0",
    }


def test_every_epoch_is_a_row_with_all_scores(tmp_path: Path) -> None:
    save_history(STEPS, EPOCHS, tmp_path)
    base, first, second = rows(tmp_path / "epochs.csv")
    assert base["title_recall_at_10"] == "0.75"
    assert base["precision_at_10 colour + category"] == "0.5"
    assert (base["loss"], base["score"]) == ("", "0.625")
    assert (first["title_recall_at_10"], first["score"]) == ("", "0.5")
    assert (second["loss"], second["score"], second["seconds"]) == ("2.45", "", "4.2")


def test_the_curves_are_a_picture(tmp_path: Path) -> None:
    save_curves(STEPS, EPOCHS, 2, tmp_path)
    with Image.open(tmp_path / "curves.png") as curves:
        assert min(curves.size) > 400


shares = st.floats(0, 1)
evaluations = st.builds(
    Evaluation,
    st.integers(0, 10**6),
    st.none() | st.builds(TitleScores, st.integers(1, 99), *[shares] * 4, st.floats(-100, 100)),
    st.lists(
        st.builds(PhraseScores, st.tuples(st.text(), st.text()), st.integers(1), shares, shares),
        max_size=3,
    ).map(tuple),
)


@given(st.builds(EpochRecord, st.integers(0), st.none() | shares, st.none() | evaluations, shares))
def test_a_record_survives_json(record: EpochRecord) -> None:
    assert revived(EpochRecord, json.loads(json.dumps(asdict(record)))) == record


def test_the_board_has_all_curves_and_no_step_twice(tmp_path: Path) -> None:
    with show_on_board(tmp_path) as tell:
        for event in (EPOCHS[0], *STEPS[:6]):
            tell(event)
    with show_on_board(tmp_path) as tell:  # step 6 is lost, and comes again
        for event in (Looked(1), Resumed(5), *STEPS[5:], EPOCHS[1]):
            tell(event)
    board = EventAccumulator(str(tmp_path))
    board.Reload()
    assert [event.step for event in board.Scalars("train/loss")] == list(range(1, 9))
    assert [event.step for event in board.Scalars("val/score")] == [0, 8]
    assert board.Scalars("val/title_recall_at_10")[0].value == 0.75


def test_a_missing_tensorboard_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with (
        pytest.raises(TrainingError, match="pip install tensorboard"),
        show_on_board(tmp_path),
    ):
        pass


def test_without_a_terminal_a_line_a_minute_says_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(watching.time, "monotonic", lambda: now)
    with show_training() as tell:
        tell(Resumed(step=100))
        for number in range(101, 107):
            now += 30
            tell(Step(1, number, 1101, 2.0, 1e-4, 64.0))
        now += 61
        tell(Looked(5000))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "going on after step 100"
    assert lines[1].startswith("epoch 1  step 102 of 1,101  loss 2.000  lr 1.0e-04  64 pairs/s")
    assert lines[1].endswith("8 h 20 min left")
    assert lines[-1] == "5,000 pictures"
    assert len(lines) == 5


def test_the_card_says_on_what_how_well_and_what_not() -> None:
    counts = {"train": 1000, "val": 120, "test": 110}
    recipe = recipe_for("scratch:tiny")
    report = TrainReport("base", "shop.csv", recipe, 0, counts, 3, tuple(EPOCHS), SCORES, SCORES)
    card = model_card(report, ["curves.png"])
    assert "on 1,000 products" in card
    assert "## Scores on 110 test products" in card
    assert "(curves.png)" in card
    assert "before-and-after" not in card
    assert "captions.phrase_share 0.5" in card
    assert "3 rows or pictures could not be used" in card
    assert "licence of the base's weights" in card


def goods(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_captions_are_shown_before_anything_is_trained(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, 40)
    nameless = {"title": "", "category": "", "colour": ""}
    write_rows(shop, [row | (nameless if n == 7 else {}) for n, row in enumerate(read_rows(shop))])
    shown = goods("--catalog", shop, "--show-captions", 4)
    assert shown.exit_code == 0, shown.output
    assert "blue bag number 11" in shown.stdout
    assert "40 products; 234 captions in 3 epochs" in shown.stdout
    assert "1 products have no caption and are not trained on: P-7" in shown.stdout
    told = json.loads(goods("--catalog", shop, "--show-captions", "--json").stdout)
    assert len(told["examples"]) == 10
    assert told["titles"] + told["texts"] + told["phrases"] == pytest.approx(1)
    assert sum(said["times"] for said in told["frequent"]) <= told["said"]
    plain = goods("--catalog", shop, "--show-captions", "--recipe", "plain", "--json")
    assert json.loads(plain.stdout)["titles"] == 1
    assert [
        path.name for path in tmp_path.iterdir() if path.name not in ("images", shop.name)
    ] == []


def test_a_catalog_without_products_has_no_captions(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, 3)
    write_rows(shop, [row | {"id": ""} if n == 0 else row for n, row in enumerate(read_rows(shop))])
    shown = goods("--catalog", shop, "--show-captions", "--limit", 1)
    assert shown.exit_code == 1
    assert "no product" in shown.stderr


def test_training_needs_a_place_for_its_checkpoint(tmp_path: Path) -> None:
    shown = goods("--catalog", make_shop(tmp_path, 3))
    assert shown.exit_code == 2
    assert "Missing option '--out'" in shown.stderr


def test_options_are_the_settings_by_the_same_names() -> None:
    own = {"catalog", "schema", "out", "show_captions", "tensorboard", "as_json", "nproc"}
    options = {str(param.name) for param in command.params} - own
    assert options <= {str(name) for name in TrainSettings.__dataclass_fields__}


def test_the_help_stands_in_sections_and_names_every_option() -> None:
    shown = goods("--help").stdout
    for param in command.params:
        assert max(param.opts, key=len) in shown
    assert shown.index("Products:") < shown.index("Recipe:") < shown.index("Machine:")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--phrase-share", "1.5"), "the phrase share 1.5 is not from 0 to 1"),
        (("--warmup", "-1"), "the warmup share -1 is not from 0 to 1"),
        (("--weight-decay", "-1"), "the weight decay -1 is negative"),
        (("--cluster", "0"), "a cluster of 0 holds no product"),
        (("--save-every", "-1"), "--save-every -1 is negative"),
        (("--layer-decay", "2"), "the layer decay 2 is not"),
    ],
)
def test_nonsense_is_refused_before_the_catalog_is_opened(
    arguments: tuple[str, ...], reason: str
) -> None:
    refused = goods("--catalog", "none.csv", "--out", "none", *arguments)
    assert refused.exit_code == 1
    assert reason in refused.stderr


def test_a_share_of_phrases_leaves_one_caption_for_each_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = replace(recipe_for("some/base"), captions=CaptionMix(is_both=True))
    monkeypatch.setattr("model.training.settings.recipe_for", lambda *_: both)
    assert TrainSettings().recipe.captions.is_both
    chosen = TrainSettings(phrase_share=0.75).recipe.captions
    assert (chosen.phrase_share, chosen.is_both) == (0.75, False)


def test_what_is_chosen_becomes_the_recipe() -> None:
    settings = TrainSettings(
        recipe_name="plain", weight_decay=0.2, freeze="text", phrase_share=0.75, mirror=True
    )
    recipe = settings.recipe
    assert (recipe.weight_decay, recipe.freeze, recipe.is_fact_aware) == (0.2, "text", False)
    assert recipe.captions.phrase_share == 0.75
    assert recipe.augmentation.mirror
