"""How sure a score is: bootstrap intervals, and the paired test between two models.

Every number here speaks of *other queries like these*; only `ratio_interval` can speak of other
seeds, too.

Legend: Q queries, U distinct values, S seeds, R resamples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000  # the ends of an interval then jitter by a few hundredths of its width
SIGN_FLIPS = 10_000  # p-values end at 1 / 10,001, and near .05 are good to .002 (one sigma)
CONFIDENCE = 0.95
_CELLS = 1 << 20  # of one chunk of resamples: 8 MB

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a mean would lie for other queries."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the second of two models scores higher, over the same queries.

    Attributes:
        mean: Positive when the second is better.
        low: Lower end of its interval.
        high: Upper end of its interval.
        p_value: How often a difference this large, in either direction, comes of chance alone.
    """

    mean: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as much the second of two models scores, with its interval."""

    value: float
    low: float
    high: float


def bootstrap_interval(
    values_Q: ArrayLike,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The percentile bootstrap interval of the mean (Efron and Tibshirani 1993, chapter 13).

    Of a single query nothing can be said: both ends are its value.

    Raises:
        ValueError: There is no query, or a value is not a number.
    """
    values_1Q = _checked(values_Q)[None]
    return _interval(_resampled_means(values_1Q, seed, resamples)[:, 0], confidence)


def paired_difference(
    a_Q: ArrayLike,
    b_Q: ArrayLike,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    sign_flips: int = SIGN_FLIPS,
) -> Difference:
    """Mean of b - a, its bootstrap interval, and the p-value of the randomisation test.

    Fisher's test, as recommended by Smucker, Allan and Carterette (CIKM 2007): if the models were
    alike, each query's difference could as well have had the other sign.

    Raises:
        ValueError: The models were not asked the same number of queries, or a value is no number.
    """
    a_Q, b_Q = _checked(a_Q), _checked(b_Q)
    _check_paired(a_Q, b_Q)
    gain_Q = b_Q - a_Q
    interval = bootstrap_interval(gain_Q, seed, resamples, confidence)
    p_value = _sign_flip_p_value(gain_Q, seed, sign_flips)
    return Difference(float(gain_Q.mean()), interval.low, interval.high, p_value)


def ratio_interval(
    a: ArrayLike,
    b: ArrayLike,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    other_seeds: bool = False,
) -> Ratio:
    """Mean of b over mean of a, and the bootstrap interval of this ratio, paired by query.

    Args:
        a: Of the first model `(Q,)`, or of the same training from several seeds `(S, Q)`: the
            ratio is then that of the means over the seeds.
        b: Of the second, in the same shape.
        seed: Of the resampling.
        resamples: How many.
        confidence: Of the interval.
        other_seeds: Resample the seeds as well as the queries (the pigeonhole bootstrap of Owen,
            2007): the interval then also covers training again. With few seeds it is rough.

    Raises:
        ValueError: The shapes differ, a value is not a number, or a scores 0 everywhere.
    """
    a_SQ, b_SQ = np.atleast_2d(_checked(a, dimensions=2)), np.atleast_2d(_checked(b, dimensions=2))
    _check_paired(a_SQ, b_SQ)
    if not a_SQ.mean():
        raise ValueError("the first model scores 0 on every query; no ratio can be formed")
    if not other_seeds:
        a_SQ, b_SQ = a_SQ.mean(axis=0, keepdims=True), b_SQ.mean(axis=0, keepdims=True)
    count = len(a_SQ)
    means = _resampled_means(np.concatenate([a_SQ, b_SQ]), seed, resamples)
    rng = np.random.default_rng([seed, 1])
    weight_RS = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    a_R = (means[:, :count] * weight_RS).sum(axis=1)
    b_R = (means[:, count:] * weight_RS).sum(axis=1)
    ratio_R = np.full(resamples, np.inf)  # where no resampled query is answered by the first
    np.divide(b_R, a_R, out=ratio_R, where=a_R > 0)
    interval = _interval(ratio_R, confidence)
    return Ratio(float(b_SQ.mean() / a_SQ.mean()), interval.low, interval.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for being several, in the order given (Holm 1979).

    Whatever is below .05 here is, with 95 % confidence, all of it no chance.
    """
    count = len(p_values)
    corrected = [0.0] * count
    highest = 0.0
    for place, number in enumerate(sorted(range(count), key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (count - place) * p_values[number]))
        corrected[number] = highest
    return corrected


def _resampled_means(values_MQ: Floats, seed: int, resamples: int) -> Floats:
    """Means over as many queries drawn with replacement, `(R, M)`; one draw serves every row.

    What is drawn is how often each distinct column comes up: the same distribution as drawing
    queries, and for P@10, with its 11 values, some hundred times faster.
    """
    distinct_MU, count_U = np.unique(values_MQ, axis=1, return_counts=True)
    queries = values_MQ.shape[1]
    rng = np.random.default_rng(seed)
    drawn = (
        rng.multinomial(queries, count_U / queries, size=rows) @ distinct_MU.T / queries
        for rows in _chunks(resamples, len(count_U))
    )
    return np.concatenate(list(drawn))


def _sign_flip_p_value(gain_Q: Floats, seed: int, flips: int) -> float:
    """Two-sided; the +1 counts the data as one of its own permutations, so that p is never 0."""
    size_U, count_U = np.unique(np.abs(gain_Q[gain_Q != 0]), return_counts=True)
    observed = abs(gain_Q.sum())
    rng = np.random.default_rng(seed)
    extreme = 0
    for rows in _chunks(flips, len(count_U)):
        positive_RU = rng.binomial(count_U, 0.5, size=(rows, len(count_U)))
        sum_R = (2 * positive_RU - count_U) @ size_U
        # Sums of the same terms in another order differ in their last bits, and are ties.
        extreme += int((np.abs(sum_R) >= observed * (1 - 1e-9) - 1e-12).sum())
    return (1 + extreme) / (1 + flips)


def _chunks(rows: int, columns: int) -> Iterator[int]:
    """Numbers of rows that add up to `rows`, each few enough for memory."""
    most = max(1, _CELLS // max(1, columns))
    for start in range(0, rows, most):
        yield min(most, rows - start)


def _interval(mean_R: Floats, confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    # A resampled value itself, not one between two: a ratio's may be infinite.
    low, high = np.quantile(mean_R, [tail, 1 - tail], method="inverted_cdf")
    return Interval(float(low), float(high))


def _checked(values: ArrayLike, dimensions: int = 1) -> Floats:
    array = np.asarray(values, np.float64)
    if not 1 <= array.ndim <= dimensions:
        raise ValueError(f"scores have shape {array.shape}; at most {dimensions} axes are expected")
    if not array.size:
        raise ValueError("there is no query to compute an interval from")
    if not np.isfinite(array).all():
        raise ValueError("a score is not a number; a model whose vectors are broken has no score")
    return array


def _check_paired(a: Floats, b: Floats) -> None:
    if a.shape != b.shape:
        raise ValueError(
            f"the models have scores of shapes {a.shape} and {b.shape}; "
            "ask both the same queries, in the same order"
        )
