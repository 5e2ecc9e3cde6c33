"""`goods evaluate`: several models, asked the same, by a catalog, by files, and as Marqo does."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import GoodsError, QueryError
from goods.product import Picture, Product
from model.encoder import Encoder
from model.evaluation.assess import AssessSettings, _beside, assess
from model.evaluation.compare import document_vectors
from model.evaluation.evaluate import HeldOut
from model.evaluation.judge import judge
from model.evaluation.published import Beside, PublishedTable
from model.evaluation.results import ModelResult, TaskResult
from model.evaluation.summary import Gain, Row, Score, Summary, Weak
from model.evaluation.table import published_lines, table_lines
from shop import make_shop, read_rows, write_rows


def goods(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of 60 products, 48 of them for testing, and two models."""
    folder = tmp_path_factory.mktemp("compare")
    make_shop(folder, 60)
    splits = "".join(f"P-{n},{'train' if n < 12 else 'test'}\n" for n in range(60))
    (folder / "splits.csv").write_text(f"id,split\n{splits}")
    for seed, name in enumerate(("one", "two")):
        tiny_clip(folder / name, seed)
    return folder


def evaluate(folder: Path, *arguments: object, models: tuple[str, ...] = ("one",)) -> Result:
    chosen = [part for name in models for part in ("--model", folder / name)]
    return goods(
        *("evaluate", "--catalog", folder / "products.csv", "--splits", folder / "splits.csv"),
        *(*chosen, "--device", "cpu", *arguments),
    )


@pytest.fixture(scope="module")
def compared(folder: Path) -> Result:
    return evaluate(
        folder, "--json", folder / "out.json", "--report", folder / "page", models=("one", "two")
    )


def test_two_models_stand_side_by_side(compared: Result, folder: Path) -> None:
    assert compared.exit_code == 0, compared.output
    lines = compared.stdout.splitlines()
    assert lines[0] == "48 test products of products.csv"
    assert lines[1].startswith(f"  A  {folder / 'one'}  (stamp ")
    assert "B - A" in compared.stdout
    assert "titles: 48 queries" in lines
    assert "colour + category: 12 queries" not in lines  # only four products fit each
    assert any(line.startswith("weakest of B") for line in lines)


def test_a_report_is_written_and_named(compared: Result, folder: Path) -> None:
    assert f"look at {folder / 'page' / 'index.html'}" in compared.stdout
    assert "<svg" in (folder / "page" / "index.html").read_text()


def test_json_in_a_file_has_every_number(compared: Result, folder: Path) -> None:
    found = json.loads((folder / "out.json").read_text())
    assert (found["split"], found["protocol"], found["products"]) == ("test", "catalog", 48)
    assert found["models"] == [str(folder / "one"), str(folder / "two")]
    [recall] = [r for r in found["rows"] if (r["task"], r["measure"]) == ("titles", "R@10")]
    assert len(recall["scores"]) == 2
    assert recall["scores"][0]["low"] <= recall["scores"][0]["mean"] <= recall["scores"][0]["high"]
    [gain] = recall["gains"]
    assert gain["mean"] == pytest.approx(recall["scores"][1]["mean"] - recall["scores"][0]["mean"])
    assert 0 < gain["p_value"] <= gain["corrected"] <= 1
    assert {"category", "colour"} <= {row["task"] for row in found["rows"]}
    assert found["averages"][0]["measure"] == "P@10"


def test_training_and_evaluating_measure_the_same(compared: Result, folder: Path) -> None:
    found = json.loads((folder / "out.json").read_text())
    catalog = open_catalog(folder / "products.csv")
    scores = judge(Encoder.load(str(folder / "one")), catalog, "test", folder / "splits.csv")
    mean = {(row["task"], row["measure"]): row["scores"][0]["mean"] for row in found["rows"]}
    assert scores.titles.clip_score == pytest.approx(found["clip_scores"][0])
    assert scores.titles.recall_at_10 == mean["titles", "R@10"]
    assert scores.titles.mrr == mean["titles", "RR@10"]
    assert scores.phrases[0].precision_at_10 == mean["category", "P@10"]


