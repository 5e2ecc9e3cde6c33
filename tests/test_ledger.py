"""What an index was written from: true whenever it is there, whoever wrote and however it ended."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import look, run
from points import CONTRACT, point

from goods.errors import IndexStoreError
from goods.index import open_index
from goods.index.edge import EdgeIndex
from goods.index.generation import Generation
from ingest.ledger import Ledger
from ingest.plan import Work
from ingest.settings import Part
from model.encoder import Encoder
from shop import read_rows, write_rows

A, B = bytes(range(16)), bytes(range(16, 32))
points = st.integers(0, 40).map(lambda n: UUID(int=n * 0x1111_0000_0000_0000_0000_0001))
states = st.sampled_from([A, B])


def after(ledger: Ledger) -> Ledger:
    return Ledger(ledger.to_bytes() or b"")


@given(st.lists(st.lists(st.tuples(points, st.none() | states), max_size=20), max_size=4))
def test_what_was_noted_last_counts(nights: list[list[tuple[UUID, bytes | None]]]) -> None:
    true: dict[UUID, bytes | None] = {}
    data = b""
    for night in nights:
        ledger = Ledger(data)
        for one, state in night:
            ledger.note(one, state)
            true[one] = state
        noted = ledger.to_bytes()
        data = data if noted is None else noted
    everyone = [UUID(int=n * 0x1111_0000_0000_0000_0000_0001) for n in range(41)]
    for state in (A, B):
        assert Ledger(data).has(everyone, [state] * 41) == [true.get(p) == state for p in everyone]
    assert Ledger(data).has(everyone, [None] * 41) == [False] * 41


def test_what_is_expected_counts_once_it_is_written() -> None:
    one, other = point(1).id, point(2).id
    ledger = Ledger(b"")
    assert ledger.to_bytes() is None
    ledger.expect(one, A)
    ledger.expect(other, A)
    ledger.note_written([one])
    assert after(ledger).has([one, other], [A, A]) == [True, False]
    ledger.forget([one])
    assert after(ledger).has([one, other], [A, A]) == [False, False]


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 33, b"\0" * 64])
def test_a_damaged_one_says_nothing(damage: bytes) -> None:
    assert Ledger(damage).has([point(1).id], [A]) == [False]


def test_what_has_not_changed_is_not_looked_up(
    shop: Path, encoder: Encoder, looked_at: list[UUID]
) -> None:
    run(shop, encoder)
    looked_at.clear()
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert looked_at == []
    rows = read_rows(shop)
    rows[3]["price"] = "77.25"
    (shop.parent / "images/P-9.jpg").touch()
    write_rows(shop, rows)
    assert look(shop, encoder).works == {Work.NONE: 39, Work.PAYLOAD: 1}
    assert len(set(looked_at)) == 2
    run(shop, encoder)
    looked_at.clear()
    assert run(shop, encoder).works == {Work.NONE: 40}
    assert looked_at == []
    assert run(shop, encoder, verify=True).works == {Work.NONE: 40}
    assert len(looked_at) == 40


def test_a_price_that_goes_up_and_down_again_is_written_each_time(
    shop: Path, encoder: Encoder
) -> None:
    low = shop.read_text()
    run(shop, encoder)
    for price in ("99.50", "13.50", "99.50", "13.50"):
        shop.write_text(low.replace("13.50", price))
        assert run(shop, encoder).works == {Work.NONE: 39, Work.PAYLOAD: 1}
        assert run(shop, encoder).works == {Work.NONE: 40}


def test_somebody_elses_writing_ends_it(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    index = open_index(str(shop.parent / "index"))
    ids = [record.id for record in index.scan()]
    assert len(index.read_ledger()) == 40 * 32
    index.delete(ids[:3])
    assert index.read_ledger() == b""
    index.close()
    report = run(shop, encoder)
    assert (report.works, report.embedded) == ({Work.NONE: 37, Work.NEW: 3}, 0)


def test_products_that_go_and_come_again_are_written_again(shop: Path, encoder: Encoder) -> None:
    everything = read_rows(shop)
    run(shop, encoder)
    write_rows(shop, everything[:30])
    assert run(shop, encoder, sync=True).deleted == 10
    write_rows(shop, everything)
    assert run(shop, encoder, sync=True).works == {Work.NONE: 30, Work.NEW: 10}


def test_parts_and_refused_rows_leave_what_is_known_of_the_others(
    shop: Path, encoder: Encoder, looked_at: list[UUID]
) -> None:
    run(shop, encoder)
    rows = read_rows(shop)
    for row in rows[::2]:
        row["price"] = "77.25"
    rows[1]["image"] = ""
    write_rows(shop, rows)
    for number in (1, 2, 3):
        run(shop, encoder, part=Part(number, 3))
    looked_at.clear()
    report = run(shop, encoder)
    assert (report.works, report.refused_total) == ({Work.NONE: 39}, 1)
    assert len(looked_at) == 1


def test_a_run_that_fails_leaves_none(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shop, encoder)
    shop.write_text(shop.read_text().replace("13.50", "99.50"))

    def fails(_: object) -> None:
        raise IndexStoreError("no graph today")

    with monkeypatch.context() as patch:
        patch.setattr(EdgeIndex, "seal", fails)
        with pytest.raises(IndexStoreError, match="no graph today"):
            run(shop, encoder)
    shop.write_text(shop.read_text().replace("99.50", "13.50"))
    assert run(shop, encoder).works == {Work.NONE: 39, Work.PAYLOAD: 1}


def test_a_ledger_that_cannot_be_kept_costs_no_run(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise IndexStoreError("the disk is full")

    monkeypatch.setattr(Generation, "write_ledger", fails)
    assert run(shop, encoder).written == 40
    assert run(shop, encoder).works == {Work.NONE: 40}


def test_it_stays_true_of_a_copy_with_a_graph(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "index")
    index.create(CONTRACT)
    index.upsert([point(n) for n in range(30)])
    index.write_ledger(A + B)
    index._in_use.seal()
    assert index.read_ledger() == A + B
    index.upsert([point(30)])
    assert index.read_ledger() == b""
    index.close()
