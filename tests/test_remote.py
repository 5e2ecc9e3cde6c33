"""Clients of the service: what they find is what the index itself gives."""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.errors import QueryError, ServiceError
from goods.product import Picture
from search import (
    Answer,
    AsyncRemoteClient,
    AsyncSearchClient,
    Between,
    Filters,
    Query,
    RemoteClient,
    SearchClient,
    SearchOptions,
)
from search.api.settings import ServiceSettings
from search.expressions import expressions
from search.searcher import Searcher
from served import make_home, served
from shop import picture

KEY = "a key to read"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"), count=24)


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(
        ServiceSettings(str(home / "index"), device="cpu", read_key=KEY, timeout_s=60)
    ) as client:
        yield str(client.base_url)


@pytest.fixture
def remote(url: str) -> Iterator[RemoteClient]:
    with RemoteClient(url, KEY) as client:
        yield client


@pytest.fixture
def local(home: Path) -> Iterator[SearchClient]:
    with SearchClient(home / "index", device="cpu") as client:
        yield client


def essence(answer: Answer) -> Answer:
    """What does not depend on where it was asked; a cursor tells an image from its bytes."""
    hits = tuple(
        replace(
            hit,
            product=replace(hit.product, picture=Picture("")),
            score=round(hit.score, 4),
            words=round(hit.words, 4),
        )
        for hit in answer.hits
    )
    return replace(answer, hits=hits, next=None, encode_ms=0, index_ms=0)


def test_searches_find_what_the_index_itself_gives(
    remote: RemoteClient, local: SearchClient, home: Path
) -> None:
    filters = Filters(any_of={"colour": ["Red", "Blue"]}, between={"price": Between(gte=11, lt=30)})
    options = SearchOptions(
        limit=5, understand="filter", facets=["category", "price"], widen_facets=True
    )
    image = picture(4)
    for query in (
        Query("crimson dress under 40"),
        Query(products="P-3", minus_texts="shoe"),
        Query("dress", images=(image, home / "shop/images/P-2.jpg")),
        Query(images=(home / "shop/images/P-2.jpg").read_bytes(), minus_images=image),
        Query(),
    ):
        over_http = remote.search(query, filters, options)
        assert essence(over_http) == essence(local.search(query, filters, options))
    assert over_http.hits[0].product.picture.location.startswith(remote.url)


def test_the_other_questions_are_answered_alike(remote: RemoteClient, local: SearchClient) -> None:
    filters = Filters(exists=["price"], none_of={"colour": ["Red"]})
    assert remote.facets((), filters) == local.facets((), filters)
    assert remote.facets(["colour"], widen=True) == local.facets(["colour"], widen=True)
    text = "crimson dresses under 50, no saree"
    there, here = remote.understand(text), local.understand(text)
    assert there.text == here.text
    assert [str(d) for d in there.filters] == [str(d) for d in here.filters]
    assert (there.substituted, there.not_carried) == (here.substituted, here.not_carried)
    assert remote.product("P-5").title == "Blue Dress number 5"
    assert remote.suggest("red dr")[0] == "red dress"
    assert remote.similar_to("P-1", limit=3).hits
    assert essence(remote.by_text("dress", limit=2, offset=1, facets=["colour"])) == essence(
        local.by_text("dress", limit=2, offset=1, facets=["colour"])
    )
    assert essence(remote.by_image(picture(4))) == essence(local.by_image(picture(4)))


def test_the_async_clients_say_the_same(url: str, home: Path) -> None:
    async def ask() -> tuple[Answer, Answer]:
        query, options = Query("red dress"), SearchOptions(limit=4, understand="filter")
        async with AsyncRemoteClient(url, KEY) as client:
            several = await asyncio.gather(*(client.search(query, None, options) for _ in range(8)))
            assert len({tuple(hit.product.id for hit in a.hits) for a in several}) == 1
            assert (await client.product("P-5")).title == "Blue Dress number 5"
            assert (await client.facets(["colour"])).values["colour"]
            assert (await client.understand("red")).filters
            assert (await client.suggest("red dr"))[0] == "red dress"
            assert (await client.by_text("red")).hits
            assert (await client.similar_to("P-5")).hits
            assert (await client.by_image(picture(4))).hits
        async with AsyncSearchClient(str(home / "index"), device="cpu") as shop:
            assert (await shop.facets(["colour"])).values["colour"]
            assert (await shop.understand("red")).filters
            assert (await shop.by_text("red", limit=2)).hits
            return several[0], await shop.search(query, None, options)

    remotely, locally = asyncio.run(ask())
    assert essence(remotely) == essence(locally)


@pytest.mark.parametrize("kind", [SearchClient, AsyncSearchClient, RemoteClient, AsyncRemoteClient])
@pytest.mark.parametrize(
    "method", ["search", "by_text", "by_image", "similar_to", "facets", "understand", "close"]
)
def test_every_client_takes_the_same_and_says_what_it_gives(kind: type, method: str) -> None:
    own = getattr(kind, method)
    assert inspect.signature(own) == inspect.signature(getattr(Searcher, method))
    assert inspect.getdoc(own)
    assert inspect.iscoroutinefunction(own) is kind.__name__.startswith("Async")


def test_an_async_client_is_opened_like_one_that_blocks() -> None:
    opened = inspect.signature(AsyncSearchClient).parameters
    usual = inspect.signature(SearchClient).parameters
    assert opened["index"].annotation == str | Path, "an open index belongs to another thread"
    assert {**opened, "index": None} == {**usual, "index": None}


def test_what_the_service_does_not_take_is_said(remote: RemoteClient, home: Path) -> None:
    with pytest.raises(QueryError, match="no such product"):
        remote.product("P-99")
    with pytest.raises(QueryError, match="did you mean"):
        remote.by_text("dress", Filters(any_of={"colour": ["Bleu"]}))
    with pytest.raises(QueryError, match="one text"):
        remote.search(Query(("a", "b")))
    with pytest.raises(QueryError, match="weights"):
        remote.search(Query("a", text_weight=2))
    with pytest.raises(QueryError, match="cannot be read"):
        remote.search(Query(images=home / "nothing.jpg"))


def test_a_service_that_refuses_or_is_not_there_is_told_from_a_wrong_query(url: str) -> None:
    with RemoteClient(url) as stranger, pytest.raises(ServiceError, match="key"):
        stranger.by_text("dress")
    with RemoteClient("http://127.0.0.1:9") as nobody, pytest.raises(ServiceError, match="goods"):
        nobody.by_text("dress")


def test_something_else_than_a_service_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(*_: object, **__: object) -> httpx.Response:
        return httpx.Response(502, text="<html>", request=httpx.Request("GET", "http://a"))

    monkeypatch.setattr(httpx.Client, "request", page)
    with RemoteClient("http://a") as client, pytest.raises(ServiceError, match="502"):
        client.by_text("dress")


def test_a_remote_client_needs_no_torch() -> None:
    code = "import sys; from search import RemoteClient; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


values = st.lists(st.text(max_size=12), min_size=1, max_size=3)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(any_of=values, none_of=values, low=numbers, high=numbers)
def test_filters_are_sent_so_that_they_are_read_again(
    any_of: list[str], none_of: list[str], low: float, high: float
) -> None:
    filters = Filters(
        {"colour": any_of},
        {"size": none_of},
        {"price": [Between(gt=low), Between(lte=high)]},
        ("brand",),
        ("season",),
    )
    assert Filters.parse(expressions(filters)) == filters
