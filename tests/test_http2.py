import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from goods.download import Downloader
from goods.errors import PictureError, PictureFault
from http2_host import Http2Host, Stream, http2_host
from picture_host import BODY, LIMITS, picture_host


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[trustme.CA]:
    """An authority that this process trusts, as one trusts a shop's own."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(file))
        yield authority


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """Of a host called localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def downloader(authority: trustme.CA) -> Iterator[Downloader]:
    with closing(Downloader(replace(LIMITS, attempts=4))) as downloader:
        yield downloader


def urls(host: Http2Host, count: int) -> list[str]:
    return [f"https://localhost:{host.port}/{number}.jpg" for number in range(count)]


def test_many_pictures_share_one_connection(
    context: ssl.SSLContext, downloader: Downloader
) -> None:
    with http2_host(context, lambda stream: stream.send(BODY)) as host:
        coming = [downloader.submit(url) for url in urls(host, 100)]
        assert [future.result().data for future in coming] == [BODY] * 100
        assert host.connections == 1


def test_a_host_that_speaks_only_http_1_1_is_spoken_to_in_it(
    context: ssl.SSLContext, downloader: Downloader
) -> None:
    with picture_host() as host:
        host.socket = context.wrap_socket(host.socket, server_side=True)
        for number in range(20):
            host.url(f"/{number}.jpg", lambda answer: answer.send(200, BODY))
        base = f"https://localhost:{host.server_port}"
        coming = [downloader.submit(f"{base}/{number}.jpg") for number in range(20)]
        assert [future.result().data for future in coming] == [BODY] * 20


def test_what_breaks_off_in_a_shared_connection_is_asked_for_again(
    context: ssl.SSLContext, downloader: Downloader
) -> None:
    def flaky(stream: Stream) -> None:
        number = int(Path(stream.path).stem)
        if stream.attempt > 1 or number % 10:
            stream.send(BODY)
        elif number % 20:
            stream.h2.reset_stream(stream.id)
        else:
            stream.h2.close_connection()

    with http2_host(context, flaky) as host:
        coming = [downloader.submit(url) for url in urls(host, 60)]
        assert [future.result().data for future in coming] == [BODY] * 60


@pytest.mark.parametrize("length", [len(BODY) - 1, len(BODY) + 1])
def test_a_length_that_is_a_lie_is_broken(
    context: ssl.SSLContext, downloader: Downloader, length: int
) -> None:
    with http2_host(context, lambda stream: stream.send(BODY, length)) as host:
        error = downloader.submit(urls(host, 1)[0]).exception()
    assert isinstance(error, PictureError)
    assert error.fault is PictureFault.BROKEN
    assert "the answer breaks off (" in str(error)


def test_a_picture_that_is_too_long_does_not_hold_up_the_others(
    context: ssl.SSLContext, downloader: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    long = bytes(20_000_000)  # more than the window that the answers of a connection share
    with http2_host(context, lambda s: s.send(long if s.path == "/0.jpg" else BODY)) as host:
        first, *others = urls(host, 10)
        error = downloader.submit(first).exception()
        assert isinstance(error, PictureError)
        assert error.fault is PictureFault.REFUSED
        assert [downloader.get(url).data for url in others] == [BODY] * 9
    assert "no answer within" not in caplog.text


def test_long_pages_that_say_that_pictures_are_gone_do_not_use_up_the_connection(
    context: ssl.SSLContext, downloader: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    page = b"<html>" + bytes(200_000)  # times 100 is more than the window
    with http2_host(context, lambda stream: stream.send(page, status=404)) as host:
        coming = [downloader.submit(url) for url in urls(host, 100)]
        assert all("answers 404" in str(future.exception()) for future in coming)
        assert host.connections == 1
    assert "no answer within" not in caplog.text


def test_a_certificate_of_another_host_is_not_taken(
    authority: trustme.CA, downloader: Downloader
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test").configure_cert(context)
    with http2_host(context, lambda stream: stream.send(BODY)) as host:
        error = downloader.submit(urls(host, 1)[0]).exception()
    assert isinstance(error, PictureError)
    assert error.fault is PictureFault.BUSY
    assert f"localhost:{host.port} is down: out of reach (" in str(error)
    assert "certificate verify failed" in str(error)
