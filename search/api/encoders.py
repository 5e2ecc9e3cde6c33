"""The models of the service: each loaded once, however many indexes it made."""

import threading
from dataclasses import dataclass

from goods.index.contract import Contract, check_same_model
from model.encoder import Encoder
from search.api.counters import Counters
from search.api.encoder import SharedEncoder


@dataclass(slots=True)
class _Loaded:
    encoder: SharedEncoder
    users: int = 0


class Encoders:
    """Loads models, and lets go of them when no index needs them any more.

    Args:
        model: Checkpoint to use instead of the one that an index names.
        device: Where models run.
        dtype: Their number format.
        counters: Told of batches.
    """

    def __init__(self, model: str | None, device: str, dtype: str, counters: Counters) -> None:
        self._model = model
        self._device = device
        self._dtype = dtype
        self._counters = counters
        self._loaded: dict[str, _Loaded] = {}
        self._lock = threading.Lock()

    def take(self, address: str, contract: Contract) -> SharedEncoder:
        """The model that made an index; to be given back.

        Raises:
            ModelError: It cannot be loaded.
            ModelMismatchError: It is not the one that made the index.
        """
        with self._lock:
            known = self._loaded.get(contract.stamp)
            if known is None:
                encoder = Encoder.load(self._model or contract.model, self._device, self._dtype)
                check_same_model(address, contract, encoder.stamp, encoder.name)
                encoder.texts(["warm"])  # the first call is the slowest
                known = _Loaded(SharedEncoder(encoder, self._counters))
                self._loaded[contract.stamp] = known
            known.users += 1
            return known.encoder

    def give_back(self, contract: Contract) -> None:
        """Note that an index no longer needs its model."""
        with self._lock:
            known = self._loaded[contract.stamp]
            known.users -= 1
            if known.users == 0:
                del self._loaded[contract.stamp]
                known.encoder.close()
