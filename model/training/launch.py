"""Several processes on this machine, one per GPU, by torch's own launcher."""

import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from goods.errors import GoodsError, TrainingError
from model.training.ranks import LostProcessError

P = ParamSpec("P")
T = TypeVar("T")

_GRACE_S = 5  # from being asked to end to being ended


def launch(processes: int, run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`run(...)` in so many processes of this machine; what the first of them returned.

    Each finds the others through `model.training.ranks.joined`. When one ends with an error, or at
    a keyboard interrupt, all of them end.

    Args:
        processes: How many.
        run: A function of a module; its arguments and result can be pickled.
        args: Its arguments.
        kwargs: Likewise.

    Raises:
        TrainingError: What the first one to fail said, or that it was killed.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("torch.distributed.elastic", "torch.multiprocessing")):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what they would say is told below
    with tempfile.TemporaryDirectory() as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id="goods",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",  # any free port
            local_addr="localhost",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(folder),
            shutdown_timeout=_GRACE_S,
        )
        threads = max(1, (os.cpu_count() or 1) // processes)
        job = _Job(Path(folder), threads, run, args, kwargs)
        try:
            result: T = elastic_launch(config, _work)(job)[0]
        except ChildFailedError as error:
            if reason := _reason(Path(folder), error):
                raise TrainingError(reason) from None
            raise  # a bug: it holds the traceback of its process
        except SignalException as error:
            raise KeyboardInterrupt from error
    return result


@dataclass(frozen=True, slots=True)
class _Job:
    """What one process does.

    Attributes:
        folder: Where it says why it failed.
        threads: Its share of the processor.
        run: The work itself.
        args: Its arguments.
        kwargs: Likewise.
    """

    folder: Path
    threads: int
    run: Callable[..., object]
    args: Sequence[Any]  # whatever `run` takes
    kwargs: Mapping[str, Any]


def _work(job: _Job) -> object:
    # The keyboard's interrupt reaches every process: ending all of them is up to the launcher, and
    # when that dies this is the signal that it leaves.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(job.threads)
    try:
        result = job.run(*job.args, **job.kwargs)
    except LostProcessError as error:
        time.sleep(2 * _GRACE_S)  # the launcher shall see first which one was lost; it then ends us
        raise SystemExit(1) from error
    except GoodsError as error:
        (job.folder / f"{dist.get_node_local_rank()}.error").write_text(str(error))
        raise SystemExit(1) from error
    return result if dist.get_node_local_rank() == 0 else None


def _reason(folder: Path, error: ChildFailedError) -> str | None:
    """What the first one to fail said, or how it was ended; None for a bug."""
    told = sorted(folder.glob("*.error"), key=lambda file: file.stat().st_mtime_ns)
    if told:
        return told[0].read_text()
    rank, failure = error.get_first_failure()
    if failure.exitcode >= 0:
        return None
    name = signal.Signals(-failure.exitcode).name
    return (
        f"process {rank + 1} of this training was ended by {name}; was there too little memory? "
        "Lower --micro-batch-size or --nproc"
    )
