"""Which queries are looked at, and what they show."""

import numpy as np

from goods.product import Picture, Product
from model.evaluation.search import NO_HIT, Ranking
from model.evaluation.shown import SHOWN, shown_hits, shown_queries
from model.evaluation.tasks import Query

PRODUCTS = [Product(name, Picture("x"), title) for name, title in (("A", "Aria"), ("B", ""))]


def test_each_query_marks_what_is_right_for_itself() -> None:
    queries = [Query("a", np.array([0]), text="one"), Query("b", np.array([1]), text="two")]
    ranking = Ranking(np.array([[0, 1], [0, NO_HIT]]), np.array([[0.9, 0.8], [0.7, 0]], np.float32))
    second, first = shown_hits(queries, ranking, PRODUCTS, [1, 0])
    assert (first.query, second.query) == ("one", "two")
    assert [(hit.product.id, hit.is_right) for hit in first.hits] == [("A", True), ("B", False)]
    [only] = second.hits
    assert (only.product.id, only.is_right, round(only.score, 3)) == ("A", False, 0.7)


def test_a_picture_is_called_by_its_products_title_or_id() -> None:
    queries = [Query("A", np.array([1]), asked_by=0), Query("B", np.array([0]), asked_by=1)]
    ranking = Ranking(np.array([[1], [0]]), np.array([[0.5], [0.5]], np.float32))
    found = shown_hits(queries, ranking, PRODUCTS, [0, 1])
    assert [one.query for one in found] == ["Aria", "B"]
    assert [one.asked_by for one in found] == PRODUCTS


def test_half_are_the_worst_and_the_best_is_among_the_others() -> None:
    scores = np.arange(100) / 100
    chosen = shown_queries(scores)
    assert len(chosen) == SHOWN
    assert chosen[: SHOWN // 2] == [0, 1, 2, 3]
    assert chosen[-1] == 99
    assert shown_queries(np.array([0.5, 0.1])) == [1, 0]
