"""The planner's settings for one index, from what was measured on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from goods.index import SearchMode, Vector, VectorIndex
from goods.index.planner import GRAPH_FROM, TUNING_NOTE, Tuning
from search.tune.trials import EFS, TOP, Demand, Trial, attempt, demands

TARGET = 0.99
"""Recall@10 that settings have to reach under every filter that leaves the graph to them."""


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
        yield (
            f"exact up to {self.tuning.exact_up_to:,} products; ef {self.tuning.ef}, under filters "
            f"{self.tuning.filtered_ef} {'with' if self.tuning.use_acorn else 'without'} ACORN"
        )


def tune_planner(
    index: VectorIndex,
    queries: Sequence[Vector],
    progress: Callable[[int], None] | None = None,
) -> TuneReport:
    """Try every kind of filter with every query, keep what follows with the index, and report it.

    Args:
        index: What is measured.
        queries: Unit vectors; most of them disagree with most filters, as a shopper's may.
        progress: Told how many filters were tried so far.
    """
    has_graph = index.info().indexed > 0
    trials: list[Trial] = []
    for number, demand in enumerate(demands(index), start=1):
        trials += attempt(index, queries, demand, modes(demand) if has_graph else [])
        if progress:
            progress(number)
    tuning = choose(trials) if has_graph else Tuning()
    index.write_note(TUNING_NOTE, asdict(tuning))
    return TuneReport(trials, tuning, has_graph)


def modes(demand: Demand) -> list[SearchMode]:
    """What to try on the graph."""
    acorn = (False, True) if demand.conditions else (False,)
    return [SearchMode(ef=ef, use_acorn=use) for use in acorn for ef in EFS]


def choose(trials: Sequence[Trial]) -> Tuning:
    """The fastest settings that reach `TARGET` under every filter; where none does, exact scans.

    A mode under filters is as good as the share of filters where it reaches the target; the filters
    with the most products where the best of them fails, or is slower than an exact scan, say up to
    where to scan.
    """
    plain = [t for t in trials if not t.demand.conditions and not t.mode.is_exact]
    filtered = [t for t in trials if t.demand.conditions]
    broad = [t for t in filtered if not t.mode.is_exact]
    best = _fastest(broad) if broad else SearchMode(ef=Tuning().filtered_ef, use_acorn=True)
    exact_ms = {t.demand: t.p50_ms for t in filtered if t.mode.is_exact}
    scanned = [
        t.demand.count
        for t in broad
        if t.mode == best and (t.recall < TARGET or t.p50_ms >= exact_ms[t.demand])
    ]
    return Tuning(
        exact_up_to=max(scanned, default=0),
        ef=_fastest(plain).ef if plain else Tuning().ef,
        filtered_ef=best.ef,
        use_acorn=best.use_acorn,
    )


def mode_for(demand: Demand, tuning: Tuning, *, has_graph: bool) -> SearchMode:
    """What the planner does under these settings."""
    if not has_graph or demand.count <= tuning.exact_up_to:
        return SearchMode(is_exact=True)
    if demand.conditions:
        return SearchMode(ef=max(tuning.filtered_ef, 2 * TOP), use_acorn=tuning.use_acorn)
    return SearchMode(ef=max(tuning.ef, 2 * TOP))


def _fastest(trials: Sequence[Trial]) -> SearchMode:
    """The mode that reaches the target under the most filters, of those the fastest.

    Where no mode reaches it at all, the one that finds most.
    """
    by_mode: dict[SearchMode, list[Trial]] = {}
    for trial in trials:
        by_mode.setdefault(trial.mode, []).append(trial)

    def worth(mode: SearchMode) -> tuple[int, float, float]:
        tried = by_mode[mode]
        reached = sum(t.recall >= TARGET for t in tried)
        found = 0.0 if reached else sum(t.recall for t in tried)
        return reached, found, -sum(t.p50_ms for t in tried)

    return max(by_mode, key=worth)


def _named(mode: SearchMode) -> str:
    if mode.is_exact:
        return "exact"
    return f"{'ACORN' if mode.use_acorn else 'graph'}, ef {mode.ef}"
