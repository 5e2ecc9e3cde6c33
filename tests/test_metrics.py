"""The measures, against pytrec_eval called directly, and against counting by hand."""

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from goods.errors import ModelError
from model.evaluation.metrics import clip_score, measured
from model.evaluation.search import NO_HIT, Ranking, nearest
from model.evaluation.tasks import Query, Task

MEASURES = ("R@1", "R@5", "R@10", "P@1", "P@10", "RR@10", "nDCG@10")
TREC = {
    "R@1": "recall_1",
    "R@5": "recall_5",
    "R@10": "recall_10",
    "P@1": "P_1",
    "P@10": "P_10",
    "nDCG@10": "ndcg_cut_10",
}
QUERIES, PRODUCTS = 4, 30


def judged(rng: np.random.Generator, most_right: int = 20) -> list[Query]:
    """Queries with random right products, graded 1 to 3."""
    queries = []
    for row in range(QUERIES):
        right = rng.choice(PRODUCTS, rng.integers(1, most_right), replace=False)
        grades = rng.integers(1, 4, len(right))
        queries.append(Query(f"q{row}", right, text="x", grades_R=grades))
    return queries


def asked(queries: list[Query]) -> Task:
    return Task("random", queries, MEASURES)


def rank(scores: NDArray[np.floating], task: Task) -> Ranking:
    """The order of given scores: products are axes, so that cosines are the queries' own."""
    products = np.eye(scores.shape[1], dtype=np.float32)
    queries = scores.astype(np.float32)
    return nearest(queries, products, task.queries, task.is_one_design)


def values(scores: NDArray[np.floating], task: Task) -> dict[str, NDArray[np.float64]]:
    return {found.name: found.values_Q for found in measured(task, rank(scores, task))}


def distinct_scores(rng: np.random.Generator) -> NDArray[np.floating]:
    return rng.permuted(np.tile(np.arange(PRODUCTS) / PRODUCTS, (QUERIES, 1)), axis=1)


random_numbers = st.integers(0, 10_000).map(np.random.default_rng)


@given(random_numbers)
@settings(deadline=None, max_examples=50)
def test_measures_are_those_of_pytrec_eval(rng: np.random.Generator) -> None:
    task, scores = asked(judged(rng)), distinct_scores(rng)
    qrels = {
        query.name: {f"d{n}": int(g) for n, g in zip(query.right_R, query.grades_R, strict=True)}
        for query in task.queries
    }
    run = {
        query.name: {f"d{n}": float(score) for n, score in enumerate(row)}
        for query, row in zip(task.queries, scores, strict=True)
    }
    first_ten = {
        name: dict(sorted(found.items(), key=lambda item: -item[1])[:10])
        for name, found in run.items()
    }
    cut = {"recall.1,5,10", "P.1,10", "ndcg_cut.10"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, cut).evaluate(run)
    ranks = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(first_ten)
    found = values(scores, task)
    for name, trec in TREC.items():
        expected = [theirs[query.name][trec] for query in task.queries]
        np.testing.assert_allclose(found[name], expected, atol=1e-12, err_msg=name)
    expected = [ranks[query.name]["recip_rank"] for query in task.queries]
    np.testing.assert_allclose(found["RR@10"], expected, atol=1e-12)


def by_hand(grades_in_order: list[int], all_grades: list[int], name: str) -> float:
    """A measure of one query, from the grades of its products in the order of the search."""
    kind, _, cutoff = name.partition("@")
    top = grades_in_order[: int(cutoff)]
    hits = sum(grade > 0 for grade in top)
    if kind == "P":
        return hits / int(cutoff)
    if kind == "R":
        return hits / len(all_grades)
    if kind == "RR":
        return next((1 / place for place, grade in enumerate(top, 1) if grade > 0), 0.0)
    ideal = sorted(all_grades, reverse=True)[: int(cutoff)]
    gain, best = (
        sum(grade / np.log2(place + 1) for place, grade in enumerate(order, 1))
        for order in (top, ideal)
    )
    return float(gain / best)


@given(random_numbers, st.booleans())
@settings(deadline=None, max_examples=50)
def test_measures_are_those_of_counting_and_ties_count_against_the_model(
    rng: np.random.Generator, has_ties: bool
) -> None:
    task = asked(judged(rng))
    scores = distinct_scores(rng)
    if has_ties:
        scores = np.floor(scores * 4) / 4
    found = values(scores, task)
    for row, query in enumerate(task.queries):
        grades = np.zeros(PRODUCTS, int)
        grades[query.right_R] = query.grades_R
        order = sorted(range(PRODUCTS), key=lambda n: (-scores[row, n], grades[n]))
        for name in MEASURES:
            expected = by_hand(grades[order].tolist(), query.grades_R.tolist(), name)
            assert found[name][row] == pytest.approx(expected, abs=1e-6), name


