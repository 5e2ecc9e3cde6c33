"""Hosts that are down, slow, hostile or strict, each a small one of our own."""

import gzip
import logging
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import replace

import pytest

from goods.download import Downloader
from goods.errors import PictureError, PictureFault
from picture_host import BODY, LIMITS, Answer, Host, picture_host

PATIENT = replace(LIMITS, attempts=4, patience_s=60, max_wait_s=0.05)


@pytest.fixture
def host() -> Iterator[Host]:
    with picture_host() as host:
        yield host


@pytest.fixture(scope="module")
def downloader() -> Iterator[Downloader]:
    with closing(Downloader(PATIENT)) as downloader:
        yield downloader


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def reset(answer: Answer) -> None:
    """End the connection as a crashed host does."""
    answer.close_connection = True
    answer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer.connection.close()


def refused(downloader: Downloader, url: str) -> tuple[PictureFault, str]:
    error = downloader.submit(url).exception()
    assert isinstance(error, PictureError)
    return error.fault, str(error)


def test_all_pictures_arrive_from_a_host_that_resets_a_tenth_of_its_connections(
    host: Host, downloader: Downloader
) -> None:
    resets = []

    def flaky(answer: Answer) -> None:
        chance = random.Random(f"{answer.path} {answer.attempt}")
        if chance.random() >= 0.1:
            answer.send(200, BODY)
            return
        resets.append(answer.path)
        if chance.random() < 0.5:
            answer.send(200, BODY[:300], Content_Length=str(len(BODY)))
        reset(answer)

    urls = [host.url(f"/{number}.jpg", flaky) for number in range(150)]
    got = [future.result().data for future in [downloader.submit(url) for url in urls]]
    assert got == [BODY] * len(urls)
    assert len(resets) > 5


