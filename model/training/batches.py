"""Which products are learned together: a batch is only as hard as what it has to tell apart."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from model.captions import phrase_facts


def kinds_of(products: Sequence[Product], phrase: Sequence[str]) -> list[tuple[str, str]]:
    """For each product its noun, and the other words of its phrase: ("dress", "women red").

    Args:
        products: The products.
        phrase: The fields of a phrase, the noun last.
    """
    kinds = []
    for product in products:
        facts = phrase_facts(product, phrase)
        noun = facts.pop(phrase[-1], "") if phrase else ""
        kinds.append((noun, " ".join(facts.values())))
    return kinds


def epoch_order(
    numbers: NDArray[np.int64],
    kinds: Sequence[tuple[str, str]],
    cluster: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Every number once: clusters of one noun in different colours, the clusters at random.

    Args:
        numbers: Of the products to learn.
        kinds: By number, of `kinds_of`.
        cluster: How many neighbours share a noun; 1 is an order at random.
        rng: Decides everything.
    """
    shuffled: NDArray[np.int64] = rng.permutation(numbers)
    if cluster <= 1:
        return shuffled
    by_noun: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number in shuffled.tolist():
        noun, others = kinds[number]
        by_noun[noun][others].append(number)
    dealt = [list(_in_turn(list(looks.values()))) for looks in by_noun.values()]
    full, rest = [], []
    for line in dealt:
        cut = len(line) - len(line) % cluster
        full += [line[start : start + cluster] for start in range(0, cut, cluster)]
        rest += line[cut:]
    # What is left of each noun is too little for a cluster: mixed ones are made of it.
    rest = rng.permutation(rest).tolist()
    full += [rest[start : start + cluster] for start in range(0, len(rest), cluster)]
    order = rng.permutation(len(full))
    return np.array([number for index in order for number in full[index]], np.int64)


def _in_turn(lines: Sequence[Sequence[int]]) -> Iterator[int]:
    """One of each line, then the second of each, and so on."""
    for turn in range(max(map(len, lines))):
        yield from (line[turn] for line in lines if turn < len(line))
