"""One suite for every home of the index: what holds for one has to hold for the other."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from homes import server_double
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from points import COLOURS, CONTRACT, SCHEMA, point, points
from qdrant_client import QdrantClient

from goods.errors import (
    FilterError,
    IndexMissingError,
    IndexStoreError,
    ModelMismatchError,
    SchemaError,
)
from goods.index import (
    AnyOf,
    Condition,
    Contract,
    Exists,
    FacetCount,
    HasId,
    Not,
    Order,
    Point,
    Range,
    SearchMode,
    VectorIndex,
)
from goods.index.edge import EdgeIndex
from goods.index.words import query_words
from goods.product import point_id
from goods.schema import Field, FieldKind

Open = Callable[[], VectorIndex]


@pytest.fixture(params=["edge", "server"])
def open_home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same index again and again, one at a time."""
    opened: list[VectorIndex] = []
    client = QdrantClient(":memory:")

    def open_again() -> VectorIndex:
        if request.param == "server":
            opened.append(server_double(client))
            return opened[-1]
        for index in opened:
            index.close()
        opened.append(EdgeIndex(tmp_path / "index"))
        return opened[-1]

    yield open_again
    for index in opened:
        index.close()
    client.close()


@pytest.fixture
def index(open_home: Open) -> VectorIndex:
    """An index of 60 points, for tests that change it."""
    return filled(open_home())


