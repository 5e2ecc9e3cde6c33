"""The planner's settings for one index, from what was measured on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt

from goods.index import SearchMode, VectorIndex
from goods.index.planner import GRAPH_FROM, TUNED_NOTE, TUNING_NOTE, Band, Tuning
from search.tune.rescoring import enough_rescored
from search.tune.trials import BANDS, EFS, Demand, Probe, Trial, attempt

TARGET = 0.99
"""Recall@10 to reach under every filter, after the standard error of measuring is taken off."""

_EDGES = tuple(sqrt(low * high) for low, high in zip(BANDS, (*BANDS[1:], 1.0), strict=True))
"""Shares of the catalog at which one band of filters ends and the next begins."""


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What was measured, and what follows from it."""

    trials: Sequence[Trial]
    tuning: Tuning
    has_graph: bool

    def lines(self) -> Iterator[str]:
        """A table: a row per filter, exact beside what would be done now."""
        yield f"{'filter':<34}{'products':>10}  exact ms  {'chosen':<18} recall      ms"
        for demand in dict.fromkeys(trial.demand for trial in self.trials):
            tried = {t.mode: t for t in self.trials if t.demand == demand}
            chosen = tried[mode_for(demand, self.tuning, has_graph=self.has_graph)]
            exact = tried[SearchMode(is_exact=True)]
            yield (
                f"{demand.name[:33]:<34}{demand.count:>10,}  {exact.p50_ms:>8.2f}  "
                f"{_named(chosen.mode):<18}{chosen.recall:>7.4f}{chosen.p50_ms:>8.2f}"
            )
        if not self.has_graph:
            yield f"every search is exact: a graph is built from {GRAPH_FROM:,} products on"
            return
        again = self.tuning.unfiltered.rescored
        yield f"walks score {f'their best {again}' if again else 'all they keep'} again"
        yield f"without a filter: {_named(self.tuning.unfiltered)}"
        for band in self.tuning.bands:
            yield f"filters that leave up to {band.up_to:,} products: {_named(band.mode)}"
        yield f"filters that leave more: {_named(self.tuning.broad)}"


def tune_planner(
    index: VectorIndex,
    probes: Sequence[Probe],
    filters: Sequence[Demand],
    progress: Callable[[int], None] | None = None,
) -> TuneReport:
    """Try every filter with every query, keep what follows with the index, and report it.

    Args:
        index: What is measured.
        probes: Queries; most of them disagree with most filters, as a shopper's may.
        filters: What to try, as `demands` finds it on this index.
        progress: Told how many filters were tried so far.
    """
    has_graph = index.info().indexed > 0
    rescored = enough_rescored(index, probes, filters) if has_graph else None
    trials: list[Trial] = []
    for number, demand in enumerate(filters, start=1):
        walks = modes(demand, rescored) if has_graph else []
        trials += attempt(index, probes, demand, walks, gives_up=True)
        if progress:
            progress(number)
    tuning = choose(trials, index.count()) if has_graph else Tuning()
    index.write_note(TUNING_NOTE, asdict(tuning))
    index.write_note(TUNED_NOTE, {"points": index.count()})
    return TuneReport(trials, tuning, has_graph)


def modes(demand: Demand, rescored: int | None) -> list[SearchMode]:
    """What to try on the graph."""
    acorn = (False, True) if demand.is_filter else (False,)
    return [SearchMode(ef=ef, use_acorn=use, rescored=rescored) for use in acorn for ef in EFS]


def choose(trials: Sequence[Trial], products: int) -> Tuning:
    """The fastest mode that reaches `TARGET`, without a filter and in each band of filters.

    A band is what leaves about as many products: the fewer are left, the less an exact scan costs,
    and the more of its neighbours a walk cannot use. Of a band where nothing was tried, the next
    broader one decides.

    Args:
        trials: What was measured, exact searches among it.
        products: How many the index has.
    """
    plain = [t for t in trials if not t.demand.is_filter and not t.mode.is_exact]
    filtered = [t for t in trials if t.demand.is_filter]
    default = Tuning()
    ends = [round(edge * products) for edge in _EDGES]
    mode = _fastest(_between(filtered, ends[-1], products)) or default.broad
    broad, bands = mode, []
    for low, high in zip(reversed((0, *ends[:-1])), reversed(ends), strict=True):
        mode = _fastest(_between(filtered, low, high)) or mode
        bands.append(Band(high, mode))
    return Tuning(_fastest(plain) or default.unfiltered, tuple(reversed(bands)), broad)


def mode_for(demand: Demand, tuning: Tuning, *, has_graph: bool) -> SearchMode:
    """What the planner does under these settings."""
    if not has_graph:
        return SearchMode(is_exact=True)
    if demand.is_filter:
        return tuning.under(demand.count)
    return tuning.unfiltered


def _between(trials: Sequence[Trial], low: int, high: int) -> list[Trial]:
    return [t for t in trials if low < t.demand.count <= high]


def _fastest(trials: Sequence[Trial]) -> SearchMode | None:
    """The mode that reaches the target under the most filters, of those the fastest.

    Where no mode reaches it at all, the one that finds most; None where nothing was tried. A mode
    that was given up under one of the filters is none for all of them.
    """
    by_mode: dict[SearchMode, list[Trial]] = {}
    for trial in trials:
        by_mode.setdefault(trial.mode, []).append(trial)
    most = max(map(len, by_mode.values()), default=0)
    by_mode = {mode: tried for mode, tried in by_mode.items() if len(tried) == most}

    def worth(mode: SearchMode) -> tuple[int, float, float]:
        tried = by_mode[mode]
        reached = sum(t.recall - t.error >= TARGET for t in tried)
        found = 0.0 if reached else sum(t.recall for t in tried)
        return reached, found, -sum(t.p50_ms for t in tried)

    return max(by_mode, key=worth, default=None)


def _named(mode: SearchMode) -> str:
    if mode.is_exact:
        return "exact"
    return f"{'ACORN' if mode.use_acorn else 'graph'}, ef {mode.ef}"
