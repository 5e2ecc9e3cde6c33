"""The models of the service: each loaded once, however many indexes it made."""

import logging
import threading
from dataclasses import dataclass

from goods.index import VectorIndex
from goods.index.contract import Contract
from model.encoder import Encoder
from search.api.counters import Counters
from search.api.encoder import SharedEncoder
from search.query_model import QueryModel

log = logging.getLogger("goods.serve")


@dataclass(slots=True)
class _Loaded:
    encoder: SharedEncoder
    users: int = 0


class Encoders:
    """Loads models, and lets go of them when no index needs them any more.

    Args:
        model: How they are loaded.
        counters: Told of batches.
    """

    def __init__(self, model: QueryModel, counters: Counters) -> None:
        self._model = model
        self._counters = counters
        self._loaded: dict[str, _Loaded] = {}
        self._lock = threading.Lock()

    def take(self, address: str, index: VectorIndex) -> SharedEncoder:
        """The model that made an index; to be given back.

        Raises:
            ModelError: It cannot be loaded, or the backend does not agree with torch on its texts.
            ModelMismatchError: It is not the one that made the index.
        """
        contract = index.contract
        with self._lock:
            known = self._loaded.get(contract.stamp)
            if known is None:
                known = _Loaded(SharedEncoder(self._load(address, index), self._counters))
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

    def _load(self, address: str, index: VectorIndex) -> Encoder:
        done, backend = self._model.load(index, address), self._model.backend
        if done.agreement is not None:
            log.info("texts are embedded by %s, which %s", backend, done.agreement)
        done.encoder.texts(["warm"])  # the first call is the slowest
        self._counters.text_backend.labels(backend).set(1)
        return done.encoder