@pytest.fixture(scope="module", params=["edge", "server"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VectorIndex]:
    """An index of 60 points, for tests that only read it."""
    if request.param == "edge":
        index: VectorIndex = EdgeIndex(tmp_path_factory.mktemp("shared") / "index")
    else:
        index = server_double(QdrantClient(":memory:"))
    yield filled(index)
    index.close()


def filled(index: VectorIndex) -> VectorIndex:
    index.create(CONTRACT)
    index.upsert(points(60))
    return index


def holds(payload: dict[str, object], condition: Condition) -> bool:
    """The oracle: what a condition means."""
    match condition:
        case Not(inner):
            return not holds(payload, inner)
        case HasId(ids):
            return point_id(str(payload["id"])) in ids
        case Exists(field):
            return field in payload
        case AnyOf(field, values):
            value = payload.get(field)
            have = value if isinstance(value, list) else [value]
            return any(
                h == v and isinstance(h, bool) == isinstance(v, bool) for h in have for v in values
            )
        case Range(field, gt, gte, lt, lte):
            number = payload.get(field)
            if not isinstance(number, float):
                return False
            return (
                (gt is None or number > gt)
                and (gte is None or number >= gte)
                and (lt is None or number < lt)
                and (lte is None or number <= lte)
            )


conditions = st.one_of(
    st.builds(
        AnyOf,
        st.just("colour"),
        st.lists(st.sampled_from((*COLOURS, "Pink"))).map(tuple),
    ),
    st.builds(AnyOf, st.just("tags"), st.just(("new",))),
    st.builds(AnyOf, st.just("in-stock"), st.sampled_from([(True,), (False,), (True, False)])),
    st.builds(AnyOf, st.just("price_2"), st.lists(st.sampled_from([1.0, 7.0, 99.0])).map(tuple)),
    st.builds(Range, st.just("price_2"), gte=st.floats(0, 60), lt=st.floats(0, 60)),
    st.builds(Range, st.just("price_2"), gt=st.floats(0, 60), lte=st.none() | st.floats(0, 60)),
    st.builds(Range, st.just("price_2")),
    st.builds(Exists, st.sampled_from(["price_2", "colour"])),
    st.builds(HasId, st.lists(st.integers(0, 70).map(lambda n: point_id(f"p{n}"))).map(tuple)),
)
conditions = conditions | conditions.map(Not)


def test_an_index_that_was_never_created_says_how_to_make_one(open_home: Open) -> None:
    index = open_home()
    with pytest.raises(IndexMissingError, match="goods ingest"):
        index.count()
    with pytest.raises(IndexMissingError, match="goods ingest"):
        _ = index.contract


def test_what_was_written_is_there_after_reopening(index: VectorIndex, open_home: Open) -> None:
    again = open_home()
    assert again.contract == CONTRACT
    assert again.count() == 60
    [record] = again.fetch([point_id("p7")], with_vectors=True)
    assert record.payload == point(7).payload
    assert record.vector is not None
    np.testing.assert_allclose(record.vector, point(7).vector, atol=1e-6)
    assert again.info().points == 60


def test_search_ranks_by_cosine(shared: VectorIndex) -> None:
    query = point(1000).vector
    expected = sorted(points(60), key=lambda p: -float(p.vector @ query))
    found = shared.search(query, 7, offset=3)
    assert [hit.id for hit in found] == [p.id for p in expected[3:10]]
    for hit, p in zip(found, expected[3:10], strict=True):
        assert hit.score == pytest.approx(float(p.vector @ query), abs=1e-5)


def test_a_hit_brings_its_vector_when_asked(shared: VectorIndex) -> None:
    [hit] = shared.search(point(7).vector, 1, with_vectors=True)
    assert hit.vector is not None
    np.testing.assert_allclose(hit.vector, point(7).vector, atol=1e-6)
    assert shared.search(point(7).vector, 1)[0].vector is None


def test_words_find_an_id_first_and_rare_words_before_common_ones(shared: VectorIndex) -> None:
    found = shared.search_words(query_words("sale P7"), 60, with_vectors=True)
    assert found[0].payload["id"] == "p7"
    assert len(found) == 60, "all are on sale"
    assert found[0].score > 2 * found[1].score > 0
    assert found[0].vector is not None
    np.testing.assert_allclose(found[0].vector, point(7).vector, atol=1e-6)
    red = shared.search_words(query_words("sale P7"), 60, conditions=[AnyOf("colour", ("Red",))])
    assert {hit.payload["colour"] for hit in red} == {"Red"}


def test_words_that_no_product_has_find_nothing(shared: VectorIndex) -> None:
    assert shared.search_words(query_words("zzz"), 5) == []
    assert shared.search_words(query_words("!?"), 5) == []
    assert shared.search_words(query_words("p7"), 0) == []


@pytest.mark.parametrize("is_descending", [False, True])
def test_products_are_listed_by_a_number_that_they_have(
    shared: VectorIndex, is_descending: bool
) -> None:
    conditions = [AnyOf("colour", ("Red",))]
    order = Order("price_2", is_descending)
    records = shared.listed(100, conditions=conditions, order=order)
    prices = [record.payload["price_2"] for record in records]
    wanted = [float(n) for n in range(0, 60, 3) if n % 5]
    assert prices == sorted(wanted, reverse=is_descending)
    assert [r.payload["price_2"] for r in shared.listed(3, order=order)] == (
        [59.0, 58.0, 57.0] if is_descending else [1.0, 2.0, 3.0]
    )
    assert shared.listed(0) == []


def test_products_are_listed_by_id_without_an_order(shared: VectorIndex) -> None:
    ids = [record.id for record in shared.listed(100)]
    assert ids == sorted(point.id for point in points(60))
    assert [record.id for record in shared.listed(7)] == ids[:7]


def test_variants_are_found_by_their_group(open_home: Open) -> None:
    index = open_home()
    index.create(replace(CONTRACT, schema=replace(SCHEMA, group="style")))
    variants = points(6)
    for number, variant in enumerate(variants):
        variant.payload["group"] = f"style {number % 2}"
    index.upsert(variants)
    assert index.count([AnyOf("group", ("style 1",))]) == 3
    assert {f.value: f.count for f in index.facet("group")} == {"style 0": 3, "style 1": 3}


def test_notes_are_kept_with_the_index(index: VectorIndex, open_home: Open) -> None:
    assert index.read_note("tuning") is None
    index.write_note("tuning", {"ef": 100})
    index.write_note("other", {"a": [1.5, None, "x"]})
    index.write_note("tuning", {"ef": 200})
    again = open_home()
    assert again.read_note("tuning") == {"ef": 200}
    assert again.read_note("other") == {"a": [1.5, None, "x"]}
    assert again.contract == CONTRACT
    again.create(CONTRACT)
    again.seal()
    assert again.read_note("tuning") == {"ef": 200}


def test_a_limit_of_zero_finds_nothing(shared: VectorIndex) -> None:
    assert shared.search(point(1).vector, 0) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wanted=st.lists(conditions, max_size=3))
def test_conditions_mean_the_same_in_every_home(
    shared: VectorIndex, wanted: list[Condition]
) -> None:
    expected = {p.payload["id"] for p in points(60) if all(holds(p.payload, c) for c in wanted)}
    found = shared.search(point(3).vector, 100, conditions=wanted)
    assert {hit.payload["id"] for hit in found} == expected
    assert shared.count(wanted) == len(expected)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (AnyOf("colour", ()), 0),
        (Not(AnyOf("colour", ())), 60),
        (HasId(()), 0),
        (Not(HasId(())), 60),
        (Range("price_2"), 48),
        (Not(Range("price_2")), 12),
    ],
)
def test_a_condition_without_values_leaves_nothing_and_one_without_bounds_any_number(
    shared: VectorIndex, condition: Condition, count: int
) -> None:
    assert shared.count([condition]) == count


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_nothing_compares_with_are_refused(number: float) -> None:
    with pytest.raises(FilterError, match=r"price: .* leave it out"):
        Range("price", lt=number)
    with pytest.raises(FilterError, match=r"price: .* leave it out"):
        AnyOf("price", (1.0, number))


