"""An interrupted training goes on as if it had never stopped, and nothing is lost on the way."""

import contextlib
import json
import math
import os
import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from checkpoints import tiny_clip
from goods.cli import main
from goods.errors import TrainingError
from interruptions import EPOCHS, Stopped, begin, course, kill_after, stop_at, weights
from model import disk
from model.encoder import Encoder
from model.pairs import PictureStore
from model.training import batch_loss
from model.training import train as training
from model.training.events import Event, Resumed
from model.training.fit import Fit, Step
from model.training.report import EpochRecord
from model.training.state import StateFolder
from shop import make_shop, read_rows, write_rows
from small_disks import small_disk_at


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"), 90)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("base") / "clip")


@pytest.fixture(scope="module")
def whole(base: Path, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "model"
    begin(base, shop, out)
    return out


def assert_same(out: Path, whole: Path) -> None:
    """Weights bit for bit, every step once with its loss, and the same scores."""
    ours, theirs = weights(out), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert course(out) == course(whole)
    records = [json.loads((folder / "goods.json").read_text()) for folder in (out, whole)]
    for record in records:
        record.pop("seconds")
        for epoch in record["history"]:
            epoch.pop("seconds")
    assert records[0] == records[1]
    assert not StateFolder(out).path.exists()


def test_a_training_killed_at_random_moments_ends_with_the_same_weights(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    steps = len(course(whole))
    first = random.randrange(1, steps // 2)
    kill_after(first, base, shop, out)
    kill_after(random.randrange(1, steps // 3), base, shop, out)
    begin(base, shop, out, resume=True)
    assert_same(out, whole)


def at_step(number: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, Step) and event.number == number


def after_epoch(number: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, EpochRecord) and event.epoch == number


@pytest.mark.parametrize("moment", [at_step(1), at_step(6), after_epoch(0), after_epoch(EPOCHS)])
@pytest.mark.parametrize("minutes", [0.0, 60.0])
def test_it_may_stop_anywhere(
    moment: Callable[[Event], bool],
    minutes: float,
    base: Path,
    shop: Path,
    whole: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "model"
    with pytest.raises(Stopped):
        begin(base, shop, out, stop_at(moment), save_every_min=minutes)
    begin(base, shop, out, resume=True)
    assert_same(out, whole)


def interrupted(base: Path, shop: Path, out: Path, step: int = 6) -> StateFolder:
    with pytest.raises(Stopped):
        begin(base, shop, out, stop_at(at_step(step)))
    return StateFolder(out)


def test_pictures_of_steps_that_were_taken_are_not_read_again(
    base: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"
    interrupted(base, shop, out, step=4)  # the state is of step 3
    seen: list[Event | int] = []
    real = PictureStore.batch

    def watched(store: PictureStore, numbers: object) -> object:
        seen.append(1)
        return real(store, numbers)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(PictureStore, "batch", watched)
    begin(base, shop, out, seen.append, resume=True)
    told = [event for event in seen if isinstance(event, Resumed | Step)]
    assert told[0] == Resumed(3)
    assert told[1].number == 4
    read = seen.index(next(event for event in seen if isinstance(event, EpochRecord)))
    steps = [event for event in seen[:read] if isinstance(event, Step)]
    assert seen[:read].count(1) == len(steps) + 1, "one batch per step, and the validation products"


def test_an_interrupted_training_is_not_forgotten_without_being_told(
    base: Path, shop: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    folder = interrupted(base, shop, out)
    with pytest.raises(TrainingError, match=r"model\.training holds an .* pass --resume .* delete"):
        begin(base, shop, out)
    assert folder.has_state


def test_resume_begins_where_nothing_was_interrupted(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    begin(base, shop, tmp_path / "model", resume=True)
    assert_same(tmp_path / "model", whole)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"lr": 5e-4}, r"lr was 0\.001, now 0\.0005"),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"dtype": "bfloat16"}, "precision was float32, now bfloat16"),
        ({"phrase_share": 0.25}, r"captions\.phrase_share was 0\.5, now 0\.25"),
        ({"limit": 80}, "the number of products was 90, now 80; the digest of"),
    ],
)
def test_another_training_is_not_continued(
    other: dict[str, object], difference: str, half: StateFolder, base: Path, shop: Path
) -> None:
    with pytest.raises(TrainingError, match=f"something else: {difference}"):
        begin(base, shop, half.checkpoint, **({"resume": True} | other))
    assert half.has_state


@pytest.fixture(scope="module")
def half(base: Path, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """A training that was interrupted; nobody goes on with it."""
    return interrupted(base, shop, tmp_path_factory.mktemp("half") / "model")


def test_another_base_is_not_continued(half: StateFolder, shop: Path, tmp_path: Path) -> None:
    other = tiny_clip(tmp_path / "other", seed=1)
    with pytest.raises(TrainingError, match="the base's stamp was "):
        begin(other, shop, half.checkpoint, resume=True)


def test_other_captions_are_not_continued(half: StateFolder, base: Path, tmp_path: Path) -> None:
    changed = make_shop(tmp_path, 90)
    rows = read_rows(changed)
    write_rows(changed, [{**rows[0], "title": "Another title"}, *rows[1:]])
    with pytest.raises(TrainingError, match="else: the digest of products, splits, words and"):
        begin(base, changed, half.checkpoint, resume=True)
    write_rows(changed, [{**row, "price": "99.50"} for row in rows])
    copied = tmp_path / "model"
    shutil.copytree(half.path, StateFolder(copied).path)
    shutil.copytree(half.checkpoint, copied)
    begin(base, changed, copied, resume=True)  # a price is nothing that is learned


def test_a_state_of_another_version_is_refused(
    half: StateFolder, base: Path, shop: Path, tmp_path: Path
) -> None:
    folder = StateFolder(tmp_path / "model")
    folder.path.mkdir()
    torch.save({"version": 0, "record": "{}"}, folder.path / "state.pt")
    with pytest.raises(TrainingError, match=r"another version of goods; finish .* or delete the"):
        begin(base, shop, folder.checkpoint, resume=True)
    assert folder.has_state


def test_a_second_training_into_the_same_folder_is_refused(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    refused: list[str] = []

    def begin_again(event: Event) -> None:
        if at_step(4)(event):
            with pytest.raises(TrainingError) as error:
                begin(base, shop, out, pytest.fail, resume=True)
            refused.append(str(error.value))

    begin(base, shop, out, begin_again)
    assert f"model is being trained by process {os.getpid()} on " in refused[0]
    assert_same(out, whole)
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing is left over"


def test_a_training_with_adapters_goes_on_with_the_same_weights(
    base: Path, shop: Path, tmp_path: Path
) -> None:
    for name in ("whole", "model"):
        stop = stop_at(at_step(6)) if name == "model" else lambda _: None
        with contextlib.suppress(Stopped):
            begin(base, shop, tmp_path / name, stop, lora_rank=2)
    begin(base, shop, tmp_path / "model", lora_rank=2, resume=True)
    assert_same(tmp_path / "model", tmp_path / "whole")


def test_two_processes_go_on_where_one_stopped(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    interrupted(base, shop, out)
    told = CliRunner().invoke(
        main,
        [
            *("train", "--catalog", str(shop), "--base", str(base), "--out", str(out), "--resume"),
            *("--epochs", str(EPOCHS), "--batch-size", "16", "--lr", "1e-3", "--device", "cpu"),
            *("--nproc", "2", "--json"),
        ],
    )
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["test"] is not None
    assert [row[0] for row in course(out)] == [row[0] for row in course(whole)]
    ours, theirs = ([float(loss) for _, _, loss, _ in course(at)] for at in (out, whole))
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert not StateFolder(out).path.exists()


def test_an_epoch_without_a_picture_ends_the_training(
    base: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fit, "epoch", lambda *_: iter(()))
    with pytest.raises(TrainingError, match="in epoch 1 no picture could be read any more"):
        begin(base, shop, tmp_path / "model")


def test_a_state_that_holds_code_or_is_cut_short_is_refused(
    half: StateFolder, base: Path, shop: Path, tmp_path: Path
) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    folder = StateFolder(tmp_path / "model")
    folder.path.mkdir()
    saved = (half.path / "state.pt").read_bytes()
    torch.save({"record": "{}", "fit": Harm()}, folder.path / "code.pt")
    harm = (folder.path / "code.pt").read_bytes()
    for damaged in (saved[: len(saved) // 2], b"", pickle.dumps(Harm(), protocol=2), harm):
        (folder.path / "state.pt").write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"cannot be read: .* delete that folder to start"):
            begin(base, shop, folder.checkpoint, resume=True)
    assert not (tmp_path / "harm").exists()


def test_a_base_that_its_own_training_replaces_is_kept_until_the_end(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    begin(base, shop, tmp_path / "once")
    for name in ("whole", "model"):
        shutil.copytree(tmp_path / "once", tmp_path / name)
    begin(tmp_path / "whole", shop, tmp_path / "whole")
    out = tmp_path / "model"
    interrupted(out, shop, out, step=10)
    assert Encoder.load(str(out)).stamp != Encoder.load(str(tmp_path / "once")).stamp
    begin(out, shop, out, resume=True)
    ours, theirs = weights(out), weights(tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_crash_after_the_base_was_replaced_does_not_lose_it(
    base: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(base, shop, tmp_path / "once")
    for name in ("whole", "model"):
        shutil.copytree(tmp_path / "once", tmp_path / name)
    begin(tmp_path / "whole", shop, tmp_path / "whole")
    out, keep = tmp_path / "model", training._keep

    def keep_and_crash(*args: object) -> None:
        keep(*args)  # type: ignore[arg-type] # passed on
        raise Stopped

    monkeypatch.setattr(training, "_keep", keep_and_crash)
    with pytest.raises(Stopped):
        begin(out, shop, out, save_every_min=60.0)
    monkeypatch.undo()
    begin(out, shop, out, resume=True)
    ours, theirs = weights(out), weights(tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_base_of_a_training_that_failed_is_not_that_of_the_next(
    base: Path, shop: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"
    shutil.copytree(whole, out)
    monkeypatch.setattr(batch_loss, "contrastive_loss", lambda logits, _: logits.sum() * math.nan)
    with pytest.raises(TrainingError, match="the loss is nan"):
        begin(out, shop, out)
    monkeypatch.undo()
    begin(base, shop, out)
    assert_same(out, whole)


def test_a_checkpoint_that_a_crash_left_aside_is_put_back(
    base: Path, shop: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    with pytest.raises(Stopped):
        begin(base, shop, out, stop_at(at_step(9)))
    out.rename(tmp_path / ".model.old")  # between the two renames
    begin(base, shop, out, resume=True)
    assert_same(out, whole)


def test_a_failing_disk_leaves_the_last_checkpoint_and_the_last_state(
    base: Path, shop: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    def break_disk(event: Event) -> None:
        if at_step(7)(event):
            monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(
        TrainingError,
        match=r"the state of this training cannot be written to .*training: No space left on "
        r"device; it takes \d MB, .* MB are free\. .* go on with --resume",
    ):
        begin(base, shop, out, break_disk)
    monkeypatch.undo()
    assert not list(StateFolder(out).path.glob("*.new"))
    Encoder.load(str(out))
    begin(base, shop, out, resume=True)
    assert_same(out, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with 16 MiB more than the reserve."""
    with small_disk_at(tmp_path / "disk", disk.RESERVE_BYTES + 16 * 2**20) as place:
        yield place


def test_a_full_disk_leaves_the_last_checkpoint_and_the_last_state(
    small_disk: Path, base: Path, shop: Path, whole: Path
) -> None:
    out = small_disk / "model"

    def fill(event: Event) -> None:
        if at_step(7)(event):
            free = shutil.disk_usage(small_disk).free
            (small_disk / "filler").write_bytes(bytes(free - 100_000))

    with pytest.raises(TrainingError, match=r"cannot be written .* it takes 1 MB, 0 MB are free"):
        begin(base, shop, out, fill)
    (small_disk / "filler").unlink()
    begin(base, shop, out, resume=True)
    assert_same(out, whole)
