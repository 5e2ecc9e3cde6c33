"""Fewer demands, one by one, when no product holds to all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from search.understand.decision import Understood, Why

Count = Callable[[Sequence[Understood]], int]
"""How many products hold to some demands."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What is demanded in the end.

    Attributes:
        kept: The demands that products hold to.
        dropped: The demands that were given up, in this order.
    """

    kept: tuple[Understood, ...]
    dropped: tuple[Understood, ...]


def relax(demands: Sequence[Understood], aspects: Mapping[str, str], count: Count) -> Relaxed:
    """As many of the demands as some product holds to.

    They are given up in the order of `relaxing` until something is found; then those that were
    given up are tried again, the last of them excepted, as they may not have been at fault. Where
    nothing is found without any demand, none is at fault, and all of them are kept.
    """
    kept, dropped = list(demands), list[Understood]()
    if not kept or count(kept) or not count(()):
        return Relaxed(tuple(kept), ())
    left = relaxing(demands, aspects)
    while kept and not (dropped and count(kept)):
        dropped.append(left.pop(0))
        kept.remove(dropped[-1])
    for demand in dropped[-2::-1]:
        again = [one for one in demands if one in kept or one is demand]
        if count(again):
            kept = again
            dropped.remove(demand)
    return Relaxed(tuple(kept), tuple(dropped))


def relaxing(demands: Sequence[Understood], aspects: Mapping[str, str]) -> list[Understood]:
    """The demands in the order in which they are given up.

    What was only near to what was said; what was corrected or translated; other values, such as
    being in stock; refusals; numbers; what kind of product it is; the price; and whom it is for
    last. Of each, the last one said goes first.

    Args:
        demands: As they were said.
        aspects: What each field tells of a product.
    """

    def weight(demand: Understood) -> int:
        aspect = aspects.get(demand.field)
        if aspect == "gender" and demand.op == "=":
            return 7
        if aspect == "price":
            return 6
        if aspect == "garment" and demand.op == "=":
            return 5
        if demand.op not in ("=", "!="):
            return 4
        if demand.op == "!=":
            return 3
        return {Why.NEAREST: 0, Why.SAID: 2}.get(demand.why, 1)

    return [one for _, one in sorted(enumerate(demands), key=lambda at: (weight(at[1]), -at[0]))]
