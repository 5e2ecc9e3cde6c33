import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from goods.download import Downloader
from goods.errors import PictureError, PictureFault
from picture_host import BODY, LIMITS, Answer, Host, picture_host


@pytest.fixture
def host() -> Iterator[Host]:
    with picture_host() as host:
        yield host


@pytest.fixture(scope="module")
def downloader() -> Iterator[Downloader]:
    with closing(Downloader(LIMITS)) as downloader:
        yield downloader


@pytest.fixture
def hasty() -> Iterator[Downloader]:
    limits = replace(LIMITS, timeout_s=0.2, attempts=2, max_wait_s=1.1)
    with closing(Downloader(limits)) as downloader:
        yield downloader


def refused(downloader: Downloader, url: str) -> tuple[PictureFault, str]:
    with pytest.raises(PictureError) as error:
        downloader.get(url)
    shown, _, message = str(error.value).partition(": ")
    assert shown[:10] == url[:10]
    return error.value.fault, message


def test_a_picture_is_fetched(host: Host, downloader: Downloader) -> None:
    assert downloader.get(host.url("/a.jpg", lambda answer: answer.send(200, BODY))).data == BODY


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_asked_for_once(host: Host, downloader: Downloader, status: int) -> None:
    fault, message = refused(downloader, host.url("/a", lambda answer: answer.send(status)))
    assert fault is PictureFault.GONE
    assert f"the host answers {status}" in message
    assert host.asked["/a"] == 1


@pytest.mark.parametrize("status", [400, 401, 403, 304])
def test_what_is_forbidden_is_asked_for_once(
    host: Host, downloader: Downloader, status: int
) -> None:
    url = host.url("/a", lambda answer: answer.send(status))
    assert refused(downloader, url)[0] is PictureFault.REFUSED
    assert host.asked["/a"] == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_asked_again_and_logged(
    host: Host, downloader: Downloader, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once(answer: Answer) -> None:
        answer.send(200 if answer.attempt == 2 else status, BODY)

    url = host.url("/a", fail_once)
    with caplog.at_level(logging.WARNING):
        assert downloader.get(url).data == BODY
    assert f"{url}: the host answers {status}" in caplog.text
    assert "trying again in 0.0 s" in caplog.text


def test_a_failure_that_stays_is_given_up_as_busy(host: Host, downloader: Downloader) -> None:
    url = host.url("/a", lambda answer: answer.send(503))
    assert refused(downloader, url) == (
        PictureFault.BUSY,
        "the host answers 503 Service Unavailable",
    )
    assert host.asked["/a"] == 3


def test_the_wait_that_a_host_asks_for_is_kept(host: Host, hasty: Downloader) -> None:
    times = []

    def patience(answer: Answer) -> None:
        times.append(time.monotonic())
        answer.send(503, Retry_After="1")

    assert refused(hasty, host.url("/a", patience))[0] is PictureFault.BUSY
    first, second = times
    assert second - first >= 1


def _gmt(from_now: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + from_now, usegmt=True)


@pytest.mark.parametrize(
    ("header", "attempts"),
    [
        ("3600", 1),
        pytest.param(_gmt(timedelta(hours=1)), 1, id="an hour from now"),
        ("Fri, 31 Dec 2100 23:59:59 -0000", 1),
        pytest.param(_gmt(timedelta(hours=-1)), 3, id="an hour ago"),
        ("0", 3),
        ("soon", 3),
    ],
)
def test_a_host_that_asks_for_too_long_a_wait_is_given_up_at_once(
    host: Host, downloader: Downloader, header: str, attempts: int
) -> None:
    url = host.url("/a", lambda answer: answer.send(503, Retry_After=header))
    fault, message = refused(downloader, url)
    assert fault is PictureFault.BUSY
    assert host.asked["/a"] == attempts
    assert ("asks to wait" in message) == (attempts == 1)


def test_silence_is_given_up_as_busy(host: Host, hasty: Downloader) -> None:
    url = host.url("/a", lambda _: time.sleep(0.3))
    assert refused(hasty, url) == (PictureFault.BUSY, "no answer within 0.2 s")
    assert host.asked["/a"] == 2


def test_a_trickle_is_given_up_as_busy(host: Host, hasty: Downloader) -> None:
    def trickle(answer: Answer) -> None:
        answer.send(200, Content_Length="5000")
        for _ in range(6):
            answer.wfile.write(b"x")
            time.sleep(0.05)

    assert refused(hasty, host.url("/a", trickle))[0] is PictureFault.BUSY


def test_a_host_out_of_reach_is_given_up_as_busy(downloader: Downloader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    fault, message = refused(downloader, f"http://127.0.0.1:{port}/a.jpg")
    assert fault is PictureFault.BUSY
    assert message.startswith(f"127.0.0.1:{port} is down: out of reach (")
    assert f"('127.0.0.1', {port})" in message


def test_redirects_are_followed(host: Host, downloader: Downloader) -> None:
    target = host.url("/b", lambda answer: answer.send(200, BODY))
    url = host.url("/a", lambda answer: answer.send(302, Location=target))
    assert downloader.get(url).data == BODY


def test_a_redirect_loop_ends(host: Host, downloader: Downloader) -> None:
    url = host.url("/a", lambda answer: answer.send(302, Location="/a"))
    assert refused(downloader, url) == (PictureFault.GONE, "it redirects in circles")
    assert host.asked["/a"] == 6


def test_a_picture_that_is_too_long_is_refused_while_it_comes(
    host: Host, downloader: Downloader
) -> None:
    sent = 0

    def endless(answer: Answer) -> None:
        nonlocal sent
        answer.send(200, Transfer_Encoding="chunked", Content_Length="9")
        while sent < 100_000_000:
            answer.wfile.write(b"%x\r\n%s\r\n" % (len(BODY), BODY))
            sent += len(BODY)

    fault, message = refused(downloader, host.url("/a", endless))
    assert fault is PictureFault.REFUSED
    assert "more than 10,000 bytes" in message
    assert sent < 50_000_000


def test_an_answer_shorter_than_it_claims_is_broken(host: Host, downloader: Downloader) -> None:
    url = host.url(
        "/a", lambda answer: answer.send(200, BODY, Content_Length="2000", Connection="close")
    )
    fault, message = refused(downloader, url)
    assert fault is PictureFault.BROKEN
    assert message.startswith("the answer breaks off (")
    assert host.asked["/a"] == 3


def test_an_answer_that_cannot_be_unpacked_is_broken(host: Host, downloader: Downloader) -> None:
    url = host.url("/a", lambda answer: answer.send(200, BODY, Content_Encoding="gzip"))
    assert refused(downloader, url)[0] is PictureFault.BROKEN


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a\nb/", f"http://{'a' * 70}.test/a.jpg"]
)
def test_what_is_no_url_is_refused(downloader: Downloader, url: str) -> None:
    fault, message = refused(downloader, url)
    assert fault is PictureFault.REFUSED
    assert message.startswith("it is no valid URL (")


def test_threads_share_a_downloader(host: Host, downloader: Downloader) -> None:
    def fail_twice(answer: Answer) -> None:
        answer.send(500 if answer.attempt <= 2 else 200, BODY)

    url = host.url("/a", fail_twice)
    with ThreadPoolExecutor(4) as pool:
        assert {got.data for got in pool.map(downloader.get, [url] * 20)} == {BODY}
