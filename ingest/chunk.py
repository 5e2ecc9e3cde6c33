"""A chunk of pictures into vectors: what each of several workers does, wherever it runs.

Pixels never leave the process in which they were decoded. What travels is picture locations (and
bytes, where the catalog carried them) in one direction, and digests and vectors in the other.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import torch

from goods.errors import GoodsError, ModelError
from goods.limits import PictureLimits
from goods.pictures import PictureLoader
from goods.product import Product
from goods.streams import in_order
from ingest.batch_size import BatchSize
from ingest.clock import StageClock, StageRate
from ingest.contract import whereabouts
from ingest.embed import Embedded, Embedding
from ingest.load import Loaded, Loading
from ingest.plan import Planned, Work
from ingest.refused import Refused
from ingest.settings import IngestSettings
from model.encoder import Encoder

CHUNK = 256
"""Pictures that a worker is given at a time; unless asked for, no more are embedded at a time.
So many encoded pictures of 100 kB are 25 MB. Not measured on a GPU."""

AT_ONCE = 3
"""Chunks that a worker has in hand: the pictures of some are loaded while one is embedded."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """How a worker gets the model that the run is made with.

    Attributes:
        name: Folder or hub name of the checkpoint.
        device: Torch device.
        dtype: Number format.
        made_by: What its vectors have to be made by.
    """

    name: str
    device: str
    dtype: str
    made_by: str

    @classmethod
    def of(cls, encoder: Encoder, device: str) -> "ModelSource":
        """The source of the same model, for another device.

        Raises:
            ModelError: Its pictures are embedded by another backend than torch.
        """
        if encoder.backend:
            raise ModelError(
                f"{encoder.backend} embeds in one process, which uses all cores; "
                "leave out --nproc and --ray, or use --backend torch"
            )
        return cls(
            whereabouts(encoder),
            device,
            str(encoder.towers.model.dtype).removeprefix("torch."),
            encoder.made_by,
        )

    def load(self) -> Encoder:
        """The encoder.

        Raises:
            ModelError: It cannot be loaded, or is not the one that the run is made with.
        """
        encoder = Encoder.load(self.name, self.device, self.dtype)
        if encoder.made_by != self.made_by:
            raise ModelError(
                f"a worker finds another model as {self.name} than the one that started it "
                f"({encoder.made_by}, not {self.made_by}); give all machines the same files"
            )
        return encoder


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How a worker runs.

    Attributes:
        source: The model.
        limits: What a picture may cost, and where it may come from.
        threads: Threads that read, decode and resize pictures.
        batch_size: Pictures embedded at a time; None finds it.
        torch_threads: Threads that torch computes with; None leaves that to torch.
    """

    source: ModelSource
    limits: PictureLimits
    threads: int
    batch_size: int | None
    torch_threads: int | None = None

    @classmethod
    def of(
        cls,
        settings: IngestSettings,
        source: ModelSource,
        limits: PictureLimits,
        torch_threads: int,
    ) -> "ChunkSettings":
        """The share of one worker in a run with these settings."""
        return cls(source, limits, settings.threads, settings.batch_size, torch_threads)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a chunk.

    Attributes:
        embedded: Its products with their vectors; of the product itself only id, row and picture.
        refused: Those whose picture cannot be used.
        stages: How busy the worker was with it.
        batch_size: Pictures that it embeds at a time by now.
    """

    embedded: Sequence[Embedded]
    refused: Sequence[Refused]
    stages: Sequence[StageRate]
    batch_size: int


class ChunkWorker:
    """Loads and embeds chunks of pictures; owns a model, connections and threads.

    Safe to use from several threads: while one waits for the device, the other's pictures load.

    Raises:
        ModelError: The model cannot be loaded.
    """

    def __init__(self, settings: ChunkSettings) -> None:
        if settings.torch_threads is not None:
            torch.set_num_threads(settings.torch_threads)
        self._encoder = settings.source.load()
        self._loader = PictureLoader(settings.limits)
        self._pool = ThreadPoolExecutor(settings.threads)
        self._size = BatchSize(settings.batch_size)
        self._device = Lock()

    def answer(self, chunk: Sequence[Planned]) -> Reply | GoodsError:
        """What `embed` gives or raises: an error that travels as well as a result."""
        try:
            return self.embed(chunk)
        except GoodsError as error:
            return error

    def embed(self, chunk: Sequence[Planned]) -> Reply:
        """The vectors of what `errand` made; a picture that is in the chunk twice is embedded once.

        Raises:
            ModelError: The device has too little memory for one picture.
        """
        clock = StageClock()
        loading = Loading(self._loader, self._pool, self._encoder, None, clock)
        begun = list(loading.begin(chunk))
        refused: list[Refused] = []
        with self._device:
            embedding = Embedding(self._encoder, self._size, len(chunk), clock)
            batches = embedding.embed(_good(in_order(begun, 1), refused))
            embedded = [item for batch in batches for item in batch]
        return Reply(embedded, refused, clock.rates(), self._size.size)

    def close(self) -> None:
        """Let go of connections and threads."""
        self._loader.close()  # first: a thread may wait for a download
        self._pool.shutdown(cancel_futures=True)


def errand(item: Planned) -> Planned:
    """What a worker has to know of a product: its picture, and which one it is."""
    product = item.product
    return Planned(Product(product.id, product.picture, row=product.row), Work.NEW, "", None)


def _good(loaded: Iterable[Loaded | Refused], refused: list[Refused]) -> Iterator[Loaded]:
    for item in loaded:
        if isinstance(item, Refused):
            refused.append(item)
        else:
            yield item
