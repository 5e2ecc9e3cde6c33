"""What a catalog asks by itself, and what it takes for right, wrong, or neither."""

from collections.abc import Sequence

import numpy as np
import pytest

from goods.product import Picture, Product, Value
from goods.schema import CatalogSchema, Field, FieldKind
from model.evaluation.catalog_tasks import (
    attribute_task,
    catalog_tasks,
    phrase_fields,
    title_task,
    variant_task,
)
from model.evaluation.marqo import MAX_QUERIES, marqo_tasks
from model.evaluation.tasks import Corpus, Query, Task

SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    title="title",
    fields=(
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("type", FieldKind.KEYWORD, "type"),
        Field("season", FieldKind.KEYWORD, "season"),
        Field("price", FieldKind.NUMBER, "price"),
    ),
    phrase=("colour", "type"),
)


def product(number: int, title: str = "", group: str | None = None, **values: Value) -> Product:
    return Product(f"P-{number}", Picture("x.jpg"), title, values, group=group)


def corpus(products: Sequence[Product], groups: str | None = None) -> Corpus:
    """Products in groups of one letter each; every product alone by default."""
    return Corpus(products, list(groups) if groups else [product.id for product in products])


def asked(task: Task | None) -> dict[str, Query]:
    return {query.name: query for query in task.queries} if task else {}


def numbers(found: np.ndarray) -> list[int]:
    return sorted(found.tolist())


def test_a_title_asks_once_and_for_its_whole_group() -> None:
    products = [product(0, "Aria"), product(1, "aria "), product(2, "Oxford"), product(3)]
    task = title_task(corpus(products, "aabb"), SCHEMA)
    queries = asked(task)
    assert task.is_one_design
    assert queries.keys() == {"aria", "oxford"}
    assert numbers(queries["aria"].right_R) == [0, 1]
    assert numbers(queries["oxford"].right_R) == [2, 3]
    assert queries["oxford"].text == "Oxford"


def test_a_title_is_sliced_by_what_its_product_is() -> None:
    queries = asked(title_task(corpus([product(0, "Aria", colour="Red", type="Dress")]), SCHEMA))
    assert queries["aria"].slices == {
        "colour": "red",
        "type": "dress",
        "colour + type": "red dress",
    }


def dresses(red: int, blue: int) -> list[Product]:
    colours = ["Red"] * red + ["Blue"] * blue
    return [product(n, colour=c, type="Dress") for n, c in enumerate(colours)]


def test_attributes_need_five_products_that_fit_and_one_that_does_not() -> None:
    catalog = corpus(dresses(red=5, blue=4))
    assert asked(attribute_task(catalog, ("colour",))).keys() == {"red"}
    assert asked(attribute_task(catalog, ("colour", "type"))).keys() == {"red dress"}
    assert attribute_task(catalog, ("type",)) is None


def test_every_value_of_a_list_is_asked_for() -> None:
    mixed = [product(n, colour=("Red", "blue")) for n in range(5)] + [product(5, colour="Green")]
    queries = asked(attribute_task(corpus(mixed), ("colour",)))
    assert {name: numbers(query.right_R) for name, query in queries.items()} == {
        "red": [0, 1, 2, 3, 4],
        "blue": [0, 1, 2, 3, 4],
    }


def test_a_twin_of_a_right_product_is_passed_over() -> None:
    catalog = corpus(dresses(red=5, blue=2), "abcdeaz")
    red = asked(attribute_task(catalog, ("colour",)))["red"]
    assert numbers(red.right_R) == [0, 1, 2, 3, 4]
    assert numbers(red.passed_over_P) == [5]


def test_a_declared_variant_of_a_right_product_is_wrong() -> None:
    variants = [product(n, group=f"style {n % 5}", colour="Red") for n in range(5)]
    variants += [product(5, group="style 0", colour="Blue"), product(6, colour="Blue")]
    red = asked(attribute_task(corpus(variants, "abcdeaa"), ("colour",)))["red"]
    assert numbers(red.passed_over_P) == [6]


def test_a_picture_asks_for_its_group_without_itself() -> None:
    products = [product(n, "", colour="Red") for n in range(4)]
    task = variant_task(corpus(products, "aaab"), SCHEMA)
    assert [query.asked_by for query in task.queries] == [0, 1, 2]
    second = task.queries[1]
    assert (numbers(second.right_R), numbers(second.passed_over_P)) == ([0, 2], [1])
    assert second.text is None
    assert variant_task(corpus(products), SCHEMA) is None


def test_a_catalog_asks_by_every_keyword_field_and_every_phrase() -> None:
    products = [
        product(n, f"title {n}", colour=c, type=t, season="all")
        for n, (c, t) in enumerate([("Red", "Dress"), ("Blue", "Dress"), ("Red", "Shirt")] * 5)
    ]
    products[0] = product(0, "title 0", colour="Red", type="Dress", season="fall")
    tasks = catalog_tasks(corpus(products, "aabbccddeeffggh"), SCHEMA, image_weight=0.9)
    assert [task.name for task in tasks] == [
        "titles",
        "colour",
        "type",
        "colour + type",
        "variants",
        "season",
    ]
    assert [task.image_weight for task in tasks] == [1, 0.9, 0.9, 0.9, 1, 0.9]
    assert [task.measures[0] for task in tasks] == ["R@10", "P@10", "P@10", "P@10", "R@10", "P@10"]
    assert [task.is_aside for task in tasks] == [False] * 5 + [True]  # no caption says a season


def test_a_catalog_that_says_nothing_asks_nothing() -> None:
    assert catalog_tasks(corpus([product(0), product(1)]), SCHEMA) == []


@pytest.mark.parametrize(
    ("phrase", "choices"),
    [
        ((), []),
        (("type",), [("type",)]),
        (("colour", "type"), [("type",), ("colour", "type")]),
        (
            ("season", "colour", "type"),
            [("type",), ("season", "type"), ("colour", "type"), ("season", "colour", "type")],
        ),
    ],
)
def test_phrases_end_with_the_noun(phrase: tuple[str, ...], choices: list[object]) -> None:
    schema = CatalogSchema("id", "image", fields=SCHEMA.fields, phrase=phrase)
    assert phrase_fields(schema) == choices


def test_marqo_asks_exact_values_and_counts_exactly_them() -> None:
    products = [
        product(0, "Aria", colour="Red"),
        product(1, "Aria", colour="red"),
        product(2, "aria", colour=("Red", "Blue")),
        product(3),
    ]
    titles, colours = marqo_tasks(corpus(products, "aaaa"), SCHEMA)
    assert {q.name: numbers(q.right_R) for q in titles.queries} == {"Aria": [0, 1], "aria": [2]}
    assert {q.name: numbers(q.right_R) for q in colours.queries} == {
        "Blue": [2],
        "Red": [0, 2],
        "red": [1],
    }
    assert (titles.name, colours.name) == ("text-to-image", "colour-to-product")
    assert (titles.image_weight, colours.image_weight) == (1, 0.9)
    assert all(not query.passed_over_P.size for query in titles.queries)


def test_marqo_samples_two_thousand_titles_the_same_ones_for_a_seed() -> None:
    products = [product(n, f"title {n}") for n in range(MAX_QUERIES + 500)]
    [first], [again], [other] = (marqo_tasks(corpus(products), SCHEMA, seed) for seed in (0, 0, 1))
    names = [[query.name for query in task.queries] for task in (first, again, other)]
    assert len(set(names[0])) == MAX_QUERIES
    assert names[0] == names[1] != names[2]
