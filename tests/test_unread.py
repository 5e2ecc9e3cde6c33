"""Rows that are not read because they say what they said before: nothing may hide behind that."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goods.assembly import Assembler
from goods.catalog import Catalog, open_catalog
from goods.errors import CatalogError
from goods.index import Record
from goods.index.contract import Fingerprint, payload_of
from goods.pictures import PictureLoader
from goods.product import Product
from goods.tables import Row
from ingest import unread
from ingest.journal import Journal, Seen
from ingest.ledger import Ledger
from ingest.plan import Planned, Work, plan
from ingest.recognise import digest_of
from ingest.unread import Unread
from shop import read_rows, write_rows
from shop import row as shop_row

ROWS = 12


class Written:
    """An index as far as plans ask for it."""

    def __init__(self) -> None:
        self.points: dict[UUID, dict[str, Any]] = {}

    def fetch(
        self, ids: Sequence[UUID], *, with_vectors: bool = False, keys: Sequence[str] | None = None
    ) -> list[Record]:
        vector = np.zeros(2, np.float32) if with_vectors else None
        return [Record(p, self.points[p], vector) for p in ids if p in self.points]


class Forgetful(Journal):
    """A journal that knows pictures and no rows: every row is read."""

    def payloads(self, rows: Any) -> dict[bytes, str]:
        return {}


def planned(
    catalog: Catalog, index: Written | None, journal: Journal, ledger: Ledger | None = None
) -> tuple[list[Any], int]:
    """What is to be done and what is left out, in order, and how much is unchanged."""
    rows: list[Any] = []
    unchanged = 0
    with PictureLoader() as loader, ThreadPoolExecutor(1) as pool:
        entries = catalog.entries()
        ledger = ledger or Ledger(b"")
        for batch in plan(entries, catalog.schema, index, journal, ledger, loader, pool):  # type: ignore[arg-type] # of it, what is asked for
            works = [getattr(item, "work", None) for item in batch.items]
            unchanged += batch.unread + works.count(Work.NONE)
            rows += [item for item, w in zip(batch.items, works, strict=True) if w != Work.NONE]
    return rows, unchanged


def load(catalog: Catalog, journal: Journal, ledger: Ledger | None = None) -> Written:
    """What an ingest leaves behind: points, and the states of their pictures."""
    index = Written()
    for item in planned(catalog, None, journal, ledger)[0]:
        if not isinstance(item, Planned):
            continue
        where = item.product.picture.location
        digest = digest_of(Path(where).read_bytes() if where.startswith("/") else where.encode())
        payload = payload_of(item.product, Fingerprint(digest, item.payload))
        index.points[item.product.point_id] = json.loads(json.dumps(payload))
        if ledger:
            ledger.note_written([item.product.point_id])
        with PictureLoader() as loader:
            validator = loader.validator(item.product.picture) or "etag"
        journal.keep(seen=[Seen(where, validator, digest)])
    return index


def kept(ledger: Ledger) -> bytes:
    """What is left of it for the next run."""
    data = ledger.to_bytes()
    assert data is not None
    return data


def shown(rows: list[Any]) -> list[tuple[Any, ...]]:
    """Without the moment of a refusal."""
    return [
        (row.product, row.work, row.payload, row.picture, row.before)
        if isinstance(row, Planned)
        else (row.row, row.product, row.stage, row.message)
        for row in rows
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make(tmp_path / "shop")


def make(folder: Path) -> Path:
    """A shop of few rows; every fourth picture is at a URL."""
    (folder / "images").mkdir(parents=True)
    rows = [shop_row(n) for n in range(ROWS)]
    for n, row in enumerate(rows):
        (folder / row["image"]).write_bytes(b"picture %d" % n)
        if n % 4 == 0:
            row["image"] = f"https://img.example/{n}.jpg"
    write_rows(folder / "products.csv", rows)
    return folder / "products.csv"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of the rows that were read."""
    read: list[int] = []
    product = Assembler.product

    def noted(self: Assembler, row: Row) -> Product:
        read.append(row.number)
        return product(self, row)

    monkeypatch.setattr(Assembler, "product", noted)
    return read


def test_only_rows_that_say_something_else_are_read(shop: Path, reads: list[int]) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        shop.write_text(shop.read_text().replace("13.50", "99.50"))
        reads.clear()
        [changed], unchanged = planned(open_catalog(shop), index, journal)
    assert (reads, unchanged) == ([4], ROWS - 1)
    assert (changed.product.id, changed.work) == ("P-3", Work.PAYLOAD)


def test_rows_are_known_in_any_order_and_beside_others(shop: Path, reads: list[int]) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        header, *rows = shop.read_text().splitlines()
        shop.write_text("\n".join([header, *rows[:4:-1], rows[0]]))
        reads.clear()
        assert planned(open_catalog(shop), index, journal) == ([], ROWS - 4)
        assert reads == []


