"""Searching with what was understood: filters, boosts, and what is given up."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from goods.cli import main
from goods.errors import QueryError
from goods.index import FacetCount, open_index
from goods.product import point_id
from search import Filters, Query, SearchClient, SearchOptions
from search.live import CHECK_S, LiveCatalog
from search.understand.thesaurus import ThesaurusError
from served import make_home_with_plaid


def test_a_text_is_left_to_the_model_unless_it_is_asked_to_be_understood(
    client: SearchClient,
) -> None:
    answer = client.by_text("red dress under 30")
    assert answer.total == 48
    assert answer.understanding is None


def test_what_was_understood_filters_hits_total_and_facets(client: SearchClient) -> None:
    answer = client.by_text(
        "red dreses under 32", limit=48, facets=["colour", "category"], understand="filter"
    )
    assert answer.total == len(answer.hits) == 2
    for hit in answer.hits:
        assert hit.product.attributes["colour"] == "Red"
        assert hit.product.attributes["category"] == "Dress"
        assert float(str(hit.product.attributes["price"])) < 32
    assert answer.facets["colour"] == (FacetCount("Red", 2),)
    assert answer.understanding == client.understand("red dreses under 32")
    assert answer.relaxed == ()


def test_a_shops_own_filters_hold_beside_what_was_understood(client: SearchClient) -> None:
    filters = Filters(none_of={"colour": ["Red"]})
    answer = client.by_text("dress", filters, limit=48, understand="filter")
    assert answer.total == 8
    assert {hit.product.attributes["colour"] for hit in answer.hits} == {"Blue", "Green"}


def test_filters_that_leave_nothing_are_given_up_and_named(client: SearchClient) -> None:
    answer = client.by_text("red dress under 3", limit=48, understand="filter")
    assert [str(demand) for demand in answer.relaxed] == ["price < 3"]
    assert answer.total == 4
    filters = Filters(any_of={"colour": ["Blue"]})
    answer = client.by_text("red dress", filters, limit=48, understand="filter")
    assert [demand.field for demand in answer.relaxed] == ["colour"]
    assert {hit.product.attributes["category"] for hit in answer.hits} == {"Dress"}
    assert {hit.product.attributes["colour"] for hit in answer.hits} == {"Blue"}


def test_boosts_move_products_up_and_keep_the_others(client: SearchClient) -> None:
    answer = client.by_text("red dress not green", limit=48, understand="boost")
    assert answer.total == 48
    best = [hit.product.attributes for hit in answer.hits[:4]]
    assert all(a["colour"] == "Red" and a["category"] == "Dress" for a in best)
    pages = [
        client.by_text("red dress", limit=12, offset=12 * page, understand="boost").hits
        for page in range(4)
    ]
    assert len({hit.product.id for page in pages for hit in page}) == 48


def test_a_text_with_nothing_left_lists_what_holds(client: SearchClient) -> None:
    answer = client.by_text("under 30", limit=48, understand="filter")
    assert answer.total == len(answer.hits) == 20
    assert {hit.score for hit in answer.hits} == {0.0}


def test_the_name_of_a_product_is_not_understood(client: SearchClient) -> None:
    answer = client.by_text("red dress number 9", limit=1, understand="filter")
    assert answer.hits[0].product.id == "P-9"
    assert answer.understanding is None
    assert answer.total == 48


def test_like_this_picture_but_green(client: SearchClient, home: Path) -> None:
    query = Query(texts="in green, not bags", images=home / "shop/images/P-9.jpg")
    answer = client.search(query, options=SearchOptions(limit=48, understand="filter"))
    assert answer.total == 12
    assert {hit.product.attributes["colour"] for hit in answer.hits} == {"Green"}
    assert "Bag" not in {hit.product.attributes["category"] for hit in answer.hits}


def test_pages_by_cursor_follow_one_another(client: SearchClient) -> None:
    options = SearchOptions(limit=5, understand="filter")
    first = client.search(Query(texts="red things"), options=options)
    assert first.total == 16
    rest = SearchOptions(limit=48, understand="filter", cursor=first.next)
    second = client.search(Query(texts="red things"), options=rest)
    assert len({hit.product.id for hit in (*first.hits, *second.hits)}) == 16


def test_an_unknown_way_to_understand_is_refused() -> None:
    with pytest.raises(QueryError, match="one of filter, boost, off"):
        SearchOptions(understand="maybe")  # type: ignore[arg-type]  # that is the point


def test_the_vocabulary_follows_the_index(home: Path, tmp_path: Path) -> None:
    index = open_index(str(home / "index"))
    now = [0.0]
    words = LiveCatalog(index, clock=lambda: now[0])
    first = words.vocabulary()
    assert words.vocabulary() is first
    now[0] = CHECK_S
    assert words.vocabulary() is first, "nothing has changed"
    gone = index.fetch([point_id("P-47")], with_vectors=True)[0]
    index.delete([gone.id])
    assert words.vocabulary() is first, "not looked at yet"
    now[0] = 2 * CHECK_S
    assert words.vocabulary() is not first
    from goods.index import Point

    assert gone.vector is not None
    index.upsert([Point(gone.id, gone.vector, gone.payload)])
    index.close()


def test_a_missing_file_of_synonyms_releases_the_index(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ThesaurusError):
        SearchClient(home / "index", synonyms=tmp_path / "none.toml")
    SearchClient(home / "index").close()


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_understand_prints_the_decision_alone(home: Path) -> None:
    text = "crimson dresses under 50, no saree"
    code, out, err = invoke("understand", text, "--index", home / "index", "--json")
    assert code == 0, err
    assert json.loads(out) == {
        "text": "crimson dresses",
        "filters": [
            {
                "field": "colour",
                "op": "=",
                "value": ["Red"],
                "from": "crimson",
                "key": "colour = Red",
                "label": "Red",
            },
            {
                "field": "category",
                "op": "=",
                "value": ["Dress"],
                "from": "dresses",
                "key": "category = Dress",
                "label": "Dress",
            },
            {
                "field": "price",
                "op": "<",
                "value": 50.0,
                "from": "under 50",
                "key": "price < 50",
                "label": "price under 50",
            },
        ],
        "boosts": [],
        "substituted": [{"from": "crimson", "to": ["Red"], "why": "synonym"}],
        "not_carried": [{"from": "no saree", "why": "no value to exclude"}],
        "avoided": [{"text": "saree", "names": ["saree", "sari"], "key": "not saree"}],
    }
    code, out, _ = invoke("understand", text, "--index", home / "index")
    assert out.splitlines() == [
        "understood: colour = Red; category = Dress; price < 50",
        "moves down: saree",
        "substituted: crimson → Red",
        "not carried: no saree (no value to exclude)",
        "text: crimson dresses",
    ]


def test_search_says_what_it_understood_and_gave_up(home: Path) -> None:
    code, out, err = invoke("search", "red dress under 3", "--index", home / "index")
    assert code == 0, err
    assert out.splitlines()[:2] == [
        "understood: colour = Red; category = Dress; price < 3",
        "nothing holds to all of it, so given up: price < 3",
    ]
    code, out, _ = invoke("search", "red dress under 3", "--index", home / "index", "--json")
    answer = json.loads(out)
    assert answer["total"] == 4
    assert answer["understanding"]["text"] == "red dress"
    assert answer["relaxed"] == [
        {
            "field": "price",
            "op": "<",
            "value": 3.0,
            "from": "under 3",
            "key": "price < 3",
            "label": "price under 3",
        }
    ]


def test_a_shops_own_words_are_taken_from_a_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[colour]\nsame = ["lava = red"]\n', "utf-8")
    code, out, err = invoke(
        "search", "lava bag", "--index", home / "index", "--synonyms", tmp_path / "own.toml"
    )
    assert code == 0, err
    assert out.startswith("understood: colour = Red; category = Bag\nsubstituted: lava → Red\n")


def test_products_that_are_called_what_no_field_can_refuse_come_last(tmp_path: Path) -> None:
    checked = make_home_with_plaid(tmp_path)
    with SearchClient(tmp_path / "index", device="cpu") as client:
        said = SearchOptions(limit=24, understand="filter")
        found = client.search(Query("shop wear without checks"), None, said)
        ids = [hit.product.id for hit in found.hits]
        assert set(ids[12:]) == checked
        assert found.total == 24
        back = replace(said, ignore=["not checks"])
        taken_back = client.search(Query("shop wear without checks"), None, back)
    assert taken_back.understanding
    assert taken_back.understanding.avoided == ()
    assert {hit.product.id for hit in taken_back.hits[12:]} != checked
