"""The folder of an embedded index in every bad state: damaged, half made, out of room."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from points import CONTRACT, WIDE, points, widened
from qdrant_edge import EdgeShard

from goods.errors import IndexLockedError, IndexMissingError, IndexStoreError
from goods.index import open_index
from goods.index.disk import MIN_FREE_BYTES, write_atomically
from goods.index.edge import EdgeIndex
from small_disks import small_disk_at


def generations(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("gen-*")}


def misdirect_pointer(generation: Path) -> None:
    (generation.parent / "CURRENT").write_text("gen-0009\n")


def garble_pointer(generation: Path) -> None:
    (generation.parent / "CURRENT").write_bytes(b"../\xff")


def truncate_contract(generation: Path) -> None:
    file = generation / "contract.json"
    file.write_text(file.read_text()[:40])


def empty_contract(generation: Path) -> None:
    (generation / "contract.json").write_text("{}")


def remove_shard(generation: Path) -> None:
    shutil.rmtree(generation / "shard")


def truncate_segment(generation: Path) -> None:
    [file] = generation.glob("shard/segments/*/segment.json")
    file.write_text("")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (misdirect_pointer, r"CURRENT names 'gen-0009', which is not there; .*delete the folder"),
        (garble_pointer, r"CURRENT names .*, which is not there; .*delete the folder"),
        (truncate_contract, r"contract\.json cannot be read .*--rebuild"),
        (empty_contract, r"gen-0001 is not an index made by goods.*--rebuild"),
        (remove_shard, r"gen-0001 failed: .*does not exist; .*--rebuild"),
        (truncate_segment, r"gen-0001 failed: .*--rebuild"),
    ],
)
def test_a_damaged_index_says_what_is_wrong_and_what_to_do(
    folder: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(folder / "gen-0001")
    with closing(EdgeIndex(folder)) as index:
        with pytest.raises(IndexStoreError, match=sentence):
            index.count()
        with pytest.raises(IndexStoreError, match=sentence):
            index.create(CONTRACT)


@pytest.mark.parametrize(
    "damage", [truncate_contract, empty_contract, remove_shard, truncate_segment]
)
def test_a_rebuild_repairs_a_damaged_index(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "gen-0001")
    with closing(EdgeIndex(folder)) as index:
        index.create(CONTRACT, rebuild=True)
        index.upsert(points(3))
        index.seal()
    with closing(EdgeIndex(folder)) as again:
        assert again.count() == 3
        assert generations(folder) == {"gen-0002"}


def test_an_unfinished_rebuild_under_unreadable_terms_is_begun_anew(index: EdgeIndex) -> None:
    index.create(CONTRACT, rebuild=True)
    index.upsert(points(3))
    index.close()
    truncate_contract(index.folder / "gen-0002")
    with closing(EdgeIndex(index.folder)) as again:
        again.create(CONTRACT, rebuild=True)
        assert again.count() == 0


def test_an_unfinished_rebuild_is_never_thrown_away_because_it_does_not_open(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.create(CONTRACT, rebuild=True)
    index.upsert(points(3))
    index.close()
    with closing(EdgeIndex(index.folder)) as again:
        usage = shutil.disk_usage(index.folder)._replace(free=100)
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda path: usage)
            with pytest.raises(IndexStoreError, match="make room"):
                again.create(CONTRACT, rebuild=True)
        again.create(CONTRACT, rebuild=True)
        assert again.count() == 3
    remove_shard(index.folder / "gen-0002")
    with closing(EdgeIndex(index.folder)) as again:
        with pytest.raises(IndexStoreError, match=r"delete .*/gen-0002 and run"):
            again.create(CONTRACT, rebuild=True)
        assert again.count() == 40


def test_a_shard_that_somebody_opened_past_our_lock_is_not_called_damaged(folder: Path) -> None:
    shard = EdgeShard.load(str(folder / "gen-0001" / "shard"))
    with closing(EdgeIndex(folder, wait_s=0.1)) as index:
        with pytest.raises(IndexLockedError, match="gen-0001 is open in another process"):
            index.count()
        shard.close()
        assert index.count() == 40


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
        assert again.count() == 40


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


def test_a_place_that_the_system_does_not_take_is_refused() -> None:
    with pytest.raises(IndexStoreError, match="cannot be used: File name too long"):
        EdgeIndex("x" * 300)


def test_an_index_made_later_is_seen(tmp_path: Path) -> None:
    with closing(EdgeIndex(tmp_path / "index")) as early:
        with pytest.raises(IndexMissingError):
            early.count()
        with closing(EdgeIndex(tmp_path / "index")) as late:
            late.create(CONTRACT)
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
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with little more room than the reserve."""
    with small_disk_at(tmp_path / "disk", MIN_FREE_BYTES + 48 * 2**20) as place:
        yield place


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