def test_other_code_reads_every_row_again_once(
    shop: Path, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        monkeypatch.setattr(unread, "_state_of_code", lambda: b"of the next version")
        for expected in ([*range(1, ROWS + 1)], []):
            reads.clear()
            assert planned(open_catalog(shop), index, journal) == ([], ROWS)
            assert reads == expected


def test_code_without_its_text_is_taken_for_another_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert unread._state_of_code() == unread._state_of_code()

    def missing(_: object) -> str:
        raise OSError("could not get source code")

    monkeypatch.setattr("inspect.getsource", missing)
    assert unread._state_of_code() != unread._state_of_code()


def test_another_schema_is_another_row(shop: Path, reads: list[int]) -> None:
    told = shop.with_suffix(".toml")
    told.write_text('ignore = ["colour"]\n')
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        changed, unchanged = planned(open_catalog(shop, told), index, journal)
    assert ({item.work for item in changed}, unchanged) == ({Work.PAYLOAD}, 0)


def test_a_catalog_in_another_folder_has_other_pictures(shop: Path, tmp_path: Path) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        moved = shutil.copytree(shop.parent, tmp_path / "elsewhere") / shop.name
        changed, unchanged = planned(open_catalog(moved), index, journal)
    assert ({item.work for item in changed}, unchanged) == ({Work.MOVED}, ROWS // 4)


def test_a_point_that_somebody_deleted_is_new_again(shop: Path) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        index.points.popitem()
        [missing], unchanged = planned(open_catalog(shop), index, journal)
    assert (missing.work, unchanged) == (Work.NEW, ROWS - 1)


def test_an_index_that_others_have_written_is_believed_and_not_the_journal(shop: Path) -> None:
    """The price went up and down again; the journal has seen only the low one."""
    with Journal(shop.parent / "a.db") as journal, Journal(shop.parent / "b.db") as of_others:
        load(open_catalog(shop), journal)
        low = shop.read_text()
        shop.write_text(low.replace("13.50", "99.50"))
        index = load(open_catalog(shop), of_others)
        shop.write_text(low)
        [changed], _ = planned(open_catalog(shop), index, journal)
    assert changed.work is Work.PAYLOAD


def test_a_picture_that_was_read_for_another_index_is_still_new_to_this_one(shop: Path) -> None:
    with Journal(shop.parent / "journal.db") as journal:
        index = load(open_catalog(shop), journal)
        (shop.parent / "images/P-3.jpg").write_bytes(b"repainted")
        load(open_catalog(shop), journal)
        [changed], _ = planned(open_catalog(shop), index, journal)
    assert (changed.product.id, changed.work) == ("P-3", Work.PICTURE)


def test_cells_that_are_equal_in_python_only_are_told_apart(shop: Path) -> None:
    schema = open_catalog(shop).schema
    with Journal() as journal:
        keys = set()
        for cell in ("1", "true", '"1"', "1.0", '["1"]', "null", '"a"', '"\\ud800"'):
            file = shop.with_suffix(".jsonl")
            file.write_text(f'{{"id": "a", "image": "a.jpg", "colour": {cell}, "b": "c"}}')
            [entry] = Catalog(schema, open_catalog(file).table).entries()
            keys.add(Unread(journal, schema).told(entry).key)
    assert len(keys) == 8


CHANGES = {
    "price": lambda rows, n, _: rows[n].update(price="77.25"),
    "spaces": lambda rows, n, _: rows[n].update(title=f"  {rows[n]['title']} "),
    "bad price": lambda rows, n, _: rows[n].update(price="free"),
    "no id": lambda rows, n, _: rows[n].update(id=""),
    "no picture": lambda rows, n, _: rows[n].update(image=""),
    "other picture": lambda rows, n, _: rows[n].update(image=rows[(n + 1) % len(rows)]["image"]),
    "missing picture": lambda rows, n, _: rows[n].update(image="images/none.jpg"),
    "other URL": lambda rows, n, _: rows[n].update(image="https://img.example/new.jpg"),
    "repeated": lambda rows, n, _: rows.append(dict(rows[n])),
    "repeated before": lambda rows, n, _: rows.insert(0, rows[n] | {"price": "1.50"}),
    "gone": lambda rows, n, _: rows.pop(n) if len(rows) > 1 else None,
    "new": lambda rows, n, _: rows.insert(n, shop_row(ROWS + n)),
    "first": lambda rows, n, _: rows.insert(0, rows.pop(n)),
    "touched": lambda rows, n, images: os.utime(images / f"P-{n % ROWS}.jpg", ns=(1, 1)),
    "repainted": lambda rows, n, images: (images / f"P-{n % ROWS}.jpg").write_bytes(b"new one"),
    "deleted": lambda rows, n, images: (images / f"P-{n % ROWS}.jpg").unlink(missing_ok=True),
}
changes = st.lists(
    st.tuples(st.sampled_from(sorted(CHANGES.keys() - {"touched"})), st.integers(0, ROWS - 1)),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(changes, st.sets(st.integers(0, ROWS - 1)))
def test_plans_with_and_without_reading_every_row_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, int]], touched: set[int]
) -> None:
    shop = make(tmp_path_factory.mktemp("night") / "shop")
    images, rows = shop.parent / "images", read_rows(shop)
    ledger = Ledger(b"")
    with Journal(shop.parent / "quick.db") as journal:
        index = load(open_catalog(shop), journal, ledger)
    for other in ("quickest.db", "slow.db"):
        shutil.copy(shop.parent / "quick.db", shop.parent / other)
    for n in touched:
        CHANGES["touched"](rows, n, images)
    for change, n in made:
        CHANGES[change](rows, n % len(rows), images)
    write_rows(shop, rows)
    try:
        catalog = open_catalog(shop)
    except CatalogError:  # no ids any more, say: nothing is planned either way
        return
    with Journal(shop.parent / "quickest.db") as journal:
        quickest, unchanged_by_ledger = planned(catalog, index, journal, Ledger(kept(ledger)))
    with Journal(shop.parent / "quick.db") as journal:
        quick, unchanged = planned(catalog, index, journal)
    with Forgetful(shop.parent / "slow.db") as journal:
        slow, unchanged_too = planned(catalog, index, journal)
    assert shown(quickest) == shown(quick) == shown(slow)
    assert unchanged_by_ledger == unchanged == unchanged_too
