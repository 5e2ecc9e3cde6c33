"""The journal: what it keeps, forgets, and says when it cannot be used."""

import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from goods.cli import main
from goods.errors import GoodsError
from ingest.journal import Journal, Seen
from small_disks import small_disk_at


def vector(number: int, length: int = 8) -> np.ndarray:
    return np.random.default_rng(number).normal(size=length).astype(np.float32)


def digest(number: int) -> str:
    return f"{number:032x}"


def vectors(*numbers: int) -> dict[str, np.ndarray]:
    return {digest(number): vector(number) for number in numbers}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


def test_vectors_come_back_bit_for_bit_after_it_was_closed(path: Path) -> None:
    with Journal(path) as journal:
        journal.keep("model float32", vectors(1, 2))
    with Journal(path) as journal:
        found = journal.vectors("model float32", [digest(2), digest(3)])
        assert list(found) == [digest(2)]
        np.testing.assert_array_equal(found[digest(2)], vector(2))
        assert journal.vectors("model bfloat16", [digest(2)]) == {}


def test_more_digests_can_be_asked_for_than_one_question_holds(path: Path) -> None:
    with Journal(path) as journal:
        journal.keep("m", vectors(*range(1200)))
        assert len(journal.vectors("m", map(digest, range(2000)))) == 1200


def test_pictures_come_back_with_the_state_they_were_last_read_in(path: Path) -> None:
    with Journal(path) as journal:
        journal.keep(seen=[Seen("/a.jpg", "file 1 2", digest(1)), Seen("/é.jpg", "", digest(2))])
        journal.keep(seen=[Seen("/a.jpg", "file 3 4", digest(3))])
        found = journal.seen(["/a.jpg", "/é.jpg", "/none.jpg"])
    assert found == {
        "/a.jpg": Seen("/a.jpg", "file 3 4", digest(3)),
        "/é.jpg": Seen("/é.jpg", "", digest(2)),
    }


def test_without_a_path_it_is_temporary() -> None:
    with Journal() as journal:
        journal.keep("m", vectors(1))
        assert journal.vectors("m", [digest(1)])
    with Journal() as journal:
        assert not journal.vectors("m", [digest(1)])


def test_a_batch_that_fails_half_way_leaves_nothing_of_itself(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(AttributeError):
            journal.keep("m", {digest(1): vector(1), digest(2): None})  # type: ignore[dict-item]
        with pytest.raises(GoodsError, match="cannot be used"):
            journal.keep("m", vectors(1), [Seen("/a", None, digest(1))])  # type: ignore[arg-type]
        assert journal.vectors("m", [digest(1)]) == {}
        journal.keep("m", vectors(1))
        assert journal.vectors("m", [digest(1)])


def test_it_is_kept_below_its_size_and_forgets_the_oldest_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(path, max_bytes=3_000_000) as journal:
        for day in range(4):
            monkeypatch.setattr(time, "time", lambda day=day: 1e9 + 86400 * day)
            some = range(10_000 * day, 10_000 * (day + 1))
            journal.keep("m", dict.fromkeys(map(digest, some), vector(0)))
        assert 10_000 <= journal.trim() <= 30_000
        assert journal.size_bytes <= 3_000_000
        assert path.stat().st_size <= 3_000_000
        assert not journal.vectors("m", [digest(0), digest(9_999)])
        assert len(journal.vectors("m", [digest(30_000), digest(39_999)])) == 2


def test_what_is_known_of_rows_and_pictures_ages_as_vectors_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(path, max_bytes=600_000) as journal:
        for day in range(5):
            monkeypatch.setattr(time, "time", lambda day=day: 1e9 + 86400 * day)
            journal.keep("m", {digest(day): vector(0)}, [Seen(f"/{day}.jpg", "v", digest(day))])
            rows = (f"{day} {n}".encode().ljust(16) for n in range(3_000))
            journal.keep_payloads(dict.fromkeys(rows, digest(day)))
        journal.trim()
        assert journal.size_bytes <= 600_000
        last = b"4 0".ljust(16)
        assert journal.payloads([last, b"0 0".ljust(16)]) == {last: digest(4)}
        assert set(journal.seen(["/0.jpg", "/4.jpg"])) == {"/4.jpg"}
        assert set(journal.vectors("m", [digest(0), digest(4)])) == {digest(4)}


def test_a_size_of_nothing_empties_it(path: Path) -> None:
    with Journal(path, max_bytes=0) as journal:
        journal.keep("m", vectors(1), [Seen("/a.jpg", "v", digest(1))])
        journal.trim()
        assert not journal.vectors("m", [digest(1)])
        assert not journal.seen(["/a.jpg"])


def test_two_processes_may_write_at_a_time(path: Path) -> None:
    with Journal(path) as one, Journal(path) as other:
        one.keep("m", vectors(1))
        other.keep("m", vectors(2))
        assert set(one.vectors("m", map(digest, range(5)))) == {digest(1), digest(2)}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"something else entirely\n" * 100, "delete it"), (None, "name another file")],
)
def test_a_file_that_is_no_journal_is_refused_and_stays(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "journal.db"
    if content is None:
        other = sqlite3.connect(path)
        other.execute("create table shop (id)")
        other.commit()
        other.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(GoodsError, match=message):
        Journal(path)
    assert path.read_bytes()[:64] == before[:64]


def test_a_full_disk_is_said_and_what_was_kept_stays(tmp_path: Path) -> None:
    with small_disk_at(tmp_path / "disk", 2 << 20) as place, Journal(place / "j.db") as journal:
        journal.keep("m", vectors(1))
        (place / "filler").write_bytes(b"x" * (1 << 20))
        with pytest.raises(GoodsError, match="make room and run again"):
            journal.keep("m", {digest(n): vector(n, 2048) for n in range(2, 300)})
        (place / "filler").unlink()
        assert set(journal.vectors("m", map(digest, range(300)))) == {digest(1)}
        journal.keep("m", vectors(2))


def test_the_command_shows_and_cleans(path: Path, tmp_path: Path) -> None:
    def command(*args: object) -> str:
        result = CliRunner().invoke(main, ["journal", "--journal", *map(str, args)])
        return result.output

    assert "no journal" in command(tmp_path / "none.db")
    with Journal(path) as journal:
        journal.keep("aaaa float32", vectors(1, 2), [Seen("/a.jpg", "v", digest(1))])
        journal.keep("bbbb float32", vectors(1))
    shown = command(path)
    assert "1 pictures recognised" in shown
    assert "aaaa float32: 2 vectors" in shown
    assert "2 vectors deleted" in command(path, "--forget", "aaaa")
    assert '"bbbb float32": 1' in command(path, "--json")
    assert "vectors deleted" not in command(path, "--forget-older", 1)
    assert "1 vectors deleted" in command(path, "--forget-all")


def test_a_model_that_the_journal_does_not_know_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    result = CliRunner().invoke(main, ["journal", "--journal", str(path), "--forget", "nosuch"])
    assert result.exit_code == 1
    assert "no vectors of a model with the stamp nosuch" in result.stderr
