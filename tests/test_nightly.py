"""The same catalog night after night: what a run recognises, and what it does not do again."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nights import look, run

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.errors import GoodsError, IndexRequestError, ModelMismatchError, SchemaError
from goods.index import Point, open_index
from goods.index.edge import EdgeIndex
from goods.pictures import PictureLoader
from goods.product import Picture, Product, point_id
from goods.schema import Field, FieldKind
from ingest.plan import Work
from ingest.refused import read_refused
from ingest.settings import IngestSettings, Part
from ingest.worker import ingest
from model.encoder import Encoder
from shop import picture, read_rows, write_rows


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The locations of the pictures whose bytes were read."""
    read: list[str] = []
    fetch = PictureLoader.fetch

    def noted(self: PictureLoader, wanted: Picture, known: str | None = None) -> object:
        read.append(Path(wanted.location).name)
        return fetch(self, wanted, known)

    monkeypatch.setattr(PictureLoader, "fetch", noted)
    return read


def vectors(shop: Path, folder: str = "index") -> dict[str, np.ndarray]:
    index = open_index(str(shop.parent / folder))
    try:
        return {r.payload["id"]: r.vector for r in index.scan(with_vectors=True)}
    finally:
        index.close()


def test_what_was_not_touched_is_not_even_read(
    shop: Path, encoder: Encoder, reads: list[str]
) -> None:
    run(shop, encoder)
    assert len(reads) == 40
    reads.clear()
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert reads == []


def test_a_touched_picture_is_read_once_and_not_written(
    shop: Path, encoder: Encoder, reads: list[str]
) -> None:
    run(shop, encoder)
    reads.clear()
    os.utime(shop.parent / "images/P-3.jpg", (1, 1))
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert reads == ["P-3.jpg"]
    reads.clear()
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert reads == []


def test_a_lost_journal_costs_reading_but_no_embedding(
    shop: Path, encoder: Encoder, reads: list[str]
) -> None:
    run(shop, encoder)
    (shop.parent / "journal.db").unlink()
    reads.clear()
    report = run(shop, encoder)
    assert (report.works, report.embedded, reads) == ({Work.NONE: 40}, 0, [])
    (shop.parent / "journal.db").unlink()
    index = open_index(str(shop.parent / "index"))
    index.write_ledger(b"")
    index.close()
    report = run(shop, encoder)
    assert (report.works, report.embedded) == ({Work.NONE: 40}, 0)
    assert len(reads) == 40


def test_a_picture_that_changed_behind_its_time_and_size_is_found_with_verify(
    shop: Path, encoder: Encoder
) -> None:
    run(shop, encoder)
    file = shop.parent / "images/P-3.jpg"
    before, content = file.stat(), bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert run(shop, encoder, verify=True).works == {Work.NONE: 39, Work.PICTURE: 1}


