"""The HTTP service in normal use: every route, on a real server in a thread."""

import json
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from goods.index.edge import EdgeIndex
from search import Query, SearchClient, SearchOptions
from search.api.settings import ServiceSettings
from search.api.views import (
    AnswerView,
    FacetsView,
    ProductView,
    SchemaView,
    SuggestionsView,
    UnderstandingView,
)
from search.understand import Understanding
from served import make_home, served
from shop import picture


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def web(home: Path) -> Iterator[httpx.Client]:
    with served(
        ServiceSettings(str(home / "index"), device="cpu", name="Shop", timeout_s=60)
    ) as client:
        yield client


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def test_search_gives_what_the_python_client_gives(web: httpx.Client, home: Path) -> None:
    answer = web.get("/search", params={"q": "red dress under 30", "facets": "all"}).json()
    AnswerView.model_validate(answer)
    with SearchClient(home / "index") as client:
        options = SearchOptions(
            limit=24, understand="filter", facets=client.countable, widen_facets=True
        )
        found = client.search(Query("red dress under 30"), options=options)
        expected = json.loads(json.dumps(found.to_json()))
    assert [hit["id"] for hit in answer["hits"]] == [hit["id"] for hit in expected["hits"]]
    for same in ("total", "next", "facets", "numbers", "understanding", "relaxed"):
        assert answer[same] == expected[same]


def test_a_demand_whose_key_is_ignored_is_not_carried_out(web: httpx.Client) -> None:
    carried = web.get("/search", params={"q": "red dress"}).json()
    keys = [demand["key"] for demand in carried["understanding"]["filters"]]
    assert "colour = Red" in keys
    ignored = web.get("/search", params={"q": "red dress", "ignore": "colour = Red"}).json()
    assert [d["key"] for d in ignored["understanding"]["filters"]] == ["category = Dress"]
    assert ignored["total"] > carried["total"]


def test_a_posted_search_is_the_same_as_one_in_the_address(web: httpx.Client) -> None:
    asked = {"q": "shoe", "filter": ["price<40", "colour=Red,Blue"], "limit": 5}
    got = web.get("/search", params=asked).json()["hits"]
    posted = web.post("/search", json=asked).json()["hits"]
    form = {**asked, "limit": "5"}
    sent = web.post("/search", data=form, files={"nothing": b""}).status_code
    assert got == posted
    assert sent == 422  # it is not said in the contract, so that it is a mistake


@pytest.mark.parametrize("path", ["/", "/static/base.css", "/healthz", "/search?q=shoe", "/no"])
def test_head_tells_what_get_would_say(web: httpx.Client, path: str) -> None:
    got, told = web.get(path), web.head(path)
    assert told.content == b""
    assert told.status_code == got.status_code
    assert told.headers["Content-Type"] == got.headers["Content-Type"]
    if "search" not in path:  # whose answer says how long it took
        assert told.headers["Content-Length"] == got.headers["Content-Length"]
    assert web.head("/session").status_code == 405  # nothing to get there


def test_an_uploaded_picture_finds_its_product(web: httpx.Client) -> None:
    files = {"image": ("7.png", encoded(picture(7)), "image/png")}
    answer = web.post("/search", files=files, data={"limit": "3"}).json()
    assert answer["hits"][0]["id"] == "P-7"
    minus = {**files, "minus_image": ("8.png", encoded(picture(8)), "image/png")}
    other = web.post("/search", files=minus, data={"filter": ["colour=Green"]}).json()
    assert {hit["attributes"]["colour"] for hit in other["hits"]} == {"Green"}


def test_similar_leaves_the_product_itself_out(web: httpx.Client) -> None:
    answer = web.get("/similar/P-3", params={"limit": 30}).json()
    assert "P-3" not in [hit["id"] for hit in answer["hits"]]
    assert answer["total"] == 23
    assert web.get("/similar/P-99").status_code == 404


