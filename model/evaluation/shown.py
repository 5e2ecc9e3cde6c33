"""Queries and what they found, for people to look at.

Legend: Q queries of a task.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from model.evaluation.results import Hit, QueryHits
from model.evaluation.search import NO_HIT, Ranking
from model.evaluation.tasks import Query

SHOWN = 8
"""Queries of a task that are looked at; half of them the worst."""


def shown_queries(score_Q: NDArray[np.float64]) -> list[int]:
    """The numbers of queries to look at: the worst, and some from the worst to the best."""
    order = np.argsort(score_Q, kind="stable").tolist()
    spread = np.linspace(0, len(order) - 1, SHOWN, dtype=int).tolist()
    chosen = dict.fromkeys([*order[: SHOWN // 2], *(order[place] for place in spread[::-1])])
    return sorted(list(chosen)[:SHOWN], key=order.index)


def shown_hits(
    queries: Sequence[Query], ranking: Ranking, products: Sequence[Product], numbers: Iterable[int]
) -> list[QueryHits]:
    """What these queries found.

    Args:
        queries: All that were asked.
        ranking: What they found, in the same order.
        products: The corpus.
        numbers: Which of the queries.
    """
    return [
        _found(
            queries[number],
            ranking.numbers_QK[number].tolist(),
            ranking.scores_QK[number].tolist(),
            products,
        )
        for number in numbers
    ]


def _found(
    query: Query, numbers: Sequence[int], scores: Sequence[float], products: Sequence[Product]
) -> QueryHits:
    right = set(query.right_R.tolist())
    found = zip(numbers, scores, strict=True)
    hits = [Hit(products[n], score, n in right) for n, score in found if n != NO_HIT]
    if query.text is not None or query.asked_by is None:
        return QueryHits(query.text or query.name, hits)
    asked_by = products[query.asked_by]
    return QueryHits(asked_by.title or asked_by.id, hits, asked_by)
