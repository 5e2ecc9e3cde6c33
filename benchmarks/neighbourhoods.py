"""How many dimensions the neighbourhood of a product has: an index beside the synthetic catalog.

    python benchmarks/neighbourhoods.py --index index/

The more, the less a graph can find. The estimate is that of Levina and Bickel (2004): for each of
1,500 products, one over the mean log ratio of the distance of its 20th neighbour to those of the
nearer ones; the median is printed. Duplicates are no neighbours.
"""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray
from synthetic_shop import Shop

from goods.index import open_index

NEIGHBOURS, SAMPLE = 20, 1_500
SAME = 1e-5  # cosines this close to 1 are of one picture


def dimensions(vectors: NDArray[np.float32]) -> float:
    """The median over a sample of unit vectors."""
    drawn = np.random.default_rng(0).choice(len(vectors), SAMPLE, replace=False)
    found = []
    for cosines in vectors[drawn] @ vectors.T:
        nearest = np.sort(cosines[cosines < 1 - SAME])[::-1][:NEIGHBOURS]
        distances = np.sqrt(2 - 2 * nearest)
        found.append(1 / np.mean(np.log(distances[-1] / distances[:-1])))
    return float(np.median(found))


@click.command()
@click.option("--index", "address", required=True, help="Of at least 1,500 products.")
def main(address: str) -> None:
    """Print a row for the index, and one for as many synthetic products."""
    with closing(open_index(address)) as index:
        records = index.scan(5000, with_vectors=True)
        vectors = np.stack([r.vector for r in records if r.vector is not None])
    with TemporaryDirectory() as folder:
        shop = Shop.of(len(vectors), Path(folder) / "vectors.npy")
        for name, rows in ((address, vectors), ("synthetic", np.array(shop.vectors))):
            print(f"{name:<20} {rows.shape[0]:,} x {rows.shape[1]}  {dimensions(rows):.1f}")


if __name__ == "__main__":
    main()
