"""The processes that train one model together: what they tell each other.

All of them walk through the same steps. What one process alone would not do is here.

Legend: B rows of all processes together, D the dimension of a vector.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist

from goods.errors import TrainingError

T = TypeVar("T")


class LostProcessError(TrainingError):
    """Another process of this training has ended, or does not answer any more."""


_STEP_TIMEOUT = timedelta(minutes=10)  # all compute the same share: none is minutes behind
_PATIENCE = timedelta(days=30)  # for slow pictures and evaluations; a process that ends is noticed
_BUCKET_BYTES = 32 << 20  # sent at once: long enough for full speed, little beside the gradients


class Ranks:
    """One process alone: everything is its own."""

    rank = 0
    count = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes, evaluates and tells."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Where this process computes, for a name as `choose_device` takes it.

        Raises:
            ModelError: There is no such device.
        """
        from model.encoder import choose_device  # with transformers, which processes wait for

        return choose_device(name)

    def share(self, rows: int) -> slice:
        """Which rows of a batch this process works on; together they are all, in order."""
        size, more = divmod(rows, self.count)
        start = self.rank * size + min(self.rank, more)
        return slice(start, start + size + (self.rank < more))

    def gather(self, own_BD: torch.Tensor, rows: int) -> torch.Tensor:  # noqa: ARG002 - others'
        """The rows of all processes, in order, without gradients."""
        return own_BD

    def average(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""

    def all_of(self, own: T) -> list[T]:
        """What each process says, in their order; waits for the slowest."""
        return [own]

    def from_first(self, own: T) -> T:
        """What the first process says; waits for it, however long it evaluates."""
        return own

    def copy_files(self, folder: Path) -> None:
        """Write the files of the first process's folder into that of every other."""
        files = {file.name: file.read_bytes() for file in folder.iterdir()} if self.is_first else {}
        for name, data in self.from_first(files).items():
            (folder / name).write_bytes(data)


class Processes(Ranks):
    """One of the processes that a launcher of torch started.

    Raises:
        TrainingError: The device cannot be shared out.
        LostProcessError: In every method: another process does not answer.
    """

    def __init__(self, device: str) -> None:
        self._device = _device_of(device, dist.get_node_local_rank())
        is_cuda = self._device.type == "cuda"
        if is_cuda:
            torch.cuda.set_device(self._device)
        with _answered("they did not find each other"):
            dist.init_process_group("nccl" if is_cuda else "gloo", timeout=_STEP_TIMEOUT)
            self._patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
        self.rank, self.count = dist.get_rank(), dist.get_world_size()

    def device(self, name: str) -> torch.device:  # noqa: ARG002 - chosen when the process joined
        """Where this process computes: on a GPU of its own, or on the CPU."""
        return self._device

    def gather(self, own_BD: torch.Tensor, rows: int) -> torch.Tensor:
        """The rows of all processes, in order, without gradients."""
        size, more = divmod(rows, self.count)
        longest = size + bool(more)
        padded = own_BD.new_zeros(longest, *own_BD.shape[1:])
        padded[: len(own_BD)] = own_BD
        gathered = own_BD.new_empty(longest * self.count, *own_BD.shape[1:])
        shares = gathered.split(longest)
        with _answered("vectors were being gathered"):
            dist.all_gather(list(shares), padded)
        if not more:
            return gathered
        return torch.cat([own[: size + (rank < more)] for rank, own in enumerate(shares)])

    def average(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        for gradients in _buckets(w.grad for w in weights if w.grad is not None):
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            with _answered("gradients were being averaged"):
                dist.all_reduce(flat)
            flat /= self.count
            means = flat.split([gradient.numel() for gradient in gradients])
            for gradient, mean in zip(gradients, means, strict=True):
                gradient.copy_(mean.view_as(gradient))

    def all_of(self, own: T) -> list[T]:
        """What each process says, in their order; waits for the slowest."""
        told: list[T | None] = [None] * self.count
        with _answered("they were telling each other how far they are"):
            dist.all_gather_object(told, own, group=self._patient)
        return told  # type: ignore[return-value] # filled by now

    def from_first(self, own: T) -> T:
        """What the first process says; waits for it, however long it evaluates."""
        told = [own]
        with _answered("the first was evaluating"):
            dist.broadcast_object_list(told, src=0, group=self._patient)
        return told[0]


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes that torch's launcher started with this one; without launcher it alone.

    Args:
        device: "auto", "cpu" or "cuda": each process gets a GPU of its own.

    Raises:
        TrainingError: The device cannot be shared out.
        LostProcessError: The others do not answer.
    """
    if not dist.is_torchelastic_launched():
        yield Ranks()
        return
    ranks = Processes(device)
    yield ranks
    ranks.all_of(None)
    dist.destroy_process_group()  # after an error it could wait for those that have ended


def _device_of(name: str, local_rank: int) -> torch.device:
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if name not in ("auto", "cuda"):
        raise TrainingError(
            f"several processes cannot share the device '{name}'; pass --device cuda, which gives "
            "each a GPU of its own, or --device cpu"
        )
    if local_rank >= torch.cuda.device_count():
        raise TrainingError(
            f"process {local_rank + 1} of this machine has no GPU: there are "
            f"{torch.cuda.device_count()}; start as many processes as GPUs, or pass --device cpu"
        )
    return torch.device("cuda", local_rank)


def _buckets(gradients: Iterable[torch.Tensor]) -> Iterator[Sequence[torch.Tensor]]:
    """Gradients of one number format, together of some size: one message instead of hundreds."""
    by_dtype: dict[torch.dtype, list[torch.Tensor]] = {}
    for gradient in gradients:
        bucket = by_dtype.setdefault(gradient.dtype, [])
        bucket.append(gradient)
        if sum(member.nbytes for member in bucket) >= _BUCKET_BYTES:
            yield by_dtype.pop(gradient.dtype)
    yield from by_dtype.values()


@contextmanager
def _answered(when: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            f"another process of this training has ended or does not answer ({when}); "
            "see what it said, and start all of them again"
        ) from error
