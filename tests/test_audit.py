"""The audit as a whole: planted faults are found, in the terminal, on the page and in the table."""

import csv
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.cli import main
from goods.pictures import PictureLoader
from ingest.audit.audit import Audit, Limits, audit
from ingest.audit.findings import ADVICE, Finding, Kind
from ingest.audit.gather import Gathering
from ingest.audit.summary import lines, table
from model.encoder import Encoder
from shop import make_shop, picture, read_rows, write_rows

HOSTILE = "</bdi><script>alert('x')</script>"


def photograph(number: int, size: tuple[int, int] = (120, 160)) -> Image.Image:
    """A picture with shapes that no other has, so that hashes tell it from all others."""
    cells = np.random.default_rng(1000 + number).integers(0, 255, (8, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def shop(folder: Path, count: int = 40) -> Path:
    """A shop without a fault."""
    path = make_shop(folder, count)
    for number in range(count):
        photograph(number).save(folder / "images" / f"P-{number}.jpg", quality=90)
    return path


def change(path: Path, number: int, **cells: str) -> None:
    rows = read_rows(path)
    rows[number] |= cells
    write_rows(path, rows)


def audited(path: Path, how: Gathering | None = None, **limits: int) -> Audit:
    with PictureLoader() as loader:
        return audit(open_catalog(path), loader, how or Gathering(), Limits(**limits))


def of_kind(found: Audit, kind: Kind) -> list[Finding]:
    return [finding for finding in found.findings if finding.kind is kind]


def goods_audit(path: Path, *options: str) -> Result:
    arguments = ["audit", "--catalog", str(path), "--out", str(path.parent / "out"), *options]
    return CliRunner(env={"GOODS_MODEL": ""}).invoke(main, arguments)


def ingested(path: Path, model: Path) -> str:
    """The address of an index of the shop."""
    folder, index = path.parent, str(path.parent / "index")
    arguments = ["ingest", "--catalog", str(path), "--model", str(model), "--index", index]
    arguments += [
        "--refused",
        str(folder / "refused.jsonl"),
        "--journal",
        str(folder / "journal.db"),
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    return index


def rows_of(path: Path) -> list[dict[str, str]]:
    with (path.parent / "out" / "findings.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_every_kind_has_its_advice_in_the_order_of_the_report() -> None:
    assert list(ADVICE) == list(Kind)


def test_a_shop_without_a_fault_has_no_finding(tmp_path: Path, model: Path) -> None:
    found = audited(shop(tmp_path), Gathering(Encoder.load(str(model), "cpu")))
    assert found.findings == []
    assert found.pictures == 40


def test_a_blank_picture_is_found(tmp_path: Path) -> None:
    path = shop(tmp_path)
    Image.new("RGB", (120, 160), (250, 250, 248)).save(tmp_path / "images" / "P-7.jpg")
    assert [f.products for f in of_kind(audited(path), Kind.BLANK)] == [("P-7",)]


def test_blank_pictures_are_no_twins(tmp_path: Path) -> None:
    path = shop(tmp_path)
    for number in range(6):
        Image.new("RGB", (120, 160), "white").save(tmp_path / "images" / f"P-{number}.jpg")
    assert {f.kind for f in audited(path).findings} == {Kind.BLANK}


def test_unreadable_pictures_are_told_with_their_fault(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "images" / "P-3.jpg").unlink()
    (tmp_path / "images" / "P-5.jpg").write_text("<html>moved</html>")
    found = audited(path)
    assert [(f.products, f.given) for f in of_kind(found, Kind.UNREADABLE)] == [
        (("P-3",), "source gone"),
        (("P-5",), "not a picture"),
    ]
    assert found.pictures == 38


def test_a_catalog_whose_pictures_are_all_gone_is_still_audited(
    tmp_path: Path, model: Path
) -> None:
    path = shop(tmp_path)
    for file in (tmp_path / "images").iterdir():
        file.unlink()
    change(path, 0, price="-4")
    found = audited(path, Gathering(Encoder.load(str(model), "cpu")))
    assert len(of_kind(found, Kind.UNREADABLE)) == 40
    assert len(of_kind(found, Kind.ODD_PRICE)) == 1


def test_rows_that_are_no_products_are_told(tmp_path: Path) -> None:
    path = shop(tmp_path, 200)
    change(path, 3, price="free")
    (refused,) = of_kind(audited(path), Kind.NOT_A_PRODUCT)
    assert refused.products == ("P-3",)
    assert "'free' is not a number" in refused.note


def test_small_pictures_are_told_one_by_one_when_they_are_few(tmp_path: Path) -> None:
    path = shop(tmp_path)
    photograph(4, (30, 40)).save(tmp_path / "images" / "P-4.jpg")
    (small,) = of_kind(audited(path, min_side=100), Kind.SMALL)
    assert small.products == ("P-4",)
    assert "30 x 40" in small.note


def test_pictures_that_are_nearly_all_small_are_one_finding(tmp_path: Path) -> None:
    (small,) = of_kind(audited(shop(tmp_path), min_side=500), Kind.SMALL)
    assert small.count == 40


def test_a_picture_of_many_categories_is_a_placeholder(tmp_path: Path) -> None:
    path = shop(tmp_path)
    data = (tmp_path / "images" / "P-0.jpg").read_bytes()
    for number in (1, 2, 3, 4):
        (tmp_path / "images" / f"P-{number}.jpg").write_bytes(data)
    (placeholder,) = of_kind(audited(path), Kind.PLACEHOLDER)
    assert placeholder.products == ("P-0", "P-1", "P-2", "P-3", "P-4")


def test_the_same_file_under_two_products_is_found(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "images" / "P-4.jpg").write_bytes((tmp_path / "images" / "P-0.jpg").read_bytes())
    (twins,) = audited(path).findings
    assert twins.kind is Kind.EXACT_TWINS
    assert twins.products == ("P-0", "P-4")
    assert "colour Red / Green" in twins.note


@pytest.mark.parametrize("with_model", [False, True])
def test_a_photograph_saved_anew_is_found(tmp_path: Path, model: Path, with_model: bool) -> None:
    path = shop(tmp_path)
    photograph(0).resize((90, 120)).save(tmp_path / "images" / "P-4.jpg", quality=60)
    encoder = Encoder.load(str(model), "cpu") if with_model else None
    (twins,) = of_kind(audited(path, Gathering(encoder)), Kind.NEAR_TWINS)
    assert twins.products == ("P-0", "P-4")


def test_variants_that_share_a_picture_stand_apart(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "images" / "P-4.jpg").write_bytes((tmp_path / "images" / "P-0.jpg").read_bytes())
    rows = read_rows(path)
    groups = {0: "design-0", 4: "design-0"}
    write_rows(
        path, [row | {"item_group_id": groups.get(n, f"design-{n}")} for n, row in enumerate(rows)]
    )
    (variants,) = audited(path).findings
    assert variants.kind is Kind.VARIANTS


def test_everything_is_written_and_summed_up(tmp_path: Path, model: Path) -> None:
    path = shop(tmp_path)
    change(path, 7, colour="Gren")
    change(path, 9, price="")
    result = goods_audit(path, "--model", str(model), "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "40 products, 40 pictures read" in result.output
    assert "1 x missing price. Enter the price." in result.output
    assert "P-9: price is empty" in result.output
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "findings.csv",
        "index.html",
    ]


def test_json_holds_every_finding(tmp_path: Path) -> None:
    path = shop(tmp_path)
    change(path, 9, price="")
    result = goods_audit(path, "--json")
    found = json.loads(result.stdout)
    assert found["counts"] == {"missing price": 1}
    assert found["findings"][0]["products"] == ["P-9"]
    assert found["model"] is None
    assert "look at" in result.stderr


def test_labels_need_a_model_and_the_summary_says_so(tmp_path: Path) -> None:
    assert "that takes a --model" in "\n".join(lines(audited(shop(tmp_path))))


def test_a_hostile_title_is_text_on_the_page(tmp_path: Path) -> None:
    path = shop(tmp_path)
    change(path, 9, price="", title=HOSTILE)
    assert goods_audit(path).exit_code == 0
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    page = Elements(text)
    assert page.all("script") == []
    assert "&lt;script&gt;" in text
    assert {image["src"][:23] for image in page.all("img")} == {"data:image/jpeg;base64,"}
    anchors = {attributes.get("id") for _, attributes in page.found}
    assert {link["href"][1:] for link in page.all("a")} <= anchors


def test_cells_of_the_table_are_no_formulas(tmp_path: Path) -> None:
    path = shop(tmp_path)
    change(path, 9, id="=1+1", price="-5")
    assert goods_audit(path).exit_code == 0
    (row,) = rows_of(path)
    assert row["product"] == "'=1+1"
    assert row["given"] == "'-5"


def test_the_products_of_a_finding_share_its_number(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "images" / "P-4.jpg").write_bytes((tmp_path / "images" / "P-0.jpg").read_bytes())
    assert goods_audit(path).exit_code == 0
    assert [(row["finding"], row["product"]) for row in rows_of(path)] == [
        ("1", "P-0"),
        ("1", "P-4"),
    ]


def test_a_terminal_gets_no_control_characters(tmp_path: Path) -> None:
    finding = Finding(Kind.BLANK, "a\x1b[31mb", products=("P-1",))
    found = audited(shop(tmp_path))
    shown = "\n".join(lines(Audit("shop", found.schema, {}, 0, 0, None, [finding])))
    assert "\x1b" not in shown


def test_vectors_of_unchanged_pictures_come_from_the_index(tmp_path: Path, model: Path) -> None:
    path = shop(tmp_path)
    index = ingested(path, model)
    picture(4).save(tmp_path / "images" / "P-4.jpg")
    result = goods_audit(path, "--index", index, "--json")  # the model is the index's
    assert json.loads(result.stdout)["vectors_reused"] == 39


def test_an_index_of_another_model_is_refused(tmp_path: Path, model: Path) -> None:
    path = shop(tmp_path)
    index = ingested(path, model)
    other = tiny_clip(tmp_path / "other", seed=1)
    result = goods_audit(path, "--index", index, "--model", str(other))
    assert result.exit_code == 1
    assert "were made by" in result.output


def test_an_empty_catalog_is_refused(tmp_path: Path) -> None:
    path = shop(tmp_path)
    path.write_text(path.read_text().splitlines()[0] + "\n")
    result = goods_audit(path)
    assert result.exit_code == 1
    assert "has no products" in result.output


def test_a_catalog_of_ids_and_pictures_is_audited(tmp_path: Path, model: Path) -> None:
    path = shop(tmp_path)
    write_rows(path, [{"id": row["id"], "image": row["image"]} for row in read_rows(path)])
    result = goods_audit(path, "--model", str(model))
    assert result.exit_code == 0
    assert "0 findings" in result.output
    assert "Nothing was found." in (tmp_path / "out" / "index.html").read_text()
    assert table(audited(path)).splitlines() == [
        "finding,kind,product,field,given,suggested,confidence,note"
    ]
