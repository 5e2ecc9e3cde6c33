"""The collections behind one name on a Qdrant server: generations, an alias for the served one.

The collection that people name is an alias; the data lives in `<name>-0001`, `-0002` ..., so that a
rebuilt generation replaces its predecessor in one atomic alias switch. The contract is kept as the
collection's metadata, and is how we tell our collections from others.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc
from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from goods.errors import IndexStoreError
from goods.index.contract import Contract, check_continues
from goods.index.planner import GRAPH_FROM
from goods.index.quantization import QUANTIZATION_NOTE, Quantization
from goods.index.server_calls import retrying, server_errors
from goods.index.server_connection import Connection
from goods.index.server_models import BM25, INT8, NO_GRAPH, PAYLOAD_INDEX, QUANTIZATION, STRICT

T = TypeVar("T")


class Collections:
    """The generations of one collection name.

    Args:
        connection: To the server, at the name people use.
    """

    def __init__(self, connection: Connection) -> None:
        self.client = connection.client
        self.name = connection.collection
        self.address = connection.address
        self.patience = connection.patience
        self._retrying = retrying(connection.patience)

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The answer to one call, after as many tries as the policy allows.

        Raises:
            IndexStoreError: The last try failed.
        """
        with server_errors(self.address):
            return self._retrying(function, *args, **kwargs)

    def served(self) -> str | None:
        """The collection behind the alias."""
        aliases = self.call(self.client.get_aliases).aliases
        return next((a.collection_name for a in aliases if a.alias_name == self.name), None)

    def claim(self) -> str | None:
        """The collection behind the alias, when nobody else uses the name.

        Raises:
            IndexStoreError: The name belongs to a collection that goods did not make.
        """
        served = self.served()
        if served is None:
            is_free = not self.call(self.client.collection_exists, self.name)
        else:
            is_free = served in self._ours()
        if not is_free:
            raise IndexStoreError(
                f"{self.address}: a collection of that name exists that goods did not make; "
                "choose another name"
            )
        return served

    def adopt(self, served: str, contract: Contract) -> None:
        """Go on with the collection that is served, with the fields that are new.

        Raises:
            ModelMismatchError: Another model made its vectors.
            SchemaError: A field is compared in another way.
        """
        existing = self.read_contract(served)
        check_continues(self.address, existing, contract)
        if existing != contract:
            self.index_payload(served, contract)
            self.call(self.client.update_collection, served, metadata=contract.to_json())

    def begin(self, contract: Contract, served: str | None) -> str:
        """The collection to load into, ready for a bulk load: a new one without a graph.

        What a load or rebuild under this contract left unfinished is gone on with; so is what
        another process has begun meanwhile. Anything else unfinished is removed.

        Args:
            contract: What the vectors will be.
            served: The collection behind the alias, which is to be replaced.

        Raises:
            ModelMismatchError: The other process has begun with another model.
            SchemaError: It compares a field in another way.
        """
        numbered = self._numbered()  # once: who begins at the same time takes the same number
        newest = max(filter(self._is_ours, numbered), key=_number, default=None)
        if newest is not None and newest != served:
            if contract.to_json().items() <= self._metadata(newest).items():  # others are notes
                return newest
            if newest == self.served():
                check_continues(self.address, self.read_contract(newest), contract)
                return newest
            self.discard(newest)
        physical = f"{self.name}-{max(map(_number, numbered), default=0) + 1:04d}"
        self.call(self._create_if_absent, physical, contract)
        check_continues(self.address, self.read_contract(physical), contract)
        return physical

    def index_payload(self, physical: str, contract: Contract) -> None:
        """Index every filterable field; those that are indexed already stay as they are."""
        for field in contract.indexed:
            self.call(
                self.client.create_payload_index,
                physical,
                field_name=field.name,
                field_schema=PAYLOAD_INDEX[field.kind],
                wait=True,
            )

    def serve(self, physical: str) -> None:
        """Point the alias at this collection in one step, and remove those it replaces."""
        served = self.served()
        if served != physical:
            create = models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=physical, alias_name=self.name)
            )
            delete = models.DeleteAliasOperation(
                delete_alias=models.DeleteAlias(alias_name=self.name)
            )
            steps = [delete, create] if served else [create]
            self.call(self.client.update_collection_aliases, change_aliases_operations=steps)
        for older in self._ours():
            if _number(older) < _number(physical):
                self.discard(older)

    def discard(self, physical: str) -> None:
        """Remove a collection and all that is in it."""
        self.call(self.client.delete_collection, physical)

    def read_contract(self, physical: str) -> Contract:
        """What the vectors of a collection are."""
        return Contract.from_json(self._metadata(physical), self.address)

    def read_note(self, physical: str, name: str) -> dict[str, Any] | None:
        """What was noted under this name."""
        return note_in(self._metadata(physical), name)

    def write_note(self, physical: str, name: str, note: Mapping[str, Any]) -> None:
        """Note something beside the contract: the server merges metadata, key by key."""
        merged = {_note(name): dict(note)}
        self.call(self.client.update_collection, physical, metadata=merged)

    def quantize(self, physical: str, quantization: Quantization) -> None:
        """Have the server keep vectors in this form, and note it, in one step."""
        self.call(
            self.client.update_collection,
            physical,
            quantization_config=QUANTIZATION[quantization],
            metadata={_note(QUANTIZATION_NOTE): quantization.to_note()},
        )

    def _create_if_absent(self, physical: str, contract: Contract) -> None:
        """Create a collection; no conflict after a lost answer, or beside another process."""
        if self.client.collection_exists(physical):
            return
        try:
            self._create(physical, contract)
        except (UnexpectedResponse, grpc.RpcError):
            if not self.client.collection_exists(physical):
                raise

    def _create(self, physical: str, contract: Contract) -> None:
        self.client.create_collection(
            physical,
            vectors_config=models.VectorParams(
                size=contract.dimension, distance=models.Distance.COSINE
            ),
            sparse_vectors_config=BM25,
            hnsw_config=NO_GRAPH,
            quantization_config=INT8,
            optimizers_config=models.OptimizersConfigDiff(
                indexing_threshold=GRAPH_FROM * contract.dimension * 4 // 1024  # in KB
            ),
            strict_mode_config=STRICT,
            metadata=contract.to_json(),
        )

    def _numbered(self) -> list[str]:
        """The collections that are called as our generations are."""
        pattern = re.compile(re.escape(self.name) + r"-\d{4,}")
        names = [c.name for c in self.call(self.client.get_collections).collections]
        return list(filter(pattern.fullmatch, names))

    def _ours(self) -> list[str]:
        """Those that goods made, of whichever layout."""
        return list(filter(self._is_ours, self._numbered()))

    def _is_ours(self, name: str) -> bool:
        return {"stamp", "layout"} <= self._metadata(name).keys()

    def _metadata(self, physical: str) -> dict[str, Any]:
        return self.call(self.client.get_collection, physical).config.metadata or {}


def _number(physical: str) -> int:
    return int(physical.rpartition("-")[2])


def note_in(metadata: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What `Collections.write_note` put into the metadata of a collection under this name."""
    note = metadata.get(_note(name))
    return note if isinstance(note, dict) else None


def _note(name: str) -> str:
    return f"note:{name}"
