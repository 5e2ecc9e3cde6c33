"""Single products out of an index, in both homes, and what the next night makes of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from homes import HOMES, new_home
from nights import look, run
from points import CONTRACT, points

from goods.cli import main
from goods.errors import IndexMissingError, IndexStoreError
from goods.index import VectorIndex, open_index
from goods.index.generation import Generation
from goods.product import point_id
from ingest.delete import Deletion, delete_products
from ingest.plan import Work
from model.encoder import Encoder
from shop import read_rows, write_rows


@pytest.fixture(params=HOMES)
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    """An index of the products p0 to p39."""
    with closing(new_home(request.param, tmp_path / "home")) as index:
        index.create(CONTRACT)
        index.upsert(points(40))
        yield index


def deleted(shop: Path, *args: str, listed: str | None = None) -> Result:
    command = ["delete", "--index", str(shop.parent / "index"), *args]
    return CliRunner().invoke(main, command, input=listed)


def test_what_is_there_is_deleted_and_what_is_not_is_named(filled: VectorIndex) -> None:
    asked = ["p7", "no such", "p3", "p7", "P3"]
    assert delete_products(filled, asked) == Deletion(("p7", "p3"), ("no such", "P3"), 38)
    left = {record.payload["id"] for record in filled.scan()}
    assert left == {f"p{n}" for n in range(40)} - {"p3", "p7"}
    assert delete_products(filled, asked) == Deletion((), ("p7", "no such", "p3", "P3"), 38)


def test_more_than_one_request_takes_are_deleted(filled: VectorIndex) -> None:
    asked = [f"p{n}" for n in range(2500)]
    done = delete_products(filled, asked)
    assert (done.deleted, done.missing, done.left) == (tuple(asked[:40]), tuple(asked[40:]), 0)


@pytest.mark.parametrize("home", HOMES)
def test_there_is_nothing_to_delete_from_before_the_first_load(home: str, tmp_path: Path) -> None:
    with closing(new_home(home, tmp_path)) as index, pytest.raises(IndexMissingError):
        delete_products(index, ["p1"])


def test_the_next_night_writes_again_what_the_catalog_still_has_and_looks_up_no_more(
    shop: Path, encoder: Encoder, looked_at: list[UUID]
) -> None:
    run(shop, encoder)
    assert deleted(shop, "P-3", "P-9").exit_code == 0
    looked_at.clear()
    assert look(shop, encoder).works == {Work.NONE: 38, Work.NEW: 2}
    assert set(looked_at) == {point_id("P-3"), point_id("P-9")}
    report = run(shop, encoder)
    assert (report.works, report.embedded) == ({Work.NONE: 38, Work.NEW: 2}, 0)
    assert (report.points, run(shop, encoder).works) == (40, {Work.NONE: 40})


def test_what_the_catalog_has_no_more_stays_away(shop: Path, encoder: Encoder) -> None:
    run(shop, encoder)
    deleted(shop, "P-3")
    write_rows(shop, [row for row in read_rows(shop) if row["id"] != "P-3"])
    report = run(shop, encoder)
    assert (report.works, report.points) == ({Work.NONE: 39}, 39)


def test_a_ledger_that_cannot_be_kept_costs_no_deletion(
    shop: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise IndexStoreError("the disk is full")

    run(shop, encoder)
    with monkeypatch.context() as patch:
        patch.setattr(Generation, "write_ledger", fails)
        assert deleted(shop, "P-3").exit_code == 0
    assert run(shop, encoder).works == {Work.NONE: 39, Work.NEW: 1}


@pytest.fixture
def small(folder: Path) -> Path:
    """Beside the index of the products p0 to p39."""
    return folder.with_name("shop")


def test_the_command_counts_what_it_deleted_and_names_the_rest(small: Path) -> None:
    result = deleted(small, "p1", "p2", "nobody")
    assert result.exit_code == 0
    assert result.stdout.startswith("2 products deleted, 38 left in ")
    assert result.stderr == "not there: nobody\n"
    result = deleted(small, "p1")
    assert (result.exit_code, result.stderr) == (1, "not there: p1\n")
    assert result.stdout.startswith("0 products deleted, 38 left in ")


def test_ids_are_read_from_a_file_or_standard_input(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "gone.txt"
    file.write_bytes(b"\xef\xbb\xbfp1\r\n\n  p2 \nGr\xf6\xdfe\n")
    result = deleted(small, "p3", "--from", str(file), "--json")
    assert json.loads(result.stdout) == {
        "deleted": ["p3", "p1", "p2"],
        "missing": ["Gr\ufffd\ufffde"],
        "left": 37,
    }
    result = deleted(small, "--from", "-", listed="p4\np5\n")
    assert result.stdout.startswith("2 products deleted, 35 left in ")


def test_an_id_may_begin_with_a_dash_or_be_no_text(small: Path) -> None:
    result = deleted(small, "--json", "--", "-5", "\udcff")
    assert json.loads(result.stdout)["missing"] == ["-5", "?"]


@pytest.mark.parametrize("args", [[], ["  "], ["--from", "-"]])
def test_an_empty_list_is_refused(small: Path, args: list[str]) -> None:
    result = deleted(small, *args, listed="\n  \n")
    assert result.exit_code == 2
    assert "there is no id" in result.stderr
    with closing(open_index(str(small.with_name("index")))) as index:
        assert index.count() == 40


def test_the_help_says_that_the_catalog_brings_them_back() -> None:
    help_text = CliRunner().invoke(main, ["delete", "--help"]).output
    assert "the next goods ingest" in " ".join(help_text.split())
