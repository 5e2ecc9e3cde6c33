"""The page: complete, alone, safe from what catalogs say, and bounded."""

import re
import tomllib
from dataclasses import replace
from fnmatch import fnmatch
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from goods.errors import GoodsError
from goods.pictures import PictureLoader
from goods.product import Picture, Product
from model.evaluation import report_view
from model.evaluation.published import published_beside
from model.evaluation.report_page import write_report
from model.evaluation.results import Hit, Measure, ModelResult, QueryHits, TaskResult
from model.evaluation.summarise import summarise
from model.evaluation.summary import letter
from model.evaluation.thumbnails import SIDE, thumbnails

ROOT = Path(__file__).parents[1]
HOSTILE = "</h1><script>alert('x')</script><img src=http://evil.example/p.png>"
VOID = {"meta", "img", "br", "path", "use"}


class Page(HTMLParser):
    """A page's words and elements; refuses elements that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[Product]:
    folder = tmp_path_factory.mktemp("shop")
    products = []
    for number in range(12):
        path = folder / f"{number}.png"
        image = Image.new("RGB", (200, 300), (20 * number, 90, 120))
        image.paste("white", (0, 0, 20, 300))
        image.save(path)
        products.append(Product(f"P-{number}", Picture(str(path)), f"Dress {number}"))
    return products


def measure(name: str, values: list[float], ceiling: float = 1.0) -> Measure:
    return Measure(name, np.array(values, float), np.full(len(values), ceiling))


def result(shop: list[Product], model: str, gain: float = 0.0, queries: int = 20) -> ModelResult:
    colours = [("red", "green", "blue", "grey")[n % 4] for n in range(queries)]
    values = [(0.2 if colour == "green" else 0.7) + gain for colour in colours]
    shown = [
        QueryHits(f"dress {q}", [Hit(p, 0.9 - n / 50, n < q) for n, p in enumerate(shop)])
        for q in range(8)
    ]
    titles = TaskResult(
        "titles",
        [f"dress {n}" for n in range(queries)],
        [measure("R@10", values), measure("P@10", values, 0.8)],
        {"colour": colours, "brand": [""] * queries},
        shown,
    )
    variants = TaskResult(
        "variants",
        ["P-0", "P-1"],
        [measure("R@10", [0.5, 1.0])],
        shown=[QueryHits("Dress 0", [Hit(shop[1], 0.8, True)], asked_by=shop[0])],
    )
    return ModelResult(model, "stamp-of-it", 44_434, [titles, variants], trained_on=1234)


def page(folder: Path, *results: ModelResult, title: str = "Trial", **others) -> str:
    summary = summarise(results, title, "all", "catalog", slices_named=0)
    with PictureLoader() as loader:
        return write_report(results, summary, folder, loader, **others).read_text("utf-8")


def test_everything_is_on_one_page_that_needs_nothing_else(
    tmp_path: Path, shop: list[Product]
) -> None:
    text = page(tmp_path / "new" / "report", result(shop, "base"), result(shop, "tuned", 0.1))
    found = Page(text)
    assert [path.name for path in (tmp_path / "new" / "report").iterdir()] == ["index.html"]
    assert found.all("script") == found.all("link") == []
    assert {image["src"][:23] for image in found.all("img")} == {"data:image/jpeg;base64,"}
    assert all(image["alt"] for image in found.all("img"))
    assert {link["href"][0] for link in found.all("a")} == {"#"}
    anchors = {attributes.get("id") for _, attributes in found.elements}
    assert {link["href"][1:] for link in found.all("a")} <= anchors
    assert re.findall(r"url\((?!#)", text) == []


def test_scores_ceilings_differences_and_verdicts_are_told(
    tmp_path: Path, shop: list[Product]
) -> None:
    found = Page(page(tmp_path, result(shop, "base"), result(shop, "tuned", 0.1))).text
    assert "0.575" in found  # mean of .2 once and .7 three times
    assert "0.675" in found
    assert "+0.100" in found
    assert "at most 0.800" in found
    assert "against A: ▲ better in 1" in found
    assert "no difference shown in 1 task" in found
    assert "was trained on 1,234 of these" in found
    assert "p < .001" in found


def test_a_loss_is_called_worse(tmp_path: Path, shop: list[Product]) -> None:
    found = Page(page(tmp_path, result(shop, "base"), result(shop, "tuned", -0.1))).text
    assert "▼ worse in 1" in found
    assert "\N{MINUS SIGN}0.100" in found


def test_the_weakest_slice_comes_first(tmp_path: Path, shop: list[Product]) -> None:
    found = Page(page(tmp_path, result(shop, "base"))).text
    weakest = found[found.index("Where A is weakest") :]
    assert weakest.index("green") < weakest.index("red")
    assert "red" not in weakest[: weakest.index("by colour")]  # it is above the mean
    assert "by colour 4 values" in found
    assert "by brand" not in found


def test_tasks_that_are_aside_stand_under_a_heading(tmp_path: Path, shop: list[Product]) -> None:
    base = result(shop, "base")
    assert "Aside" not in page(tmp_path, base)
    titles, variants = base.tasks
    found = Page(page(tmp_path, replace(base, tasks=[titles, replace(variants, is_aside=True)])))
    assert found.text.index("Aside: by fields") > found.text.index("R@10, 20 queries")
    assert found.text.count("Aside") == 1


def test_one_model_stands_alone_and_five_stand_together(
    tmp_path: Path, shop: list[Product]
) -> None:
    alone = Page(page(tmp_path, result(shop, "only")))
    assert "randomisation" not in alone.text
    assert len(alone.all("svg")) == 2
    many = Page(page(tmp_path, *(result(shop, f"m{n}", n / 50) for n in range(5))))
    assert "E \N{MINUS SIGN} A" in many.text
    assert len(many.all("svg")) == 3
    [scatter] = [svg["aria-label"] for svg in many.all("svg") if "slices" in svg["aria-label"]]
    assert scatter == "4 slices of titles: E is better on 4, worse on 0, than A"


def test_right_and_wrong_are_told_without_colour(tmp_path: Path, shop: list[Product]) -> None:
    text = page(tmp_path, result(shop, "base"))
    assert 'alt="right: Dress 0"' in text
    assert 'alt="wrong: Dress 7"' in text
    assert ">✓<" in text
    assert ">✗<" in text


def test_headers_of_tables_say_what_they_head(tmp_path: Path, shop: list[Product]) -> None:
    found = Page(page(tmp_path, result(shop, "base"), result(shop, "tuned")))
    scopes = {header.get("scope") for header in found.all("th")}
    assert scopes == {"col", "row"}
    assert found.all("html") == [{"lang": "en"}]


def test_what_a_catalog_says_is_text_and_never_markup(tmp_path: Path, shop: list[Product]) -> None:
    bad = replace(shop[0], id=HOSTILE, title=HOSTILE)
    base = result([bad, *shop[1:]], HOSTILE)
    task = replace(
        base.tasks[0],
        task=HOSTILE,
        queries=[HOSTILE] * 20,
        slices={HOSTILE: [HOSTILE] * 20},
        shown=[QueryHits(HOSTILE, [Hit(bad, 0.5, False)], bad)],
    )
    results = [replace(base, tasks=[task]), replace(base, model="b", tasks=[task])]
    text = page(tmp_path, *results, title=HOSTILE)
    found = Page(text)
    assert found.all("script") == []
    assert {image["src"][:5] for image in found.all("img")} == {"data:"}
    assert "default-src 'none'" in text
    assert text.count(HOSTILE) == 0


def test_titles_of_any_script_and_half_a_letter_survive(
    tmp_path: Path, shop: list[Product]
) -> None:
    words = "فستان أحمر 赤いドレス 👗"
    base = result([replace(shop[0], title=words), *shop[1:]], "base")
    task = replace(base.tasks[1], shown=[QueryHits("half \ud83d", [Hit(shop[0], 0.5, True)])])
    text = page(tmp_path, replace(base, tasks=[base.tasks[0], task]), title=words)
    assert f"<title>44,434 products of {words}</title>" in text
    assert "half ?" in text


def test_a_missing_picture_shows_its_place(tmp_path: Path, shop: list[Product]) -> None:
    gone = replace(shop[0], picture=Picture(str(tmp_path / "gone.jpg")))
    found = page(tmp_path, result([gone, *shop[1:]], "base"))
    assert 'aria-label="right: Dress 0; no picture"' in found
    assert 'aria-label="the picture that asks; no picture"' in found


def test_the_same_results_give_the_same_page(tmp_path: Path, shop: list[Product]) -> None:
    results = result(shop, "base"), result(shop, "tuned", 0.1)
    assert page(tmp_path / "a", *results) == page(tmp_path / "b", *results)


def test_pictures_are_small_and_few(
    tmp_path: Path, shop: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    with PictureLoader() as loader:
        [uri] = thumbnails([shop[0], shop[0]], loader).values()
    assert len(uri) < 10_000
    assert SIDE == 128
    many = Page(page(tmp_path, result(shop, "base")))
    assert len(many.all("img")) == report_view.QUERIES * report_view.HITS + 2
    monkeypatch.setattr(report_view, "MAX_PICTURES", 20)
    assert len(Page(page(tmp_path, result(shop, "base"))).all("img")) == report_view.HITS + 2


def test_shown_are_the_worst_and_then_what_changed_most(shop: list[Product]) -> None:
    def hits(right: int) -> list[Hit]:
        return [Hit(product, 0.5, n < right) for n, product in enumerate(shop)]

    counts = {"bad": (0, 0), "same": (5, 5), "gained": (1, 8), "low": (1, 1), "lost": (7, 3)}
    first, last = (
        TaskResult("t", [], [], shown=[QueryHits(name, hits(n[i])) for name, n in counts.items()])
        for i in (0, 1)
    )
    shown = report_view._failures([first, last], queries=4)
    assert [found[0].query for found in shown] == ["bad", "low", "gained", "lost"]


def test_published_scores_stand_beside_ours_or_their_absence_is_explained(
    tmp_path: Path, shop: list[Product]
) -> None:
    base = result(shop, "base")
    ours = replace(base.tasks[0], task="text-to-image")
    base = replace(base, tasks=[ours])
    beside = published_beside("marqo", 44_434, is_trained_on_it=False)
    found = Page(page(tmp_path, base, beside=beside)).text
    published = found[found.index("Published results") :]
    assert "FashionCLIP 2.0 0.122 0.404 0.217" in published
    assert "A base 0.575" in published
    refused = published_beside("marqo", 663, is_trained_on_it=False)
    found = Page(page(tmp_path, base, beside=refused)).text
    assert "your corpus has 663 products, KAGL 44,434" in found
    assert "FashionCLIP 2.0" not in found


def test_a_report_that_cannot_be_written_says_where(tmp_path: Path, shop: list[Product]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GoodsError, match=r"file/index.html cannot be written: file is a file"):
        page(tmp_path / "file", result(shop, "base"))


def test_letters_of_models_never_repeat() -> None:
    letters = [letter(number) for number in range(60)]
    assert letters[:2] == ["A", "B"]
    assert letters[26] == "A2"
    assert len(set(letters)) == 60


def test_files_beside_the_code_are_packaged() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = config["tool"]["setuptools"]["package-data"]
    for path in (ROOT / "model" / "evaluation").iterdir():
        if path.suffix in (".css", ".html", ".toml"):
            assert any(fnmatch(path.name, pattern) for pattern in data["model.evaluation"])
