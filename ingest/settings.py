"""How an ingest runs."""

from dataclasses import dataclass
from pathlib import Path

from goods.errors import GoodsError
from ingest.journal import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """One of several disjoint parts of a catalog; a product belongs to the same one in every run.

    Attributes:
        number: From 1.
        of: How many parts there are.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise GoodsError(f"there is no part {self.number} of {self.of}; parts count from 1")

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole catalog."""
        return self.of == 1

    def has(self, point: int) -> bool:
        """Whether the point with this id, as a number, is in it."""
        return point % self.of == self.number - 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """The part that `3/8` means.

        Raises:
            GoodsError: It is no such text.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal()):
            raise GoodsError(f"{text!r} is no part; write 3/8 for the third of eight")
        return cls(int(number), int(of))


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How to run.

    Attributes:
        refused: JSON Lines file for products that cannot be taken.
        journal: File of what was computed before; None for a temporary one.
        journal_bytes: Size that the journal is kept below.
        batch_size: Pictures embedded at a time; None finds it, up to where it stops paying.
        threads: Threads that read, decode and resize pictures.
        look_ahead: Pictures that may be on their way to the model; bounds the memory.
        verify: Look at every picture again, even where nothing says that it changed.
        sync: Delete what the catalog no longer has.
        max_gone: Share of the index, 0 to 1, beyond which `sync` deletes nothing, and `rebuild`
            replaces nothing, and says so.
        rebuild: Embed everything anew beside the old index, then replace it in one step.
        max_refused: Share of the catalog, 0 to 1, beyond which `rebuild` replaces nothing.
        limit: Take only the first so many rows.
        retry: Take only the products that this file, an earlier `refused`, names.
        part: Take only this part of the catalog.
        allow_private: Hosts that pictures may come from though they are not public.
        nproc: Processes on this machine that load and embed, one per GPU; `threads` and
            `batch_size` are those of each.
        ray: Address of a Ray cluster that loads and embeds instead.
        ray_workers: How many do so there; None for one per GPU, or else per node.
    """

    refused: Path = Path("refused.jsonl")
    journal: Path | None = None
    journal_bytes: int = MAX_BYTES
    batch_size: int | None = None
    threads: int = 4
    look_ahead: int = 512
    verify: bool = False
    sync: bool = False
    max_gone: float = 0.5
    rebuild: bool = False
    max_refused: float = 0.01
    limit: int | None = None
    retry: Path | None = None
    part: Part = WHOLE
    allow_private: tuple[str, ...] = ()
    nproc: int = 1
    ray: str | None = None
    ray_workers: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads", "look_ahead", "nproc", "ray_workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise GoodsError(f"{name} is {value}; it has to be at least 1")
        if self.ray is not None and self.nproc > 1:
            raise GoodsError("nproc is for this machine, ray for a cluster; choose one")
        for name, others in (("limit", "after the limit"), ("retry", "that was not refused")):
            if self.sync and getattr(self, name) is not None:
                raise GoodsError(
                    f"sync with a {name} would delete every product {others}; leave out one"
                )
        is_partial = self.limit is not None or self.retry is not None or not self.part.is_whole
        if self.rebuild and is_partial:
            raise GoodsError(
                "a rebuild needs the whole catalog in one run: it replaces all that is there; "
                "to load parts side by side, give them an index of a new name"
            )
