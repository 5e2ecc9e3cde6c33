"""The model that embeds queries: that of the index, where and in what it runs."""

from dataclasses import dataclass
from pathlib import Path

from goods.index import VectorIndex
from goods.index.contract import check_same_model
from goods.options import BACKEND_CACHE
from model.backends.accelerate import Accelerated, accelerate_texts, refuse_backend
from model.backends.searched import searched_in
from model.encoder import Encoder


@dataclass(frozen=True, slots=True)
class QueryModel:
    """How the model of an index is loaded to search it.

    Attributes:
        name: Checkpoint to use instead of the one that the index names.
        device: Where it runs, see `Encoder.load`.
        dtype: Its number format, see `Encoder.load`.
        backend: What embeds texts, see `accelerate_texts`; pictures are embedded by torch.
        backend_cache: Folder that keeps what was exported for a backend.

    Raises:
        ModelError: The backend cannot run here.
    """

    name: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    backend: str = "torch"
    backend_cache: Path = BACKEND_CACHE

    def __post_init__(self) -> None:
        refuse_backend(self.backend, self.device, self.dtype)

    def load(self, index: VectorIndex, address: str) -> Accelerated:
        """The encoder, and how far the backend agrees with torch on texts of this index.

        Raises:
            ModelError: It cannot be loaded, or the backend cannot take it or agrees too little.
            ModelMismatchError: It is not the one that made the index.
        """
        contract = index.contract
        encoder = Encoder.load(self.name or contract.model, self.device, self.dtype)
        check_same_model(address, contract, encoder.stamp, encoder.name)
        return accelerate_texts(
            encoder, self.backend, lambda: searched_in(index), self.backend_cache
        )
