"""The embedded index on its own: its graph, and a folder in every bad state."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from points import CONTRACT, point, points

from goods.errors import IndexMissingError, IndexStoreError
from goods.index import AnyOf, Not, Point, open_index
from goods.index.disk import MIN_FREE_BYTES, write_atomically
from goods.index.edge import EdgeIndex

WIDE = 1024
"""Numbers per vector with which 2,600 points (10 MB) are enough for the engine to use a graph."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgeIndex]:
    """An index of 40 points: at 32 bytes each, enough for the engine to build a graph."""
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(CONTRACT)
        index.upsert(points(40))
        yield index


@pytest.fixture
def folder(index: EdgeIndex) -> Path:
    """The folder of an index of 40 points that is closed."""
    index.close()
    return index.folder


@pytest.fixture
def any_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty points are enough for `seal` to want one."""
    monkeypatch.setattr("goods.index.edge.GRAPH_FROM", 40)


def generations(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("gen-*")}


def test_a_graph_finds_what_an_exact_search_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goods.index.edge.GRAPH_FROM", 2600)
    monkeypatch.setattr("goods.index.planner.EXACT_UP_TO", 100)
    stored, late = widened(points(2600)), widened(points(20, first=9000))
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(replace(CONTRACT, dimension=WIDE))
        index.upsert(stored[1:])
        index.seal()
        assert (index.info().generation, index.info().indexed) == ("gen-0001", 0)
        index.upsert(stored[:1])
        index.seal()
        assert (index.info().generation, index.info().indexed) == ("gen-0002-sealed", 2600)
        assert list(index.folder.rglob("graph.bin"))
        index.upsert(late)
        assert recall(index, stored + late) >= 0.99
        assert index.search(late[0].vector, 1)[0].id == late[0].id


def widened(narrow: list[Point]) -> list[Point]:
    """The same points in more dimensions, with the same cosines."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDE, 8)))[0].astype(np.float32)
    return [replace(p, vector=basis @ p.vector) for p in narrow]


def recall(index: EdgeIndex, stored: list[Point]) -> float:
    """Share of the true ten best that is found, with and without a condition."""
    vectors = np.stack([p.vector for p in stored])
    is_red = np.array([p.payload["colour"] == "Red" for p in stored])
    not_red = Not(AnyOf("colour", ("Red",)))
    shares = []
    for query in widened(points(30, first=50_000)):
        scores = vectors @ query.vector
        for conditions, eligible in (((), scores), ((not_red,), scores[~is_red])):
            found = index.search(query.vector, 10, conditions=conditions)
            tenth = np.sort(eligible)[-10]
            shares.append(sum(hit.score >= tenth - 1e-5 for hit in found) / 10)
    return float(np.mean(shares))


@pytest.mark.usefixtures("any_graph")
def test_sealing_replaces_the_generation_and_again_only_after_enough_changes(
    index: EdgeIndex,
) -> None:
    index.seal()
    assert generations(index.folder) == {"gen-0002-sealed"}
    index.upsert(points(3, first=40))
    index.seal()
    assert generations(index.folder) == {"gen-0002-sealed"}, "3 of 43 are scanned"
    index.upsert(points(3, first=43))
    index.delete([point(0).id])
    index.seal()
    assert generations(index.folder) == {"gen-0003-sealed"}
    assert {r.payload["id"] for r in index.scan()} == {f"p{n}" for n in range(1, 46)}
    index.close()
    with closing(EdgeIndex(index.folder)) as again:
        assert again.count() == 45


@pytest.mark.usefixtures("any_graph")
def test_a_rebuild_may_be_sealed_with_a_graph(index: EdgeIndex) -> None:
    index.create(replace(CONTRACT, stamp="stamp-2"), rebuild=True)
    index.upsert(points(50))
    index.seal()
    assert generations(index.folder) == {"gen-0003-sealed"}
    assert (index.contract.stamp, index.count()) == ("stamp-2", 50)


@pytest.mark.usefixtures("any_graph")
def test_a_copy_that_was_never_served_is_not_taken_for_a_rebuild(index: EdgeIndex) -> None:
    stray = index.folder / "gen-0002-sealed"
    shutil.copytree(index.folder / "gen-0001", stray)
    index.create(CONTRACT, rebuild=True)
    assert index.count() == 0
    assert not stray.exists()


@pytest.mark.usefixtures("any_graph")
def test_sealing_runs_our_own_code_wherever_it_is_asked_from(
    index: EdgeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "goods.py").write_text("raise SystemExit('a stranger')")
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger')")
    index.close()
    monkeypatch.chdir(tmp_path)
    with closing(EdgeIndex("index")) as relative:
        relative.seal()
        assert relative.info().indexed == 40


