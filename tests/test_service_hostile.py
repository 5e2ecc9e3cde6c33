"""What strangers send: nothing crashes, nothing leaks, nothing inside the network is asked."""

import socket
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from picture_host import picture_host
from search.api.app import create_app
from search.api.settings import ServiceSettings
from served import make_home, served

HOSTILE = hypothesis_settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"), count=12)


@pytest.fixture(scope="module")
def web(home: Path) -> Iterator[httpx.Client]:
    with served(ServiceSettings(str(home / "index"), device="cpu", timeout_s=60)) as client:
        yield client


document = schemathesis.openapi.from_dict(create_app(ServiceSettings("nowhere")).openapi())
"""What the service says it takes; hypothesis makes requests of it, and of what it does not."""


@document.parametrize()
@HOSTILE
def test_whatever_the_document_allows_is_answered_as_it_says(
    case: schemathesis.Case, web: httpx.Client, home: Path
) -> None:
    response = case.call(base_url=str(web.base_url))
    case.validate_response(
        response,
        checks=[
            *(not_a_server_error, status_code_conformance),
            *(content_type_conformance, response_schema_conformance),
        ],
    )
    assert str(home) not in response.text
    assert "Traceback" not in response.text


INSIDE = (
    *("http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/"),
    *("http://0.0.0.0:{port}/", "http://127.1:{port}/", "http://2130706433:{port}/"),
    *("http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/"),
    *(
        "http://[::ffff:7f00:1]:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://user@127.0.0.1:{port}/",
    ),
    "http://169.254.169.254/latest/meta-data/",
    *("http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://[fe80::1]/"),
    *("http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/"),
    *("http://100.64.0.1/", "http://[::]/", "http://[::127.0.0.1]/", "http://168.63.129.16/"),
)


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_asked(web: httpx.Client, address: str) -> None:
    with picture_host() as host:
        url = address.format(port=host.server_port) + "secret.png"
        refused = web.get("/search", params={"image": url})
        posted = web.post("/search", json={"minus_image": [url], "q": "dress"})
        assert not host.asked
    assert refused.status_code == posted.status_code == 422
    told = refused.json()["error"]["message"]
    assert "allow-private" not in told  # and neither what a name leads to
    assert "127.0.0.1" not in told


def test_a_redirect_to_an_address_inside_is_not_followed(home: Path) -> None:
    with picture_host() as host, picture_host() as inside:
        secret = inside.url("/secret.png", lambda answer: answer.send(200, b"secret"))
        there = secret.replace("127.0.0.1", "127.0.0.2")
        url = host.url("/a.png", lambda answer: answer.send(302, b"", Location=there))
        settings = ServiceSettings(str(home / "index"), device="cpu", timeout_s=60)
        limits = settings.pictures
        allowed = replace(settings, pictures=replace(limits, allow_private=("127.0.0.1",)))
        with served(allowed) as client:
            refused = client.get("/search", params={"image": url})
        assert host.asked["/a.png"] == 1
        assert not inside.asked
    assert refused.status_code == 422


