"""Rankings: the best products of an index by what they look like, are called, or cost.

A ranking is a function that gives at least the best `depth` products, best first; when it gives
fewer, there are no more. It looks from the top each time: an index may change between two pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from goods.index import Condition, Order, Record, SearchMode, Vector, VectorIndex
from goods.index.conditions import HasId
from goods.index.words import query_words, share_of

WORDS_WEIGHT = 0.6
"""Share of the words in a hybrid score. Above a half, who has every word of the query comes before
who has none. On 44,441 products with a small model: P@10 of colour + type .908 at .5, .991 at .6
and at .7 (pictures alone .121, as the model is small; benchmarks/searches.py)."""

POOL = 50
"""Products by either half of a hybrid ranking between whose scores the halves are scaled."""

SORTED_POOL = 1000
"""The best products for a query, which are then sorted by a number."""

DIVERSE_POOL = 100
"""The best products for a query, among which the diverse ones are chosen."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One product in its place.

    Attributes:
        id: Of its point.
        payload: What the index keeps of it.
        cosine: Closeness of its picture to the query; 0 without one.
        words: Share of the query's words that it has.
        strength: What the ranking goes by.
        vector: Its picture's, where the ranking looked at it.
    """

    id: UUID
    payload: dict[str, Any]
    cosine: float = 0.0
    words: float = 0.0
    strength: float = 0.0
    vector: Vector | None = None


Ranking = Callable[[int], Sequence[Ranked]]


def by_likeness(
    index: VectorIndex, vector: Vector, conditions: Sequence[Condition], *, keep: bool = False
) -> Ranking:
    """By cosine; with `keep`, together with the vectors."""

    def ranking(depth: int) -> list[Ranked]:
        found = index.search(vector, depth, conditions=conditions, with_vectors=keep)
        return [Ranked(f.id, f.payload, f.score, 0.0, f.score, f.vector) for f in found]

    return ranking


def by_likeness_and_words(
    index: VectorIndex,
    vector: Vector,
    text: str,
    conditions: Sequence[Condition],
    weight: float = WORDS_WEIGHT,
    *,
    keep: bool = False,
) -> Ranking:
    """By a weighted sum of cosine and words, each scaled to 0 ... 1.

    strength = (1 - weight) * likeness + weight * words, where likeness is 1 for the best cosine
    and 0 from the `POOL`th on, and words is the BM25 score by the best one, times the share of the
    query's words that the product has. One whose title or id is just the text comes before all.
    """
    asked, schema = query_words(text), index.contract.schema

    def ranking(depth: int) -> list[Ranked]:
        depth = max(depth, POOL)
        alike = index.search(vector, depth, conditions=conditions, with_vectors=keep)
        named = index.search_words(asked, depth, conditions=conditions, with_vectors=keep)
        best = alike[0].score if alike else 0.0
        worst = alike[:POOL][-1].score if alike else 0.0
        cosines = {f.id: f.score for f in alike}
        cosines |= _cosines(index, vector, [f.id for f in named if f.id not in cosines])
        shares = {f.id: share_of(asked, f.payload, schema) for f in named}
        words = {f.id: shares[f.id] * f.score / named[0].score for f in named}
        called = {f.id for f in named if is_named(f.payload, text)}

        def strength(product: UUID) -> float:
            likeness = (cosines.get(product, worst) - worst) / (best - worst or 1.0)
            both = (1 - weight) * max(0.0, likeness) + weight * words.get(product, 0.0)
            return both + (product in called)

        return sorted(
            (
                Ranked(
                    f.id,
                    f.payload,
                    cosines.get(f.id, 0.0),
                    shares.get(f.id, 0.0),
                    strength(f.id),
                    f.vector,
                )
                for f in {f.id: f for f in (*alike, *named)}.values()
            ),
            key=lambda ranked: (-ranked.strength, ranked.id),
        )

    return ranking


def by_number(ranking: Ranking, order: Order) -> Ranking:
    """The best products of another ranking that have the number, sorted by it."""

    def sorted_ranking(depth: int) -> list[Ranked]:  # noqa: ARG001 - there are no more than these
        sign = -1 if order.is_descending else 1
        having = [r for r in ranking(SORTED_POOL)[:SORTED_POOL] if order.field in r.payload]
        return sorted(having, key=lambda ranked: sign * float(ranked.payload[order.field]))

    return sorted_ranking


def listed(index: VectorIndex, conditions: Sequence[Condition], order: Order | None) -> Ranking:
    """Without a query: by a number, or in an order that means nothing and stays."""

    def ranking(depth: int) -> list[Ranked]:
        return [_plain(r) for r in index.listed(depth, conditions=conditions, order=order)]

    return ranking


def diverse(ranking: Ranking, diversity: float) -> Ranking:
    """The best `DIVERSE_POOL` of a ranking with vectors, those alike further apart; then the rest.

    Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next one is the one with
    the most (1 - diversity) * strength - diversity * likeness to the most alike of those before
    it, both scaled to 0 ... 1 within the pool, as text and pictures are further from each other
    than pictures are.
    """

    def diverse_ranking(depth: int) -> list[Ranked]:
        ranked = list(ranking(max(depth, DIVERSE_POOL)))
        pool, rest = ranked[:DIVERSE_POOL], ranked[DIVERSE_POOL:]
        return [pool[place] for place in _mmr(pool, diversity)] + rest

    return diverse_ranking


def is_named(payload: dict[str, Any], text: str) -> bool:
    """Whether a text is just the title or id of a product, apart from case and spaces."""
    wanted = " ".join(text.split()).casefold()
    names = (payload["id"], payload.get("title", ""))
    return wanted in {" ".join(name.split()).casefold() for name in names}


def _cosines(index: VectorIndex, vector: Vector, ids: Sequence[UUID]) -> dict[UUID, float]:
    """Of these products; to have the engine compute them is cheaper than to read their vectors."""
    if not ids:
        return {}
    these, exact = (HasId(tuple(ids)),), SearchMode(is_exact=True)
    return {f.id: f.score for f in index.search(vector, len(ids), conditions=these, mode=exact)}


def _plain(record: Record) -> Ranked:
    return Ranked(record.id, record.payload)


def _mmr(pool: Sequence[Ranked], diversity: float) -> list[int]:
    vectors = [ranked.vector for ranked in pool if ranked.vector is not None]
    if len(vectors) < len(pool) or not pool:
        return list(range(len(pool)))
    stacked = np.stack(vectors)
    strength = _scaled(np.array([ranked.strength for ranked in pool]))
    alike = _scaled(stacked @ stacked.T)
    nearest = np.zeros(len(pool))
    chosen: list[int] = []
    left = np.ones(len(pool), dtype=bool)
    while left.any():
        score = np.where(left, (1 - diversity) * strength - diversity * nearest, -np.inf)
        place = int(score.argmax())
        chosen.append(place)
        left[place] = False
        nearest = np.maximum(nearest, alike[place])
    return chosen


def _scaled(values: "np.typing.NDArray[np.floating[Any]]") -> "np.typing.NDArray[np.float64]":
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / (high - low or 1.0)