@pytest.mark.usefixtures("any_graph")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo out of luck >&2; exit 3", "out of luck"),
        ("exit 3", "exit code 3"),
        ("kill -9 $$", "ended by SIGKILL"),
    ],
)
def test_a_seal_that_fails_leaves_everything_as_it_was(
    index: EdgeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(IndexStoreError, match=rf"{reason}; what was written before is safe"):
        index.seal()
    assert generations(index.folder) == {"gen-0001"}
    assert index.search(point(3).vector, 1)[0].payload["id"] == "p3"
    monkeypatch.undo()
    index.upsert(points(1, first=40))
    assert index.count() == 41


@pytest.mark.usefixtures("any_graph")
def test_sealing_needs_room_for_a_copy(index: EdgeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(index.folder)._replace(free=MIN_FREE_BYTES + 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(IndexStoreError, match=r"has 64 MiB left, \d{3} are needed; make room"):
        index.seal()
    index.upsert(points(1, first=40))
    assert index.count() == 41


def damage_pointer(folder: Path) -> None:
    (folder / "CURRENT").write_text("gen-0009\n")


def blank_pointer(folder: Path) -> None:
    (folder / "CURRENT").write_bytes(b"\xff")


def truncate_contract(folder: Path) -> None:
    file = folder / "gen-0001" / "contract.json"
    file.write_text(file.read_text()[:40])


def empty_contract(folder: Path) -> None:
    (folder / "gen-0001" / "contract.json").write_text("{}")


def remove_shard(folder: Path) -> None:
    shutil.rmtree(folder / "gen-0001" / "shard")


def truncate_segment(folder: Path) -> None:
    [file] = folder.glob("gen-0001/shard/segments/*/segment.json")
    file.write_text("")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damage_pointer, r"CURRENT names 'gen-0009', which is not there; .*delete the folder"),
        (blank_pointer, r"CURRENT names .*, which is not there; .*delete the folder"),
        (truncate_contract, r"contract\.json cannot be read .*--rebuild"),
        (empty_contract, r"gen-0001 is not an index made by goods"),
        (remove_shard, r"gen-0001 failed: .*does not exist; .*--rebuild"),
        (truncate_segment, r"gen-0001 failed: .*--rebuild"),
    ],
)
def test_a_damaged_index_says_what_is_wrong_and_what_to_do(
    folder: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(folder)
    with closing(EdgeIndex(folder)) as index:
        with pytest.raises(IndexStoreError, match=sentence):
            index.count()
        with pytest.raises(IndexStoreError, match=sentence):
            index.create(CONTRACT)


@pytest.mark.parametrize(
    "damage", [truncate_contract, empty_contract, remove_shard, truncate_segment]
)
def test_a_rebuild_repairs_a_damaged_index(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with closing(EdgeIndex(folder)) as index:
        index.create(CONTRACT, rebuild=True)
        index.upsert(points(3))
        index.seal()
    with closing(EdgeIndex(folder)) as again:
        assert again.count() == 3
        assert generations(folder) == {"gen-0002"}


@pytest.mark.parametrize("damage", [truncate_contract, remove_shard])
def test_a_damaged_unfinished_rebuild_is_begun_anew(
    index: EdgeIndex, damage: Callable[[Path], None]
) -> None:
    index.create(CONTRACT, rebuild=True)
    index.upsert(points(3))
    index.close()
    (index.folder / "gen-0001").rename(index.folder / "aside")
    (index.folder / "gen-0002").rename(index.folder / "gen-0001")
    damage(index.folder)
    (index.folder / "gen-0001").rename(index.folder / "gen-0002")
    (index.folder / "aside").rename(index.folder / "gen-0001")
    with closing(EdgeIndex(index.folder)) as again:
        again.create(CONTRACT, rebuild=True)
        assert again.count() == 0


def test_half_made_generations_of_a_first_load_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "gen-0001.partial" / "shard").mkdir(parents=True)
    with closing(EdgeIndex(tmp_path)) as index:
        index.create(CONTRACT)
        assert generations(tmp_path) == {"gen-0001"}


def test_a_first_load_that_stopped_before_it_was_served_goes_on(index: EdgeIndex) -> None:
    index.close()
    (index.folder / "CURRENT").unlink()
    with closing(EdgeIndex(index.folder)) as again:
        with pytest.raises(IndexMissingError):
            again.count()
        again.create(CONTRACT)
        assert again.count() == 10


def test_other_peoples_files_in_the_folder_are_left_alone(folder: Path) -> None:
    backup = folder / "gen-0000.bak"
    backup.mkdir()
    with closing(EdgeIndex(folder)) as index:
        index.create(CONTRACT, rebuild=True)
        index.seal()
        assert backup.exists()


def test_a_file_is_no_index_and_no_place_for_one(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text("id\n")
    with pytest.raises(IndexStoreError, match=r"products\.csv is a file; .* is a folder"):
        open_index(str(file))
    below = EdgeIndex(file / "index")
    with pytest.raises(IndexStoreError, match="cannot be used: Not a directory"):
        below.create(CONTRACT)


def test_an_index_made_later_is_seen(tmp_path: Path) -> None:
    with closing(EdgeIndex(tmp_path / "index", wait_s=0.1)) as early:
        with pytest.raises(IndexMissingError):
            early.count()
        late = EdgeIndex(tmp_path / "index")
        late.create(CONTRACT)
        late.close()
        assert early.count() == 0


def test_a_write_that_stops_half_way_keeps_the_old_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "CURRENT"
    write_atomically(file, "old")
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(IndexStoreError, match="CURRENT cannot be used: full"):
        write_atomically(file, "new")
    assert file.read_text() == "old"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with little more room than the reserve."""
    place = tmp_path / "disk"
    place.mkdir()
    size = f"size={MIN_FREE_BYTES + 48 * 2**20}"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", place]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_nearly_full_disk_is_refused_and_loses_nothing(small_disk: Path) -> None:
    written = 0

    def fill(index: EdgeIndex) -> None:
        nonlocal written
        while written < 100_000:
            index.upsert(widened(points(200, first=written)))
            written += 200

    with closing(EdgeIndex(small_disk / "index")) as index:
        index.create(replace(CONTRACT, dimension=WIDE))
        with pytest.raises(IndexStoreError, match=r"has \d\d MiB left, 64 are needed; make room"):
            fill(index)
        assert index.count() == written > 0
    subprocess.run(["mount", "-o", "remount,size=300m", small_disk], check=True)
    with closing(EdgeIndex(small_disk / "index")) as index:
        assert index.count() == written
        index.upsert(widened(points(1, first=200_000)))
