"""Labels against pictures: neighbours without twins, and two witnesses that have to agree."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from goods.product import Picture, Product
from goods.schema import CatalogSchema, Field, FieldKind
from ingest.audit import neighbours as room
from ingest.audit.audit import twin_groups
from ingest.audit.findings import Finding
from ingest.audit.gather import Gathered
from ingest.audit.labels import NEIGHBOURS, label_findings
from ingest.audit.neighbours import NONE, nearest_others
from ingest.audit.twins import Twins

VALUES = ("Shirt", "Dress", "Shoe", "Bag")
SCHEMA = CatalogSchema(
    "id", "image", fields=(Field("category", FieldKind.KEYWORD, "category"),), phrase=("category",)
)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def pictures(count: int = 160, seed: int = 0) -> NDArray[np.float32]:
    """Vectors near the axis of their value, as a good model has them."""
    noise = np.random.default_rng(seed).normal(size=(count, 8)) * 0.15
    return unit(np.eye(8)[np.arange(count) % 4] + noise)


def texts(asked: Sequence[str]) -> NDArray[np.float32]:
    """The axis of each value; another one for what is none."""
    places = [[value.lower() for value in VALUES].index(text) for text in asked]
    return np.eye(8, dtype=np.float32)[places]


def contrary(asked: Sequence[str]) -> NDArray[np.float32]:
    """A model that takes every text for the value before it."""
    return np.roll(texts(asked), 1, axis=1)


def gathered(vectors: NDArray[np.float32], labels: Sequence[str]) -> Gathered:
    products = [
        Product(f"P-{n}", Picture(f"{n}.jpg"), attributes={"category": label} if label else {})
        for n, label in enumerate(labels)
    ]
    return Gathered(SCHEMA, products, [], [], products, [], vectors)


def doubted(shop: Gathered, model=texts, most: int = 10, left_out: Sequence[str] = ()):
    assert shop.vectors_PD is not None
    near = nearest_others(shop.vectors_PD, range(len(shop.pictured)), NEIGHBOURS)
    return list(label_findings(shop, near, model, most, left_out))


def labels(count: int = 160) -> list[str]:
    return [VALUES[n % 4] for n in range(count)]


def test_a_swapped_label_is_found_with_what_is_right() -> None:
    given = labels()
    given[8], given[21] = "Shoe", "Bag"  # a shirt and a dress
    found = doubted(gathered(pictures(), given))
    assert {f.products[0]: (f.given, f.suggested) for f in found} == {
        "P-8": ("Shoe", "Shirt"),
        "P-21": ("Bag", "Dress"),
    }


def test_three_lookalikes_that_bear_the_suggestion_stand_beside_it() -> None:
    given = labels()
    given[8] = "Shoe"
    found: Finding = doubted(gathered(pictures(), given))[0]
    assert len(found.beside) == 3
    assert all(given[int(one[2:])] == "Shirt" for one in found.beside)
    assert 0.3 <= found.confidence < 1


def test_labels_without_a_fault_are_not_doubted() -> None:
    assert doubted(gathered(pictures(), labels())) == []


def test_neighbours_alone_are_not_enough() -> None:
    given = labels()
    given[8] = "Dress"
    assert doubted(gathered(pictures(), given)) != []
    assert doubted(gathered(pictures(), given), contrary) == []


def test_only_the_surest_are_reported() -> None:
    given = labels()
    for n in (8, 12, 16, 20):
        given[n] = "Shoe"
    every = doubted(gathered(pictures(), given))
    assert [f.products for f in doubted(gathered(pictures(), given), most=2)] == [
        f.products for f in every[:2]
    ]
    assert [f.confidence for f in every] == sorted((f.confidence for f in every), reverse=True)


def test_a_product_whose_picture_shows_nothing_is_not_judged() -> None:
    given = labels()
    given[8] = "Shoe"
    assert doubted(gathered(pictures(), given), left_out=["P-8"]) == []


def test_a_value_of_few_products_is_neither_doubted_nor_suggested() -> None:
    given = labels()
    given[8] = "Kimono"
    assert doubted(gathered(pictures(), given)) == []


def test_a_missing_label_is_not_doubted() -> None:
    given = labels()
    given[8] = ""
    assert doubted(gathered(pictures(), given)) == []


def test_catalogs_without_pictures_or_labels_are_not_doubted() -> None:
    assert doubted(gathered(np.empty((0, 8), np.float32), [])) == []
    assert doubted(gathered(pictures(8), [""] * 8)) == []


def brute(vectors: NDArray[np.float32], groups: Sequence[int], k: int) -> list[list[int]]:
    scores = vectors @ vectors.T
    return [
        [n for n in np.argsort(-row, kind="stable").tolist() if groups[n] != groups[one]][:k]
        for one, row in enumerate(scores)
    ]


def test_neighbours_are_those_that_comparing_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SCORES", 700)  # several blocks
    vectors, groups = pictures(90), [n // 2 for n in range(90)]
    found = nearest_others(vectors, groups, 5)
    assert found.numbers_PK.tolist() == brute(vectors, groups, 5)


def test_twins_do_not_vouch_for_each_other() -> None:
    vectors = pictures(40)
    vectors[1:4] = vectors[0]
    found = nearest_others(vectors, [0, 0, 0, 0, *range(4, 40)], 3)
    assert not set(found.numbers_PK[0].tolist()) & {0, 1, 2, 3}


def test_missing_neighbours_are_marked() -> None:
    found = nearest_others(pictures(3), [0, 0, 1], 4)
    assert found.numbers_PK.tolist() == [
        [2, NONE, NONE, NONE],
        [2, NONE, NONE, NONE],
        [found.numbers_PK[2, 0], 1 - found.numbers_PK[2, 0], NONE, NONE],
    ]


def test_of_a_large_catalog_a_sample_is_looked_among(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_LOOKED_AMONG", 20)
    found = nearest_others(pictures(80), range(80), 3)
    assert len(set(found.numbers_PK.ravel().tolist())) <= 20
    assert found.numbers_PK.min() >= 0


def test_twins_and_variants_share_a_group() -> None:
    products = [
        Product(f"P-{n}", Picture(""), group="g" if n in (2, 3) else None) for n in range(6)
    ]
    groups = twin_groups(products, [Twins((0, 1), True), Twins((1, 2), False)])
    assert len({groups[n] for n in (0, 1, 2, 3)}) == 1
    assert len(set(groups)) == 3
