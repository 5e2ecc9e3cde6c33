"""Intervals and tests, against enumeration, theory and plain loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.evaluation.statistics import (
    bootstrap_interval,
    holm,
    paired_difference,
    ratio_interval,
)

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), min_size=1, max_size=30)


def random_scores(queries: int, seed: int = 0, share: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(seed).random(queries) < share).astype(float)


def test_one_query_has_no_width() -> None:
    interval = bootstrap_interval([0.3])
    assert (interval.low, interval.high) == pytest.approx((0.3, 0.3))


def test_the_interval_is_the_one_of_drawing_queries() -> None:
    values = np.random.default_rng(3).beta(1, 2, size=80).round(2)
    rng = np.random.default_rng(1)
    means = [rng.choice(values, len(values)).mean() for _ in range(20_000)]
    interval = bootstrap_interval(values, resamples=20_000)
    assert interval.low == pytest.approx(np.quantile(means, 0.025), abs=0.004)
    assert interval.high == pytest.approx(np.quantile(means, 0.975), abs=0.004)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(300):
        interval = bootstrap_interval(random_scores(200, seed, share=0.4), resamples=500)
        held += interval.low <= 0.4 <= interval.high
    assert 0.91 <= held / 300 <= 0.98


def test_less_confidence_is_narrower_and_a_seed_repeats() -> None:
    values = random_scores(50)
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, confidence=0.5)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high
    assert wide == bootstrap_interval(values)
    distinct = np.random.default_rng(0).random(50)
    assert bootstrap_interval(distinct) != bootstrap_interval(distinct, seed=1)


@settings(max_examples=50, deadline=None)
@given(SCORES)
def test_the_interval_stays_within_the_values(values: list[float]) -> None:
    interval = bootstrap_interval(values, resamples=50)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


def test_many_distinct_values_are_drawn_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(100)
    whole = bootstrap_interval(values)
    monkeypatch.setattr("model.evaluation.statistics._CELLS", 1000)
    assert bootstrap_interval(values) == whole


def test_the_randomisation_test_agrees_with_enumeration() -> None:
    gain = np.array([0.5, 0.2, -0.1, 0.3, 0.0, 0.3, 0.1, -0.2])
    sums = [abs(np.dot(signs, gain)) for signs in product([-1, 1], repeat=len(gain))]
    exact = np.mean([total >= abs(gain.sum()) - 1e-9 for total in sums])
    difference = paired_difference(np.zeros(8), gain, sign_flips=100_000)
    assert difference.mean == pytest.approx(gain.mean())
    assert difference.p_value == pytest.approx(exact, abs=0.005)


def test_equal_models_differ_by_nothing() -> None:
    values = random_scores(40)
    difference = paired_difference(values, values)
    assert (difference.mean, difference.low, difference.high) == (0, 0, 0)
    assert difference.p_value == 1


def test_a_clear_gain_has_the_smallest_p_value_there_is_and_never_zero() -> None:
    difference = paired_difference(np.zeros(100), np.ones(100), sign_flips=999)
    assert difference.p_value == 1 / 1000
    assert difference.low == difference.high == 1


def test_the_difference_changes_sign_with_the_order() -> None:
    a, b = random_scores(60, 1), random_scores(60, 2, share=0.7)
    ahead, behind = paired_difference(a, b), paired_difference(b, a)
    assert ahead.mean == -behind.mean
    assert ahead.p_value == pytest.approx(behind.p_value, abs=0.02)


def test_chance_alone_is_called_significant_one_time_in_twenty() -> None:
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        a, b = (rng.random((2, 60)) < 0.5).astype(float)
        called += paired_difference(a, b, resamples=1, sign_flips=500).p_value <= 0.05
    assert called / 300 <= 0.08


def test_pairing_sees_what_two_intervals_hide() -> None:
    a = np.random.default_rng(0).random(50)
    b = a + 0.02
    difference = paired_difference(a, b)
    assert difference.low > 0
    assert bootstrap_interval(a).high > bootstrap_interval(b).low


def test_a_ratio_of_constants_is_sure() -> None:
    ratio = ratio_interval(np.full(10, 0.4), np.full(10, 0.5))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.25, 1.25, 1.25))


def test_the_ratio_is_paired_by_query() -> None:
    a = np.random.default_rng(0).random(100)
    together = ratio_interval(a, 1.2 * a)
    apart = ratio_interval(a, np.random.default_rng(1).permutation(1.2 * a))
    assert together.high - together.low < 1e-9
    assert apart.low < 1.2 < apart.high


def test_the_ratio_interval_is_the_one_of_drawing_queries() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.beta(2, 3, 60).round(1), rng.beta(3, 3, 60).round(1)
    rows = [rng.integers(60, size=60) for _ in range(10_000)]
    ratios = [b[row].mean() / a[row].mean() for row in rows]
    ratio = ratio_interval(a, b, resamples=10_000)
    assert ratio.value == pytest.approx(b.mean() / a.mean())
    assert ratio.low == pytest.approx(np.quantile(ratios, 0.025), abs=0.02)
    assert ratio.high == pytest.approx(np.quantile(ratios, 0.975), abs=0.02)


def test_seeds_are_averaged_and_may_be_resampled_too() -> None:
    rng = np.random.default_rng(0)
    difficulty = rng.random(200)
    luck = np.array([[0.8], [1.0], [1.2]])
    a, b = np.tile(difficulty, (3, 1)), difficulty * luck
    queries = ratio_interval(a, b)
    seeds = ratio_interval(a, b, other_seeds=True)
    assert queries == ratio_interval(a.mean(axis=0), b.mean(axis=0))
    assert queries.value == seeds.value == pytest.approx(1.0)
    assert queries.high - queries.low < 1e-9
    assert seeds.low < 0.9 < 1.1 < seeds.high


def test_a_ratio_to_almost_nothing_has_no_upper_end() -> None:
    first = np.zeros(4)
    first[0] = 1
    ratio = ratio_interval(first, np.ones(4))
    assert ratio.value == 4
    assert 1 <= ratio.low < 4
    assert ratio.high == np.inf


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_their_ranks(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    ranked = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)


@pytest.mark.parametrize(
    ("values", "reason"),
    [([], "no query"), ([0.1, float("nan")], "not a number"), ([[0.1], [0.2]], "shape")],
)
def test_scores_that_are_none_are_refused(values: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        bootstrap_interval(values)


def test_models_asked_different_queries_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same queries"):
        paired_difference([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="same queries"):
        ratio_interval([0.1, 0.2], [[0.1, 0.2], [0.3, 0.4]])
    with pytest.raises(ValueError, match="scores 0 on every query"):
        ratio_interval([0.0, 0.0], [0.1, 0.2])
