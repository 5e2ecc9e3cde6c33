"""What a Qdrant server is told, in which order, over the life of a collection."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from points import CONTRACT, SCHEMA, point, points
from qdrant_stub import Fault, Stub, connect, serve

from goods.errors import IndexMissingError, IndexStoreError, ModelMismatchError
from goods.index import AnyOf, Exists, HasId, Not, Order, Range, SearchMode
from goods.index.server import ServerIndex
from goods.index.words import query_words

OTHER = replace(CONTRACT, stamp="stamp-2")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve(Stub()) as stub:
        yield stub


@pytest.fixture
def index(stub: Stub) -> Iterator[ServerIndex]:
    with closing(connect(stub)) as index:
        yield index


def test_a_collection_is_ready_before_its_first_point(stub: Stub, index: ServerIndex) -> None:
    index.create(CONTRACT)
    index.upsert(points(2))
    writes = [request for request in stub.requests if request.method != "GET"]
    assert [request.line for request in writes] == [
        "PUT /collections/products-0001",
        *["PUT /collections/products-0001/index"] * 4,
        "POST /collections/aliases",
        "PUT /collections/products-0001/points",
    ]
    created = writes[0].body
    assert created["vectors"] == {"size": 8, "distance": "Cosine"}
    assert created["sparse_vectors"] == {"words": {"modifier": "idf"}}
    assert created["hnsw_config"] == {"m": 0}
    assert created["quantization_config"]["scalar"]["type"] == "int8"
    assert created["quantization_config"]["scalar"]["always_ram"] is True
    assert created["strict_mode_config"] == {
        "enabled": True,
        "unindexed_filtering_retrieve": False,
        "search_allow_exact": True,
    }
    assert created["metadata"]["stamp"] == "stamp-1"
    assert [(w.body["field_name"], w.body["field_schema"]) for w in writes[1:5]] == [
        ("colour", "keyword"),
        ("tags", "keyword"),
        ("price_2", "float"),
        ("in-stock", "bool"),
    ]
    assert all(w.query["wait"] == ["true"] for w in (*writes[1:5], writes[6]))
    assert [p["id"] for p in writes[6].body["points"]] == [str(p.id) for p in points(2)]


def test_a_creation_whose_answer_was_lost_is_no_conflict(stub: Stub, index: ServerIndex) -> None:
    stub.fail("PUT /collections/products-0001$", Fault(0, is_done=True))
    index.create(CONTRACT)
    assert stub.aliases == {"products": "products-0001"}
    assert len(stub.lines("PUT /collections/products-0001$")) == 1


def test_a_first_load_that_stopped_goes_on_with_its_payload_indexes(
    stub: Stub, index: ServerIndex
) -> None:
    stub.fail("index$", *[Fault(503)] * 3)
    with pytest.raises(IndexStoreError):
        index.create(CONTRACT)
    with pytest.raises(IndexMissingError):
        index.count()
    asked = len(stub.requests)
    index.create(CONTRACT)
    assert list(stub.collections) == ["products-0001"]
    assert sum(r.line.endswith("/index") for r in stub.requests[asked:]) == 4


@pytest.mark.parametrize(
    "statuses",
    [
        ["green", "green"],
        ["yellow", "yellow", "green", "green"],
        ["green", "yellow", "green", "green"],  # a node of the cluster that was late
    ],
)
def test_sealing_restores_the_graph_and_waits_until_it_stays_green(
    stub: Stub, index: ServerIndex, statuses: list[str]
) -> None:
    index.create(CONTRACT)
    stub.statuses.extend(statuses)
    index.seal()
    assert not stub.statuses
    [graph, told] = [request.body for request in stub.requests if request.method == "PATCH"]
    assert graph == {"hnsw_config": {"m": 32, "ef_construct": 256}}
    assert list(told) == ["metadata"], "readers are told that it changed"


def test_a_server_that_waits_to_be_asked_is_asked_again(stub: Stub, index: ServerIndex) -> None:
    index.create(CONTRACT)
    stub.statuses.extend(["grey", "yellow", "green", "green"])
    index.seal()
    asked = [list(request.body) for request in stub.requests if request.method == "PATCH"]
    assert asked == [["hnsw_config"], ["hnsw_config"], ["metadata"]]


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (["yellow"] * 999, r"is still yellow after 0 s; it goes on by itself"),
        (["red"], r"cannot build its graph \(.*no space.*see the server's log"),
    ],
)
def test_a_graph_that_does_not_come_is_one_sentence(
    stub: Stub, index: ServerIndex, statuses: list[str], sentence: str
) -> None:
    index.create(CONTRACT)
    index.create(OTHER, rebuild=True)
    stub.statuses.extend(statuses)
    with pytest.raises(IndexStoreError, match=sentence):
        index.seal()
    stub.statuses.clear()
    assert stub.aliases == {"products": "products-0001"}, "the old one is still served"


def test_a_rebuild_ends_with_one_switch_and_the_old_collection_goes_after_it(
    stub: Stub, index: ServerIndex
) -> None:
    index.create(CONTRACT)
    stub.collections["products-0000"] = {"metadata": {}, "hnsw_config": {}}  # not ours
    stub.points["products-0000"] = {}
    index.create(OTHER, rebuild=True)
    index.upsert(points(1))
    assert stub.aliases == {"products": "products-0001"}
    index.seal()
    assert stub.aliases == {"products": "products-0002"}
    assert set(stub.collections) == {"products-0000", "products-0002"}
    assert stub.body("aliases") == {
        "actions": [
            {"delete_alias": {"alias_name": "products"}},
            {"create_alias": {"alias_name": "products", "collection_name": "products-0002"}},
        ]
    }
    lines = stub.lines("aliases$|DELETE")
    assert lines.index("DELETE /collections/products-0001") > lines.index(
        "POST /collections/aliases"
    )


def test_who_begins_a_collection_a_moment_after_another_process_shares_it(
    stub: Stub, index: ServerIndex
) -> None:
    stub.fail("PUT .*/products-0001$", Fault(409, "already exists", is_done=True))
    index.create(CONTRACT)
    index.upsert(points(2))
    assert (index.count(), list(stub.collections)) == (2, ["products-0001"])


def test_who_looked_before_another_process_served_its_collection_shares_it(
    stub: Stub, index: ServerIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.create(CONTRACT)
    index.upsert(points(2))
    with closing(connect(stub)) as late:
        monkeypatch.setattr(late._collections, "claim", lambda: None)
        late.create(CONTRACT)
        assert late.count() == 2
        with pytest.raises(ModelMismatchError):
            late.create(OTHER)
    assert (index.count(), list(stub.collections)) == (2, ["products-0001"])


def test_what_an_interrupted_switch_left_behind_is_removed_by_the_next_seal(
    stub: Stub, index: ServerIndex
) -> None:
    index.create(CONTRACT)
    index.create(OTHER, rebuild=True)
    stub.fail("DELETE", *[Fault(503)] * 3)
    with pytest.raises(IndexStoreError):
        index.seal()
    with closing(connect(stub)) as again:
        again.create(OTHER)
        again.seal()
    assert list(stub.collections) == ["products-0002"]


@pytest.mark.parametrize("is_rebuild", [False, True])
@pytest.mark.parametrize("alias", [{}, {"products": "theirs"}, {"products": "products-0007"}])
def test_other_peoples_collections_are_left_alone(
    stub: Stub, index: ServerIndex, alias: dict[str, str], is_rebuild: bool
) -> None:
    name = alias.get("products", "products")
    stub.collections[name] = {"metadata": {"owner": "them"}, "hnsw_config": {}}
    stub.points[name] = {}
    stub.aliases |= alias
    with pytest.raises(IndexStoreError, match=r"goods did not make; choose another name"):
        index.create(CONTRACT, rebuild=is_rebuild)
    assert list(stub.collections) == [name]
    assert stub.aliases == alias


def test_a_collection_that_went_away_says_to_open_the_index_again(
    stub: Stub, index: ServerIndex
) -> None:
    index.create(CONTRACT)
    del stub.collections["products-0001"]
    with pytest.raises(IndexStoreError, match=r"products-0001.*open the index again"):
        index.count()


def test_a_new_field_is_indexed_before_the_contract_names_it(
    stub: Stub, index: ServerIndex
) -> None:
    index.create(replace(CONTRACT, schema=replace(SCHEMA, fields=SCHEMA.fields[:2])))
    before = len(stub.lines("index$"))
    index.create(CONTRACT)
    names = [r.body["field_name"] for r in stub.requests if r.line.endswith("/index")][before:]
    assert names == ["colour", "tags", "price_2", "in-stock"]
    assert stub.lines("index$|PATCH")[-1] == "PATCH /collections/products-0001"
    assert stub.collections["products-0001"]["metadata"] == CONTRACT.to_json()


KNOWN_TO_1_16 = {
    "actions", "alias_name", "collection_name", "create_alias", "delete_alias",
    "distance", "size", "vectors", "", "words", "modifier", "sparse_vectors",
    "ef_construct", "hnsw_config", "m",
    "always_ram", "quantile", "quantization_config", "scalar", "type",
    "indexing_threshold", "optimizers_config",
    "enabled", "search_allow_exact", "strict_mode_config", "unindexed_filtering_retrieve",
    "metadata",
    "field_name", "field_schema",
    "direction", "indices", "order_by", "using", "values",
    "id", "ids", "payload", "points", "vector", "with_payload", "with_vector",
    "exact", "filter", "key", "limit", "offset", "params", "query",
    "gt", "gte", "has_id", "is_empty", "lt", "lte", "match", "must", "must_not", "nearest", "range",
    "should", "value",
    "acorn", "enable", "hnsw_ef", "max_selectivity", "oversampling", "quantization", "rescore",
}  # fmt: skip


def test_nothing_is_sent_that_the_oldest_server_does_not_know(
    stub: Stub, index: ServerIndex
) -> None:
    index.create(CONTRACT)
    index.create(OTHER, rebuild=True)
    index.upsert(points(3))
    conditions = [
        AnyOf("colour", ("Red", "Blue")),
        AnyOf("colour", ()),
        AnyOf("in-stock", (True,)),
        AnyOf("price_2", (1.0,)),
        Range("price_2", gt=1, gte=1, lt=2, lte=2),
        Exists("tags"),
        Not(HasId((point(1).id,))),
    ]
    for mode in (None, SearchMode(is_exact=True), SearchMode(use_acorn=True)):
        index.search(point(1).vector, 3, offset=1, conditions=conditions, mode=mode)
    index.search_words(query_words("red dress"), 3, conditions=conditions, with_vectors=True)
    index.listed(3, conditions=conditions, order=Order("price_2", is_descending=True))
    index.facet("colour", conditions)
    index.fetch([point(1).id], with_vectors=True)
    list(index.scan(with_vectors=True))
    index.delete([point(1).id])
    index.seal()
    sent = {key for request in stub.requests for key in keys(request.body)}
    assert sent == KNOWN_TO_1_16


def keys(body: Any) -> Iterator[str]:
    """The names of all fields in a request; what is inside payload and metadata is data."""
    if isinstance(body, list):
        for item in body:
            yield from keys(item)
    elif isinstance(body, dict):
        yield from body
        for name, value in body.items():
            if name not in ("payload", "metadata"):
                yield from keys(value)
