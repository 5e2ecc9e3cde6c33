"""The graph of a collection on a Qdrant server, built after a bulk load without one."""

import time

from qdrant_client import models

from goods.errors import IndexStoreError
from goods.index.server_collections import Collections
from goods.index.server_models import GRAPH

GREENS = 2
"""Looks in a row that must find the collection green. It is when its optimisers have nothing to do,
which a node knows as soon as it has taken the change; in a cluster some take it a moment later.
The count of indexed vectors says less: with m = 0 it counts vectors that have no graph."""


def build_graph(collections: Collections, physical: str) -> None:
    """Have the server build the graph, and wait until it has.

    Raises:
        IndexStoreError: It cannot, or not in time.
    """
    patience = collections.patience
    give_up = time.monotonic() + patience.graph_timeout_s
    status, greens = models.CollectionStatus.GREY, 0
    while greens < GREENS:
        if status == models.CollectionStatus.GREY:  # not asked yet, or restarted since
            collections.call(collections.client.update_collection, physical, hnsw_config=GRAPH)
        time.sleep(patience.poll_s)
        info = collections.call(collections.client.get_collection, physical)
        status = info.status
        greens = greens + 1 if status == models.CollectionStatus.GREEN else 0
        if status == models.CollectionStatus.RED:
            raise IndexStoreError(
                f"{collections.address} cannot build its graph ({info.optimizer_status}); "
                "see the server's log, then run the command again"
            )
        if not greens and time.monotonic() > give_up:
            raise IndexStoreError(
                f"{collections.address} is still {status} after {patience.graph_timeout_s:.0f} s; "
                "it goes on by itself: look at its console, then run the command again"
            )
