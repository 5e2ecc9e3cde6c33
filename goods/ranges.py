"""A file on a web server, read by ranges (RFC 9110, 14).

A catalog is read as slowly as its pictures are embedded, for hours: no answer stays open that long,
so that every piece is a request of its own. From a server that sends no ranges the file comes as
one answer, and only from its start.
"""

import io
from collections.abc import Iterator
from http import HTTPStatus

import httpx
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

_TIMEOUT_S = 60.0  # to connect, and between two pieces of an answer
_ATTEMPTS = 5
_MAX_WAIT_S = 20.0  # between two attempts; doubled from one second on
_HEADERS = {"User-Agent": "clip-for-goods", "Accept-Encoding": "identity"}  # ranges of the file
_BEYOND_ITS_END = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
_MISSING = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class RangedFile(io.RawIOBase):
    """The bytes at a URL, unbuffered; owns its connection.

    Raises:
        OSError: It is not there, may not be read, or the server fails, then or while it is read.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._at = 0
        self._whole: Iterator[bytes] | None = None  # the one answer of a server without ranges
        self._rest = b""
        self._client = httpx.Client(headers=_HEADERS, timeout=_TIMEOUT_S, follow_redirects=True)
        self._retrying = Retrying(
            retry=retry_if_exception(_is_passing),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(max=_MAX_WAIT_S),
            reraise=True,
        )
        try:
            self._size, self._version = self._first_look()
        except OSError:
            self.close()
            raise

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """Whether the server sends ranges."""
        return self._whole is None

    def tell(self) -> int:
        """How many bytes are before the next one."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere; no request is made for that."""
        if not self.seekable():
            raise io.UnsupportedOperation(
                "its server sends no ranges: download it, and name the file"
            )
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # the base has any buffer
        """Fill the buffer, as far as there are bytes left."""
        if self._whole is not None:
            data = self._next_bytes(len(buffer))
        elif self._at < self._size and len(buffer):
            data = self._range(self._at, min(self._at + len(buffer), self._size))
        else:
            data = b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
        super().close()

    def _first_look(self) -> tuple[int, str]:
        """The size of the file and what the server calls this version, at the cost of a byte."""
        answer = self._get(0, 1)
        if answer.status_code == _BEYOND_ITS_END:  # an empty file
            return 0, ""
        if answer.status_code == HTTPStatus.OK:
            self._whole = answer.iter_bytes()
            return 0, ""
        size = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if not size.isdecimal():
            raise OSError("its server does not say how long it is: download it, and name the file")
        return int(size), _version(answer)

    def _range(self, start: int, end: int) -> bytes:
        answer = self._get(start, end)
        if answer.status_code != HTTPStatus.PARTIAL_CONTENT or _version(answer) != self._version:
            raise OSError("it was replaced while it was read; run again")
        if len(answer.content) != end - start:
            raise OSError("its server sends other ranges than asked for: download it")
        return answer.content

    def _get(self, start: int, end: int) -> httpx.Response:
        """The answer to a range, already read unless it is the whole file."""
        try:
            answer = self._retrying(self._attempt, f"bytes={start}-{end - 1}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        if answer.status_code in _MISSING:
            raise FileNotFoundError(
                f"the server answers {answer.status_code}: there is no such file"
            )
        if answer.status_code in _FORBIDDEN:
            raise PermissionError(f"the server answers {answer.status_code}: it may not be read")
        if answer.is_client_error and answer.status_code != _BEYOND_ITS_END:
            raise OSError(f"the server answers {answer.status_code} {answer.reason_phrase}")
        return answer

    def _attempt(self, wanted: str) -> httpx.Response:
        request = self._client.build_request("GET", self._url, headers={"Range": wanted})
        answer = self._client.send(request, stream=True)
        if answer.status_code != HTTPStatus.OK:
            answer.read()
        if answer.is_server_error or answer.status_code in _PASSING:
            answer.raise_for_status()
        return answer

    def _next_bytes(self, most: int) -> bytes:
        """Of the one answer that is the whole file."""
        try:
            self._rest = self._rest or next(self._whole or iter(()), b"")
        except httpx.HTTPError as error:
            raise OSError(f"the answer breaks off ({error})") from error
        data, self._rest = self._rest[:most], self._rest[most:]
        return data


def _version(answer: httpx.Response) -> str:
    return str(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError | httpx.HTTPStatusError)
