"""What counts as a word, and how much a product is about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.index.words import product_words, query_words, words
from goods.schema import CatalogSchema, Field, FieldKind

SCHEMA = CatalogSchema(
    id="id", picture="image", title="title", fields=(Field("tags", FieldKind.KEYWORD, "tags"),)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red DRESSES, watches & glasses", ["red", "dress", "watch", "glass"]),
        ("Shoes jeans ties", ["shoe", "jean", "tie"]),
        ("hats Accessories bus", ["hat", "accessory", "bus"]),
        ("Été Größe", ["ete", "grosse"]),
        ("T-Shirts", ["t-shirt", "t", "shirt"]),
        ("83-A", ["83-a", "83", "a"]),
        ("LS-1200/XL", ["ls-1200/xl", "ls", "1200", "xl"]),
        ("!? …", []),
    ],
)
def test_words_are_folded_and_keep_their_marks_and_parts(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


@given(st.text())
def test_any_text_has_distinct_ascending_places(text: str) -> None:
    found = query_words(text)
    assert list(found.places) == sorted(set(found.places))
    assert all(0 <= place < 2**32 for place in found.places)


def test_a_product_is_known_by_its_id_title_texts_and_keywords() -> None:
    payload = {"id": "83-A", "title": "Red dress", "texts": {"about": "Soft"}, "tags": ["new"]}
    found = product_words(payload | {"picture": "unseen.jpg"}, SCHEMA)
    assert set(found.places) == set(query_words("83-A red dress soft new").places)


def test_what_is_said_twice_weighs_more_and_in_a_long_text_less() -> None:
    def weight(title: str) -> float:
        found = product_words({"id": "1", "title": title}, SCHEMA)
        return dict(zip(found.places, found.weights, strict=True))[query_words("red").places[0]]

    assert weight("red red") > weight("red")
    assert weight("red") > weight("red " + "and more words " * 20)
