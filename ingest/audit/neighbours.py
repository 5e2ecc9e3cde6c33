"""The pictures that look most like each picture, without its own twins.

Legend: P pictures, D the dimension of a vector, K neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""In place of a neighbour where there are fewer than K."""

MAX_LOOKED_AMONG = 50_000
"""Pictures among which neighbours are looked for: beyond, a sample of so many. The work grows with
the square of the catalog up to here, and then with the catalog."""

_SCORES = 8_000_000  # at a time: 32 MB, and twice as much for their order
_SPARE = 3  # times K that are looked at, since twins are then left out


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest pictures of each picture, the nearest first.

    Attributes:
        numbers_PK: Which; `NONE` where there are fewer.
        cosines_PK: How near; 0 where there is none.
    """

    numbers_PK: NDArray[np.int64]
    cosines_PK: NDArray[np.float32]


def nearest_others(
    vectors_PD: NDArray[np.float32], groups: Sequence[int], k: int, seed: int = 0
) -> Neighbours:
    """The K nearest pictures that are not of the same group.

    A twin would vouch for the label that it shares, right or wrong; so would ten of them.

    Args:
        vectors_PD: Unit vectors.
        groups: Of each picture what its twins have, too.
        k: How many.
        seed: Of the sample, in catalogs beyond `MAX_LOOKED_AMONG`.
    """
    count, group_P = len(vectors_PD), np.asarray(groups, np.int64)
    among, looked_at = np.arange(count), vectors_PD
    if count > MAX_LOOKED_AMONG:
        among = np.sort(np.random.default_rng(seed).permutation(count)[:MAX_LOOKED_AMONG])
        looked_at = vectors_PD[among]
    numbers_PK = np.full((count, k), NONE, np.int64)
    cosines_PK = np.zeros((count, k), np.float32)
    rows = max(1, _SCORES // max(1, len(among)))
    for start in range(0, count, rows):
        block = slice(start, min(start + rows, count))
        best, cosines = _best(vectors_PD[block] @ looked_at.T, _SPARE * k + 1)
        is_other = group_P[among[best]] != group_P[block, None]
        kept = np.argsort(~is_other, axis=1, kind="stable")[:, :k]
        there = np.take_along_axis(is_other, kept, axis=1)
        found = among[np.take_along_axis(best, kept, axis=1)]
        width = kept.shape[1]
        numbers_PK[block, :width] = np.where(there, found, NONE)
        cosines_PK[block, :width] = np.where(there, np.take_along_axis(cosines, kept, axis=1), 0)
    return Neighbours(numbers_PK, cosines_PK)


def _best(scores: NDArray[np.float32], depth: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The columns of the highest scores of each row, highest first, and the scores."""
    depth = min(depth, scores.shape[1])
    best = np.argpartition(scores, -depth, axis=1)[:, -depth:]
    of_best = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-of_best, axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1), np.take_along_axis(of_best, order, axis=1)
