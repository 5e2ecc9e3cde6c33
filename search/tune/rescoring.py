"""How many candidates of a walk need the full vectors: that depends on the quantisation alone."""

from collections.abc import Sequence
from typing import TypeVar

from goods.index import SearchMode, VectorIndex
from search.tune.trials import EFS, Demand, Probe, attempt

T = TypeVar("T")

LOSS = 0.001
"""Recall@10 that may be lost by scoring fewer candidates again."""

_DEMANDS, _PROBES = 5, 40  # 2,000 of the best ten: two may be lost


def enough_rescored(
    index: VectorIndex, probes: Sequence[Probe], filters: Sequence[Demand]
) -> int | None:
    """The fewest to score again that lose next to nothing beside scoring all of a long walk.

    Args:
        index: What is measured; it has a graph.
        probes: Queries.
        filters: What to try; some are chosen that leave more than a walk keeps.

    Returns:
        How many of the best, or None where there is nothing to measure with.
    """
    broad = sorted((d for d in filters if d.count > EFS[-1]), key=lambda d: -d.count)
    chosen, asked = _spread(broad, _DEMANDS), _spread(probes, _PROBES)
    walks = [SearchMode(ef=EFS[-1], rescored=rescored) for rescored in EFS]
    recall = dict.fromkeys(EFS, 0.0)
    for demand in chosen:
        for trial in attempt(index, asked, demand, walks)[1:]:
            recall[trial.mode.rescored or EFS[-1]] += trial.recall / len(chosen)
    enough = [rescored for rescored in EFS if recall[rescored] >= recall[EFS[-1]] - LOSS]
    return enough[0] if chosen else None


def _spread(several: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of them, from the first on: pictures and titles among queries."""
    return several[:: max(1, -(-len(several) // most))]
