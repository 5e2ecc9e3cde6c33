"""What a client knows of an index follows what others write to it, without being opened again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from homes import HOMES, new_home, server_double
from points import CONTRACT, point, points
from qdrant_client import QdrantClient
from qdrant_stub import Stub, connect, serve

from goods.errors import FilterError
from goods.index import Exists, Point, SearchMode, VectorIndex
from goods.index.planner import TUNING_NOTE, Tuning
from search import Filters, SearchClient
from search import live as search_live
from search.live import CHECK_S, LiveCatalog
from search.relevance import RELEVANCE_NOTE, Background


@pytest.fixture
def server() -> Iterator[QdrantClient]:
    with closing(QdrantClient(":memory:")) as server:
        yield server


@pytest.fixture
def writer(server: QdrantClient) -> VectorIndex:
    """An index of six products, none of them teal."""
    index = server_double(server)
    index.create(CONTRACT)
    index.upsert(points(6))
    index.seal()
    return index


def teal(number: int) -> Point:
    before = point(number)
    return replace(before, payload={**before.payload, "colour": "Teal"})


def test_a_value_that_is_newer_than_the_client_can_be_filtered_by(
    server: QdrantClient, writer: VectorIndex
) -> None:
    client = SearchClient(server_double(server))
    assert client.facets(["tags"], Filters.parse(["colour=Red"])).values["tags"]
    with pytest.raises(FilterError, match="has no value 'Teal'; the values are: Blue, Green, Red"):
        client.facets(["tags"], Filters.parse(["colour=Teal"]))
    writer.upsert([teal(1)])
    for wanted in ("colour=teal", "colour!=Teal"):
        assert client.facets(["tags"], Filters.parse([wanted])).values["tags"]


def test_only_a_value_that_is_not_known_is_read_again(
    server: QdrantClient, writer: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = server_double(server)
    read: list[str] = []
    facet = index.facet
    monkeypatch.setattr(index, "facet", lambda name, **more: (read.append(name), facet(name))[1])
    live = LiveCatalog(index)
    live.vocabulary()
    assert sorted(read) == ["colour", "in-stock", "tags"]
    assert list(live.values("colour") or ()) == ["Blue", "Green", "Red"]
    assert len(read) == 3, "the vocabulary and the filters share what was read"
    live.values_now("colour")
    assert read[3:] == ["colour"]


@pytest.mark.parametrize("home", HOMES)
def test_values_that_replace_others_are_understood_within_a_minute(
    home: str, tmp_path: Path
) -> None:
    now = [0.0]
    with closing(new_home(home, tmp_path / "index")) as index:
        index.create(CONTRACT)
        index.upsert(points(6))
        index.seal()
        live = LiveCatalog(index, clock=lambda: now[0])
        before = live.vocabulary()
        index.upsert([teal(1)])  # as many products as before
        index.seal()
        assert live.vocabulary() is before, "not looked at yet"
        now[0] = CHECK_S
        assert live.vocabulary() is not before
        assert "Teal" in (live.values("colour") or ())


def test_a_value_that_a_filter_found_is_understood_at_once(
    server: QdrantClient, writer: VectorIndex
) -> None:
    client = SearchClient(server_double(server))
    assert not client.understand("teal").filters
    writer.upsert([teal(1)])
    client.facets(["tags"], Filters.parse(["colour=Teal"]))
    assert [found.values for found in client.understand("teal").filters] == [("Teal",)]


def test_what_is_measured_later_is_judged_by(
    server: QdrantClient, writer: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_live, "CHECK_S", 0.0)
    live = LiveCatalog(server_double(server))
    assert live.background() is None
    background = Background(tuple(n / 100 for n in range(101)), 0.5)
    writer.write_note(RELEVANCE_NOTE, asdict(background))
    assert live.background() == background


def test_a_search_is_planned_as_somebody_else_has_tuned_it() -> None:
    with serve(Stub()) as stub, closing(connect(stub)) as index, closing(connect(stub)) as other:
        index.create(CONTRACT)
        index.upsert(points(2))
        live = LiveCatalog(index)
        other.write_note(TUNING_NOTE, asdict(Tuning(bands=(), broad=SearchMode(ef=77))))
        live.vocabulary()
        index.search(points(1)[0].vector, 1, conditions=[Exists("colour")])
        assert stub.body("query$")["params"]["hnsw_ef"] == 77
