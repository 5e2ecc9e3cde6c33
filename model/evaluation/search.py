"""Exact search: the nearest products of every query, with no index in between.

Legend: Q queries, N products, D the dimension of a vector, K the hits of a query.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import ModelError
from model.evaluation.tasks import Numbers, Query

DEPTH = 10
"""Hits that are kept of each query: every measure looks at the first ten at most."""

NO_HIT = -1
"""In place of a product where a query has fewer hits."""

_SCORES = 2_000_000  # ranked at a time: with the order and one copy, 50 MB
_TIE = 1e-12  # less than float32 cosines differ by, unless they are both next to 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The nearest products of each query, the nearest first.

    Attributes:
        numbers_QK: Which; `NO_HIT` where there are fewer.
        scores_QK: Their cosines.
    """

    numbers_QK: Numbers
    scores_QK: NDArray[np.float32]


def nearest(
    query_QD: NDArray[np.float32],
    document_ND: NDArray[np.float32],
    queries: Sequence[Query],
    is_one_design: bool = False,
    depth: int = DEPTH,
) -> Ranking:
    """The hits of each query, without what is passed over for it.

    Of products with one score, those that answer less come first: a model that cannot tell them
    apart has not found them. So the order of the corpus changes no measure.

    Raises:
        ModelError: The vectors are not numbers.
    """
    depth = min(depth, len(document_ND))
    rows = max(1, _SCORES // max(1, len(document_ND)))
    numbers = [np.empty((0, depth), np.int64)]
    scores = [np.empty((0, depth), np.float32)]
    for start in range(0, len(queries), rows):
        score_QN = cosines(query_QD[start : start + rows], document_ND)
        key_QN = score_QN.astype(np.float64)
        for key_N, query in zip(key_QN, queries[start : start + rows], strict=True):
            _pass_over(key_N, query, is_one_design)
        top_QK = torch.topk(torch.from_numpy(key_QN), depth, sorted=True).indices.numpy()
        is_hit_QK = np.take_along_axis(key_QN, top_QK, axis=1) > -np.inf
        numbers.append(np.where(is_hit_QK, top_QK, NO_HIT))
        scores.append(np.take_along_axis(score_QN, top_QK, axis=1))
    return Ranking(np.concatenate(numbers), np.concatenate(scores))


def cosines(query_QD: NDArray[np.float32], document_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    """`score_QN` of unit vectors.

    Raises:
        ModelError: They are not numbers: every comparison with them would rank first.
    """
    score_QN = query_QD @ document_ND.T
    if not np.isfinite(score_QN).all():
        raise ModelError("the model's vectors are not numbers; train again with a lower --lr")
    return score_QN


def _pass_over(key_N: NDArray[np.float64], query: Query, is_one_design: bool) -> None:
    """Put what ranks behind its equals a trifle lower, and what is no hit at the very end."""
    grades_R = 1 if query.grades_R is None else query.grades_R
    key_N[query.right_R] -= _TIE * grades_R  # of at most 1,000: still less than cosines differ by
    if is_one_design:
        best = query.right_R[np.argmax(key_N[query.right_R])]
        kept = key_N[best]
        key_N[query.right_R] = -np.inf
        key_N[best] = kept
    key_N[query.passed_over_P] = -np.inf
