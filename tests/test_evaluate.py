"""What a training is steered by, against counting by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from goods.errors import ModelError
from goods.product import Picture, Product
from goods.schema import CatalogSchema, Field, FieldKind
from model.evaluation.evaluate import HeldOut, evaluate

PHRASE = ("colour", "type")
SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    title="title",
    fields=tuple(Field(name, FieldKind.KEYWORD, name) for name in PHRASE),
    phrase=PHRASE,
)


class Oracle:
    """An encoder whose texts have the vectors that a test gives them."""

    def __init__(self, vectors: dict[str, Sequence[float]]) -> None:
        self.vectors = vectors
        self.asked: list[str] = []

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([self.vectors.get(text, (0, 0, 1)) for text in texts], np.float32)


def product(number: int, title: str = "", **attributes: str) -> Product:
    return Product(f"P-{number}", Picture("x.jpg"), title, attributes)


def held_out(products: list[Product], vectors: list[Sequence[float]], groups=None) -> HeldOut:
    own = [product.title or product.id for product in products]
    return HeldOut(products, groups or own, np.array(vectors, np.float32))


def test_titles_are_ranked_and_counted() -> None:
    products = [product(0, "aria"), product(1, "oxford"), product(2, "loafer")]
    shown = held_out(products, [(1, 0, 0), (0.8, 0.6, 0), (0, 1, 0)])
    oracle = Oracle({"aria": (1, 0, 0), "oxford": (1, 0, 0), "loafer": (1, 0, 0)})
    scores = evaluate(shown, SCHEMA, oracle).titles
    assert scores is not None
    assert scores.queries == 3
    assert scores.recall_at_1 == pytest.approx(1 / 3)
    assert scores.recall_at_5 == scores.recall_at_10 == 1
    assert scores.mrr == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert scores.clip_score == pytest.approx(100 * (1 + 0.8 + 0) / 3)


def test_a_hit_on_a_twin_is_right() -> None:
    products = [product(0, "aria red"), product(1, "aria blue"), product(2, "oxford")]
    vectors = [(0, 1, 0), (1, 0, 0), (0, 0, 1)]
    oracle = Oracle({"aria red": (1, 0, 0), "aria blue": (1, 0, 0), "oxford": (0, 0, 1)})
    apart = evaluate(held_out(products, vectors), SCHEMA, oracle).titles
    twins = evaluate(held_out(products, vectors, ["a", "a", "o"]), SCHEMA, oracle).titles
    assert apart.mrr < 1 == twins.mrr


def test_a_title_is_asked_once_however_often_it_occurs() -> None:
    products = [product(0, "Aria"), product(1, "aria "), product(2)]
    oracle = Oracle({})
    scores = evaluate(held_out(products, [(0, 0, 1)] * 3, ["a", "a", "n"]), SCHEMA, oracle)
    assert scores.titles.queries == 1
    assert len(oracle.asked) == 1


def test_phrases_need_five_products_and_every_field_choice_is_measured() -> None:
    products = [product(n, colour="Red", type="Dress") for n in range(5)]
    products += [product(5 + n, colour="Blue", type="Dress") for n in range(4)]
    products += [product(9 + n, type="Shirt") for n in range(4)]
    vectors = [(1, 0, 0)] * 3 + [(-1, 0, 0)] * 2 + [(0.5, 0, 0)] * 4 + [(0.9, 0, 0)] * 4
    oracle = Oracle({"dress": (1, 0, 0), "red dress": (1, 0, 0)})
    scores = evaluate(held_out(products, vectors), SCHEMA, oracle)
    dresses, red_dresses = scores.phrases
    assert (dresses.fields, dresses.queries, dresses.ceiling) == (("type",), 1, 0.9)
    assert dresses.precision_at_10 == pytest.approx(6 / 10)  # three red, four shirts, three blue
    assert (red_dresses.fields, red_dresses.queries) == (("colour", "type"), 1)
    assert (red_dresses.precision_at_10, red_dresses.ceiling) == (pytest.approx(3 / 10), 0.5)
    assert scores.titles is None
    assert scores.precision_at_10 == pytest.approx((6 / 10 + 3 / 10) / 2)
    assert scores.score == scores.precision_at_10


def test_without_titles_and_phrases_the_score_is_zero() -> None:
    scores = evaluate(held_out([product(0)], [(1, 0, 0)]), SCHEMA, Oracle({}))
    assert (scores.titles, scores.phrases, scores.score) == (None, (), 0.0)
    assert scores.precision_at_10 is None


def test_a_catalog_without_phrase_fields_has_no_phrases() -> None:
    schema = CatalogSchema(id="id", picture="image", title="title")
    assert evaluate(held_out([product(0, "a")], [(1, 0, 0)]), schema, Oracle({})).phrases == ()


def test_the_score_is_the_mean_of_titles_and_phrases() -> None:
    products = [product(n, f"title {n}", type="Dress" if n < 12 else "Hat") for n in range(13)]
    shown = held_out(products, [(1, 0, 0)] * 12 + [(0, 1, 0)])
    scores = evaluate(shown, SCHEMA, Oracle({"dress": (1, 0, 0)}))
    assert scores.titles.recall_at_10 == 0  # all scores are alike
    assert scores.precision_at_10 == 1
    assert scores.score == pytest.approx(1 / 2)


def test_vectors_that_are_not_numbers_are_no_perfect_search() -> None:
    shown = held_out([product(0, "a"), product(1, "b")], [(np.nan, 0, 0), (1, 0, 0)])
    with pytest.raises(ModelError, match="not numbers"):
        evaluate(shown, SCHEMA, Oracle({}))
