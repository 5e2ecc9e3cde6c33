"""Who may ask the service, how often, how much, and what it says when something goes wrong."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from goods.cli import main
from goods.errors import GoodsError
from search.api import patience
from search.api.guard import Buckets, Keys
from search.api.settings import ServiceSettings
from search.api.thumbnails import Thumbnails
from search.api.watched import CSP
from search.client import SearchClient
from served import make_home, served, until

READ, ADMIN = "a key to read", "a key to administer"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    home = make_home(tmp_path_factory.mktemp("home"), count=12)
    return ServiceSettings(
        str(home / "index"), device="cpu", timeout_s=60, hosts=("127.0.0.1", "localhost")
    )


@pytest.fixture(scope="module")
def web(settings: ServiceSettings) -> Iterator[httpx.Client]:
    with served(settings) as client:
        yield client


@pytest.fixture(scope="module")
def locked(settings: ServiceSettings) -> Iterator[httpx.Client]:
    with served(replace(settings, read_key=READ, admin_key=ADMIN)) as client:
        yield client


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_without_the_key_nothing_of_the_catalog_is_told(locked: httpx.Client) -> None:
    for path in (
        *("/search", "/similar/P-1", "/facets", "/products/P-1", "/suggest?q=re", "/schema"),
        *("/pictures/P-1.jpg", "/understand?q=red", "/metrics", "/search/", "/docs"),
    ):
        assert code(locked.get(path)) == (401, "unauthorized"), path
    assert code(locked.post("/search", json={})) == (401, "unauthorized")
    for path in ("/healthz", "/readyz"):
        assert locked.get(path).status_code == 200


@pytest.mark.parametrize("header", [{"Authorization": "Bearer {}"}, {"X-Api-Key": "{}"}])
def test_the_key_lets_in_by_either_header(locked: httpx.Client, header: dict[str, str]) -> None:
    def status(path: str, key: str) -> int:
        headers = {name: value.format(key) for name, value in header.items()}
        return locked.get(path, headers=headers).status_code

    assert status("/search", READ) == 200
    assert status("/search", ADMIN) == 200
    assert status("/search", READ + "x") == 401
    assert status("/metrics", READ) == 401
    assert status("/metrics", ADMIN) == 200


def test_a_session_lets_a_browser_in_without_telling_the_key(locked: httpx.Client) -> None:
    assert locked.post("/session", json={"key": "another key"}).status_code == 401
    begun = locked.post("/session", json={"key": READ})
    assert begun.status_code == 204
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert READ not in cookie
    assert locked.get("/search").status_code == 200  # the client keeps cookies
    locked.cookies.clear()
    token = cookie.split("=", 1)[1].split(";")[0]
    later = token.replace(token.partition(".")[0], "9999999999")
    for forged in (later, token[:-1], "", ".", "x.y", "9999999999."):
        sent = locked.get("/search", headers={"Cookie": f"goods_session={forged}"})
        assert sent.status_code == 401, forged


def test_a_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(READ, None)
    for age_s, is_let_in in ((0, True), (13 * 3600, False)):
        cookie = f"goods_session={keys.session(time.time() - age_s)}"
        assert keys.may_read({b"cookie": cookie.encode()}) is is_let_in


def test_a_session_of_another_key_is_none() -> None:
    cookie = f"goods_session={Keys('another key', None).session()}"
    assert not Keys(READ, None).may_read({b"cookie": cookie.encode()})


def test_without_keys_everything_is_open_but_admins_see_the_numbers(
    settings: ServiceSettings,
) -> None:
    with served(replace(settings, admin_key=ADMIN)) as client:
        assert client.get("/search").status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.post("/session", json={"key": "any"}).status_code == 204


def test_a_bucket_fills_steadily() -> None:
    buckets = Buckets(rate=2.0)
    assert [buckets.wait_s("a", 0.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.wait_s("b", 0.0) == 0
    assert buckets.wait_s("a", 0.5) == 0
    assert buckets.wait_s("a", 0.5) > 0
    assert [buckets.wait_s("a", 100.0) for _ in range(5)].count(0) == 4


def test_buckets_of_many_callers_stay_bounded() -> None:
    buckets = Buckets(rate=1.0)
    for number in range(20_000):
        buckets.wait_s(str(number), 0.0)
    assert len(buckets._callers) == 10_000


def test_who_asks_too_often_is_told_when_to_come_back(settings: ServiceSettings) -> None:
    with served(replace(settings, rate=0.5)) as client:
        answers = [client.get("/schema") for _ in range(5)]
        assert answers[0].status_code == 200
        assert code(answers[-1]) == (429, "too_many_requests")
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200


def test_a_name_that_somebody_made_point_here_is_refused(web: httpx.Client) -> None:
    assert code(web.get("/search", headers={"Host": "evil.example"})) == (421, "wrong_host")
    assert web.get("/search", headers={"Host": "localhost:1234"}).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(settings: ServiceSettings) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 1024

    with served(replace(settings, max_body=10_000)) as client:
        head = {"Content-Type": "application/json"}
        told = client.post("/search", content=b" " * 20_000, headers=head)
        assert code(told) == (413, "too_large")
        streamed = client.post("/search", content=chunks(), headers=head)
        assert code(streamed) == (413, "too_large")


def test_too_many_or_too_large_uploads_are_refused(settings: ServiceSettings) -> None:
    small = replace(settings.pictures, max_bytes=1000)
    with served(replace(settings, max_uploads=2, pictures=small)) as client:
        many = [("image", (f"{n}.png", b"x")) for n in range(3)]
        assert client.post("/search", files=many).status_code == 400
        large = client.post("/search", files={"image": ("a.png", b"x" * 1001)})
        assert code(large) == (413, "too_large")


def test_every_answer_says_what_a_browser_may_do_with_it(
    web: httpx.Client, locked: httpx.Client
) -> None:
    for response in (web.get("/search"), web.get("/nothing"), locked.get("/search")):
        assert response.headers["content-security-policy"] == CSP
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "server" not in response.headers


def test_pages_of_a_named_origin_may_search_and_no_others(settings: ServiceSettings) -> None:
    ours, theirs = {"Origin": "https://shop.example"}, {"Origin": "https://other.example"}
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    allowed = "access-control-allow-origin"
    shared = replace(settings, origins=(ours["Origin"],), read_key=READ)
    with served(shared) as client:
        before = client.options("/search", headers=ours | asks)
        assert (before.status_code, before.headers[allowed]) == (200, ours["Origin"])
        found = client.get("/search", headers=ours | {"X-Api-Key": READ})
        assert (found.status_code, found.headers[allowed]) == (200, ours["Origin"])
        assert found.headers["cross-origin-resource-policy"] == "cross-origin"
        unknown = client.get("/search", headers=ours)
        assert (unknown.status_code, unknown.headers[allowed]) == (401, ours["Origin"])
        assert client.options("/search", headers=theirs | asks).status_code == 400
        assert allowed not in client.get("/search", headers=theirs).headers


def test_no_page_of_another_origin_may_search_unless_that_was_said(web: httpx.Client) -> None:
    found = web.get("/search", headers={"Origin": "https://shop.example"})
    assert "access-control-allow-origin" not in found.headers
    assert found.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_bug_is_told_by_its_number_and_logged_in_full(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the code")

    monkeypatch.setattr(SearchClient, "search", broken)
    answer = web.get("/search")
    assert code(answer) == (500, "internal")
    assert "secret" not in answer.text
    number = answer.headers["x-request-id"]
    assert number in answer.json()["error"]["message"]
    [record] = [r for r in caplog.records if number in r.getMessage() and r.exc_info]
    assert record.exc_info is not None
    assert "a secret of the code" in str(record.exc_info[1])


def test_a_search_that_takes_too_long_is_given_up(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, go_on = SearchClient.search, threading.Event()

    def slow(*given: object) -> object:
        go_on.wait(30)
        return search(*given)  # type: ignore[arg-type] # as they came

    with served(replace(settings, timeout_s=0.2, threads=1)) as client:
        monkeypatch.setattr(SearchClient, "search", slow)
        assert code(client.get("/search")) == (503, "unavailable")
        assert code(client.get("/search")) == (503, "unavailable")  # it never got a thread
        assert client.get("/healthz").status_code == 200
        go_on.set()
        until(lambda: client.get("/search").status_code == 200)


def test_more_than_can_wait_is_refused_at_once(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, go_on, begun = SearchClient.search, threading.Event(), threading.Event()

    def slow(*given: object) -> object:
        begun.set()
        go_on.wait(30)
        return search(*given)  # type: ignore[arg-type] # as they came

    with served(replace(settings, threads=1, max_waiting=1, timeout_s=30)) as client:
        monkeypatch.setattr(SearchClient, "search", slow)
        first = threading.Thread(target=client.get, args=("/search",))
        first.start()
        assert begun.wait(30)
        refused = client.get("/search")
        go_on.set()
        first.join()
        assert code(refused) == (503, "unavailable")
        assert "retry-after" in refused.headers


def test_pictures_that_wait_leave_searches_alone(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, go_on, begun = Thumbnails.get, threading.Event(), threading.Event()

    def slow(*given: object) -> object:
        begun.set()
        go_on.wait(30)
        return get(*given)  # type: ignore[arg-type] # as they came

    with served(replace(settings, max_waiting=1, timeout_s=30)) as client:
        monkeypatch.setattr(Thumbnails, "get", slow)
        first = threading.Thread(target=client.get, args=("/pictures/P-1.jpg",))
        first.start()
        assert begun.wait(30)
        picture, found = client.get("/pictures/P-2.jpg"), client.get("/search")
        go_on.set()
        first.join()
        assert code(picture) == (503, "unavailable")
        assert found.status_code == 200


def test_requests_are_logged_with_their_status_and_without_what_was_typed(
    web: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "goods.serve.access"):
        number = web.get("/search?q=secret+gift").headers["x-request-id"]
        until(lambda: any(number in str(vars(record)) for record in caplog.records))
    [record] = [r for r in caplog.records if number in str(vars(r))]
    fields = vars(record)["fields"]
    assert (fields["route"], fields["status"]) == ("/search", 200)
    assert "secret" not in str(vars(record))


def connection(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=30)


def test_a_caller_who_never_ends_his_request_is_hung_up_on(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEADERS_S", 0.2)
    for begun in (b"", b"GET /search HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
        with connection(web) as slow:
            slow.sendall(begun)
            assert slow.recv(100) == b""  # closed by the other side
    assert web.get("/healthz").status_code == 200


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux drops such callers")
def test_a_caller_who_never_takes_his_answer_is_hung_up_on(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "READING_S", 0.3)
    asked = b"GET /search?facets=all HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        idle.settimeout(60)
        idle.connect((web.base_url.host, web.base_url.port or 0))
        idle.sendall(100 * asked)

        def is_dropped() -> bool:
            try:
                idle.sendall(b"x")
            except OSError:
                return True
            return False

        until(is_dropped)
    assert web.get("/healthz").status_code == 200


def test_a_body_that_does_not_come_is_given_up(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.api.guard._BODY_S", 0.2)
    with connection(web) as slow:
        slow.sendall(
            b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        assert b" 408 " in slow.recv(1000).splitlines()[0]


def test_a_flood_of_headers_is_refused(web: httpx.Client) -> None:
    with connection(web) as flood:
        flood.sendall(b"GET /search HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(20_000):
                flood.sendall(b"X-%d: %s\r\n" % (number, b"a" * 100))
            answer = flood.recv(1000)
        except OSError:  # it has hung up already
            answer = b""
        assert b" 200 " not in answer
    assert web.get("/healthz").status_code == 200


def test_a_head_that_is_too_long_is_told_so_however_much_of_it_comes(web: httpx.Client) -> None:
    for _ in range(20):  # a connection that is closed too early is reset now and then
        told = web.get("/search", headers={"X-Long": "x" * 300_000})
        assert told.status_code == 400
        assert told.json()["error"]["code"] == "bad_request"


def test_other_addresses_need_a_key_or_the_word_open(tmp_path: Path) -> None:
    result = CliRunner(env={"GOODS_READ_KEY": None}).invoke(main, ["serve", "--host", "0.0.0.0"])
    assert result.exit_code == 2
    assert "GOODS_READ_KEY" in result.output
    assert "--open" in result.output


def test_several_processes_need_a_server() -> None:
    result = CliRunner().invoke(main, ["serve", "--workers", "2", "--index", "index"])
    assert result.exit_code == 2
    assert "Qdrant server" in result.output


def test_a_file_of_words_that_cannot_be_read_is_said_before_anything_is_served() -> None:
    result = CliRunner().invoke(main, ["serve", "--synonyms", "no such file.toml"])
    assert result.exit_code == 1
    assert "no such file.toml" in result.output


def test_a_folder_that_is_not_there_is_said_and_not_waited_for(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--index", str(tmp_path / "indexx")])
    assert result.exit_code == 2
    assert "indexx: name an index that goods ingest has made" in result.output


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(main, ["serve", "--port", port, "--index", str(tmp_path)])
    assert result.exit_code == 1
    assert "choose another --host or --port" in result.output


@pytest.mark.parametrize(
    "wrong",
    [
        {"threads": 0},
        {"rate": -1},
        {"timeout_s": 0},
        {"read_key": "short"},
        {"origins": ("shop.example",)},
        {"origins": ("https://shop.example/search",)},
        {"origins": ("https://*.example",)},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GoodsError):
        ServiceSettings("index", **wrong)  # type: ignore[arg-type] # that is the point