def test_awkward_payloads_come_back_as_they_were(index: VectorIndex) -> None:
    payload = point(1).payload | {
        "id": "Größe/№ 1 👗",
        "title": "long " * 2000,
        "colour": 'Bl"au, \\ türkis',
        "texts": {"Größe-2 .x": "Zeile\nzwei"},
    }
    awkward = Point(point_id(payload["id"]), point(1).vector, payload)
    index.upsert([awkward])
    assert index.fetch([awkward.id])[0].payload == payload
    assert index.count([AnyOf("colour", ('Bl"au, \\ türkis',))]) == 1


def test_upserting_again_replaces(index: VectorIndex) -> None:
    changed = point(4)
    changed.payload["colour"] = "Pink"
    index.upsert([changed])
    assert index.count() == 60
    assert index.fetch([changed.id])[0].payload["colour"] == "Pink"
    assert index.count([AnyOf("colour", ("Pink",))]) == 1


def test_deleted_points_are_gone_and_unknown_ids_are_no_error(index: VectorIndex) -> None:
    index.delete([point_id("p1"), uuid4()])
    index.delete([])
    index.upsert([])
    assert index.count() == 59
    assert index.fetch([point_id("p1")]) == []


def test_facets_count_what_the_conditions_leave(shared: VectorIndex) -> None:
    everything = shared.facet("colour")
    assert sorted(everything, key=lambda f: str(f.value)) == [
        FacetCount("Blue", 20),
        FacetCount("Green", 20),
        FacetCount("Red", 20),
    ]
    red = shared.facet("in-stock", [AnyOf("colour", ("Red",))])
    assert {f.value: f.count for f in red} == {True: 15, False: 5}
    assert len(shared.facet("colour", limit=2)) == 2


def test_a_part_of_the_payload_can_be_read(shared: VectorIndex) -> None:
    [part] = shared.fetch([point_id("p7")], keys=["id", "goods"])
    assert part.payload == {"id": "p7", "goods": {"picture": "a", "payload": "b"}}
    [none] = shared.fetch([point_id("p7")], keys=[])
    assert none.payload == {}
    assert {r.payload["colour"] for r in shared.scan(keys=["colour"])} == set(COLOURS)
    assert not any(r.payload for r in shared.scan(keys=()))


def test_scan_gives_every_point_once(shared: VectorIndex) -> None:
    records = list(shared.scan(batch=7, with_vectors=True))
    assert len(records) == 60
    assert {record.id for record in records} == {p.id for p in points(60)}
    assert all(record.vector is not None for record in records)


def test_an_estimate_is_no_further_off_than_the_size_of_the_index(shared: VectorIndex) -> None:
    assert 0 <= shared.count([AnyOf("colour", ("Red",))], exact=False) <= 60
    assert shared.count(exact=False) == 60


def test_a_search_can_be_told_how(shared: VectorIndex) -> None:
    query = point(5).vector
    exact = shared.search(query, 5, mode=SearchMode(is_exact=True))
    graph = shared.search(query, 5, mode=SearchMode(use_acorn=True))
    assert [hit.id for hit in exact] == [hit.id for hit in graph]


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        (np.full(8, np.nan, dtype=np.float32), "length nan"),
        (np.ones(8, dtype=np.float32), "length 2.8"),
        (np.ones(3, dtype=np.float32), "shape"),
        (np.zeros(8, dtype=np.float32), r"length 0"),
    ],
)
def test_vectors_that_could_never_be_found_are_refused(
    shared: VectorIndex, vector: np.ndarray, reason: str
) -> None:
    with pytest.raises(IndexStoreError, match=rf"product p5: .*{reason}"):
        shared.upsert([replace(point(5), vector=vector)])
    assert shared.count() == 60


def test_another_models_vectors_are_refused_with_what_to_do(
    index: VectorIndex, open_home: Open
) -> None:
    other = replace(CONTRACT, stamp="stamp-2", model="other")
    with pytest.raises(ModelMismatchError, match=r"made by tiny .*not by other.*--rebuild"):
        index.create(other)
    assert open_home().count() == 60