@given(random_numbers)
@settings(deadline=None, max_examples=50)
def test_an_oracle_reaches_every_ceiling(rng: np.random.Generator) -> None:
    task = asked(judged(rng))
    scores = np.zeros((QUERIES, PRODUCTS))
    for row, query in zip(scores, task.queries, strict=True):
        row[query.right_R] = query.grades_R / 4
    for found in measured(task, rank(scores, task)):
        assert found.mean == pytest.approx(found.ceiling), found.name


@given(random_numbers)
@settings(deadline=None, max_examples=50)
def test_the_order_of_the_corpus_changes_nothing(rng: np.random.Generator) -> None:
    queries = judged(rng)
    scores = rng.integers(0, 5, (QUERIES, PRODUCTS)) / 5  # with ties
    moved_to = rng.permutation(PRODUCTS)
    moved = [
        Query(query.name, moved_to[query.right_R], text="x", grades_R=query.grades_R)
        for query in queries
    ]
    moved_scores = np.empty_like(scores)
    moved_scores[:, moved_to] = scores
    before, after = values(scores, asked(queries)), values(moved_scores, asked(moved))
    for name in MEASURES:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


@given(random_numbers)
@settings(deadline=None, max_examples=50)
def test_one_design_counts_once_where_its_nearest_product_stands(rng: np.random.Generator) -> None:
    task = Task("titles", judged(rng), ("R@10", "RR@10"), is_one_design=True)
    scores = distinct_scores(rng)
    found = values(scores, task)
    for row, query in enumerate(task.queries):
        order = np.argsort(-scores[row]).tolist()
        rank = min(order.index(n) for n in query.right_R) + 1
        assert found["R@10"][row] == (rank <= 10)
        assert found["RR@10"][row] == pytest.approx(1 / rank if rank <= 10 else 0)


def test_a_model_that_cannot_tell_products_apart_scores_nothing() -> None:
    task = asked([Query("q", np.arange(10), text="x")])
    assert values(np.ones((1, PRODUCTS)), task)["P@10"] == 0


def test_a_right_product_that_is_nearer_by_the_least_there_is_comes_first() -> None:
    nearer = np.nextafter(np.float32(0.25), np.float32(1))
    query = Query("q", np.array([1]), text="x", grades_R=np.array([1000]))
    assert values(np.array([[0.25, nearer]]), asked([query]))["P@1"] == 1


def test_ceilings_are_those_of_the_number_of_right_products() -> None:
    task = asked([Query("few", np.arange(4), text="x"), Query("many", np.arange(20), text="x")])
    ceilings = {found.name: found.ceiling for found in measured(task, rank(np.ones((2, 30)), task))}
    assert ceilings["P@10"] == (0.4 + 1) / 2
    assert ceilings["R@10"] == (1 + 0.5) / 2
    assert ceilings["R@1"] == (1 / 4 + 1 / 20) / 2
    assert ceilings["RR@10"] == ceilings["nDCG@10"] == ceilings["P@1"] == 1


def test_the_clip_score_is_of_each_text_and_its_own_picture() -> None:
    axes = np.eye(2, dtype=np.float32)
    assert clip_score(axes, axes, [0, 1]) == 100
    assert clip_score(axes, axes, [1, 0]) == 0
    assert clip_score(axes, axes, [0, 0]) == 50


def test_what_is_passed_over_is_no_hit_and_makes_room() -> None:
    query = Query("q", np.array([2]), text="x", passed_over_P=np.array([0, 1]))
    found = rank(np.array([[0.9, 0.8, 0.7, 0.6]]), asked([query]))
    assert found.numbers_QK.tolist() == [[2, 3, NO_HIT, NO_HIT]]
    assert found.scores_QK[0, :2].tolist() == pytest.approx([0.7, 0.6])
    assert measured(asked([query]), found)[0].values_Q.tolist() == [1]


def test_many_queries_are_ranked_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    task, scores = (
        asked(judged(rng)),
        np.floor(distinct_scores(rng) * 4) / 4,
    )  # ties: whose is whose
    whole = rank(scores, task)
    monkeypatch.setattr("model.evaluation.search._SCORES", PRODUCTS + 1)
    pieces = rank(scores, task)
    np.testing.assert_array_equal(whole.numbers_QK, pieces.numbers_QK)
    np.testing.assert_array_equal(whole.scores_QK, pieces.scores_QK)


def test_vectors_that_are_not_numbers_are_no_perfect_search() -> None:
    with pytest.raises(ModelError, match="not numbers"):
        rank(np.full((1, 3), np.nan), asked([Query("q", np.array([0]), text="x")]))
