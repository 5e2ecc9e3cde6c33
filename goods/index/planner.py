"""How to search, from how many products the conditions leave. Shared by every home.

Recall@10 against exact numpy, and ms (the median of each query's fastest of 3 to 7 calls, two busy
cores), on Qdrant Edge 0.9. `pixels`: 44,441 real product photographs as 256 pixel components;
`clusters`: synthetic, 44,000 x 256 and 100,000 x 512. The queries are stored vectors with a little
noise; "not own" and "others" exclude the category that a query comes from, as when somebody asks
for what looks like a dress among shoes.

                filter (share)    exact     graph, ef 128   graph, ef 512   ACORN, ef 512
    pixels      none (1.0)          8.5     1.000  0.3      1.000  0.7      1.000  0.7
                gender (.50)        3.6      .991  0.4       .996  0.9      1.000  3.5
                not own (.82)       8.0      .953  0.4       .977  1.0      1.000  2.8
                4 others (.52)      5.4      .904  0.5       .955  1.3      1.000  4.6
    clusters    none (1.0)          7.7     1.000  0.2      1.000  0.6      1.000  0.5
    44k x 256   not own (.90)       8.0      .892  0.4       .990  0.9       .997  1.2
                4 others (.50)      3.5      .735  0.5       .976  1.1       .999  2.3
    clusters    none (1.0)         17.6     1.000  0.4      1.000  1.0      1.000  1.0
    100k x 512  another (.22)      10.3      .946  0.7       .998  1.6       .998  3.0
                not own (.90)      34.0      .854  0.8       .984  2.0       .992  2.7
                4 others (.49)     13.5      .762  0.7       .970  1.9       .994  5.2

On the plain graph a filtered walk gets stuck among excluded products, and a larger ef alone does
not free it. ACORN looks one hop past them. Engines leave it off where more than .4 of the products
match, which is where the hole is, so the homes ask for it at any share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from goods.index.conditions import Condition

EXACT_UP_TO = 20_000
"""Candidates up to which an exact scan costs no more than ACORN: 3 ms at 256, 7 at 512 numbers."""

GRAPH_FROM = EXACT_UP_TO
"""Points from which a graph and quantised vectors are built: below, nothing would use them."""

LINKS, BUILD_EF = 32, 256
"""Links of a point in the graph, and candidates for them while it is built. Of `clusters`, 200,000
x 512, all but the query's own category: recall .998 at ef 256 in .9 ms; with 16 links and 128
candidates .995 at ef 512 in 1.3 ms. It takes about twice as long to build."""

EF = 128
"""Candidates that a walk on the graph keeps, unless more results are asked for."""

FILTERED_EF = 512
"""The same under conditions."""


@dataclass(frozen=True, slots=True)
class SearchMode:
    """One way to search.

    Attributes:
        is_exact: Score every candidate; the rest does not matter then.
        ef: Candidates that a walk on the graph keeps. It compares quantised vectors.
        use_acorn: Look past neighbours that the conditions exclude.
        rescored: How many of the best candidates are scored again with the full vectors; None for
            all. Of `pixels` in int8, unfiltered, the best 40 hold .968 of the true top 10 of a
            mean vector, the best 80 .990, 128 all. Each costs a page of a mapped file: where it
            was not touched before, that is dearer than walking on.
    """

    is_exact: bool = False
    ef: int = EF
    use_acorn: bool = False
    rescored: int | None = None

    def oversampling(self, top: int) -> float:
        """Candidates to score again per result, when the best `top` are asked for."""
        rescored = self.ef if self.rescored is None else min(self.rescored, self.ef)
        return max(1.0, rescored / top)

    def keeping(self, ef: int) -> "SearchMode":
        """The same with `ef` candidates or more, as many of them scored again; a scan keeps all."""
        if self.is_exact:
            return self
        rescored = None if self.rescored is None else max(ef, self.rescored)
        return replace(self, ef=max(ef, self.ef), rescored=rescored)


@dataclass(frozen=True, slots=True)
class Band:
    """How to search where the conditions leave up to so many products."""

    up_to: int
    mode: SearchMode


TUNING_NOTE = "tuning"
"""Under which name an index keeps its own settings."""

TUNED_NOTE = "tuned"
"""Under which name it keeps how many products it had when they were measured."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The planner's settings: the table's, or those that `goods tune` measured on an index.

    Attributes:
        unfiltered: How to search without conditions.
        bands: How under conditions, from those that leave the fewest products on.
        broad: How under conditions that leave more.
    """

    unfiltered: SearchMode = SearchMode(ef=EF)
    bands: tuple[Band, ...] = (Band(EXACT_UP_TO, SearchMode(is_exact=True)),)
    broad: SearchMode = SearchMode(ef=FILTERED_EF, use_acorn=True)

    @classmethod
    def of(cls, note: Mapping[str, Any] | None) -> Self:
        """What was noted; the table's where nothing was, or by another version."""
        try:
            return (
                cls(
                    SearchMode(**note["unfiltered"]),
                    tuple(
                        Band(band["up_to"], SearchMode(**band["mode"])) for band in note["bands"]
                    ),
                    SearchMode(**note["broad"]),
                )
                if note
                else cls()
            )
        except (KeyError, TypeError):
            return cls()

    def under(self, candidates: int) -> SearchMode:
        """How to search under conditions that leave this many products."""
        modes = (band.mode for band in self.bands if candidates <= band.up_to)
        return next(modes, self.broad)

    def keeping(self, ef: int) -> Self:
        """The same with `ef` candidates or more in every walk."""
        bands = tuple(Band(band.up_to, band.mode.keeping(ef)) for band in self.bands)
        return replace(
            self, unfiltered=self.unfiltered.keeping(ef), bands=bands, broad=self.broad.keeping(ef)
        )


def plan_search(
    conditions: Sequence[Condition], top: int, estimate: Callable[[], int], tuning: Tuning
) -> SearchMode:
    """The mode for a search of the best `top` (limit + offset) results.

    Args:
        conditions: What the results must hold to.
        top: How many results are ranked.
        estimate: Gives about how many points hold to the conditions.
        tuning: The settings of the index.
    """
    candidates = estimate()
    if conditions:
        mode = tuning.under(candidates)
    else:
        mode = SearchMode(is_exact=True) if candidates <= GRAPH_FROM else tuning.unfiltered
    return mode.keeping(2 * top)
