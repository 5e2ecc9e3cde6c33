"""One page of a ranking: what was not shown yet, each variant group once if so asked."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from goods.index.contract import GROUP
from search.deadline import check
from search.ranking import Ranked, Ranking

MAX_DEPTH = 50_000
"""Products looked at for one page, however many variants each group has."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a ranking.

    Attributes:
        hits: In order; of a group its best product.
        shown: A number for each product or group up to the end of the page, those before it too.
        is_last: Whether nothing comes after it.
    """

    hits: Sequence[Ranked]
    shown: Sequence[int]
    is_last: bool


def turn(
    ranking: Ranking, limit: int, offset: int, shown: Sequence[int], *, by_group: bool
) -> Page:
    """The next page: `limit` products (or groups) after `offset` of those not `shown`."""
    before, end = frozenset(shown), offset + limit
    depth = end + len(shown) + 1  # one more tells whether there is a next page
    while True:
        check()
        ranked = ranking(depth)
        fresh = dict(_fresh(ranked, before, by_group=by_group))
        if len(fresh) > end or len(ranked) < depth or depth >= MAX_DEPTH:
            break
        depth = min(2 * depth, MAX_DEPTH)
    numbers = list(fresh)[:end]
    hits = [fresh[number] for number in numbers[offset:]]
    return Page(hits, [*shown, *numbers], is_last=len(fresh) <= end)


def _fresh(
    ranked: Sequence[Ranked], before: Collection[int], *, by_group: bool
) -> Iterator[tuple[int, Ranked]]:
    """What is new, with its number; of the same number the best only."""
    seen: set[int] = set()
    for one in ranked:
        number = _number(one, by_group=by_group)
        if number not in before and number not in seen:
            seen.add(number)
            yield number, one


def _number(ranked: Ranked, *, by_group: bool) -> int:
    """Tells a product or group from others: among 2,000, two agree once in 2,000 answers."""
    group = ranked.payload.get(GROUP) if by_group else None
    name = ranked.id.bytes if group is None else f"group {group}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=4).digest(), "little")
