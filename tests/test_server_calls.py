"""Reaching a Qdrant server: addresses, versions, keys, and what its failures mean."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import CONTRACT, points
from qdrant_client import QdrantClient
from qdrant_stub import QUICK, Fault, Stub, connect, serve

from goods.errors import IndexMissingError, IndexStoreError
from goods.index import open_index
from goods.index.server import ServerIndex
from goods.index.server_address import ServerAddress
from goods.index.server_connection import Connection


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve(Stub()) as stub:
        yield stub


@pytest.fixture
def index(stub: Stub) -> Iterator[ServerIndex]:
    with closing(connect(stub)) as index:
        yield index


@pytest.mark.parametrize("version", ["1.16.0", "1.20.0", "1.19.0-dev", "v1.17.1", "2.0"])
def test_servers_from_1_16_on_are_taken(stub: Stub, version: str) -> None:
    stub.version = version
    with closing(connect(stub)) as index:
        index.create(CONTRACT)
        assert index.info().engine == f"Qdrant {version}"


@pytest.mark.parametrize("version", ["1.15.5", "0.11.0", "", "unknown"])
def test_older_servers_are_refused(stub: Stub, version: str) -> None:
    stub.version = version
    with pytest.raises(IndexStoreError, match=rf"is Qdrant {version}; 1\.16 or newer is needed"):
        connect(stub)


@pytest.mark.parametrize("root", [b"<html>shop</html>", b'{"hello": "world"}'])
def test_what_is_no_qdrant_is_refused_at_once(stub: Stub, root: bytes) -> None:
    stub.root = root
    with pytest.raises(IndexStoreError, match="does not answer as Qdrant does"):
        connect(stub)
    assert len(stub.requests) == 1


def test_nobody_there_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        IndexStoreError, match=r"does not answer \(.*refused.*is the server running"
    ):
        connect(Stub(port=port))
    for record in caplog.records:
        assert re.fullmatch(
            r"the Qdrant server: .*refused; trying again in [\d.]+ s", record.getMessage()
        )


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_the_key_goes_with_every_request(stub: Stub) -> None:
    with closing(connect(stub, api_key="secret")) as index:
        index.create(CONTRACT)
        index.upsert(points(2))
    assert {request.api_key for request in stub.requests} == {"secret"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_as_such_and_not_tried_again(
    stub: Stub, index: ServerIndex, status: int
) -> None:
    stub.fail("GET /aliases", *[Fault(status)] * 9)
    with pytest.raises(IndexStoreError, match=rf"refuses the API key \(HTTP {status}\).*--api-key"):
        index.count()
    assert len(stub.lines("aliases")) == 1


@pytest.mark.parametrize(
    "fault", [Fault(429), Fault(429, retry_after_s=60), Fault(500), Fault(503), Fault(0)]
)
def test_passing_failures_are_tried_again(stub: Stub, index: ServerIndex, fault: Fault) -> None:
    index.create(CONTRACT)
    stub.fail("PUT .*/points", fault, fault)
    index.upsert(points(3))
    assert len(stub.lines("PUT .*/points")) == 3
    assert index.count() == 3


@pytest.mark.parametrize("fault", [Fault(429, retry_after_s=60), Fault(503), Fault(0)])
def test_failures_that_do_not_pass_end_in_one_sentence(
    stub: Stub, index: ServerIndex, fault: Fault
) -> None:
    index.create(CONTRACT)
    stub.fail("PUT .*/points", *[fault] * 9)
    with pytest.raises(IndexStoreError, match=r"/products (failed: out of order|does not answer)"):
        index.upsert(points(3))
    assert len(stub.lines("PUT .*/points")) == QUICK.attempts


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(400, "no index for `x`"), r"failed: no index for `x` \(HTTP 400\)$"),
        (Fault(413, body=b"<html>too large</html>"), r"failed: .*Too Large \(HTTP 413\)$"),
    ],
)
def test_a_request_that_is_wrong_is_not_tried_again(
    stub: Stub, index: ServerIndex, fault: Fault, sentence: str
) -> None:
    index.create(CONTRACT)
    stub.fail("facet", fault)
    with pytest.raises(IndexStoreError, match=sentence):
        index.facet("x")
    assert len(stub.lines("facet")) == 1


@pytest.mark.parametrize(
    ("address", "url", "collection"),
    [
        ("http://localhost:6333/products", "http://localhost:6333", "products"),
        (
            "https://a.b.cloud:443/team/qdrant/my-shop/",
            "https://a.b.cloud:443/team/qdrant",
            "my-shop",
        ),
        ("http://[::1]:6333/Größen_2.0", "http://[::1]:6333", "Größen_2.0"),
    ],
)
def test_an_address_is_taken_apart(address: str, url: str, collection: str) -> None:
    assert ServerAddress.parse(address) == ServerAddress(url, collection)


@pytest.mark.parametrize(
    "address",
    [
        "http://host", "http://host/", "http:///products", "http://host:0/p", "http://host:99999/p",
        "http://host:x/p", "http://[1::2::3]/p", "http://host/p?api_key=k", "http://host/p#k",
        "http://host/..", "http://host/a b", "http://host/a%2Fb", f"http://host/{'p' * 300}",
        "http://name:pass@host/p", "http://:pass@host/p", "http://pass@/p",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_without_repeating_a_password(address: str) -> None:
    with pytest.raises(IndexStoreError, match="use http") as caught:
        open_index(address)
    assert "pass" not in str(caught.value)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(IndexStoreError, match=r"'ftp://host/p': use a folder path or http"):
        open_index("ftp://host/p")


@given(rest=st.text() | st.from_regex(r"[\w.:@\[\]/?#%-]*"))
def test_no_address_crashes_the_parser(rest: str) -> None:
    try:
        parsed = ServerAddress.parse(f"http://{rest}")
    except IndexStoreError:
        return
    assert f"{parsed.url}/{parsed.collection}" == f"http://{rest}".rstrip("/")


def test_an_address_opens_the_server_behind_it(stub: Stub) -> None:
    index = open_index(f"http://127.0.0.1:{stub.port}/products")
    with closing(index), pytest.raises(IndexMissingError, match=r"'products' at .*goods ingest"):
        index.count()


def test_grpc_is_offered_where_something_listens() -> None:
    address = ServerAddress("http://127.0.0.1:6333", "products")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert address.offers_grpc(port)
        for other in ("https://127.0.0.1", "http://127.0.0.1:6333/proxy", "http://127.0.0.1:7333"):
            assert not ServerAddress(other, "products").offers_grpc(port), "somebody else's port"
    assert not address.offers_grpc(port)


@pytest.mark.parametrize(
    ("code", "sentence", "attempts"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, r"refuses the API key \(gRPC UNAUTHENTICATED\)", 1),
        (grpc.StatusCode.NOT_FOUND, r"has lost what was open \(no such thing\)", 1),
        (grpc.StatusCode.INVALID_ARGUMENT, r"failed: no such thing \(gRPC INVALID_ARGUMENT\)", 1),
        (grpc.StatusCode.UNAVAILABLE, r"failed: no such thing \(gRPC UNAVAILABLE\)", 3),
    ],
)
def test_failures_over_grpc_mean_the_same(
    code: grpc.StatusCode, sentence: str, attempts: int
) -> None:
    calls = []

    def refuse(request: bytes, context: grpc.ServicerContext) -> bytes:
        calls.append(request)
        context.abort(code, "no such thing")

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = QdrantClient(
        "http://127.0.0.1:1", grpc_port=port, prefer_grpc=True, check_compatibility=False
    )
    index = ServerIndex(Connection(client, "products", "shop", patience=QUICK))
    with closing(index), pytest.raises(IndexStoreError, match=rf"^shop {sentence}"):
        index.count()
    assert len(calls) == attempts
    server.stop(None).wait()
