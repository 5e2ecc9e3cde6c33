"""Rankings by words, numbers, groups and diversity, and their pages, in both homes of an index."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from homes import HOMES, new_home
from hypothesis import given
from hypothesis import strategies as st
from points import CONTRACT, SCHEMA, point

from goods.errors import QueryError
from goods.index import Exists, Order, VectorIndex
from goods.schema import Field, FieldKind
from search.client import SearchClient
from search.cursor import MAX_SHOWN, Cursor
from search.filters import Filters
from search.options import SearchOptions
from search.query import Query
from search.ranking import by_likeness, by_likeness_and_words, by_number, diverse, is_named, listed

COUNT = 90
STYLED = replace(
    SCHEMA,
    title="title",
    group="style",
    fields=(*SCHEMA.fields, Field("brand", FieldKind.KEYWORD, "brand")),
)


def styled(number: int) -> Any:
    """A point with a title; two in three share their style with two others."""
    made = point(number)
    made.payload["title"] = f"Model {number} {made.payload['colour']} shirt"
    made.payload["brand"] = "Acme" if number == 50 else "Other"
    if number % 3:
        made.payload["group"] = f"style {number // 9}-{number % 3}"
    return made


@pytest.fixture(params=HOMES)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    made = new_home(request.param, tmp_path / "index")
    made.create(replace(CONTRACT, schema=STYLED))
    made.upsert([styled(number) for number in range(COUNT)])
    yield made
    made.close()


@pytest.fixture
def client(index: VectorIndex) -> SearchClient:
    return SearchClient(index)


VECTOR = point(1000).vector


@pytest.mark.parametrize("text", ["p33", "P33", "Model 33 Red shirt", " model 33  RED shirt "])
def test_an_id_or_a_title_finds_its_product_first(index: VectorIndex, text: str) -> None:
    best = by_likeness_and_words(index, VECTOR, text, ())(10)[0]
    assert best.payload["id"] == "p33"
    assert best.words == 1
    cosine = float(point(33).vector @ VECTOR)
    assert best.cosine == pytest.approx(cosine, abs=1e-5)


def test_a_brand_comes_before_what_only_looks_right(index: VectorIndex) -> None:
    ranked = by_likeness_and_words(index, VECTOR, "acme", ())(10)
    assert ranked[0].payload["id"] == "p50"
    alike = [r.payload["id"] for r in by_likeness(index, VECTOR, ())(10)]
    assert [r.payload["id"] for r in ranked[1:11] if r.payload["id"] != "p50"][:9] == [
        i for i in alike if i != "p50"
    ][:9]


def test_words_that_no_product_has_leave_the_order_of_likeness(index: VectorIndex) -> None:
    hybrid = by_likeness_and_words(index, VECTOR, "zzz", ())(COUNT)
    plain = by_likeness(index, VECTOR, ())(COUNT)
    assert [r.id for r in hybrid[:40]] == [r.id for r in plain[:40]]
    assert {r.words for r in hybrid} == {0.0}


def test_a_deep_hybrid_ranking_has_every_product_once(index: VectorIndex) -> None:
    ids = [r.id for r in by_likeness_and_words(index, VECTOR, "red shirt", ())(COUNT + 1)]
    assert len(ids) == len(set(ids)) == COUNT


def test_sorting_a_query_keeps_its_best_products_that_have_the_number(index: VectorIndex) -> None:
    ranked = by_number(by_likeness(index, VECTOR, ()), Order("price_2", is_descending=True))(5)
    prices = [r.payload["price_2"] for r in ranked]
    assert prices == [float(n) for n in reversed(range(COUNT)) if n % 5]


def test_without_a_query_everything_is_listed_by_a_number(index: VectorIndex) -> None:
    ranked = listed(index, [Exists("price_2")], Order("price_2"))(COUNT)
    assert [r.payload["price_2"] for r in ranked] == [float(n) for n in range(COUNT) if n % 5]


def test_diverse_hits_are_less_alike(index: VectorIndex) -> None:
    def likeness(diversity: float) -> float:
        ranked = diverse(by_likeness(index, VECTOR, (), keep=True), diversity)(COUNT)
        assert len({r.id for r in ranked}) == COUNT
        vectors = np.stack([r.vector for r in ranked[:10] if r.vector is not None])
        assert ranked[0].id == by_likeness(index, VECTOR, ())(1)[0].id
        return float((vectors @ vectors.T)[np.triu_indices(10, 1)].mean())

    assert likeness(0.0) > likeness(0.5) > likeness(0.9)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        (Query(products="p1"), SearchOptions()),
        (Query(products="p1", minus_products="p7"), SearchOptions(diversity=0.4)),
        (Query(products="p1"), SearchOptions(sort="-price_2")),
        (Query(), SearchOptions(sort="price_2")),
        (Query(), SearchOptions()),
    ],
)
@pytest.mark.parametrize("by_group", [False, True])
def test_pages_show_everything_once(
    client: SearchClient, query: Query, options: SearchOptions, by_group: bool
) -> None:
    options = replace(options, limit=7, by_group=by_group)
    pages = list(turned(client, query, options))
    shown = [hit for page in pages for hit in page]
    whole = client.search(query, options=replace(options, limit=COUNT)).hits
    assert [hit.product for hit in shown] == [hit.product for hit in whole]
    assert [hit.variant_count for hit in shown] == [hit.variant_count for hit in whole]
    assert all(len(page) == 7 for page in pages[:-1])
    keys = [hit.product.group if by_group else None for hit in shown]
    names = [key or hit.product.id for key, hit in zip(keys, shown, strict=True)]
    assert len(names) == len(set(names))


def turned(client: SearchClient, query: Query, options: SearchOptions) -> Iterator[Any]:
    """All pages of an answer."""
    cursor = None
    while True:
        answer = client.search(query, options=replace(options, cursor=cursor))
        yield answer.hits
        cursor = answer.next
        if cursor is None:
            return


@pytest.mark.parametrize("by_group", [False, True])
@pytest.mark.parametrize("query", [Query(products="p1"), Query()])
def test_nothing_is_shown_twice_or_left_out_while_the_index_changes(
    client: SearchClient, query: Query, by_group: bool
) -> None:
    chance = np.random.default_rng(0)
    shown: list[str] = []
    options = SearchOptions(limit=12, by_group=by_group, sort=None if query.products else "price_2")
    for hits in turned(client, query, options):
        shown += [(by_group and hit.product.group) or hit.product.id for hit in hits]
        moved = [styled(int(number)) for number in chance.integers(2, COUNT, 10)]
        vectors = [point(int(seed)).vector for seed in chance.integers(1000, 2000, 10)]
        changed = [replace(p, vector=v) for p, v in zip(moved, vectors, strict=True)]
        for p in changed:
            if "price_2" in p.payload:
                p.payload["price_2"] = float(chance.integers(100))
        new = [styled(int(number)) for number in chance.integers(COUNT, 2 * COUNT, 1)]
        client.index.upsert(changed + new)
    assert len(shown) == len(set(shown))
    records = [r.payload for r in client.index.scan()]
    own = styled(1).payload["group"]
    wanted = [p for p in records if (p.get("group") != own if query.products else "price_2" in p)]
    stayed = [p for p in wanted if int(p["id"][1:]) < COUNT]
    expected = {(by_group and p.get("group")) or p["id"] for p in stayed}
    assert expected <= set(shown)


def test_a_group_is_shown_by_its_best_product_with_the_others_beside_it(
    client: SearchClient,
) -> None:
    filters = Filters(none_of={"colour": ["Blue"]})
    options = SearchOptions(limit=COUNT, by_group=True)
    for hit in client.search(Query(products="p0"), filters, options).hits:
        group = hit.product.group
        assert hit.variant_count == len(hit.variants) == (0 if group is None else 2)
        assert {v.group for v in hit.variants} <= {group}
        assert "Blue" not in {v.attributes["colour"] for v in hit.variants}
        assert hit.product.id not in {v.id for v in hit.variants}


def test_products_like_one_leave_out_its_variants_unless_asked(client: SearchClient) -> None:
    own = {f"p{n}" for n in range(COUNT) if styled(n).payload.get("group") == "style 0-1"}
    plain = client.search(Query(products="p1"), options=SearchOptions(limit=COUNT))
    assert own & {hit.product.id for hit in plain.hits} == set()
    assert plain.total == COUNT - 3
    wide = client.search(
        Query(products="p1"), options=SearchOptions(limit=COUNT, include_variants=True)
    )
    assert own & {hit.product.id for hit in wide.hits} == own - {"p1"}


def test_several_products_and_minus_products_are_summed(client: SearchClient) -> None:
    query = Query(products=["p1", "p2"], minus_products="p3", minus_weight=0.25)
    vector = point(1).vector + point(2).vector - 0.25 * point(3).vector
    vector /= np.linalg.norm(vector)
    hit = client.search(query, options=SearchOptions(limit=1)).hits[0]
    number = int(hit.product.id[1:])
    assert number not in (1, 2, 3)
    assert hit.score == pytest.approx(float(point(number).vector @ vector), abs=1e-5)


def test_a_query_that_takes_back_what_it_says_is_refused(client: SearchClient) -> None:
    with pytest.raises(QueryError, match="are the same"):
        client.search(Query(products="p1", minus_products="p1", minus_weight=1))


def test_a_cursor_is_good_for_its_own_question_only(client: SearchClient) -> None:
    options = SearchOptions(limit=3)
    cursor = client.search(Query(products="p1"), options=options).next
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()
    for query, filters, changed in [
        (Query(products="p2"), None, options),
        (Query(products="p1"), Filters(exists=["colour"]), options),
        (Query(products="p1"), None, replace(options, by_group=True)),
    ]:
        with pytest.raises(QueryError, match="belongs to another search"):
            client.search(query, filters, replace(changed, cursor=cursor))
    longer = client.search(Query(products="p1"), options=SearchOptions(limit=9, cursor=cursor))
    assert len(longer.hits) == 9, "the length of a page may change"


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="begin again without one"):
        Cursor.parse(text, b"abcd")


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20), st.integers(0, 200))
def test_a_cursor_reads_back_and_one_that_was_cut_does_not(shown: list[int], cut: int) -> None:
    text = str(Cursor(b"abcd", shown))
    assert list(Cursor.parse(text, b"abcd").shown) == shown
    if cut < len(text):
        with pytest.raises(QueryError):
            Cursor.parse(text[:cut], b"abcd")


def test_a_cursor_of_the_longest_answer_fits_into_a_url() -> None:
    assert len(str(Cursor(b"abcd", range(MAX_SHOWN)))) < 11_000


def test_only_a_whole_title_names_a_product() -> None:
    payload = {"id": "83-A", "title": "Red dress"}
    assert is_named(payload, "red  DRESS")
    assert is_named(payload, "83-a")
    assert not is_named(payload, "dress")
