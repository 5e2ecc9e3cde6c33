"""Several workers on this machine, each a process of its own: one per GPU, or sharing the cores."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

import torch

from goods.errors import GoodsError
from goods.limits import PictureLimits
from goods.streams import map_ahead
from ingest.chunk import AT_ONCE, ChunkSettings, ChunkWorker, ModelSource, Reply
from ingest.plan import Planned
from ingest.settings import IngestSettings
from model.encoder import Encoder

_END_S = 5  # from being told that the work is done to being ended


def shares(
    settings: IngestSettings, encoder: Encoder, limits: PictureLimits
) -> list[ChunkSettings]:
    """How each of the processes runs.

    Raises:
        GoodsError: There are fewer GPUs than processes.
    """
    kind, processes = encoder.towers.device.type, settings.nproc
    if kind == "cuda" and processes > torch.cuda.device_count():
        raise GoodsError(
            f"{processes} processes need as many GPUs, and this machine shows "
            f"{torch.cuda.device_count()}; lower --nproc, or pass --device cpu"
        )
    devices = [
        f"cuda:{n}" if kind == "cuda" else str(encoder.towers.device) for n in range(processes)
    ]
    torch_threads = max(1, (os.cpu_count() or 1) // processes)
    return [
        ChunkSettings.of(settings, ModelSource.of(encoder, device), limits, torch_threads)
        for device in devices
    ]


@dataclass(frozen=True, slots=True)
class _Process:
    process: BaseProcess
    connection: Connection


class Processes:
    """A `Crew` of processes.

    They are spawned: a fork would copy the locks of threads that it does not copy, and hangs once
    the embedded engine was opened. Each ends by itself when the one that started it is gone.

    Args:
        settings: How each of them runs.
    """

    def __init__(self, settings: Sequence[ChunkSettings]) -> None:
        self.workers = len(settings)
        context = multiprocessing.get_context("spawn")
        self._crew: list[_Process] = []
        for number, share in enumerate(settings, 1):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, share), name=f"worker {number}", daemon=True
            )
            process.start()
            theirs.close()  # or its end would not be seen here
            self._crew.append(_Process(process, ours))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(is_done=error is None)

    def close(self, *, is_done: bool = True) -> None:
        """End all of them: when their work is done by themselves, else at once."""
        for member in self._crew:
            member.connection.close()
            if not is_done:
                member.process.terminate()
        for member in self._crew:
            member.process.join(_END_S)
            if member.process.is_alive():
                member.process.kill()
                member.process.join()

    def embed(self, chunks: Iterable[Sequence[Planned]]) -> Iterator[Reply]:
        """The reply to each chunk, in order; they are dealt out in turns.

        A process has no more chunks than it takes before it answers the first: one that is written
        to is always reading, so that neither side can wait for the other.

        Raises:
            GoodsError: A process was ended, or cannot go on.
        """
        asked: deque[_Process] = deque()
        for number, chunk in enumerate(chunks):
            member = self._crew[number % self.workers]
            with suppress(OSError):  # it has ended: its answer, or that there is none, says why
                member.connection.send(chunk)
            asked.append(member)
            if len(asked) >= AT_ONCE * self.workers:
                yield self._reply(asked.popleft())
        for member in self._crew:
            with suppress(OSError):
                member.connection.send(None)
        while asked:
            yield self._reply(asked.popleft())

    def _reply(self, member: _Process) -> Reply:
        try:
            reply: Reply | GoodsError = member.connection.recv()
        except (EOFError, OSError) as error:
            raise GoodsError(self._ended(member.process)) from error
        if isinstance(reply, GoodsError):
            raise reply
        return reply

    def _ended(self, process: BaseProcess) -> str:
        process.join(_END_S)
        code = process.exitcode
        how = f"code {code}" if code is None or code >= 0 else signal.Signals(-code).name
        return (
            f"{process.name} of {self.workers} ended ({how}) before its work did; is there too "
            "little memory? Run again, with a smaller --nproc or --batch-size if so: what was "
            "written is not lost, and not done twice"
        )


def _work(connection: Connection, settings: ChunkSettings) -> None:
    """Answer chunks until there are no more, or nobody who would give any."""
    # The keyboard's interrupt reaches every process, and is the driver's to explain.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with connection, suppress(BrokenPipeError, ConnectionResetError):
        try:
            worker = ChunkWorker(settings)
        except GoodsError as error:
            connection.send(error)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for reply in map_ahead(worker.answer, _received(connection), pool, AT_ONCE):
                connection.send(reply)
        worker.close()


def _received(connection: Connection) -> Iterator[Sequence[Planned]]:
    with suppress(EOFError):
        while (chunk := connection.recv()) is not None:
            yield chunk
