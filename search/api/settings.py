"""What a deployment decides about the service."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from goods.errors import GoodsError
from goods.limits import PictureLimits
from goods.options import BACKEND_CACHE
from goods.urls import is_url
from search.query_model import QueryModel

PICTURES = PictureLimits(
    max_bytes=12 << 20,
    max_pixels=40_000_000,
    timeout_s=5.0,
    attempts=2,
    max_wait_s=1.0,
    patience_s=3.0,
)
"""Of pictures that strangers send or name: a telephone's photograph, and no waiting."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How the service serves.

    Attributes:
        index: Address of the index.
        compare: Address of another one to compare it with.
        model: Checkpoint to embed queries with; the one that each index names otherwise.
        qdrant_key: API key of the Qdrant server.
        device: Where the model runs.
        dtype: The model's number format.
        backend: What embeds texts; pictures are embedded by torch.
        backend_cache: Folder that keeps what was exported for a backend.
        synonyms: A file of the shop's own words.
        catalog: Where pictures are looked up that the index's own references do not lead to.
        name: What the page calls the shop.
        currency: What the page writes beside prices.
        read_key: Who knows it may search; everybody when there is none.
        admin_key: Who knows it may see the metrics, too.
        hosts: Names by which the service may be called; any when empty.
        origins: Whose pages may search from a browser: `https://shop.example`; or `*`, anybody's.
        rate: Requests per second of one caller, in the long run; 0 for no limit.
        timeout_s: How long a caller waits before it is told that the service is busy.
        refresh_s: How often the index is looked at for changes.
        copies: Folder for private copies of an embedded index; the system's temporary one if None.
        threads: Searches on their way at once.
        max_waiting: Searches that run or wait for a thread, and as many pictures beside them;
            more are refused at once.
        max_body: Bytes of a request.
        max_uploads: Pictures of one request.
        pictures: What a picture may cost, and where it may come from.
        thumbnails_bytes: Memory for thumbnails.

    Raises:
        GoodsError: A number is out of its range, an origin is none, or a key is too short.
    """

    index: str
    compare: str | None = None
    model: str | None = None
    qdrant_key: str | None = field(default=None, repr=False)
    device: str = "auto"
    dtype: str = "auto"
    backend: str = "torch"
    backend_cache: Path = BACKEND_CACHE
    synonyms: Path | None = None
    catalog: str | None = None
    name: str = "goods"
    currency: str | None = None
    read_key: str | None = field(default=None, repr=False)
    admin_key: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    rate: float = 0.0
    timeout_s: float = 10.0
    refresh_s: float = 5.0
    copies: Path | None = None
    threads: int = 8
    max_waiting: int = 128
    max_body: int = 32 << 20
    max_uploads: int = 8
    pictures: PictureLimits = PICTURES
    thumbnails_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        for name in ("timeout_s", "refresh_s", "threads", "max_waiting", "max_body", "max_uploads"):
            if getattr(self, name) <= 0:
                raise GoodsError(f"{name} is {getattr(self, name)}; it has to be more than 0")
        if self.rate < 0:
            raise GoodsError(f"rate is {self.rate}; it is 0 (no limit) or more")
        for origin in self.origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise GoodsError(
                    f"{origin} is no origin: write https://shop.example, without a path, or *"
                )
        for name in ("read_key", "admin_key"):
            key = getattr(self, name)
            if key is not None and len(key) < 8:
                raise GoodsError(f"{name} is too short to be secret; take 8 characters or more")

    @property
    def query_model(self) -> QueryModel:
        """How the models that embed queries are loaded."""
        return QueryModel(self.model, self.device, self.dtype, self.backend, self.backend_cache)

    @property
    def is_server(self) -> bool:
        """Whether a Qdrant server keeps the index, which many processes may ask."""
        return is_url(self.index)
