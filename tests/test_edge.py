"""The graph of an embedded index: when it is built, what it finds, how building it may fail."""

import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from points import CONTRACT, SCHEMA, WIDE, point, points, widened

from goods.errors import IndexStoreError
from goods.index import AnyOf, Not, Point
from goods.index.disk import MIN_FREE_BYTES
from goods.index.edge import EdgeIndex
from goods.index.generation import Generation
from goods.index.seal import seal


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
    monkeypatch.setattr("goods.index.planner.GRAPH_FROM", 100)
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


@pytest.mark.usefixtures("any_graph")
def test_a_graph_has_what_is_called_alike_side_by_side(tmp_path: Path) -> None:
    by_colour = replace(CONTRACT, dimension=WIDE, schema=replace(SCHEMA, phrase=("colour",)))
    stored = widened(points(300))
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(by_colour)
        index.upsert(stored)
        index.seal()
        files = [f for f in index.folder.rglob("matrix.dat") if f.stat().st_size > WIDE]
        vectors = np.fromfile(files[-1], np.float32)[-300 * WIDE :].reshape(300, WIDE)
        nearest = (vectors @ np.stack([p.vector for p in stored]).T).argmax(axis=1)
        colours = [stored[place].payload["colour"] for place in nearest]
        assert len(list(groupby(colours))) == len(set(colours)) > 1
        assert index.fetch([stored[7].id])[0].payload["id"] == "p7"


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


def test_a_seal_whose_parent_has_ended_does_nothing(folder: Path) -> None:
    paths = [str(folder / "gen-0001"), str(folder / "gen-0002-sealed")]
    command = [sys.executable, "-m", "goods.index.seal", *paths, "8", "0"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "the process that asked for this has ended" in done.stderr
    assert generations(folder) == {"gen-0001"}


def test_a_sealed_copy_appears_as_a_whole_and_its_source_stays(folder: Path) -> None:
    source, target = Generation(folder / "gen-0001"), Generation(folder / "gen-0002-sealed")
    target.partial.path.mkdir()
    (target.partial.path / "of an earlier attempt").touch()
    seal(source, target, CONTRACT.dimension)
    assert generations(folder) == {"gen-0001", "gen-0002-sealed"}
    assert not (target.path / "of an earlier attempt").exists()
    assert target.read_contract() == source.read_contract()


@pytest.mark.usefixtures("any_graph")
def test_sealing_needs_room_for_a_copy(index: EdgeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(index.folder)._replace(free=MIN_FREE_BYTES + 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(IndexStoreError, match=r"has 64 MiB left, \d{3} are needed; make room"):
        index.seal()
    index.upsert(points(1, first=40))
    assert index.count() == 41
