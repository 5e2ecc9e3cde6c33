"""Build the graph of an embedded index in a process of its own.

    python -m goods.index.seal SOURCE TARGET DIMENSION PARENT

copies the generation SOURCE, optimises the copy (HNSW over vectors quantised as SOURCE's note says)
and renames it to TARGET. SOURCE stays as it is, so that a crash at any moment loses nothing. A
separate process, because the engine holds the interpreter while it optimises: 15 s for 100k x 512,
during which nothing else in the process would run. It must be spawned: a fork after the engine was
opened hangs.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import qdrant_edge as edge

from goods.durable import sync_tree
from goods.errors import IndexStoreError
from goods.index.disk import require_room
from goods.index.edge_models import edge_config
from goods.index.generation import GRAPH_NOTE, Generation, GraphSize
from goods.index.quantization import Quantization

_PR_SET_PDEATHSIG = 1


def seal_in_child(source: Generation, target: Generation, dimension: int) -> None:
    """Run `seal` in a fresh process and wait for it.

    Raises:
        IndexStoreError: It failed, or has too little room on the disk; `source` is as it was.
    """
    size_bytes = sum(path.stat().st_size for path in source.path.rglob("*"))
    require_room(source.path, 2 * size_bytes)  # a copy, then its optimised form beside it
    _return_memory()
    arguments = [source.path.absolute(), target.path.absolute(), dimension, os.getpid()]
    command = [sys.executable, "-m", "goods.index.seal", *map(str, arguments)]
    ours = Path(__file__).parents[2]  # `-m` looks in the working folder first: no stranger's files
    done = subprocess.run(  # noqa: S603 - our own module
        command, cwd=ours, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(target.partial.path, ignore_errors=True)
        raise IndexStoreError(
            f"building the graph of {source.path.parent} failed: {_reason(done)}; "
            "what was written before is safe, run the same command again"
        )


def _return_memory() -> None:
    """Give the system what was freed here, and glibc would keep: the graph needs it."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:  # most likely for want of memory (SIGKILL) or disk (SIGBUS)
        return f"the process was ended by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def seal(source: Generation, target: Generation, dimension: int) -> None:
    """Write an optimised copy of the generation `source` to `target`."""
    partial = target.partial
    shutil.rmtree(partial.path, ignore_errors=True)
    shutil.copytree(source.path, partial.path)
    quantization = source.quantization()
    if quantization is Quantization.NONE:
        _forget_quantization(partial.shard)
    shard = edge.EdgeShard.load(str(partial.shard), edge_config(dimension, quantization))
    shard.optimize()  # builds anew what has another quantisation
    shard.flush()
    info = shard.info()
    size = GraphSize.of(info.points_count, info.indexed_vectors_count, quantization)
    partial.write_note(GRAPH_NOTE, asdict(size))
    shard.close()
    sync_tree(partial.path)  # before anything may point to it
    partial.path.rename(target.path)


def _forget_quantization(shard: Path) -> None:
    """Undo an earlier graph's quantisation: loading can name another one, but not none."""
    file = shard / "edge_config.json"
    config = json.loads(file.read_text("utf-8"))
    config.pop("quantization_config", None)
    file.write_text(json.dumps(config), "utf-8")


def end_with(parent: int) -> None:
    """On Linux, end this process when its parent ends, since the folder's lock ends with that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that asked for this has ended")


if __name__ == "__main__":
    end_with(int(sys.argv[4]))
    seal(Generation(Path(sys.argv[1])), Generation(Path(sys.argv[2])), int(sys.argv[3]))
