import socket
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address

import pytest
from click.testing import CliRunner

from goods.cli import main
from goods.download import Downloader
from goods.errors import GoodsError, PictureError, PictureFault
from goods.limits import PictureLimits
from goods.public_addresses import PrivateHosts, is_public
from picture_host import BODY, LIMITS, Host, picture_host


@pytest.fixture
def host() -> Iterator[Host]:
    with picture_host() as host:
        yield host


@pytest.fixture(scope="module")
def guarded() -> Iterator[Downloader]:
    with closing(Downloader(PictureLimits(attempts=1, timeout_s=5))) as downloader:
        yield downloader


def refused(downloader: Downloader, url: str) -> str:
    with pytest.raises(PictureError) as error:
        downloader.get(url)
    assert error.value.fault is PictureFault.REFUSED
    return str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
        *("192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "168.63.129.16"),
        *("::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "2002:7f00:1::", "2001:db8::1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:1:2::80ff:fffe", "4000::1"),
    ],
)
def test_an_address_of_a_private_or_special_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "spelling",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.1", "localhost", "0"],
)
def test_a_private_address_is_refused_however_it_is_spelled(
    host: Host, guarded: Downloader, spelling: str
) -> None:
    url = host.url("/a.jpg", lambda answer: answer.send(200, BODY))
    message = refused(guarded, url.replace("127.0.0.1", spelling))
    assert "which is no public address" in message
    assert f"pass --allow-private-hosts {spelling}" in message
    assert not host.asked


@pytest.mark.parametrize("spelling", ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
def test_a_private_address_is_refused_in_six_bytes_too(guarded: Downloader, spelling: str) -> None:
    assert "which is no public address" in refused(guarded, f"http://{spelling}:9/a.jpg")


def test_a_redirect_to_a_private_address_is_refused(host: Host) -> None:
    target = host.url("/secret", lambda answer: answer.send(200, BODY))
    elsewhere = target.replace("127.0.0.1", "127.0.0.2")
    url = host.url("/a.jpg", lambda answer: answer.send(302, Location=elsewhere))
    with closing(Downloader(LIMITS)) as downloader:
        assert "127.0.0.2 is at 127.0.0.2, which is no public address" in refused(downloader, url)
    assert not host.asked["/secret"]


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name leads to an allowed address when it is looked up first, and elsewhere ever after."""
    url = host.url("/a.jpg", lambda answer: answer.send(200, BODY))
    url = url.replace("127.0.0.1", "shop.test")
    addresses = ["127.0.0.2"]  # where nobody listens

    def rebound(name: str, port: int, *_: object, **__: object) -> list[object]:
        address = addresses.pop() if addresses else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: (rebound if name == "shop.test" else real)(name, *rest, **more),
    )
    limits = PictureLimits(attempts=1, allow_private=("127.0.0.2",))
    with closing(Downloader(limits)) as downloader:
        with pytest.raises(PictureError, match="out of reach") as error:
            downloader.get(url)
        assert "'127.0.0.2'" in str(error.value)
        assert "shop.test is at 127.0.0.1, which is no public" in refused(downloader, url)
    assert not host.asked


@pytest.mark.parametrize(
    "allowed", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1/8", "*", "LOCALHOST", "localhost."]
)
def test_what_is_allowed_is_fetched(host: Host, allowed: str) -> None:
    url = host.url("/a.jpg", lambda answer: answer.send(200, BODY))
    limits = PictureLimits(allow_private=("shop.local", allowed))
    with closing(Downloader(limits)) as downloader:
        name = "localhost" if allowed.lower().startswith("local") else "127.0.0.1"
        assert downloader.get(url.replace("127.0.0.1", name)).data == BODY


def test_a_name_is_allowed_for_itself_alone() -> None:
    allowed = PrivateHosts.of(["shop.local", "fd00::/8", "[fe80::1]"])
    local = ip_address("10.0.0.1")
    assert allowed.allow("shop.local", local)
    assert not allowed.allow("other.shop.local", local)
    assert not allowed.allow("shop.local.evil.test", local)
    assert allowed.allow("any.test", ip_address("fd12::1"))
    assert allowed.allow("any.test", ip_address("8.8.8.8"))


@pytest.mark.parametrize("entry", ["http://shop.local", "shop.local:8000", "10.0.0.0/40", ""])
def test_what_is_no_host_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(GoodsError, match="is no host that can be allowed: pass names, addresses"):
        PictureLimits(allow_private=(entry,))


@pytest.mark.parametrize(
    "command", ["train --catalog shop.csv", "evaluate --catalog shop.csv", "search dress"]
)
def test_commands_that_load_pictures_take_hosts_or_say_what_is_none(command: str) -> None:
    run = CliRunner().invoke(main, command.split(), env={"GOODS_ALLOW_PRIVATE_HOSTS": "a, b:1"})
    assert run.exit_code == 1
    assert "'b:1' is no host that can be allowed" in run.stderr