def test_a_model_is_as_good_as_itself(folder: Path, tmp_path: Path) -> None:
    twin = tiny_clip(tmp_path / "twin", seed=0)
    result = evaluate(folder, "--model", twin, "--json")
    gains = [row["gains"][0] for row in json.loads(result.stdout)["rows"]]
    assert {(gain["mean"], gain["p_value"]) for gain in gains} == {(0, 1)}


def test_queries_of_a_file_search_the_whole_catalog(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "colours.json").write_text(json.dumps({"Red": {"P-0": 1, "P-3": 2, "P-99": 1}}))
    (tmp_path / "named.tsv").write_text("q1\tP-1\t1\n")
    result = evaluate(folder, "--qrels", tmp_path / "colours.json", "--json", "-")
    found = json.loads(result.stdout)
    assert (found["split"], found["products"], found["protocol"]) == ("all", 60, "files")
    assert [row["measure"] for row in found["rows"]] == ["nDCG@10", "R@10", "P@10", "P@1", "RR@10"]
    assert found["rows"][2]["ceiling"] == 0.2
    assert "1 right products are not among those searched" in caplog.text

    (tmp_path / "queries.tsv").write_text("q1\tgreen dress\n")
    result = evaluate(
        folder, "--qrels", tmp_path / "named.tsv", "--queries", tmp_path / "queries.tsv"
    )
    assert "named: 1 query" in result.stdout


def test_marqo_asks_everything_and_says_why_others_are_not_beside(folder: Path) -> None:
    result = evaluate(folder, "--protocol", "marqo")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "60 products of products.csv, asked as in Marqo's benchmark"
    assert "text-to-image: 60 queries" in lines
    assert "colour-to-product: 3 queries" in lines
    assert "your corpus has 60 products, KAGL 44,434" in lines[-1]


def test_a_model_that_learned_from_the_products_is_marked(folder: Path, tmp_path: Path) -> None:
    trained = tiny_clip(tmp_path / "trained")
    (trained / "splits.csv").write_text((folder / "splits.csv").read_text())
    result = goods(
        *("evaluate", "--catalog", folder / "products.csv", "--model", trained),
        *("--split", "all", "--device", "cpu"),
    )
    assert "was trained on 12 of these products" in result.stdout
    held_out = goods(
        *("evaluate", "--catalog", folder / "products.csv", "--model", folder / "one"),
        *("--model", trained, "--device", "cpu"),
    )
    assert held_out.stdout.startswith("48 test products")  # by the second model's own splits
    assert "was trained on" not in held_out.stdout


def test_numbers_are_printed_before_a_page_fails_to_be_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise GoodsError("index.html cannot be written: No space left on device")

    monkeypatch.setattr("model.evaluation.report_page.write_whole", full)
    result = evaluate(folder, "--report", tmp_path / "page")
    assert "titles: 48 queries" in result.stdout
    assert "No space left" in result.stderr
    assert result.exit_code == 1