def test_a_host_that_was_down_for_a_while_costs_no_picture(
    downloader: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/{number}.jpg" for number in range(40)]
    with caplog.at_level(logging.WARNING):
        coming = [downloader.submit(url) for url in urls]
        while f"127.0.0.1:{port} does not answer; trying again in" not in caplog.text:
            time.sleep(0.01)
        assert not any(future.done() for future in coming)
        with picture_host(port) as host:
            for number in range(40):
                host.url(f"/{number}.jpg", lambda answer: answer.send(200, BODY))
            assert [future.result().data for future in coming] == [BODY] * 40
    assert f"127.0.0.1:{port} answers again" in caplog.text


def test_a_host_that_is_down_for_good_is_named_and_not_asked_for_every_picture() -> None:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/{number}.jpg" for number in range(200)]
    with closing(Downloader(LIMITS)) as downloader:
        errors = [future.exception() for future in [downloader.submit(url) for url in urls]]
        assert all(isinstance(e, PictureError) and e.fault is PictureFault.BUSY for e in errors)
        assert f"0.jpg: 127.0.0.1:{port} is down: out of reach (" in str(errors[0])
        times = int(str(errors[-1]).partition(" times in ")[0].rpartition(" ")[2])
        assert times < len(urls), "requests for all its pictures together"
        with picture_host(port) as host:  # and should it come back
            url = host.url("/0.jpg", lambda answer: answer.send(200, BODY))
            while downloader.submit(url).exception():
                time.sleep(0.01)


def test_a_host_that_is_silent_is_found_to_be_down(host: Host) -> None:
    over = threading.Event()
    limits = replace(LIMITS, timeout_s=0.2, attempts=3, per_host=4)
    urls = [host.url(f"/{number}.jpg", lambda _: over.wait(10)) for number in range(20)]
    with closing(Downloader(limits)) as downloader:
        messages = [refused(downloader, url)[1] for url in urls]
    over.set()
    assert f"127.0.0.1:{host.server_port} is down: no answer within 0.2 s" in messages[-1]
    assert host.asked.total() < len(urls)


def test_one_silent_picture_does_not_stop_the_others_of_its_host(host: Host) -> None:
    over = threading.Event()
    silent = host.url("/silent.jpg", lambda _: over.wait(10))
    urls = [host.url(f"/{number}.jpg", lambda answer: answer.send(200, BODY)) for number in (1, 2)]
    with closing(Downloader(replace(PATIENT, timeout_s=0.4))) as downloader:
        hangs = downloader.submit(silent)
        error = hangs.exception()
        assert "silent.jpg: no answer within 0.4 s" in str(error)
        assert [downloader.get(url).data for url in urls] == [BODY, BODY]
    over.set()


@pytest.mark.parametrize("status", [404, 403, 500, 502])
def test_bad_answers_are_answers(host: Host, status: int, caplog: pytest.LogCaptureFixture) -> None:
    urls = [host.url(f"/{number}.jpg", lambda answer: answer.send(status)) for number in range(8)]
    with closing(Downloader(LIMITS)) as downloader:
        assert all(f"answers {status}" in refused(downloader, url)[1] for url in urls)
    assert "does not answer" not in caplog.text


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_to_wait_gets_no_request_for_any_picture_meanwhile(
    host: Host, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    times: list[float] = []

    def busy(answer: Answer) -> None:
        times.append(time.monotonic())
        answer.send(status if answer.attempt == 1 else 200, BODY, Retry_After="1")

    first = host.url("/1.jpg", busy)
    second = host.url("/2.jpg", lambda answer: (times.append(time.monotonic()), answer.send(200)))
    with closing(Downloader(replace(LIMITS, max_wait_s=2))) as downloader:
        coming = downloader.submit(first)
        while "trying again" not in caplog.text:
            time.sleep(0.01)
        downloader.get(second)
        assert coming.result().data == BODY
    assert times[1] - times[0] >= 1


def test_a_host_that_asks_to_wait_for_too_long_is_not_asked_again(host: Host) -> None:
    first = host.url("/1.jpg", lambda answer: answer.send(429, Retry_After="3600"))
    second = host.url("/2.jpg", lambda answer: answer.send(200, BODY))
    with closing(Downloader(LIMITS)) as downloader:
        assert refused(downloader, first)[0] is PictureFault.BUSY
        fault, message = refused(downloader, second)
    assert fault is PictureFault.BUSY
    assert f"127.0.0.1:{host.server_port} asks to wait 3600 s; run again later" in message
    assert not host.asked["/2.jpg"]


def test_so_many_requests_are_on_their_way_to_one_host_and_no_more(host: Host) -> None:
    together, lock, most, now = threading.Barrier(3), threading.Lock(), 0, 0

    def count(answer: Answer) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(10)  # fails unless three are here at once
        with lock:
            now -= 1
        answer.send(200, BODY)

    urls = [host.url(f"/{number}.jpg", count) for number in range(12)]
    with closing(Downloader(replace(PATIENT, per_host=3))) as downloader:
        coming = [downloader.submit(url) for url in urls]
        assert [future.result().data for future in coming] == [BODY] * 12
    assert most == 3


def test_an_answer_that_is_cut_off_is_asked_for_again(host: Host, downloader: Downloader) -> None:
    def cut_once(answer: Answer) -> None:
        answer.send(200, BODY[: 300 if answer.attempt == 1 else None], Content_Length="1000")
        if answer.attempt == 1:
            reset(answer)

    assert downloader.get(host.url("/a.jpg", cut_once)).data == BODY


def test_what_comes_after_the_claimed_length_is_no_part_of_a_picture(
    host: Host, downloader: Downloader
) -> None:
    more = b"more than was claimed"
    first = host.url("/1", lambda answer: answer.send(200, BODY + more, Content_Length="1000"))
    second = host.url("/2", lambda answer: answer.send(200, b"good"))
    assert downloader.get(first).data == BODY
    assert downloader.get(second).data == b"good"


def test_a_packed_answer_is_unpacked_but_never_beyond_what_is_allowed(host: Host) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    honest = gzip.compress(BODY)

    def packed(data: bytes, how: str) -> str:
        return host.url(f"/{len(data)}", lambda a: a.send(200, data, Content_Encoding=how))

    with closing(Downloader(replace(LIMITS, max_bytes=100_000))) as downloader:
        assert len(bomb) < 100_000
        fault, message = refused(downloader, packed(bomb, "gzip"))
        assert fault is PictureFault.REFUSED
        assert "it has more than 100,000 bytes" in message
        assert downloader.get(packed(honest, "gzip")).data == BODY
        fault, message = refused(downloader, packed(gzip.compress(bomb), "gzip, gzip"))
        assert fault is PictureFault.REFUSED
        assert "the host packs it as 'gzip, gzip'" in message
        assert refused(downloader, packed(honest[:-9], "gzip"))[0] is PictureFault.BROKEN


def test_a_picture_that_is_known_costs_no_bytes(host: Host, downloader: Downloader) -> None:
    def by_etag(answer: Answer) -> None:
        is_known = answer.headers["If-None-Match"] == '"v1"'
        answer.send(304 if is_known else 200, b"" if is_known else BODY, ETag='"v1"')

    def by_date(answer: Answer) -> None:
        date = "Wed, 21 Oct 2015 07:28:00 GMT"
        is_known = answer.headers["If-Modified-Since"] == date
        answer.send(304 if is_known else 200, b"" if is_known else BODY, Last_Modified=date)

    for path, answer in (("/etag", by_etag), ("/date", by_date)):
        url = host.url(path, answer)
        first = downloader.get(url)
        assert first.data == BODY
        again = downloader.get(url, first.validator)
        assert again.data is None
        assert again.validator == first.validator
        assert downloader.get(url, 'etag "v0"').data == BODY
        assert downloader.get(url, "file 17 4").data == BODY
    assert downloader.get(host.url("/none", lambda a: a.send(200, BODY))).validator is None


def test_the_password_of_a_url_is_told_to_its_own_host_alone(
    host: Host, downloader: Downloader
) -> None:
    told: list[str | None] = []

    def note(answer: Answer) -> None:
        told.append(answer.headers["Authorization"])
        answer.send(200, BODY)

    url = host.url("/a", note)
    target = host.url("/b", note)
    moved = host.url("/c", lambda answer: answer.send(302, Location=target))
    for secret in (url, moved):
        downloader.get(secret.replace("127.0.0.1", "user:p%40ss@127.0.0.1"))
    assert told == ["Basic dXNlcjpwQHNz", None]


def test_a_redirect_to_another_protocol_is_refused(host: Host, downloader: Downloader) -> None:
    url = host.url("/a", lambda answer: answer.send(302, Location="file:///etc/passwd"))
    fault, message = refused(downloader, url)
    assert fault is PictureFault.REFUSED
    assert "it is no valid URL (it needs http:// or https://" in message


def test_a_download_can_be_called_off_and_closing_calls_off_all(host: Host) -> None:
    over = threading.Event()
    urls = [host.url(f"/{number}.jpg", lambda _: over.wait(10)) for number in range(3)]
    downloader = Downloader(LIMITS)
    first, *others = [downloader.submit(url) for url in urls]
    assert first.cancel()
    downloader.close()
    downloader.close()
    over.set()
    for future in others:
        with pytest.raises(CancelledError):
            future.result()
