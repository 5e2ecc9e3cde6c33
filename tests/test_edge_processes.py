"""The embedded index among processes: who holds it, and what is left when one is killed."""

import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from points import point, points

from goods.errors import IndexLockedError
from goods.index.edge import EdgeIndex

ROOT = Path(__file__).parents[1]

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a program that has the folder `index` in hand; it ends with the test."""
    running: list[subprocess.Popen[str]] = []
    preamble = f"""
        import resource, sys
        sys.path[:0] = {[str(ROOT), str(ROOT / "tests")]}
        from goods.index.edge import EdgeIndex
        from points import CONTRACT, points
        index = EdgeIndex({str(tmp_path / "index")!r})
        """

    def start_program(code: str) -> subprocess.Popen[str]:
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(preamble) + textwrap.dedent(code))
        command = [sys.executable, str(program), "ingest", "--secret"]
        running.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
            )
        )
        return running[-1]

    yield start_program
    for process in running:
        process.kill()
        process.communicate()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return map(str.strip, process.stdout)


def test_a_second_process_is_told_who_holds_the_folder_and_gets_in_after_it(
    start: Start, tmp_path: Path
) -> None:
    holder = start("index.create(CONTRACT); print('open', flush=True); sys.stdin.read()")
    assert next(lines(holder)) == "open"
    started = time.monotonic()
    with pytest.raises(IndexLockedError) as caught:
        EdgeIndex(tmp_path / "index", wait_s=0.2)
    assert time.monotonic() - started < 4
    sentence = str(caught.value)
    assert re.search(rf"index is open in 'program\.py ingest' \(process {holder.pid} on ", sentence)
    assert "--secret" not in sentence
    holder.communicate()
    with closing(EdgeIndex(tmp_path / "index", wait_s=0)) as index:
        assert index.count() == 0


def test_a_process_that_waits_gets_in_as_soon_as_the_other_ends(
    start: Start, tmp_path: Path
) -> None:
    holder = start("index.create(CONTRACT); print('open', flush=True); import time; time.sleep(1)")
    assert next(lines(holder)) == "open"
    with closing(EdgeIndex(tmp_path / "index", wait_s=60)) as index:
        assert index.count() == 0


@pytest.mark.parametrize("seed", range(3))
def test_what_a_killed_writer_said_was_written_is_there(
    start: Start, tmp_path: Path, seed: int
) -> None:
    random = np.random.default_rng(seed)
    writer = start(
        """
        index.create(CONTRACT)
        for first in range(0, 1_000_000, 16):
            index.upsert(points(16, first))
            print(first + 16, flush=True)
        """
    )
    stop_after = int(random.integers(1, 25))
    written = [int(line) for _, line in zip(range(stop_after), lines(writer), strict=False)]
    time.sleep(random.uniform(0, 0.02))
    writer.kill()
    written += map(int, lines(writer))
    with closing(EdgeIndex(tmp_path / "index")) as index:
        there = {record.payload["id"] for record in index.scan()}
        assert {f"p{number}" for number in range(written[-1])} <= there
        found = index.search(point(written[-1] - 1).vector, 1)
        assert found[0].payload["id"] == f"p{written[-1] - 1}"
        index.upsert(points(16, first=written[-1]))
        assert index.count() >= written[-1] + 16


def test_a_write_that_the_system_refuses_is_an_error_and_loses_nothing(
    start: Start, tmp_path: Path
) -> None:
    writer = start(
        """
        index.create(CONTRACT)
        index.upsert(points(500))
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        written = 500
        try:
            while True:
                index.upsert(points(500, first=written))
                written += 500
        except Exception as error:
            print(written, repr(error))
        """
    )
    written, _, error = next(lines(writer)).partition(" ")
    assert error.startswith("IndexStoreError('the index in ")
    writer.communicate()
    with closing(EdgeIndex(tmp_path / "index")) as index:
        there = {record.payload["id"] for record in index.scan()}
    assert {f"p{number}" for number in range(int(written))} <= there


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("moment", ["copying", "optimising"])
def test_a_killed_seal_leaves_the_old_generation_and_its_half_copy_is_removed(
    start: Start, tmp_path: Path, moment: str
) -> None:
    sealer = start(
        """
        import goods.index.edge
        goods.index.edge.GRAPH_FROM = 10_000
        index.create(CONTRACT)
        index.upsert(points(10_000))
        print("sealing", flush=True)
        index.seal()
        """
    )
    assert next(lines(sealer)) == "sealing"
    partial = tmp_path / "index" / "gen-0002-sealed.partial"
    wait_for(partial.exists)
    if moment == "optimising":
        wait_for(lambda: len(list(partial.glob("shard/segments/*"))) > 1)
    sealer.kill()
    sealer.wait()
    wait_for(lambda: not sealing_processes(tmp_path))
    assert partial.exists()
    with closing(EdgeIndex(tmp_path / "index")) as index:
        assert index.info().generation == "gen-0001"
        assert index.count() == 10_000
    assert {p.name for p in (tmp_path / "index").glob("gen-*")} == {"gen-0001"}


def wait_for(is_so: Callable[[], bool], timeout_s: float = 60) -> None:
    give_up = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def sealing_processes(folder: Path) -> list[str]:
    """The command lines of the processes that build a graph in this folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(file.read_text("utf-8", errors="replace"))
    return [line for line in found if "goods.index.seal" in line and str(folder) in line]
