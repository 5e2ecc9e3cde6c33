"""`goods train` and `goods evaluate`, as people run them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checkpoints import tiny_clip
from goods.cli import main
from model.training.events import Looked
from model.training.fit import Step
from model.training.progress import show_training
from model.training.report import EpochRecord
from shop import make_shop

TRAIN = ["--epochs", "2", "--batch-size", "16", "--lr", "1e-3", "--device", "cpu"]


def goods(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    make_shop(folder, 80)
    tiny_clip(folder / "base")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Result:
    return goods(
        *("train", "--catalog", folder / "products.csv", "--base", folder / "base"),
        *("--out", folder / "model", *TRAIN),
    )


def test_training_prints_base_against_model(trained: Result, folder: Path) -> None:
    assert trained.exit_code == 0, trained.output
    assert "titles: recall@10" in trained.stdout
    assert "->" in trained.stdout
    assert (folder / "model" / "goods.json").is_file()


def test_epochs_are_told_on_stderr(trained: Result) -> None:
    assert [line.split("  ")[0] for line in trained.stderr.splitlines()] == [
        "the base",
        "epoch 1",
        "epoch 2",
        *(f"blend: alpha {alpha}" for alpha in ("0", "1", "0.75", "0.5", "0.25")),
    ]
    assert "loss" in trained.stderr


def test_evaluate_asks_for_the_products_that_training_held_out(
    trained: Result, folder: Path
) -> None:
    result = goods(
        *("evaluate", "--catalog", folder / "products.csv", "--model", folder / "model"),
        *("--device", "cpu", "--json"),
    )
    assert result.exit_code == 0, result.output
    titles = json.loads((folder / "model" / "goods.json").read_text())["test"]["titles"]
    found = {(r["task"], r["measure"]): r["scores"] for r in json.loads(result.stdout)["rows"]}
    assert found["titles", "R@10"][0]["mean"] == titles["recall_at_10"]
    assert found["titles", "RR@10"][0]["mean"] == titles["mrr"]


def test_evaluate_speaks_to_people_too(trained: Result, folder: Path) -> None:
    result = goods(
        *("evaluate", "--catalog", folder / "products.csv", "--split", "val"),
        *("--model", folder / "model", "--device", "cpu"),
    )
    assert result.stdout.splitlines()[0].endswith(" val products of products.csv")
    assert "R@10" in result.stdout


def test_model_and_catalog_can_come_from_the_environment(trained: Result, folder: Path) -> None:
    environment = {
        "GOODS_CATALOG": str(folder / "products.csv"),
        "GOODS_MODEL": str(folder / "model"),
        "GOODS_DEVICE": "cpu",
    }
    result = CliRunner().invoke(main, ["evaluate"], env=environment)
    assert result.exit_code == 0, result.output


def test_training_speaks_json(folder: Path) -> None:
    result = goods(
        *("train", "--catalog", folder / "products.csv", "--base", folder / "base"),
        *("--out", folder / "json", *TRAIN, "--epochs", "1", "--limit", "60", "--json"),
    )
    report = json.loads(result.stdout)
    assert sum(report["products"].values()) == 60
    assert report["recipe"]["epochs"] == 1


def test_a_splits_file_decides(folder: Path) -> None:
    splits = folder / "own.csv"
    lines = [f"P-{n},{'test' if n < 12 else 'train'}" for n in range(40)]
    splits.write_text("\n".join(["id,split", *lines]))
    result = goods(
        *("train", "--catalog", folder / "products.csv", "--base", folder / "base", "--json"),
        *("--out", folder / "split", *TRAIN, "--splits", splits),
    )
    assert json.loads(result.stdout)["products"] == {"train": 28, "val": 0, "test": 12}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--base", "scratch:huge"), "pass scratch:tiny, scratch:small"),
        (("--base", "scratch:tiny", "--epochs", "0"), "0 epochs train nothing"),
        (("--base", "scratch:tiny", "--dtype", "float16"), "float16 is not supported"),
        (("--base", "scratch:tiny", "--device", "gpu"), "try auto or cpu"),
    ],
)
def test_what_cannot_work_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...], reason: str, folder: Path
) -> None:
    result = goods(
        *("train", "--catalog", folder / "products.csv", "--out", folder / "no"), *arguments
    )
    assert result.exit_code == 1
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_split_without_products_is_refused(folder: Path, trained: Result) -> None:
    splits = folder / "train-only.csv"
    splits.write_text("id,split\nP-1,train\n")
    result = goods(
        *("evaluate", "--catalog", folder / "products.csv", "--model", folder / "model"),
        *("--splits", splits, "--device", "cpu"),
    )
    assert result.exit_code == 1
    assert "has no 'test' product whose picture can be read" in result.stderr


def test_the_bar_shows_pictures_then_loss_and_speed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with show_training() as progress:
        progress(Looked(1200))
        progress(Step(epoch=1, number=3, of=9, loss=2.5, lr=1e-4, pairs_per_s=321.0))
        progress(EpochRecord(epoch=1, loss=2.25, val=None, seconds=4.0))
    shown = capsys.readouterr().err
    assert "loss 2.500  lr 1.0e-04  321 pairs/s" in shown
    assert "epoch 1  loss 2.250  4 s" in shown