def test_a_renamed_picture_is_moved_and_not_embedded(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    before = vectors(shop)
    rows = read_rows(shop)
    (shop.parent / "images/P-3.jpg").rename(shop.parent / "images/renamed.jpg")
    rows[3]["image"] = "images/renamed.jpg"
    write_rows(shop, rows)
    report = run(shop, encoder)
    assert (report.works, report.embedded, report.written) == (
        {Work.NONE: 39, Work.MOVED: 1}, 0, 1,
    )  # fmt: skip
    np.testing.assert_array_equal(vectors(shop)["P-3"], before["P-3"])
    assert run(shop, encoder).works == {Work.NONE: 40}


def test_the_same_picture_under_two_products_is_embedded_once(shop: Path, encoder: Encoder) -> None:
    for number in range(10, 40):
        shutil.copy(shop.parent / "images/P-0.jpg", shop.parent / f"images/P-{number}.jpg")
    report = run(shop, encoder)
    assert (report.works, report.embedded) == ({Work.NEW: 40}, 10)
    kept = vectors(shop)
    np.testing.assert_array_equal(kept["P-39"], kept["P-0"])


def test_another_index_of_the_same_model_costs_no_embedding(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    report = run(shop, encoder, folder="other")
    assert (report.works, report.embedded, report.written) == ({Work.NEW: 40}, 0, 40)
    np.testing.assert_equal(vectors(shop, "other"), vectors(shop))
    assert run(shop, encoder, rebuild=True).embedded == 0


def test_a_journal_that_may_keep_nothing_is_still_right(shop: Path, encoder: Encoder) -> None:
    assert run(shop, encoder, journal_bytes=0).embedded == 40
    assert run(shop, encoder, journal_bytes=0).works == {Work.NONE: 40}


def test_a_dry_run_says_what_a_run_then_does(shop: Path, encoder: Encoder) -> None:
    assert look(shop, encoder).works == {Work.NEW: 40}
    assert not (shop.parent / "refused.jsonl").exists()
    run(shop, encoder)
    rows = read_rows(shop)
    rows[1]["price"] = "1.00"
    (shop.parent / "images/P-2.jpg").rename(shop.parent / "images/renamed.jpg")
    rows[2]["image"] = "images/renamed.jpg"
    picture(500).save(shop.parent / "images/P-3.jpg")
    (shop.parent / "images/P-4.jpg").unlink()
    rows[5] |= {"id": "new"}
    write_rows(shop, rows[:38])
    expected = {Work.PAYLOAD: 1, Work.MOVED: 1, Work.PICTURE: 1, Work.NEW: 1, Work.NONE: 33}
    before = vectors(shop)
    plan = look(shop, encoder)
    assert plan.works == expected
    assert plan.gone == 3
    assert plan.refused == {"picture: source gone": 1}
    assert plan.to_embed == 1, "the new product has the picture of an old one"
    shown = "\n".join(plan.lines())
    assert "1 pictures to embed (1 more are in the journal)" in shown
    assert "P-4.jpg" in shown
    np.testing.assert_equal(vectors(shop), before)
    report = run(shop, encoder, sync=True)
    assert report.works == expected
    assert (report.deleted, report.embedded) == (3, 1)


@pytest.mark.parametrize("has_run", [False, True])
def test_a_dry_run_leaves_no_file_behind(shop: Path, encoder: Encoder, has_run: bool) -> None:
    if has_run:
        run(shop, encoder)
    before = set(shop.parent.iterdir())
    look(shop, encoder, journal=shop.parent / "kept" / "journal.db")
    look(shop, encoder)
    assert set(shop.parent.iterdir()) == before


def test_a_dry_run_for_another_model_says_what_the_run_would_say(
    shop: Path, encoder: Encoder, tmp_path: Path
) -> None:
    run(shop, encoder)
    other = Encoder.load(str(tiny_clip(tmp_path / "other", seed=1)), device="cpu")
    with pytest.raises(ModelMismatchError, match="--rebuild"):
        look(shop, other)
    assert look(shop, other, rebuild=True).works == {Work.NEW: 40}


def test_only_the_refused_are_tried_again(shop: Path, encoder: Encoder) -> None:
    for number in (1, 2):
        (shop.parent / f"images/P-{number}.jpg").unlink()
    assert run(shop, encoder).refused == {"picture: source gone": 2}
    refused = shop.parent / "refused.jsonl"
    assert read_refused(refused) == {"P-1", "P-2"}
    assert all(json.loads(line)["when"] for line in refused.read_text().splitlines())
    picture(1).save(shop.parent / "images/P-1.jpg")
    report = run(shop, encoder, retry=refused)
    assert (report.products, report.works, report.refused_total) == (2, {Work.NEW: 1}, 1)
    assert read_refused(refused) == {"P-2"}
    picture(2).save(shop.parent / "images/P-2.jpg")
    assert run(shop, encoder, retry=refused).points == 40
    assert refused.read_text() == ""


def test_the_refused_of_a_run_that_failed_are_kept_beside_those_of_the_last_one(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.parent / "images/P-1.jpg").unlink()
    run(shop, encoder)
    (shop.parent / "images/P-2.jpg").unlink()

    def fails(*_: object) -> None:
        raise GoodsError("the disk is full")

    monkeypatch.setattr(EdgeIndex, "seal", fails)
    with pytest.raises(GoodsError, match="disk is full"):
        run(shop, encoder)
    assert read_refused(shop.parent / "refused.jsonl") == {"P-1"}
    assert read_refused(shop.parent / "refused.jsonl.partial") == {"P-1", "P-2"}


@pytest.mark.parametrize("content", ["{}", "[1]", "no json"])
def test_a_file_that_names_no_refused_products_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content)
    with pytest.raises(GoodsError, match="no file of refused products"):
        read_refused(tmp_path / "file")


def test_a_price_stays_a_number_though_some_rows_say_call_us(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    rows = read_rows(shop)
    for number in (3, 5):
        rows[number]["price"] = "call us"
    write_rows(shop, rows)
    assert open_catalog(shop).schema.field("price") is None
    for report in (look(shop, encoder), run(shop, encoder, sync=True)):
        assert report.works == {Work.NONE: 38}
        assert report.refused == {"catalog: schema": 2}
    index = open_index(str(shop.parent / "index"))
    assert index.contract.schema.field("price") == Field("price", FieldKind.NUMBER, "price")
    assert index.count() == 40
    index.close()
    assert {r["id"]: r["price"] for r in read_rows(shop)}["P-3"] == "call us"


def test_a_field_whose_column_is_gone_stops_a_night_unless_that_was_said(
    shop: Path, encoder: Encoder
) -> None:
    run(shop, encoder)
    rows = [{("farbe" if k == "colour" else k): v for k, v in r.items()} for r in read_rows(shop)]
    write_rows(shop, rows)
    for night in (look, run):
        with pytest.raises(SchemaError, match=r"the column colour is gone.*--schema.*--rebuild"):
            night(shop, encoder)
    index = open_index(str(shop.parent / "index"))
    assert index.contract.schema.field("colour") is not None
    said = shop.parent / "schema.toml"
    said.write_text('ignore = ["farbe"]\n')
    settings = IngestSettings(shop.parent / "refused.jsonl", shop.parent / "journal.db")
    assert ingest(open_catalog(shop, said), index, encoder, settings).written == 40
    assert index.contract.schema.field("colour") is None
    index.close()


def test_a_key_that_comes_late_in_json_lines_is_read_where_the_index_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goods.tables.SAMPLE_ROWS", 2)
    lines = [{"id": f"p{n}", "image": f"{n}.jpg", "colour": "Red"} for n in range(4)]
    lines[3]["sale_price"] = "9.5"
    file = tmp_path / "shop.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    catalog = open_catalog(file).continuing([Field("sale_price", FieldKind.NUMBER, "sale_price")])
    products = [row for row in catalog.products() if isinstance(row, Product)]
    assert [product.attributes.get("sale_price") for product in products] == [None] * 3 + [9.5]


def test_what_the_index_does_not_take_is_found_and_explained(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert = EdgeIndex.upsert

    def picky(self: EdgeIndex, points: list[Point]) -> None:
        if bad := [p.payload["id"] for p in points if p.payload["id"] in ("P-7", "P-23")]:
            raise IndexRequestError(f"cannot take {bad}")
        upsert(self, points)

    monkeypatch.setattr(EdgeIndex, "upsert", picky)
    report = run(shop, encoder)
    assert report.refused == {"index: index": 2}
    assert (report.points, report.written) == (38, 38)
    assert read_refused(shop.parent / "refused.jsonl") == {"P-7", "P-23"}
    monkeypatch.undo()
    report = run(shop, encoder)
    assert (report.embedded, report.written, report.points) == (0, 2, 40)


def test_a_broken_vector_is_not_kept_for_the_next_run(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = Encoder.embed_pixels

    def broken(self: Encoder, pixels: object) -> np.ndarray:
        made = embed(self, pixels)  # type: ignore[arg-type] # passed on
        made[0] = np.nan
        return made

    monkeypatch.setattr(Encoder, "embed_pixels", broken)
    report = run(shop, encoder, batch_size=20)
    assert report.refused == {"index: index": 2}
    monkeypatch.undo()
    report = run(shop, encoder)
    assert (report.embedded, report.points) == (2, 40)


def test_parts_are_disjoint_and_whole_and_each_deletes_only_its_own(
    shop: Path, encoder: Encoder
) -> None:
    sizes = [run(shop, encoder, part=Part(n, 3)).products for n in (1, 2, 3)]
    assert sum(sizes) == 40
    assert all(sizes)
    assert run(shop, encoder).works == {Work.NONE: 40}
    write_rows(shop, [row for row in read_rows(shop) if row["id"] not in ("P-1", "P-2", "P-3")])
    gone = [point_id(f"P-{n}").int % 3 for n in (1, 2, 3)]
    for number in (1, 2, 3):
        report = run(shop, encoder, part=Part(number, 3), sync=True)
        assert report.deleted == gone.count(number - 1)
    assert report.points == 37


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(GoodsError, match="part"):
        Part.parse(text)


@pytest.mark.parametrize(
    "others",
    [
        {"sync": True, "retry": Path("refused.jsonl")},
        {"rebuild": True, "part": Part(1, 2)},
        {"rebuild": True, "limit": 7},
    ],
)
def test_settings_that_would_delete_what_they_do_not_see_are_refused(
    others: dict[str, object],
) -> None:
    with pytest.raises(GoodsError, match=r"would delete|whole catalog"):
        IngestSettings(**others)  # type: ignore[arg-type] # as the test names them
