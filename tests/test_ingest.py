"""Ingest: catalog into index, again and again, whatever happens."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import GoodsError, ModelMismatchError
from goods.index import Record, open_index
from goods.index.contract import fingerprint_of
from goods.index.edge import EdgeIndex
from goods.index.planner import TUNED_NOTE
from goods.product import point_id
from ingest.plan import Work
from ingest.refused import read_refused
from ingest.report import IngestReport
from ingest.rows import expected_rows
from ingest.settings import IngestSettings, Part
from ingest.worker import ingest
from model.encoder import Encoder
from shop import picture, read_rows, write_rows


def run(
    shop: Path, encoder: Encoder, folder: Path | None = None, **settings: object
) -> IngestReport:
    index = open_index(str(folder or shop.parent / "index"))
    try:
        return ingest(
            open_catalog(shop),
            index,
            encoder,
            IngestSettings(
                batch_size=16,
                refused=shop.parent / "refused.jsonl",
                journal=shop.parent / "journal.db",
                **settings,  # type: ignore[arg-type]  # as each test names them
            ),
        )
    finally:
        index.close()


def records(folder: Path) -> dict[str, Record]:
    index = open_index(str(folder))
    try:
        return {r.payload["id"]: r for r in index.scan(with_vectors=True)}
    finally:
        index.close()


def refusals(shop: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (shop.parent / "refused.jsonl").read_text().splitlines()]


def test_every_product_is_embedded_and_kept_with_its_attributes(
    shop: Path, encoder: Encoder
) -> None:
    report = run(shop, encoder)
    assert report.works == {Work.NEW: 40}
    assert (report.embedded, report.written, report.points) == (40, 40, 40)
    kept = records(shop.parent / "index")
    assert set(kept) == {f"P-{n}" for n in range(40)}
    seven = kept["P-7"]
    assert seven.id == point_id("P-7")
    assert seven.payload["colour"] == "Green"
    assert seven.payload["price"] == 17.5
    assert seven.payload["in_stock"] is True
    assert seven.payload["picture"] == str(shop.parent / "images/P-7.jpg")
    with Image.open(shop.parent / "images/P-7.jpg") as image:
        expected = encoder.images([image.convert("RGB")])[0]
    assert seven.vector is not None
    np.testing.assert_allclose(seven.vector, expected, atol=1e-5)


def test_an_unchanged_catalog_embeds_and_writes_nothing(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 40}
    assert (report.embedded, report.written) == (0, 0)


def test_a_new_price_is_written_without_embedding(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    before = records(shop.parent / "index")["P-5"]
    rows = read_rows(shop)
    rows[5]["price"] = "99.00"
    write_rows(shop, rows)
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 39, Work.PAYLOAD: 1}
    assert (report.embedded, report.written) == (0, 1)
    after = records(shop.parent / "index")["P-5"]
    assert after.payload["price"] == 99
    np.testing.assert_array_equal(after.vector, before.vector)
    assert run(shop, encoder).written == 0


def test_a_new_picture_is_embedded_again(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    before = records(shop.parent / "index")["P-5"]
    picture(500).save(shop.parent / "images/P-5.jpg")
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 39, Work.PICTURE: 1}
    after = records(shop.parent / "index")["P-5"]
    assert not np.allclose(after.vector, before.vector)
    assert fingerprint_of(after.payload) != fingerprint_of(before.payload)


def test_products_that_are_gone_are_deleted_only_with_sync(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    write_rows(shop, read_rows(shop)[:30])
    assert run(shop, encoder).points == 40
    report = run(shop, encoder, sync=True)
    assert (report.deleted, report.points) == (10, 30)


def test_sync_deletes_nothing_when_most_of_the_index_would_go(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    write_rows(shop, read_rows(shop)[:5])
    with pytest.raises(GoodsError, match=r"35 of 40 .*nothing was deleted.*--max-gone"):
        run(shop, encoder, sync=True)
    assert len(records(shop.parent / "index")) == 40
    assert run(shop, encoder, sync=True, max_gone=1.0).points == 5


def test_sync_keeps_a_product_whose_row_or_picture_is_broken_tonight(
    shop: Path, encoder: Encoder
) -> None:
    run(shop, encoder)
    rows = read_rows(shop)
    rows[3]["title"] = "long " * 10_000
    write_rows(shop, rows)
    (shop.parent / "images/P-4.jpg").unlink()
    report = run(shop, encoder, sync=True)
    assert (report.deleted, report.points, report.refused_total) == (0, 40, 2)


def test_a_product_that_is_gone_is_noticed_beside_rows_that_come_twice(
    shop: Path, encoder: Encoder
) -> None:
    run(shop, encoder)
    *rows, _ = read_rows(shop)
    write_rows(shop, [*rows, rows[2], rows[3] | {"title": "long " * 10_000}])
    report = run(shop, encoder, sync=True)
    assert (report.deleted, report.points, report.refused_total) == (1, 39, 2)


def test_an_index_that_has_no_more_than_the_catalog_is_not_read_for_what_is_gone(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows(shop, read_rows(shop)[:39])
    run(shop, encoder)
    write_rows(shop, [*read_rows(shop)[:38], {**read_rows(shop)[38], "price": "1.25"}])

    def scan(*_: object, **__: object) -> None:
        raise AssertionError("it was read")

    with monkeypatch.context() as patch:
        patch.setattr(EdgeIndex, "scan", scan)
        assert run(shop, encoder, sync=True).deleted == 0
        write_rows(shop, read_rows(shop)[1:])
        with pytest.raises(AssertionError, match="it was read"):
            run(shop, encoder, sync=True)
    assert run(shop, encoder, sync=True).deleted == 1


def test_sync_with_a_limit_is_refused() -> None:
    with pytest.raises(GoodsError, match="would delete"):
        IngestSettings(sync=True, limit=3)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(GoodsError, match="batch_size is 0"):
        IngestSettings(batch_size=0)


def test_bad_products_are_explained_and_the_rest_goes_in(shop: Path, encoder: Encoder) -> None:
    images = shop.parent / "images"
    (images / "P-1.jpg").unlink()
    (images / "P-2.jpg").write_bytes(b"")
    (images / "P-3.jpg").write_text("<html>not here</html>")
    whole = (images / "P-4.jpg").read_bytes()
    (images / "P-4.jpg").write_bytes(whole[: len(whole) // 2])
    rows = read_rows(shop)
    rows[5]["title"] = "long " * 10_000
    rows[6]["id"] = ""
    rows[8]["id"] = "P-7"
    write_rows(shop, rows)
    report = run(shop, encoder)
    assert report.points == 33
    assert report.refused_total == 7
    assert report.refused == {
        "catalog: schema": 3,
        "picture: source gone": 1,
        "picture: broken": 2,
        "picture: not a picture": 1,
    }
    told = {entry["row"]: entry for entry in refusals(shop)}
    assert set(told) == {2, 3, 4, 5, 6, 7, 9}
    assert told[2]["product"] == "P-1"
    assert "P-1.jpg" in str(told[2]["message"])
    assert "title has 49,999 characters" in str(told[6]["message"])
    assert report.refused_share == pytest.approx(7 / 40)


def test_a_repaired_product_goes_in_with_the_next_run(shop: Path, encoder: Encoder) -> None:
    (shop.parent / "images/P-1.jpg").unlink()
    run(shop, encoder)
    picture(1).save(shop.parent / "images/P-1.jpg")
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 39, Work.NEW: 1}
    assert refusals(shop) == []


def test_a_limit_takes_the_first_rows(shop: Path, encoder: Encoder) -> None:
    assert run(shop, encoder, limit=7).points == 7


def test_another_model_is_refused_and_rebuild_replaces(
    shop: Path, encoder: Encoder, tmp_path: Path
) -> None:
    run(shop, encoder)
    other = Encoder.load(str(tiny_clip(tmp_path / "other", seed=1)), device="cpu")
    with pytest.raises(ModelMismatchError, match="--rebuild"):
        run(shop, other)
    assert run(shop, encoder).written == 0
    report = run(shop, other, rebuild=True)
    assert (report.embedded, report.points) == (40, 40)
    index = open_index(str(shop.parent / "index"))
    assert index.contract.stamp == other.stamp
    index.close()


def test_a_rebuild_that_lost_its_pictures_replaces_nothing(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    (shop.parent / "images").rename(shop.parent / "away")
    with pytest.raises(
        GoodsError, match=r"100\.0% .*more than --max-refused 1\.0%: the 40 products"
    ):
        run(shop, encoder, rebuild=True)
    assert len(records(shop.parent / "index")) == 40
    assert len(read_refused(shop.parent / "refused.jsonl.partial")) == 40
    (shop.parent / "away").rename(shop.parent / "images")
    assert run(shop, encoder, rebuild=True).points == 40


def test_a_rebuild_of_a_fraction_replaces_nothing_unless_it_may(
    shop: Path, encoder: Encoder
) -> None:
    run(shop, encoder)
    write_rows(shop, read_rows(shop)[:5])
    with pytest.raises(GoodsError, match=r"has 5 products: the 40 .*--max-gone"):
        run(shop, encoder, rebuild=True)
    assert len(records(shop.parent / "index")) == 40
    assert run(shop, encoder, rebuild=True, max_gone=1.0).points == 5


def test_where_nothing_is_in_service_a_rebuild_takes_what_there_is(
    shop: Path, encoder: Encoder
) -> None:
    for number in range(30):
        (shop.parent / f"images/P-{number}.jpg").unlink()
    report = run(shop, encoder, rebuild=True)
    assert (report.points, report.refused_total) == (10, 30)


def test_sync_sees_what_is_gone_behind_a_new_product_that_is_repeated(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.plan.BATCH", 4)
    monkeypatch.setattr("ingest.worker._CHUNK", 1)
    run(shop, encoder)
    rows = read_rows(shop)
    fresh = rows[39] | {"id": "P-new"}
    write_rows(shop, [fresh, *rows[:39], fresh])
    report = run(shop, encoder, sync=True)
    assert report.deleted == 1
    assert set(records(shop.parent / "index")) == {"P-new", *(f"P-{n}" for n in range(39))}


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_product_that_another_run_deletes_meanwhile_is_written_again(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, has_journal: bool
) -> None:
    run(shop, encoder)
    rows = read_rows(shop)
    rows[5]["price"] = "99.00"
    write_rows(shop, rows)
    if not has_journal:
        (shop.parent / "journal.db").unlink()
    fetch = EdgeIndex.fetch

    def gone(self: EdgeIndex, ids: Sequence[UUID], **how: Any) -> list[Record]:
        return [] if how.get("with_vectors") else fetch(self, ids, **how)

    monkeypatch.setattr(EdgeIndex, "fetch", gone)
    report = run(shop, encoder)
    assert (report.written, report.embedded) == (1, 0 if has_journal else 1)
    monkeypatch.undo()
    five = records(shop.parent / "index")["P-5"]
    assert five.payload["price"] == 99
    assert five.vector is not None


def test_a_run_says_how_many_rows_to_expect(shop: Path) -> None:
    catalog = open_catalog(shop)
    assert expected_rows(catalog, IngestSettings()) == 40
    assert expected_rows(catalog, IngestSettings(part=Part(3, 8))) == 5
    assert expected_rows(catalog, IngestSettings(limit=7)) == 7
    assert expected_rows(catalog, IngestSettings(retry=shop)) is None


def test_a_rebuilt_index_says_that_its_tuning_is_gone(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    index = open_index(str(shop.parent / "index"))
    index.write_note(TUNED_NOTE, {"points": 40})
    index.close()
    assert not run(shop, encoder).is_out_of_tune
    report = run(shop, encoder, rebuild=True)
    assert report.is_out_of_tune
    assert list(report.lines())[-1].startswith("goods tune measures")
    assert not run(shop, encoder, rebuild=True).is_out_of_tune, "nobody tuned this one"


def test_the_same_product_is_the_same_point_in_every_run(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    rows = read_rows(shop)
    random.Random(0).shuffle(rows)
    write_rows(shop, rows)
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 40}


def test_stages_report_what_they_handled(shop: Path, encoder: Encoder) -> None:
    report = run(shop, encoder)
    stages = {stage.stage: stage for stage in report.stages}
    assert list(stages) == ["plan", "load", "embed", "journal", "upsert", "seal"]
    assert stages["load"].products == stages["embed"].products == stages["upsert"].products == 40
    assert all(stage.busy_s > 0 for stage in report.stages)
    assert stages["embed"].per_s > 0
    assert any("40 new" in line for line in report.lines())


def test_a_remote_picture_is_kept_as_the_url_that_the_console_can_show(
    shop: Path, encoder: Encoder
) -> None:
    import http.server
    import threading
    from functools import partial

    class Quiet(http.server.SimpleHTTPRequestHandler):
        requests = 0

        def log_message(self, format: str, *args: object) -> None:
            type(self).requests += 1

    handler = partial(Quiet, directory=str(shop.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rows = read_rows(shop)[:6]
        base = f"http://127.0.0.1:{server.server_port}"
        for product in rows:
            product["image"] = f"{base}/{product['image']}"
        write_rows(shop, rows)
        assert run(shop, encoder, allow_private=("127.0.0.1",)).points == 6
        asked = Quiet.requests
        assert run(shop, encoder, allow_private=("127.0.0.1",)).written == 0
        assert Quiet.requests == asked, "an unchanged URL is not downloaded again"
        server.shutdown()
    assert records(shop.parent / "index")["P-2"].payload["picture"] == f"{base}/images/P-2.jpg"


def test_unicode_ids_and_titles_come_back_as_they_are(shop: Path, encoder: Encoder) -> None:
    rows = read_rows(shop)
    rows[0] |= {"id": "产品/÷ 1", "title": "Robe d'été 👗"}
    write_rows(shop, rows)
    run(shop, encoder)
    assert records(shop.parent / "index")["产品/÷ 1"].payload["title"] == "Robe d'été 👗"


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_reports_and_exits_with_3_when_too_many_are_refused(
    shop: Path, model: Path, tmp_path: Path
) -> None:
    (shop.parent / "images/P-1.jpg").unlink()
    args = ("ingest", "--catalog", shop, "--model", model, "--index", tmp_path / "index")
    args = (*args, "--refused", tmp_path / "refused.jsonl", "--journal", tmp_path / "journal.db")
    code, out, err = invoke(*args)
    assert code == 3
    assert "39 new" in out
    assert "refused 1 x picture: source gone" in out
    assert "more than 1 %" in err
    code, out, _ = invoke(*args, "--max-refused", 5, "--json")
    assert code == 0
    assert json.loads(out)["unchanged"] == 39


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "products.csv"),
        ("", "empty"),
        ("id,image,title\n", "no products"),
        ("image,title,price\nx.jpg,Shirt,3\ny.jpg,Shirt,4\n", "id"),
    ],
)
def test_a_catalog_that_cannot_be_used_stops_before_any_work(
    tmp_path: Path, model: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "products.csv").write_text(text)
    code, _, err = invoke(
        "ingest", "--catalog", tmp_path / "products.csv", "--model", model,
        "--index", tmp_path / "index", "--journal", tmp_path / "journal.db",
    )  # fmt: skip
    assert code == 1
    assert message in err
    assert not (tmp_path / "index").exists()


def test_a_refused_file_that_cannot_be_written_is_said_before_work(
    shop: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = invoke(
        "ingest", "--catalog", shop, "--model", model, "--index", tmp_path / "index",
        "--refused", tmp_path / "file" / "refused.jsonl", "--journal", tmp_path / "journal.db",
    )  # fmt: skip
    assert code == 1
    assert "--refused" in err
