"""Which collection on a Qdrant server is in use: begun, gone on with, served."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from goods.errors import IndexMissingError, IndexStoreError
from goods.index.contract import Contract
from goods.index.planner import TUNING_NOTE, Tuning
from goods.index.server_collections import Collections


@dataclass(frozen=True, slots=True)
class OpenCollection:
    """The collection that calls go to, by its own name: an alias may come to mean another model."""

    name: str
    contract: Contract
    tuning: Tuning


class CollectionInUse:
    """Keeps to one collection behind a name.

    Args:
        collections: All that are behind the name.
    """

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._opened: OpenCollection | None = None
        self._is_closed = False

    def get(self) -> OpenCollection:
        """The collection in use; the one that is served when it is first asked for.

        Raises:
            IndexMissingError: None is served yet.
            IndexStoreError: The server fails, or the index was closed.
        """
        self._check_not_closed()
        if self._opened is None:
            served = self._collections.served()
            if served is None:
                raise IndexMissingError(
                    f"there is no collection {self._collections.name!r} at "
                    f"{self._collections.address} yet; make one with goods ingest"
                )
            self._opened = self._open(served, self._collections.read_contract(served))
        return self._opened

    def create(self, contract: Contract, *, rebuild: bool) -> None:
        """Go on with the served collection under this contract, or begin another.

        Raises:
            IndexStoreError: The name belongs to a collection that goods did not make.
            ModelMismatchError: Another model made the served one, and `rebuild` is off.
            SchemaError: It compares a field in another way, and `rebuild` is off.
        """
        self._check_not_closed()
        served = self._collections.claim()
        if served is not None and not rebuild:
            self._collections.adopt(served, contract)
            self._opened = self._open(served, contract)
            return
        physical = self._collections.begin(contract, served)
        self._collections.index_payload(physical, contract)
        self._opened = self._open(physical, contract)
        if served is None:
            self._collections.serve(physical)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Note something under a name, in place of what was noted before."""
        opened = self.get()
        self._collections.write_note(opened.name, name, note)
        self._opened = self._open(opened.name, opened.contract)

    def tuned(self, tuning: Tuning) -> OpenCollection:
        """The collection in use, its searches planned as somebody has measured meanwhile."""
        self._opened = replace(self.get(), tuning=tuning)
        return self._opened

    def close(self) -> None:
        """Give no collection any more."""
        self._is_closed = True

    def _open(self, name: str, contract: Contract) -> OpenCollection:
        tuning = Tuning.of(self._collections.read_note(name, TUNING_NOTE))
        return OpenCollection(name, contract, tuning)

    def _check_not_closed(self) -> None:
        if self._is_closed:
            raise IndexStoreError(
                f"the index at {self._collections.address} was closed; open it again"
            )