def test_a_new_field_is_added_without_losing_anything(index: VectorIndex, open_home: Open) -> None:
    wider = replace(SCHEMA, fields=(*SCHEMA.fields, Field("size", FieldKind.KEYWORD, "size")))
    index.create(replace(CONTRACT, schema=wider))
    sized = point(61)
    sized.payload["size"] = "XL"
    index.upsert([sized])
    assert index.contract.schema == wider
    again = open_home()
    assert again.contract.schema == wider
    assert again.count([AnyOf("size", ("XL",))]) == 1
    assert again.facet("size") == [FacetCount("XL", 1)]
    assert again.count() == 61


def test_a_field_that_is_compared_in_another_way_is_refused(index: VectorIndex) -> None:
    kinds = [
        replace(f, kind=FieldKind.KEYWORD) if f.name == "price_2" else f for f in SCHEMA.fields
    ]
    other = replace(CONTRACT, schema=replace(SCHEMA, fields=tuple(kinds)))
    with pytest.raises(SchemaError, match=r"price_2 is a number .*looks like a keyword.*--schema"):
        index.create(other)
    assert index.contract == CONTRACT


def test_a_rebuild_is_served_only_when_sealed(index: VectorIndex, open_home: Open) -> None:
    other = replace(CONTRACT, stamp="stamp-2", model="other")
    index.create(other, rebuild=True)
    index.upsert(points(5))
    assert index.count() == 5
    before = open_home()
    assert before.contract.stamp == "stamp-1"
    assert before.count() == 60
    before.create(other, rebuild=True)
    assert before.count() == 5, "an unfinished rebuild is taken up again"
    before.upsert(points(2, first=5))
    before.seal()
    assert before.count() == 7
    after = open_home()
    assert after.contract.stamp == "stamp-2"
    assert after.count() == 7


def test_a_rebuild_under_other_terms_starts_from_nothing(index: VectorIndex) -> None:
    index.create(replace(CONTRACT, stamp="stamp-2"), rebuild=True)
    index.upsert(points(5))
    index.create(replace(CONTRACT, stamp="stamp-3"), rebuild=True)
    assert index.count() == 0


def test_going_on_without_rebuild_goes_on_with_what_is_served(index: VectorIndex) -> None:
    index.create(replace(CONTRACT, stamp="stamp-2"), rebuild=True)
    index.upsert(points(5))
    index.create(CONTRACT)
    assert index.contract.stamp == "stamp-1"
    assert index.count() == 60


def test_an_index_of_another_layout_is_refused_until_it_is_rebuilt(
    index: VectorIndex, open_home: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = replace(CONTRACT, layout=99)
    monkeypatch.setattr("goods.index.contract.LAYOUT", 99)
    index.create(newer, rebuild=True)
    index.seal()
    monkeypatch.undo()
    again = open_home()
    with pytest.raises(IndexStoreError, match=r"layout 99.*--rebuild"):
        again.count()
    with pytest.raises(IndexStoreError, match=r"layout 99.*--rebuild"):
        again.create(CONTRACT)
    again.create(CONTRACT, rebuild=True)
    again.upsert(points(3))
    again.seal()
    assert open_home().count() == 3


def test_a_closed_index_says_that_it_is_closed(index: VectorIndex) -> None:
    index.close()
    index.close()
    for use in (index.count, index.info, index.seal, lambda: index.create(CONTRACT)):
        with pytest.raises(IndexStoreError, match="was closed; open it again"):
            use()


def test_info_says_what_is_where(shared: VectorIndex) -> None:
    info = shared.info()
    assert info.engine.startswith("Qdrant")
    assert info.points == 60
    assert info.contract == CONTRACT


def test_a_contract_survives_json() -> None:
    assert Contract.from_json(json.loads(json.dumps(CONTRACT.to_json())), "x") == CONTRACT


@pytest.mark.parametrize(
    "data", [{}, [], None, {"layout": "x"}, CONTRACT.to_json() | {"schema": 1}]
)
def test_what_is_no_contract_is_no_index_of_goods(data: Any) -> None:
    with pytest.raises(IndexStoreError, match="shop is not an index made by goods"):
        Contract.from_json(data, "shop")


def test_ids_are_a_pure_function_of_the_shops_id() -> None:
    assert point_id("83-A") == UUID("27bc55e0-fc66-5661-bb81-7ba1d1ba0530")
    assert point_id("83-a") != point_id("83-A")