def test_rows_and_pictures_that_cannot_be_used_are_counted(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = make_shop(tmp_path, 20)
    (tmp_path / "images" / "P-7.jpg").write_bytes(b"no picture")
    result = goods(
        *("evaluate", "--catalog", shop, "--model", folder / "one", "--model", folder / "two"),
        *("--split", "all", "--device", "cpu"),
    )
    assert result.stdout.startswith("19 products of products.csv")
    [told] = [text for text in caplog.messages if "left out" in text]
    assert told.startswith("left out: 1 rows or pictures; the first: ")
    assert "P-7.jpg" in told


def test_progress_is_told_by_model_and_stage(folder: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    settings = AssessSettings(
        [str(folder / "one"), str(folder / "two")], split="all", device="cpu", slices=0
    )
    assess(settings, open_catalog(folder / "products.csv"), lambda *step: told.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        *("A: read pictures", "A: embed pictures", "A: ask queries"),
        *("B: read pictures", "B: embed pictures", "B: ask queries"),
    ]
    assert ("B: read pictures", 60, 60) in told
    assert ("B: embed pictures", 60, 60) in told
    assert ("A: ask queries", 0, 60 + 4 + 3 + 12) in told  # titles, categories, colours, and both


def test_what_a_model_learned_of_another_catalog_splits_nothing_here(
    folder: Path, tmp_path: Path
) -> None:
    elsewhere = tiny_clip(tmp_path / "elsewhere")
    (elsewhere / "splits.csv").write_text("id,split\nP-1,train\nX-1,train\nX-2,test\n")
    rows = read_rows(folder / "products.csv")
    for number, row in enumerate(rows):
        row["image"] = str(folder / row["image"])
        row["split"] = "test" if number < 20 else "train"
    write_rows(tmp_path / "shop.csv", rows)
    result = goods(
        "evaluate", "--catalog", tmp_path / "shop.csv", "--model", elsewhere, "--device", "cpu"
    )
    assert result.stdout.startswith("20 test products of shop.csv")
    assert "was trained on 1 of these products" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--json", "products.csv/out.json"), "out.json cannot be written"),
        (("--report", "products.csv/page"), "index.html cannot be written"),
        (("--model", "one", "--model", "damaged"), "damaged"),
    ],
)
def test_what_would_fail_at_the_end_is_refused_before_any_picture_is_read(
    arguments: tuple[str, str], reason: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a picture was read")

    monkeypatch.setattr("model.evaluation.compare.load_held_out", refuse)
    damaged = tiny_clip(folder / "damaged")
    (damaged / "model.safetensors").write_bytes(b"cut off")
    monkeypatch.chdir(folder)
    result = goods("evaluate", "--catalog", "products.csv", "--device", "cpu", *arguments)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--queries", "q.tsv"), "pass --qrels as well"),
        (("--qrels", "a/x.json", "--qrels", "b/x.json"), "two of ['x', 'x'] are alike"),
        (("--model", "m", "--model", "m"), "a model is named twice"),
        (("--qrels", "none.json"), "none.json cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    arguments: tuple[str, ...], reason: str, folder: Path
) -> None:
    result = goods("evaluate", "--catalog", folder / "products.csv", *arguments)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_usual_split_is_what_was_held_out_or_everything() -> None:
    assert AssessSettings(["m"]).searched_split == "test"
    assert AssessSettings(["m"], protocol="marqo").searched_split == "all"
    assert AssessSettings(["m"], qrels=[Path("x.json")]).searched_split == "all"
    assert AssessSettings(["m"], split="val", protocol="marqo").searched_split == "val"
    with pytest.raises(QueryError, match="named twice"):
        AssessSettings(["m", "m"])


class Words:
    """An encoder of which every text has one vector."""

    def texts(self, texts: list[str]) -> np.ndarray:
        return np.tile(np.array([0, 1], np.float32), (len(texts), 1))


def test_documents_are_pictures_and_titles_by_weight() -> None:
    products = [Product("a", Picture("x"), "title"), Product("b", Picture("x"))]
    held_out = HeldOut(products, ["a", "b"], np.array([[1, 0], [1, 0]], np.float32))
    assert document_vectors(held_out, Words(), 1) is held_out.vectors
    mixed = document_vectors(held_out, Words(), 0.9)
    np.testing.assert_allclose(mixed, [np.array([0.9, 0.1]) / np.hypot(0.9, 0.1), [1, 0]])
    assert mixed.dtype == np.float32


def summary(models: int) -> Summary:
    scores = [Score(0.5 + n / 10, 0.4 + n / 10, 0.6 + n / 10) for n in range(models)]
    gains = [Gain(n / 10, 0.05, 0.15, 0.0001, 0.002 * n) for n in range(1, models)]
    return Summary(
        catalog="shop.csv",
        split="test",
        protocol="catalog",
        products=1234,
        models=["base", "tuned"][:models],
        stamps=["00", "11"][:models],
        trained_on=[0, 7][:models],
        clip_scores=[31.25, None][:models],
        rows=[
            Row("colour", 9, "P@10", 0.75, scores, gains),
            Row("season", 4, "P@10", 1.0, scores, gains, is_aside=True),
        ],
        averages=[],
        weakest=[
            Weak("colour", "colour", "green", 1, "P@10", 0.5, [0.1] * models),
            Weak("titles", "colour", "blue", 7, "R@10", 1.0, [0.2] * models),
        ],
    )


def test_the_table_shows_intervals_ceilings_and_what_is_significant() -> None:
    scores = "  P@10   (at most 0.750) 0.500 [0.400, 0.600]  0.600 [0.500, 0.700]"
    plain = scores.replace("(at most 0.750)", " " * 15)
    assert list(table_lines(summary(2))) == [
        "1,234 test products of shop.csv",
        "  A  base  (stamp 00)",
        "     CLIP score 31.2: 100 x cosine of a title and its picture",
        "  B  tuned  (stamp 11)",
        "     was trained on 7 of these products",
        "",
        "means, 95 % intervals    A                     B                     B - A",
        "colour: 9 queries",
        f"{scores}  +0.100 [+0.050, +0.150]  p 0.002 *",
        "aside: by fields whose words captions leave out; part of no average",
        "season: 4 queries",
        f"{plain}  +0.100 [+0.050, +0.150]  p 0.002 *",
        "p is corrected for 2 tests (Holm); * is below .05",
        "",
        "weakest of B",
        "  colour, P@10: green 0.100 of 0.500",
        "  titles, R@10: blue 0.200 (7 queries)",
    ]


def test_the_table_of_one_model_compares_nothing() -> None:
    shown = "\n".join(table_lines(summary(1)))
    assert "Holm" not in shown
    assert "weakest\n" in shown


def test_published_scores_stand_in_columns_of_their_own() -> None:
    scores = {"CLIP": {"R@1": 0.1, "R@10": 0.25}}
    table = PublishedTable("KAGL", "text-to-image", ("text-to-image",), "image", scores)
    assert list(published_lines(Beside((table,), "by others", "https://x"))) == [
        "",
        "by others",
        "  text-to-image                   R@1     R@10",
        "    CLIP                          0.100   0.250",
        "https://x",
    ]


@pytest.mark.parametrize(
    ("weight", "file", "tasks"),
    [
        (None, None, {"text-to-image", "color-to-product"}),
        (0.9, None, {"text-to-image", "color-to-product"}),
        (1.0, None, {"text-to-image"}),
        (None, "ground_truth_text-image", {"text-to-image"}),
        (1.0, "ground_truth_text-image", {"text-to-image"}),
        (0.9, "ground_truth_text-image", set()),
        (None, "ground_truth_baseColour-image+text", set()),
        (0.9, "ground_truth_baseColour-image+text", {"color-to-product"}),
        (None, "mine", set()),
    ],
)
def test_published_scores_stand_beside_the_same_tasks_and_documents(
    weight: float | None, file: str | None, tasks: set[str]
) -> None:
    qrels = [Path(f"{file}.json")] if file else []
    settings = AssessSettings(["m"], protocol="marqo", qrels=qrels, image_weight=weight)
    names = (file,) if file else ("text-to-image", "baseColour-to-product")
    asked = [TaskResult(name, [], []) for name in names]
    beside = _beside(settings, [ModelResult("m", "00", 44_441, asked)])
    assert {table.task for table in beside.tables} == tasks
    assert tasks or "not shown" in beside.note


def test_a_catalog_without_questions_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('title = ""\ngroup = ""\nphrase = []\nignore = ["category", "colour"]\n')
    result = evaluate(folder, "--schema", schema)
    assert "leaves nothing to ask" in result.stderr
    assert result.exit_code == 1
