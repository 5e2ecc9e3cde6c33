"""What a host's answer means: a picture, the one that is known already, or a fault."""

import zlib
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from goods.errors import PictureError, PictureFault
from goods.hosts import PassingError

_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_GZIP_OR_ZLIB = 47  # zlib's window bits for "see what it is"
_MAX_VALIDATOR = 500  # characters: it is stored with every product


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking for a picture.

    Attributes:
        data: The encoded picture; None when it is still the one that is known.
        validator: What to ask with the next time, for the bytes only if they changed; None where
            there is no way to.
    """

    data: bytes | None = field(repr=False)
    validator: str | None = None


def condition(known: str | None) -> dict[str, str]:
    """The header that asks for a picture only if it is not the known one (RFC 9110, 13.1)."""
    kind, _, value = (known or "").partition(" ")
    header = {"etag": "If-None-Match", "modified": "If-Modified-Since"}.get(kind)
    return {header: value} if header else {}


def validator_of(headers: httpx.Headers) -> str | None:
    """What the host calls this version of the picture; see `condition`."""
    for kind, header in (("etag", "ETag"), ("modified", "Last-Modified")):
        value = headers.get(header, "")
        if value and value.isascii() and value.isprintable() and len(value) <= _MAX_VALIDATOR:
            return f"{kind} {value}"
    return None


def check_status(status: int, headers: httpx.Headers, max_wait_s: float) -> None:
    """Tell what is no picture.

    Raises:
        PictureError: GONE, REFUSED, or BUSY for longer than `max_wait_s`.
        PassingError: BUSY; it may be asked again.
    """
    if 200 <= status < 300:
        return
    answer = f"the host answers {status} {_phrase(status)}".rstrip()
    if status in _GONE:
        raise PictureError(PictureFault.GONE, answer)
    if status not in _PASSING and status < 500:
        raise PictureError(PictureFault.REFUSED, answer)
    wait_s = retry_after_s(headers)
    if wait_s is not None and wait_s > max_wait_s:
        raise PictureError(
            PictureFault.BUSY, f"{answer}, and asks to wait {wait_s:.0f} s; run again later"
        )
    raise PassingError(PictureFault.BUSY, answer, wait_s)


async def read_body(chunks: AsyncIterable[bytes], headers: httpx.Headers, max_bytes: int) -> bytes:
    """The picture's bytes; their number is watched while they come, whatever the headers say.

    Raises:
        PictureError: REFUSED; they are too many, or packed in an unknown way.
        PassingError: BROKEN; they cannot be unpacked.
    """
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        _refuse_too_long(len(body), max_bytes)
    packing = headers.get("Content-Encoding", "identity").strip().lower()
    return bytes(body) if packing in ("", "identity") else _unpack(body, packing, max_bytes)


def _unpack(body: bytearray, packing: str, max_bytes: int) -> bytes:
    """Never more than is allowed: a bomb has a thousand times its length, and again inside."""
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise PictureError(
            PictureFault.REFUSED, f"the host packs it as '{packing}'; it has to send it as it is"
        )
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        data = unpacking.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise PassingError(PictureFault.BROKEN, f"the answer breaks off ({error})") from error
    _refuse_too_long(len(data), max_bytes)
    if not unpacking.eof:
        raise PassingError(PictureFault.BROKEN, f"the answer breaks off (of its {packing} part)")
    return data


def _refuse_too_long(length: int, max_bytes: int) -> None:
    if length > max_bytes:
        raise PictureError(
            PictureFault.REFUSED, f"it has more than {max_bytes:,} bytes; compress it"
        )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds from now, of a number of them or of a date (RFC 9110, 10.2.3); None if neither."""
    header = headers.get("Retry-After", "")
    if header.isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
