"""Captions: which words, of which facts, and of which other products they are true."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.product import Picture, Product
from goods.schema import CatalogSchema, Field, FieldKind
from model.captions import Captioner, all_facts, phrase_facts, plain

PHRASE = ("gender", "colour", "type")
SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    title="title",
    fields=tuple(Field(name, FieldKind.KEYWORD, name) for name in (*PHRASE, "season")),
    texts=("description",),
    phrase=PHRASE,
)


def product(number: int, title: str = "", text: str = "", **attributes: str) -> Product:
    texts = {"description": text} if text else {}
    return Product(f"P-{number}", Picture("x.jpg"), title, attributes, texts)


DRESS = product(1, "Aria Maxi", gender="Women", colour="Red", type="Dress", season="Summer")
SHIRT = product(2, "Oxford", "Cut from a heavy oxford cloth", colour="Blue", type="Shirt")
BLUE_DRESS = product(3, "aria  maxi", gender="Women", colour="Blue", type="Dress")
NAMELESS = product(4, colour="Red")
UNKNOWN = product(5)
SHOP = [DRESS, SHIRT, BLUE_DRESS, NAMELESS, UNKNOWN]


def drawn(number: int, draws: int = 300) -> Counter[str]:
    captioner = Captioner(SHOP, SCHEMA, seed=0)
    return Counter(said.text for epoch in range(draws) for said in captioner.draw(number, epoch))


def test_phrases_end_in_the_noun_and_keep_the_reading_order() -> None:
    assert set(drawn(0)) == {
        "aria maxi",
        "dress",
        "red dress",
        "women dress",
        "women red dress",
    }


def test_about_half_of_the_captions_are_titles() -> None:
    assert 120 < drawn(0)["aria maxi"] < 180


def test_free_texts_are_captions_too_but_seldom() -> None:
    assert 15 < drawn(1)["cut from a heavy oxford cloth"] < 70


def test_a_product_without_title_is_described_and_without_noun_by_what_is_left() -> None:
    assert set(drawn(3)) == {"red"}


def test_a_field_outside_the_phrase_is_never_said() -> None:
    assert not any("summer" in text for text in drawn(0))


def test_several_keywords_of_one_field_are_all_said() -> None:
    two_tone = Product("P", Picture("x"), attributes={"colour": ("Red", "White"), "type": "Cap"})
    assert phrase_facts(two_tone, PHRASE) == {"colour": "red white", "type": "cap"}


def test_a_product_that_nothing_is_said_of_is_known() -> None:
    captioner = Captioner(SHOP, SCHEMA, seed=0)
    assert [captioner.has_any(number) for number in range(5)] == [True, True, True, True, False]


def test_a_caption_is_true_of_every_product_with_its_facts() -> None:
    captioner = Captioner(SHOP, SCHEMA, seed=0)
    wanted = ["dress", "blue shirt", "aria maxi", "red"]
    found = {
        caption.text: caption
        for number in range(4)
        for epoch in range(100)
        for caption in captioner.draw(number, epoch)
    }
    is_true = captioner.positives(range(4), [found[text] for text in wanted])
    assert is_true.tolist() == [
        [True, False, True, True],  # a red dress, by the name of Aria Maxi
        [False, True, False, False],
        [True, False, True, False],
        [False, False, False, True],
    ]


@given(st.integers(0, 2**31), st.integers(0, 1000))
def test_the_same_seed_epoch_and_product_give_the_same_caption(seed: int, epoch: int) -> None:
    one, other = Captioner(SHOP, SCHEMA, seed), Captioner(SHOP[1:], SCHEMA, seed)
    assert one.draw(2, epoch) == other.draw(1, epoch)


@given(st.integers(0, 100))
def test_a_caption_is_true_of_its_own_product(epoch: int) -> None:
    captioner = Captioner(SHOP, SCHEMA, seed=0)
    captions = [said for number in range(4) for said in captioner.draw(number, epoch)]
    assert captioner.positives(range(4), captions).diagonal().all()


def test_another_seed_draws_others() -> None:
    one, other = (Captioner(SHOP, SCHEMA, seed) for seed in (0, 1))
    assert any(one.draw(0, epoch) != other.draw(0, epoch) for epoch in range(20))


@pytest.mark.parametrize("text", ["Red  Dress ", "red dress", "RED\tDRESS"])
def test_case_and_spaces_make_no_other_caption(text: str) -> None:
    assert plain(text) == "red dress"


def test_missing_facts_are_absent() -> None:
    assert all_facts(NAMELESS, SCHEMA) == {"colour": "red"}
    assert all_facts(UNKNOWN, SCHEMA) == {}
