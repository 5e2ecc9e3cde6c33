"""A connection to a Qdrant server that is new enough."""

import math
from dataclasses import dataclass

from qdrant_client import QdrantClient

from goods.index.server_address import ServerAddress
from goods.index.server_calls import OLDEST, Patience, check_version, retrying, server_errors

PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answers, and where on it the index is.

    Attributes:
        client: Asks the server.
        collection: The name people use.
        address: How to call it in messages.
        engine: What the server says it is.
        version: Its major and minor version.
        patience: How long to bear with it.
    """

    client: QdrantClient
    collection: str
    address: str
    engine: str = "Qdrant"
    version: tuple[int, int] = OLDEST
    patience: Patience = PATIENCE

    @classmethod
    def open(
        cls, address: str, *, api_key: str | None, timeout_s: float, patience: Patience = PATIENCE
    ) -> "Connection":
        """To `http(s)://host:6333/collection`, over gRPC when the host offers it.

        Raises:
            IndexStoreError: The server does not answer, or is too old.
        """
        where = ServerAddress.parse(address)
        client = QdrantClient(
            url=where.url,
            api_key=api_key,
            timeout=math.ceil(timeout_s),
            prefer_grpc=where.offers_grpc(),
            check_compatibility=False,  # it warns only; check_version decides
        )
        try:
            with server_errors(address):
                shown = retrying(patience)(client.info).version
            version = check_version(address, shown)
        except BaseException:
            client.close()
            raise
        return cls(client, where.collection, address, f"Qdrant {shown}", version, patience)
