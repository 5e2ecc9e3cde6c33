"""`goods evaluate`: several models, asked the same, by a catalog, by files, and as Marqo does."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from checkpoints import tiny_clip
from goods.cli import main
from goods.errors import QueryError
from goods.product import Picture, Product
from model.evaluation.assess import AssessSettings, _beside
from model.evaluation.compare import document_vectors
from model.evaluation.evaluate import HeldOut
from model.evaluation.published import Beside, PublishedTable
from model.evaluation.results import ModelResult, TaskResult
from model.evaluation.summary import Gain, Row, Score, Summary, Weak
from model.evaluation.table import published_lines, table_lines
from shop import make_shop


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
    assert lines[0] == "60 products of products.csv"
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
        rows=[Row("colour", 9, "P@10", 0.75, scores, gains)],
        averages=[],
        weakest=[Weak("colour", "colour", "green", 1, "P@10", [0.1] * models)],
    )


def test_the_table_shows_intervals_ceilings_and_what_is_significant() -> None:
    scores = "  P@10   (at most 0.750) 0.500 [0.400, 0.600]  0.600 [0.500, 0.700]"
    assert list(table_lines(summary(2))) == [
        "1,234 test products of shop.csv",
        "  A  base  (stamp 00)",
        "     CLIP score 31.2: 100 x cosine of a title and its picture",
        "  B  tuned  (stamp 11)",
        "     was trained on 7 of these products",
        "",
        "means, 95 % intervals    A                     B                     B - A",
        "colour: 9 queries",
        f"{scores}  +0.100 [+0.050, +0.150]  p < 0.001 *",
        "* significant, too, after correction for 1 test (Holm)",
        "",
        "weakest of B",
        "  colour, P@10: green 0.100",
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
    ("weight", "qrels", "tasks"),
    [
        (None, [], {"text-to-image", "color-to-product"}),
        (0.9, [], {"text-to-image", "color-to-product"}),
        (1.0, [], {"text-to-image"}),
        (None, [Path("x.json")], {"text-to-image"}),
        (0.5, [Path("x.json")], set()),
    ],
)
def test_published_scores_stand_beside_the_same_tasks_and_documents(
    weight: float | None, qrels: list[Path], tasks: set[str]
) -> None:
    settings = AssessSettings(["m"], protocol="marqo", qrels=qrels, image_weight=weight)
    asked = [TaskResult(name, [], []) for name in ("text-to-image", "baseColour-to-product")]
    beside = _beside(settings, [ModelResult("m", "00", 44_441, asked)])
    if qrels:
        assert tasks <= {table.task for table in beside.tables}
        assert all(table.documents == "image" for table in beside.tables)
    else:
        assert {table.task for table in beside.tables} == tasks


def test_a_catalog_without_questions_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('title = ""\ngroup = ""\nphrase = []\nignore = ["category", "colour"]\n')
    result = evaluate(folder, "--schema", schema)
    assert "leaves nothing to ask" in result.stderr
    assert result.exit_code == 1