def test_a_name_that_answers_otherwise_when_asked_again_leads_nowhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: 127.0.0.2 stands for an address that may be asked, 127.0.0.1 may not."""
    look_up, asked = socket.getaddrinfo, count()

    def rebound(host: str | bytes | None, *rest: Any, **named: Any) -> Any:
        if host in ("rebound.example", b"rebound.example"):
            host = "127.0.0.1" if next(asked) else "127.0.0.2"
        return look_up(host, *rest, **named)

    settings = ServiceSettings(str(home / "index"), device="cpu", timeout_s=60)
    allowed = replace(settings.pictures, allow_private=("127.0.0.2",))
    with picture_host() as inside, served(replace(settings, pictures=allowed)) as client:
        monkeypatch.setattr(socket, "getaddrinfo", rebound)
        url = f"http://rebound.example:{inside.server_port}/secret.png"
        first, again = (client.get("/search", params={"image": url}) for _ in range(2))
        assert not inside.asked
    assert next(asked) >= 2
    assert first.status_code == again.status_code == 422


@pytest.mark.parametrize(
    "location",
    [
        *("/etc/passwd", "file:///etc/passwd", "s3://bucket/a.png", "gs://bucket/a.png"),
        *("../shop/images/P-1.jpg", "data:image/png;base64,AAAA", "ftp://example.com/a.png"),
        *("http://", "http:///a.png", "//example.com/a.png", "javascript:alert(1)", ""),
        *("http://[::1", "https://a b/", "http://example.com:99999/", "hub:owner/name"),
    ],
)
def test_nothing_but_a_web_address_is_read(web: httpx.Client, location: str) -> None:
    refused = web.post("/search", json={"image": [location]})
    assert refused.status_code == 422, refused.text


def test_a_picture_of_the_service_itself_is_no_way_to_files(web: httpx.Client, home: Path) -> None:
    parquet = home / "a.parquet"
    parquet.write_bytes(b"PAR1")
    for location in (f"{parquet}#row=0", f"http://127.0.0.1/{parquet}#row=0"):
        assert web.get("/search", params={"image": location}).status_code == 422


PATHS = (
    *("../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd"),
    *("....//....//etc/passwd", "%00", "P-1%00", "..\\..\\etc\\passwd", "/etc/passwd", "%ff%fe"),
    *("%252e%252e%252fetc%252fpasswd", "P-1/../../shop/products.csv", "%c0%ae%c0%ae/"),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("route", ["products/{}", "similar/{}", "pictures/{}.jpg", "static/{}"])
def test_an_id_is_no_path(web: httpx.Client, home: Path, route: str, path: str) -> None:
    raw = httpx.URL(str(web.base_url)).copy_with(raw_path=f"/{route.format(path)}".encode())
    told = web.get(raw)
    assert told.status_code in {400, 404}, told.text
    assert told.json()["error"]["code"] in {"bad_request", "not_found"}
    assert "root:" not in told.text
    assert str(home) not in told.text


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has this many pixels, and has them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * min(height, 2000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated() -> bytes:
    frames = [Image.new("P", (2000, 2000), colour) for colour in range(50)]
    buffer = BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        *(bomb(60_000, 60_000), bomb(2_000_000_000, 1), animated()),
        *(b"", b"x", b"\xff\xd8\xff", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" * 50),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
    ids=["pixels", "width", "frames", "empty", "byte", "jpeg", "svg", "gif", "png"],
)
def test_a_picture_that_is_none_or_a_bomb_is_refused(web: httpx.Client, data: bytes) -> None:
    refused = web.post("/search", files={"image": ("a.png", data)})
    assert refused.status_code == 422, refused.text
    assert "picture" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"q": "\\ud800"}', "application/json"),
        (b'{"q": 1}', "application/json"),
        (b'{"q": "a", "q": ["b"]}', "application/json"),
        (b'{"limit": 1e400}', "application/json"),
        (b'{"diversity": NaN}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"q=dress", "application/x-www-form-urlencoded"),
        (b"dress", "text/plain"),
        (b"dress", ""),
        (b"x", "multipart/form-data"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"x" * 1000, "multipart/form-data; boundary=" + "x" * 5000),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    web: httpx.Client, content: bytes, kind: str
) -> None:
    refused = web.post("/search", content=content, headers={"Content-Type": kind})
    assert refused.status_code in {400, 415, 422}, refused.text
    assert refused.json()["error"]["message"]


@seed(0)
@hypothesis_settings(max_examples=60, derandomize=True, database=None)
@given(
    query=st.text(max_size=60),
    filters=st.lists(st.text(max_size=30), max_size=3),
    more=st.dictionaries(
        st.sampled_from(["ignore", "sort", "cursor", "facets", "minus", "understand", "limit"]),
        st.text(max_size=30),
        max_size=3,
    ),
)
def test_any_text_in_any_parameter_is_answered_or_refused(
    web: httpx.Client, query: str, filters: list[str], more: dict[str, str]
) -> None:
    def clean(text: str) -> str:
        return text.encode("utf-8", "replace").decode("utf-8")

    asked = {"q": clean(query), "filter": [clean(f) for f in filters]}
    asked |= {name: clean(text) for name, text in more.items()}
    assert web.get("/search", params=asked).status_code in {200, 400, 422}
    assert web.get("/suggest", params={"q": clean(query)}).status_code == 200
    assert web.get("/understand", params={"q": clean(query)}).status_code == 200


@pytest.mark.parametrize("value", ["a\nb", "a\rb", '"a\r\nb"', "a,\nb", '"', '"a', 'a"b', '"a"b'])
def test_a_value_that_no_product_has_is_refused_however_it_is_written(
    web: httpx.Client, value: str
) -> None:
    for operator in ("=", "!="):
        refused = web.get("/search", params={"filter": f"colour{operator}{value}"})
        assert refused.status_code == 400, refused.text
        assert "colour has no value" in refused.json()["error"]["message"]


def test_texts_that_are_too_long_are_refused(web: httpx.Client) -> None:
    for asked in ({"q": "x" * 501}, {"filter": ["price<40"] * 65}, {"minus": ["x"] * 17}):
        assert web.post("/search", json=asked).status_code == 422


def test_mark_up_in_what_was_typed_comes_back_as_json_alone(web: httpx.Client) -> None:
    script = "<script>alert(1)</script>"
    for path in (f"/search?filter={script}", f"/products/{script}", f"/{script}", "/search?x=<b>"):
        told = web.get(path)
        assert told.headers["content-type"] == "application/json"
        assert told.headers["x-content-type-options"] == "nosniff"
