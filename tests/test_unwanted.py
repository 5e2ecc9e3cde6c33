"""What is not wanted, said apart from what is looked for."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goods.index import FacetCount
from search import Query, SearchClient, SearchOptions
from search.options import Understand
from search.understand import understand, unwanted
from served import make_home_with_plaid
from shopper_queries import vocabularies

VOCABULARIES = vocabularies()
SAMPLE = VOCABULARIES["sample"]
UNDERSTOOD = SearchOptions(limit=48, understand="filter")


@pytest.mark.parametrize(
    ("text", "filters", "avoided"),
    [
        ("black", ["colour != black"], []),
        ("not black", ["colour != black"], []),
        ("long sleeves", ["sleeve != long"], []),
        ("sleeves", ["sleeve = sleeveless"], []),  # what has none has a name
        ("trainers", ["category != sneakers"], []),
        ("lace", [], ["lace"]),
        ("side pockets or big buttons", [], ["side pockets", "big buttons"]),
        ("red stripes", [], ["red stripes"]),  # of something that need not be red
        ("leather strap", [], ["leather strap"]),
        ("red dress", [], ["red dress"]),  # a red shirt is welcome, and so is a blue dress
        ("black, leather", [], ["black, leather"]),
        ("under 50", [], ["under 50"]),
    ],
)
def test_a_text_for_minus_only_refuses(text: str, filters: list[str], avoided: list[str]) -> None:
    found = unwanted(text, SAMPLE)
    assert [str(demand) for demand in found.filters] == filters
    assert [one.text for one in found.avoided] == avoided
    assert found.boosts == ()


def test_stripes_are_refused_and_not_their_colour() -> None:
    found = understand("dress without red stripes", SAMPLE)
    assert [str(demand) for demand in found.filters] == ["category = dress"]
    assert [one.text for one in found.avoided] == ["red stripes"]


@given(st.text(max_size=40), st.sampled_from(sorted(VOCABULARIES)))
@settings(max_examples=200, deadline=None)
def test_whatever_is_not_wanted_is_refused_or_avoided(text: str, catalog: str) -> None:
    found = unwanted(text, VOCABULARIES[catalog])
    assert found.decisions
    assert all(
        one.op == "!=" or one.values == (False,) or one.said.startswith("without")
        for one in found.filters
    )


def test_what_a_field_tells_of_is_excluded_and_counted_so(client: SearchClient) -> None:
    options = SearchOptions(limit=48, understand="filter", facets=["colour"])
    answer = client.search(Query("dress", minus_texts=["red", "blue"]), None, options)
    assert {hit.product.attributes["colour"] for hit in answer.hits} == {"Green"}
    assert answer.facets["colour"] == (FacetCount("Green", answer.total),)
    assert answer.understanding
    assert [demand.key for demand in answer.understanding.filters] == [
        "category = Dress",
        "colour != Red",
        "colour != Blue",
    ]


def test_a_minus_is_understood_beside_a_product_and_beside_a_name(client: SearchClient) -> None:
    like = client.search(Query(products=["P-9"], minus_texts="blue"), None, UNDERSTOOD)
    assert {hit.product.attributes["colour"] for hit in like.hits} == {"Red", "Green"}
    named = client.search(Query("red dress number 9", minus_texts="blue"), None, UNDERSTOOD)
    assert named.hits[0].product.id == "P-9"
    assert named.total == 32  # the name itself is not understood


def test_a_minus_is_left_to_the_model_unless_texts_are_understood(client: SearchClient) -> None:
    answer = client.search(Query("dress", minus_texts="red"), None, SearchOptions(limit=48))
    assert answer.total == 48
    assert answer.understanding is None


@pytest.mark.parametrize("understand", ["filter", "boost"])
def test_a_minus_alone_lists_what_is_left(client: SearchClient, understand: Understand) -> None:
    options = SearchOptions(limit=48, understand=understand, sort="price")
    everything = client.search(Query(), None, options).hits
    answer = client.search(Query(minus_texts=["red", "lace"]), None, options)
    left = [hit.product.id for hit in everything if hit.product.attributes["colour"] != "Red"]
    assert [hit.product.id for hit in answer.hits] == left
    assert [hit.score for hit in answer.hits] == [0.0] * len(left)
    typed = client.search(Query("not red"), None, options)  # the same, and nothing to move up
    assert [hit.product.id for hit in typed.hits] == left


def test_minus_parts_alone_show_what_is_least_like_them_first(client: SearchClient) -> None:
    near = {hit.product.id: hit.score for hit in client.similar_to("P-9", limit=48).hits}
    far = client.search(Query(minus_products="P-9"), None, SearchOptions(limit=48)).hits
    scores = [hit.score for hit in far]
    assert scores == sorted(scores, reverse=True)
    assert {hit.product.id for hit in far} == set(near)  # all but P-9 itself
    for hit in far:
        assert hit.score == pytest.approx(-near[hit.product.id], abs=1e-3)
    unread = client.search(Query(minus_texts="red"), None, SearchOptions(limit=48))
    assert unread.total == 48
    assert unread.understanding is None


def test_a_minus_that_leaves_nothing_is_given_up_and_named(client: SearchClient) -> None:
    query = Query("dress", minus_texts=["red", "green", "blue"])
    answer = client.search(query, None, UNDERSTOOD)
    assert answer.total > 0
    assert {demand.op for demand in answer.relaxed} == {"!="}


def test_a_minus_is_taken_back_by_its_key(client: SearchClient) -> None:
    options = SearchOptions(limit=48, understand="filter", ignore=["colour != Red"])
    answer = client.search(Query("dress", minus_texts="red"), None, options)
    assert answer.total == 12


@pytest.mark.parametrize(
    "query", [Query("shop wear", minus_texts="checks"), Query("without checks")]
)
def test_what_is_called_so_comes_last(tmp_path: Path, query: Query) -> None:
    checked = make_home_with_plaid(tmp_path)
    with SearchClient(tmp_path / "index", device="cpu") as client:
        found = client.search(query, None, UNDERSTOOD)
    assert {hit.product.id for hit in found.hits[12:]} == checked
