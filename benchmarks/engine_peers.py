"""Other engines over the same vectors, each built once into a folder and opened from it.

They are in no requirement of ours: `pip install faiss-cpu hnswlib lancedb`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from synthetic_shop import DIMENSION, Demand, Shop

TOP = 10
NEIGHBOURS, BUILD_EF, SEARCH_EF = 16, 128, 128
PART = 50_000

Search = Callable[[NDArray[np.float32], Demand], Sequence[int] | None]
"""The rows of the best ten under a demand; None where the engine cannot."""


@dataclass(frozen=True)
class Peer:
    """How an engine is filled and asked."""

    build: Callable[[Path, Shop], None]
    open: Callable[[Path], Search]


def _parts(shop: Shop) -> Iterator[slice]:
    return (slice(start, start + PART) for start in range(0, len(shop.vectors), PART))


def build_hnswlib(folder: Path, shop: Shop) -> None:
    """The reference HNSW; no filters."""
    import hnswlib

    index = hnswlib.Index("ip", DIMENSION)
    index.init_index(len(shop.vectors), M=NEIGHBOURS, ef_construction=BUILD_EF)
    for part in _parts(shop):
        index.add_items(np.array(shop.vectors[part]))
    index.save_index(str(folder / "hnswlib.bin"))


def open_hnswlib(folder: Path) -> Search:
    """With ef 128."""
    import hnswlib

    index = hnswlib.Index("ip", DIMENSION)
    index.load_index(str(folder / "hnswlib.bin"))
    index.set_ef(SEARCH_EF)

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int] | None:
        return None if demand.sql else [int(row) for row in index.knn_query(vector, TOP)[0][0]]

    return search


def build_faiss(folder: Path, shop: Shop) -> None:
    """FAISS, HNSW of int8 vectors; no filters."""
    import faiss

    index = faiss.IndexHNSWSQ(
        DIMENSION, faiss.ScalarQuantizer.QT_8bit, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT
    )
    index.hnsw.efConstruction = BUILD_EF
    index.train(np.array(shop.vectors[:PART]))
    for part in _parts(shop):
        index.add(np.array(shop.vectors[part]))
    faiss.write_index(index, str(folder / "faiss.bin"))


def open_faiss(folder: Path) -> Search:
    """With efSearch 128."""
    import faiss

    index = faiss.read_index(str(folder / "faiss.bin"))
    index.hnsw.efSearch = SEARCH_EF

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int] | None:
        return None if demand.sql else [int(row) for row in index.search(vector[None], TOP)[1][0]]

    return search


def build_lancedb(folder: Path, shop: Shop) -> None:
    """LanceDB, IVF_HNSW_SQ with scalar indexes on the fields."""
    import lancedb
    import pyarrow as pa

    lance = lancedb.connect(folder / "lance")
    table = None
    for part in _parts(shop):
        flat = pa.array(np.array(shop.vectors[part]).reshape(-1))
        data = pa.table(
            {
                "row": np.arange(len(shop.vectors))[part],
                "vector": pa.FixedSizeListArray.from_arrays(flat, DIMENSION),
                "category": [f"category {n}" for n in shop.category[part]],
                "colour": [f"colour {n}" for n in shop.colour[part]],
                "price": shop.price[part],
            }
        )
        if table is None:
            table = lance.create_table("products", data, mode="overwrite")
        else:
            table.add(data)
    assert table is not None
    table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=16)
    for field, kind in (("category", "BITMAP"), ("colour", "BITMAP"), ("price", "BTREE")):
        table.create_scalar_index(field, index_type=kind)


def open_lancedb(folder: Path) -> Search:
    """All 16 partitions, ef 256, twice as many candidates scored exactly; filters come first."""
    import lancedb

    table = lancedb.connect(folder / "lance").open_table("products")

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int]:
        found = table.search(vector).distance_type("dot").nprobes(16).ef(256).refine_factor(2)
        found = found.where(demand.sql, prefilter=True) if demand.sql else found
        return list(found.select(["row", "_distance"]).limit(TOP).to_arrow()["row"].to_pylist())

    return search


PEERS = {
    "hnswlib": Peer(build_hnswlib, open_hnswlib),
    "faiss": Peer(build_faiss, open_faiss),
    "lancedb": Peer(build_lancedb, open_lancedb),
}
