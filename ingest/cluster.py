"""Workers on a Ray cluster: the chunks go through Ray Data.

Ray Data reads the chunks from a queue that the driver fills, maps them over a pool of actors, each
with a model of its own, and streams the replies back as they come; the driver puts them in order.
Placing workers, moving data, and starting a worker that died again, its chunk included, is Ray's.
Every node needs this package with the same version, the model under the same name, and the
pictures under the same paths or URLs.
"""

import logging
import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext, Datasource, ReadTask
from ray.data.block import BlockMetadata
from ray.exceptions import RayError, RayTaskError
from ray.util.queue import Queue

from goods.errors import GoodsError
from goods.limits import PictureLimits
from ingest.chunk import AT_ONCE, ChunkSettings, ChunkWorker, ModelSource, Reply
from ingest.plan import Planned
from ingest.settings import IngestSettings
from model.encoder import Encoder

_RETRIES = 1
"""How often a chunk is tried again whose worker died: a node may go, but if the chunk is to blame,
workers would die of it for ever."""


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A `Crew` of actors.

    Attributes:
        settings: How each of them runs.
        workers: How many there are.
        gpus: GPUs that each of them has to itself.
    """

    settings: ChunkSettings
    workers: int
    gpus: int

    def embed(self, chunks: Iterable[Sequence[Planned]]) -> Iterator[Reply]:
        """The reply to each chunk, in order.

        Raises:
            GoodsError: A worker cannot go on, or Ray cannot.
        """
        queue = Queue(actor_options={"num_cpus": 0})
        early: dict[int, Reply] = {}
        sent = given = 0
        with _ray_errors():
            replies = self._replies(queue)
            for chunk in chunks:
                queue.put(pickle.dumps((sent, chunk)))
                sent += 1
                if sent - given >= AT_ONCE * self.workers:
                    yield _reply(given, early, replies)
                    given += 1
            queue.put(None)
            while given < sent:
                yield _reply(given, early, replies)
                given += 1

    def _replies(self, queue: Queue) -> Iterator[dict[str, Any]]:
        """What the actors answer, as it comes."""
        dataset = ray.data.read_datasource(_Feed(queue), override_num_blocks=1, num_cpus=0).map(
            _Actor,
            fn_constructor_args=(self.settings,),
            compute=ActorPoolStrategy(
                size=self.workers,
                max_tasks_in_flight_per_actor=AT_ONCE,
                max_concurrent_calls_per_actor=AT_ONCE,
                enable_true_multi_threading=True,
            ),
            num_cpus=1,
            num_gpus=self.gpus,
            max_task_retries=_RETRIES,
        )
        for batch in dataset.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            yield from batch.to_pylist()


@contextmanager
def ray_cluster(
    address: str, settings: IngestSettings, encoder: Encoder, limits: PictureLimits
) -> Iterator[RayCluster]:
    """Workers on the cluster at this address, which is left when the block ends.

    Args:
        address: "local" for one that lives as long as the block, "auto" for the one that this
            machine is part of, `host:6379` or `ray://host:10001`.
        settings: How the run runs.
        encoder: The model that it is made with.
        limits: What a picture may cost.

    Raises:
        GoodsError: There is no cluster, or it has too little for so many workers.
    """
    workers, is_local = settings.ray_workers, address == "local"
    cores = max(os.cpu_count() or 1, workers or 1) if is_local else None
    # Ray reports what happens to its workers on stdout, which is for results.
    with redirect_stdout(sys.stderr):
        try:
            ray.init(
                address,
                num_cpus=cores,
                include_dashboard=False if is_local else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise GoodsError(
                f"no Ray cluster can be joined at {address}: {error}; does it run, and has this "
                "machine its token (RAY_AUTH_TOKEN)?"
            ) from error
        try:
            _be_quiet()
            has = ray.cluster_resources()
            gpus, cpus = int(has.get("GPU", 0)), int(has.get("CPU", 0))
            count = workers or gpus or len(ray.nodes())
            if count > (gpus or cpus):
                kind = "GPUs" if gpus else "CPUs"
                raise GoodsError(
                    f"the Ray cluster at {address} has {gpus or cpus} {kind}, too few for {count} "
                    "workers; lower --ray-workers"
                )
            source = ModelSource.of(encoder, "cuda" if gpus else "cpu")
            share = ChunkSettings.of(settings, source, limits, max(1, cpus // count))
            yield RayCluster(share, count, 1 if gpus else 0)
        finally:
            ray.shutdown()


class _Feed(Datasource):
    """Rows that the driver puts into a queue, until it puts None."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Ray is partly typed
        self._queue = queue

    def estimate_inmemory_data_size(self) -> int | None:
        """Nobody knows."""
        return None

    def get_read_tasks(self, *_: object, **__: object) -> list[ReadTask]:
        """One, so that no two of them take from the queue."""
        nothing_known = BlockMetadata(
            num_rows=None, size_bytes=None, input_files=None, exec_stats=None
        )
        return [ReadTask(self._rows, nothing_known)]

    def _rows(self) -> Iterator[pa.Table]:
        while (row := self._queue.get()) is not None:
            yield pa.table({"chunk": [row]})


class _Actor:
    """A worker, in a process of Ray's."""

    def __init__(self, settings: ChunkSettings) -> None:
        self._worker: ChunkWorker | GoodsError
        try:
            self._worker = ChunkWorker(settings)
        except GoodsError as error:  # told in the answers: Ray would try again
            self._worker = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        number, chunk = pickle.loads(row["chunk"])  # noqa: S301 - from our own driver
        worker = self._worker
        reply = worker if isinstance(worker, GoodsError) else worker.answer(chunk)
        return {"number": number, "reply": pickle.dumps(reply)}


def _reply(number: int, early: dict[int, Reply], replies: Iterator[dict[str, Any]]) -> Reply:
    """The reply with this number; those that come before it are kept."""
    while number not in early:
        row = next(replies, None)
        if row is None:
            raise GoodsError(
                "the Ray cluster lost pictures on their way; run again: what was written is not "
                "lost, and not done twice"
            )
        reply: Reply | GoodsError = pickle.loads(row["reply"])  # noqa: S301 - from our own workers
        if isinstance(reply, GoodsError):
            raise reply
        early[row["number"]] = reply
    return early.pop(number)


def _be_quiet() -> None:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    # Bytes from which rows are handed on; otherwise they are held back until there are 128 MB.
    context.target_max_block_size = 1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what ends a run is raised, too


@contextmanager
def _ray_errors() -> Iterator[None]:
    """Turn what goes wrong with the cluster into one sentence; bugs of ours stay what they are."""
    try:
        yield
    except RayTaskError:
        raise
    except RayError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise GoodsError(
            f"the Ray cluster cannot go on: {reason} Run again: what was written is not lost, and "
            "not done twice"
        ) from error
