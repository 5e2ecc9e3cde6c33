"""Which quantisation an index should have: the smallest that still finds the best ten."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from goods.errors import GoodsError
from goods.index import Point, Quantization, SearchMode, VectorIndex
from goods.index.edge import EdgeIndex
from goods.index.planner import GRAPH_FROM, TUNING_NOTE, Tuning
from goods.streams import batches
from search.tune.trials import EFS, TOP, Demand, Probe, Trial, attempt, demands

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One quantisation on the sample.

    Attributes:
        quantization: Which.
        vector_bytes: Memory for each vector that a walk compares, as the engine's file has it.
        ef: Candidates that a walk keeps and scores again with the full vectors.
        recall: Share of the exact best 10 that is found, mean over queries, under the worst filter.
        worst: Under which filter that is.
        p50_ms: Median time of a search, mean over filters.
    """

    quantization: Quantization
    vector_bytes: float
    ef: int
    recall: float
    worst: str
    p50_ms: float


@dataclass(frozen=True, slots=True)
class QuantizationReport:
    """What was measured on a sample, and what follows.

    Attributes:
        candidates: Each at its least ef that reaches the target; where none does, at its best.
        target: Recall@10 that was asked.
        sampled: Products in the sample.
        products: Products in the index.
        chosen: None where no quantisation reaches the target.
    """

    candidates: Sequence[Candidate]
    target: float
    sampled: int
    products: int
    chosen: Candidate | None

    def lines(self) -> Iterator[str]:
        """A table: a row per quantisation, the largest first."""
        yield f"on a sample of {self.sampled:,} of {self.products:,} products, on Qdrant Edge"
        yield "quantization bytes/vector    ef    x  recall      ms  worst filter"
        for c in sorted(self.candidates, key=lambda c: -c.vector_bytes):
            yield (
                f"{c.quantization:<13}{c.vector_bytes:>12.0f}{c.ef:>6}{c.ef / TOP:>5.0f}"
                f"{c.recall:>8.4f}{c.p50_ms:>8.2f}  {c.worst}"
            )
        if self.chosen is None:
            yield f"none reaches a recall of {self.target:g}: the index stays as it is"
        else:
            yield (
                f"{self.chosen.quantization} is the smallest with a recall of {self.target:g} or "
                "more; the whole index is measured below"
            )


def try_quantizations(
    index: VectorIndex,
    probes: Sequence[Probe],
    target: float,
    sample: int = GRAPH_FROM,
    progress: Callable[[int], None] | None = None,
) -> QuantizationReport:
    """Build a graph over a sample with every quantisation that the index's engine offers.

    The sample goes to an embedded index in a temporary folder (`TMPDIR` says where), whose disk
    needs room for three times its vectors. Narrow filters are left out: a walk that keeps all of
    their products finds them all.

    Args:
        index: Where the products are.
        probes: Queries, as for `tune_planner`.
        target: Recall@10 to reach under every filter.
        sample: Products to try on; recall falls a little as an index grows.
        progress: Told how many quantisations were tried so far.

    Raises:
        GoodsError: The index is so small that it has no graph.
    """
    check_has_graph(index)
    candidates = []
    with (
        tempfile.TemporaryDirectory(prefix="goods-tune-") as folder,
        closing(EdgeIndex(Path(folder) / "index")) as scratch,
    ):
        _copy(index, scratch, sample)
        sampled = scratch.count()
        broad = [d for d in demands(scratch) if d.count > EFS[-1] or not d.is_filter]
        for number, quantization in enumerate(index.quantizations, start=1):
            scratch.quantize(quantization)
            scratch.seal()
            candidates.append(_measure(scratch, probes, broad, target))
            if progress:
                progress(number)
    return QuantizationReport(
        candidates, target, sampled, index.count(), choose_quantization(candidates, target)
    )


def choose_quantization(candidates: Sequence[Candidate], target: float) -> Candidate | None:
    """The smallest that reaches the target; of equals, the fastest. None where none does."""
    good = [c for c in candidates if c.recall >= target]
    return min(good, key=lambda c: (c.vector_bytes, c.p50_ms), default=None)


def quantize(index: VectorIndex, quantization: Quantization, ef: int = EFS[-1]) -> None:
    """Build the graph of an index anew with this quantisation.

    On a copy, as after every load: the old graph serves until the new one is there, also when this
    is interrupted; the next `seal` then does what is left. Searches keep `ef` candidates or more
    from now on, until `tune_planner` has measured how many are needed.

    Raises:
        GoodsError: The engine does not offer it, or the index has no graph.
    """
    check_has_graph(index)
    if quantization not in index.quantizations:
        offered = ", ".join(index.quantizations)
        raise GoodsError(
            f"{index.info().engine} does not offer {quantization}; choose one of {offered}"
        )
    careful = Tuning.of(index.read_note(TUNING_NOTE)).keeping(ef)
    index.write_note(TUNING_NOTE, asdict(careful))
    index.quantize(quantization)
    index.seal()


def check_has_graph(index: VectorIndex) -> None:
    """Refuse an index that is too small for a graph.

    Raises:
        GoodsError: It is.
    """
    if (products := index.count()) < GRAPH_FROM:
        raise GoodsError(
            f"the index has {products:,} products; vectors are quantised from {GRAPH_FROM:,} on, "
            "below that every search is exact: leave --quantization out"
        )


def _copy(index: VectorIndex, scratch: EdgeIndex, sample: int) -> None:
    scratch.create(index.contract)
    for records in batches(islice(index.scan(_BATCH, with_vectors=True), sample), _BATCH):
        scratch.upsert([Point(r.id, r.vector, r.payload) for r in records if r.vector is not None])


def _measure(
    scratch: EdgeIndex, probes: Sequence[Probe], broad: Sequence[Demand], target: float
) -> Candidate:
    """The least ef that reaches the target under every filter; else the one with most recall."""
    trials = [t for d in broad for t in attempt(scratch, probes, d, _modes(d))]
    walks = {ef: [t for t in trials if t.mode.ef == ef and not t.mode.is_exact] for ef in EFS}
    good = [ef for ef in EFS if _worst(walks[ef]).recall >= target]
    ef = good[0] if good else max(EFS, key=lambda ef: _worst(walks[ef]).recall)
    worst = _worst(walks[ef])
    state = scratch.info()
    # the engine keeps quantised vectors in files of this name; without one, walks read full vectors
    stored = sum(f.stat().st_size for f in scratch.folder.rglob("quantized.data"))
    return Candidate(
        state.quantization,
        stored / state.points if stored else 4.0 * state.contract.dimension,
        ef,
        worst.recall,
        worst.demand.name,
        float(np.mean([t.p50_ms for t in walks[ef]])),
    )


def _modes(demand: Demand) -> list[SearchMode]:
    return [SearchMode(ef=ef, use_acorn=demand.is_filter) for ef in EFS]  # all scored again


def _worst(trials: Sequence[Trial]) -> Trial:
    return min(trials, key=lambda t: t.recall)
