"""Demands that only move products up, and what moves them down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from goods.index.words import query_words, share_of
from goods.schema import CatalogSchema
from search.ranking import Ranked, Ranking
from search.understand.decision import Avoided, Understood

BOOSTED_POOL = 200
"""The best products of a ranking among which boosts move: the first pages of an answer."""


def boosted(ranking: Ranking, demands: Sequence[Understood]) -> Ranking:
    """A ranking in whose best `BOOSTED_POOL` those that hold to more demands come further up.

    strength += share of the demands that hold * (best strength - worst strength of the pool), so
    that one who holds to all of them comes before one who holds to none.
    """
    return _moved(ranking, lambda payload: _share(payload, demands))


def avoiding(ranking: Ranking, things: Sequence[Avoided], schema: CatalogSchema) -> Ranking:
    """A ranking in whose best `BOOSTED_POOL` those whose words name one of the things come last."""
    names = [query_words(name) for thing in things for name in thing.names]

    def share(payload: Mapping[str, Any]) -> float:
        return -1.0 if any(share_of(name, payload, schema) == 1 for name in names) else 0.0

    return _moved(ranking, share)


def _moved(ranking: Ranking, share: Callable[[Mapping[str, Any]], float]) -> Ranking:
    """Each of the best `BOOSTED_POOL` moved by a share of what lies between the best and the worst.

    Whoever is moved down comes after all who are not.
    """

    def moved_ranking(depth: int) -> list[Ranked]:
        ranked = list(ranking(max(depth, BOOSTED_POOL)))
        pool, rest = ranked[:BOOSTED_POOL], ranked[BOOSTED_POOL:]
        strengths = [one.strength for one in pool]
        spread = max(strengths, default=0.0) - min(strengths, default=0.0)
        moves = [(share(one.payload), one) for one in pool]
        moved = [(by < 0, replace(one, strength=one.strength + spread * by)) for by, one in moves]
        moved.sort(key=lambda pair: (pair[0], -pair[1].strength))
        return [one for _, one in moved] + rest

    return moved_ranking


def holds(payload: Mapping[str, Any], demand: Understood) -> bool:
    """Whether a product holds to a demand; what it has no value for holds only to a refusal."""
    found = payload.get(demand.field)
    values = found if isinstance(found, list) else [] if found is None else [found]
    [bound, *_] = demand.values
    match demand.op:
        case "=":
            return any(value in demand.values for value in values)
        case "!=":
            return not any(value in demand.values for value in values)
        case "<":
            return any(value < bound for value in values)
        case "<=":
            return any(value <= bound for value in values)
        case ">":
            return any(value > bound for value in values)
        case _:
            return any(value >= bound for value in values)


def _share(payload: Mapping[str, Any], demands: Sequence[Understood]) -> float:
    return sum(holds(payload, demand) for demand in demands) / len(demands)
