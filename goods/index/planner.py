"""How to search, from how many products the conditions leave. Shared by every home.

Recall@10 against exact numpy, and the fastest of three calls in ms, on Qdrant Edge 0.9 with 2 busy
cores. `pixels`: 44,441 real product photographs as 256 pixel components; `clusters`: synthetic,
44,000 x 256 and 100,000 x 512. The queries are stored vectors with a little noise; "other" filters
leave out the category that they come from, as when somebody asks for dresses among shoes.

    filter (share of products)    exact          graph, ef 128    ACORN, ef 256    ACORN, ef 512
    pixels    none (1.0)          1.0     5.3    1.000   0.3      1.000   0.4      1.000   0.6
              gender (.50)        1.0     3.4     .990   0.4       .999   2.4       .999   3.5
              not own (.82)       1.0     5.4     .953   0.4      1.000   2.5      1.000   3.1
              4 others (.52)      1.0     5.2     .904   0.5       .997   3.8      1.000   4.9
    clusters  none (1.0)          1.0     2.8    1.000   0.2      1.000   0.3      1.000   0.5
    44k x 256 not own (.90)       1.0     5.6     .892   0.4       .988   0.8       .997   1.2
              4 others (.50)      1.0     8.4     .735   0.5       .989   1.6       .999   2.5
    clusters  none (1.0)          1.0    32.0    1.000   0.5      1.000   0.8      1.000   1.1
    100k x 512 other (.22)        1.0    11.9     .950   0.7       .995   1.9       .997   3.1
              not own (.89)       1.0    33.6     .872   0.7       .977   1.6       .993   2.5

A filtered walk on the plain graph gets stuck among excluded products, and a larger ef alone does
not free it (pixels, 4 others: .961 at 512). ACORN looks one hop past them; engines switch it off
where more than .4 of the products match unless they are told otherwise, and just there the hole is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goods.index.conditions import Condition

EXACT_UP_TO = 20_000
"""Candidates up to which an exact scan costs no more than ACORN: 3 ms at 256, 7 at 512 numbers."""

GRAPH_FROM = EXACT_UP_TO
"""Points from which a graph and int8 vectors are built at all: below, nothing would use them."""

EF = 128
"""Candidates that a walk on the graph keeps, unless more results are asked for."""

FILTERED_EF = 512
"""The same under conditions."""


@dataclass(frozen=True, slots=True)
class SearchMode:
    """One way to search.

    Attributes:
        is_exact: Score every candidate; the rest does not matter then.
        ef: Candidates that a walk on the graph keeps. It compares int8 vectors; all that it keeps
            are scored again with the full ones: of `pixels`, unfiltered, the best 40 hold .968 of
            the true top 10 of a mean vector, the best 80 .990, 128 all, in the same time.
        use_acorn: Look past neighbours that the conditions exclude.
    """

    is_exact: bool = False
    ef: int = EF
    use_acorn: bool = False

    def oversampling(self, top: int) -> float:
        """Candidates to score again per result, when the best `top` are asked for."""
        return max(1.0, self.ef / top)


def plan_search(
    conditions: Sequence[Condition], top: int, estimate: Callable[[], int]
) -> SearchMode:
    """The mode for a search of the best `top` (limit + offset) results.

    Args:
        conditions: What the results must hold to.
        top: How many results are ranked.
        estimate: Gives about how many points hold to the conditions.
    """
    if estimate() <= EXACT_UP_TO:
        return SearchMode(is_exact=True)
    if conditions:
        return SearchMode(ef=max(FILTERED_EF, 2 * top), use_acorn=True)
    return SearchMode(ef=max(EF, 2 * top))
