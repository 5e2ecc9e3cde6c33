"""Parts of a catalog: disjoint, complete, the same every night, and loaded side by side."""

import json
import os
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from points import CONTRACT
from qdrant_stub import Stub, serve

from goods.catalog import open_catalog
from goods.index import open_index
from goods.index.edge import EdgeIndex
from goods.product import point_id
from ingest.plan import Work
from ingest.report import IngestReport
from ingest.rows import wanted_rows
from ingest.settings import IngestSettings, Part
from ingest.worker import ingest
from model.encoder import Encoder
from shop import read_rows, write_rows


def ids(shop: Path, part: Part) -> set[str]:
    rows = wanted_rows(open_catalog(shop), IngestSettings(part=part))
    return {row.id for row in rows if row.id is not None}


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_parts_are_disjoint_and_together_the_whole_catalog(shop: Path, of: int) -> None:
    parts = [ids(shop, Part(number, of)) for number in range(1, of + 1)]
    assert sum(map(len, parts)) == 40
    assert set().union(*parts) == {f"P-{n}" for n in range(40)}


def test_a_product_stays_in_its_part_when_others_come_and_go(shop: Path) -> None:
    before = ids(shop, Part(2, 3))
    rows = read_rows(shop)
    gone = {row["id"] for row in rows[:7]}
    rows = [*rows[7:], *({**rows[0], "id": f"Q-{n}"} for n in range(9))]
    random.Random(0).shuffle(rows)
    write_rows(shop, rows)
    assert {name for name in ids(shop, Part(2, 3)) if name.startswith("P")} == before - gone


def run(shop: Path, encoder: Encoder, number: int, **settings: object) -> IngestReport:
    """Load one of two parts."""
    with closing(open_index(str(shop.parent / "index"))) as index:
        return ingest(
            open_catalog(shop),
            index,
            encoder,
            IngestSettings(
                refused=shop.parent / f"refused-{number}.jsonl",
                journal=shop.parent / f"journal-{number}.db",
                part=Part(number, 2),
                **settings,  # type: ignore[arg-type]  # as each test names them
            ),
        )


def test_a_part_is_gone_on_with_where_it_was(shop: Path, encoder: Encoder) -> None:
    count = run(shop, encoder, 1).points
    assert run(shop, encoder, 1).works == {Work.NONE: count}
    assert run(shop, encoder, 2).works == {Work.NEW: 40 - count}


def test_sync_of_a_part_deletes_only_what_is_gone_from_it(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder, 1)
    run(shop, encoder, 2)
    rows = read_rows(shop)
    write_rows(shop, rows[:30])
    gone = sum(Part(1, 2).has(point_id(row["id"]).int) for row in rows[30:])
    assert 0 < gone < 10
    report = run(shop, encoder, 1, sync=True, max_gone=1.0)
    assert (report.deleted, report.points) == (gone, 40 - gone)
    assert run(shop, encoder, 2, sync=True, max_gone=1.0).points == 30


def goods_ingest(
    shop: Path, model: Path, index: object, name: str, *more: str
) -> subprocess.Popen[str]:
    """The real command in a process of its own, with files of its own."""
    command = [sys.executable, "-c", "from goods.cli import main; main()", "ingest", "--json"]
    options = {
        "catalog": shop,
        "model": model,
        "index": index,
        "journal": shop.parent / f"{name}.db",
        "refused": shop.parent / f"{name}.jsonl",
    }
    command += [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return subprocess.Popen(
        [*command, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_processes_on_one_server_index_neither_need_nor_disturb_each_other(
    shop: Path, model: Path, encoder: Encoder
) -> None:
    with serve(Stub()) as stub:
        url = f"http://127.0.0.1:{stub.port}/products"
        processes = [
            goods_ingest(shop, model, url, name, "--part", part)
            for name, part in (("a", "1/2"), ("b", "2/2"), ("b-too", "2/2"))
        ]
        reports = []
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            reports.append(json.loads(out))
        [(collection, found)] = stub.points.items()
        assert stub.aliases == {"products": collection}
    assert [report["refused"] for report in reports] == [{}, {}, {}]
    products = {record["payload"]["id"]: record for record in found.values()}
    assert set(products) == {f"P-{n}" for n in range(40)}
    for number in (3, 4, 5):
        expected = encoder.images([_as_saved(shop, number)])[0]
        vector = np.asarray(_dense(products[f"P-{number}"]["vector"]))
        np.testing.assert_allclose(vector, expected, atol=1e-5)


def _as_saved(shop: Path, number: int) -> object:
    from PIL import Image

    with Image.open(shop.parent / f"images/P-{number}.jpg") as image:
        return image.convert("RGB")


def _dense(vector: object) -> object:
    return vector[""] if isinstance(vector, dict) else vector


def test_the_second_on_an_embedded_folder_is_told_who_holds_it(shop: Path, model: Path) -> None:
    folder = shop.parent / "index"
    with closing(EdgeIndex(folder)) as index:
        index.create(CONTRACT)
        process = goods_ingest(shop, model, folder, "second")
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert f"(process {os.getpid()} on " in err