def test_pages_follow_each_other_without_repeats(web: httpx.Client) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        asked = {"q": "dress", "understand": "off", "limit": "7"}
        answer = web.get("/search", params=asked | ({"cursor": cursor} if cursor else {})).json()
        seen += [hit["id"] for hit in answer["hits"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(f"P-{number}" for number in range(24))


def test_facets_count_what_is_left_under_text_and_filters(web: httpx.Client) -> None:
    answer = web.get("/facets", params={"q": "red", "widen": "false"}).json()
    FacetsView.model_validate(answer)
    assert answer["facets"]["colour"] == [{"value": "Red", "count": 8}]
    assert answer["total"] == 8
    assert sum(each["count"] for each in answer["numbers"]["price"]["ranges"]) == 8
    one = web.get("/facets", params={"facets": "category", "filter": "colour=Blue"}).json()
    assert list(one["facets"]) == ["category"]


def test_a_product_comes_with_what_the_catalog_says_and_no_path(
    web: httpx.Client, home: Path
) -> None:
    product = web.get("/products/P-5").json()
    ProductView.model_validate(product)
    assert product["title"] == "Blue Dress number 5"
    assert product["picture_url"] == "/pictures/P-5.jpg"
    assert product["picture"] is None
    assert str(home) not in web.get("/search").text
    assert web.get("/products/P-99").status_code == 404


def test_a_picture_is_a_small_jpeg_that_is_sent_once(web: httpx.Client) -> None:
    sent = web.get("/pictures/P-5.jpg", params={"size": 64})
    assert sent.headers["content-type"] == "image/jpeg"
    image = Image.open(BytesIO(sent.content))
    assert image.size == (36, 48)  # smaller than what was asked for, and left so
    again = web.get(
        "/pictures/P-5.jpg",
        params={"size": 64},
        headers={"If-None-Match": sent.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")
    assert web.get("/pictures/P-99.jpg").status_code == 404


def test_a_picture_shows_where_in_it_a_text_is(web: httpx.Client) -> None:
    plain = web.get("/pictures/P-5.jpg").content
    heat = web.get("/pictures/P-5.heat.jpg", params={"q": "dress"})
    assert heat.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(heat.content)).size == Image.open(BytesIO(plain)).size
    other = web.get("/pictures/P-5.heat.jpg", params={"q": "shoe"})
    assert len({plain, heat.content, other.content}) == 3
    assert web.get("/pictures/P-5.heat.jpg").status_code == 404  # no product "P-5.heat"


def test_a_picture_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    home = make_home(tmp_path, count=4)
    (home / "shop/images/P-1.jpg").unlink()
    (home / "shop/images/P-2.jpg").write_bytes(b"no picture")
    with served(ServiceSettings(str(home / "index"), device="cpu", timeout_s=60)) as client:
        for number, why in ((1, "source gone"), (2, "not a picture")):
            told = client.get(f"/pictures/P-{number}.jpg")
            assert told.status_code == 404
            assert why in told.json()["error"]["message"]
            assert str(home) not in told.text


def test_a_picture_that_moved_is_found_through_the_catalog(tmp_path: Path) -> None:
    home = make_home(tmp_path, count=4)
    (home / "shop").rename(home / "moved")
    catalog = str(home / "moved/products.csv")
    settings = ServiceSettings(str(home / "index"), device="cpu", catalog=catalog)
    with served(settings) as client:
        assert client.get("/pictures/P-1.jpg").status_code == 200
        (home / "moved/images/P-2.jpg").unlink()
        assert client.get("/pictures/P-2.jpg").status_code == 404


def test_suggestions_complete_the_last_word(web: httpx.Client) -> None:
    answer = web.get("/suggest", params={"q": "red dr"}).json()
    SuggestionsView.model_validate(answer)
    first = answer["suggestions"][0]
    assert first == {"text": "red dress", "field": "category", "value": "Dress", "count": 6}
    assert web.get("/suggest", params={"q": ""}).json() == {"suggestions": []}


def test_the_schema_says_what_there_is_without_saying_where(web: httpx.Client, home: Path) -> None:
    schema = web.get("/schema").json()
    SchemaView.model_validate(schema)
    assert (schema["name"], schema["products"], schema["model"]) == ("Shop", 24, "model")
    kinds = {field["name"]: field["kind"] for field in schema["fields"]}
    assert kinds["colour"] == "keyword"
    assert kinds["price"] == "number"
    assert schema["indexes"] == ["main"]


def test_what_a_text_is_understood_as_can_be_asked_alone(web: httpx.Client) -> None:
    plain = web.get("/understand", params={"q": "crimson dresses under 50"}).json()
    UnderstandingView.model_validate(plain)
    assert [demand["label"] for demand in plain["filters"]] == ["Red", "Dress", "price under 50"]


def test_a_text_that_takes_long_to_understand_stops_nobody_else(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    understand, go_on, begun = SearchClient.understand, threading.Event(), threading.Event()

    def slow(client: SearchClient, text: str) -> Understanding:
        begun.set()
        go_on.wait(30)
        return understand(client, text)

    monkeypatch.setattr(SearchClient, "understand", slow)
    asking = threading.Thread(target=web.get, args=("/understand?q=red",))
    asking.start()
    assert begun.wait(30)
    try:
        assert web.get("/healthz", timeout=10).status_code == 200
    finally:
        go_on.set()
        asking.join()


def test_the_vocabulary_is_built_before_the_service_is_ready(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(ServiceSettings(str(home / "index"), device="cpu", timeout_s=60)) as client:
        monkeypatch.setattr(EdgeIndex, "facet", lambda *_, **__: 1 / 0)
        assert client.get("/search?q=red+dress&understand=filter").status_code == 200


def test_another_index_answers_beside_the_first(home: Path, tmp_path: Path) -> None:
    other = make_home(tmp_path, count=8)
    settings = ServiceSettings(str(home / "index"), compare=str(other / "index"), device="cpu")
    with served(settings) as client:
        totals = [
            client.get("/search", params={"index": name}).json()["total"]
            for name in ("main", "compare")
        ]
        assert totals == [24, 8]
        assert client.get("/schema").json()["indexes"] == ["main", "compare"]


def test_the_files_of_the_page_are_asked_for_again_and_not_sent_again(web: httpx.Client) -> None:
    sent = web.get("/static/shop.js")
    assert sent.headers["cache-control"] == "no-cache"
    again = web.get("/static/shop.js", headers={"If-None-Match": sent.headers["etag"]})
    assert again.status_code == 304
    assert web.get("/search").headers["cache-control"] == "no-store"
    for path, kind in (("/", "text/html"), ("/compare", "text/html"), ("/favicon.ico", "image/")):
        assert web.get(path).headers["content-type"].startswith(kind)


def test_without_another_index_there_is_nothing_to_compare_with(web: httpx.Client) -> None:
    refused = web.get("/search", params={"index": "compare"})
    assert refused.status_code == 400
    assert "compare" in refused.json()["error"]["message"]


def test_numbers_for_prometheus_tell_routes_batches_and_the_index(web: httpx.Client) -> None:
    web.get("/search", params={"q": "a text of its own"})
    web.get("/search", params={"q": "a text of its own"})
    text = web.get("/metrics").text
    assert 'goods_index_points{index="main"} 24.0' in text
    assert 'goods_requests_total{route="/search",status="200"}' in text
    assert 'goods_embedded_total{cache="hit"}' in text
    assert 'goods_encoder_batch_count{kind="text"}' in text
