"""Pictures over HTTP, with one policy for all that can go wrong on the way."""

import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from goods.errors import PictureError, PictureFault

log = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.5  # doubled after every attempt, and a random part of it is waited
_MAX_REDIRECTS = 5
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_HEADERS = {
    "User-Agent": "clip-for-goods",
    "Accept": "image/*",
    "Accept-Encoding": "identity",  # pictures are compressed; a zipped one may be a bomb
}


class _PassingError(PictureError):
    """What may be gone in a moment."""

    def __init__(self, fault: PictureFault, message: str, wait_s: float | None = None) -> None:
        super().__init__(fault, message)
        self.wait_s = wait_s  # as the host asks


class Downloader:
    """Fetches pictures; owns the connections. Safe to use from several threads.

    Time-outs, broken connections, 408, 425, 429 and 5xx are tried again, with a growing, jittered
    wait or as long as `Retry-After` says. All else is final.

    Args:
        max_bytes: A longer answer is refused, at the latest when that many bytes have come.
        timeout_s: Seconds to connect, to wait for bytes, and for one picture as a whole.
        attempts: How often one picture is asked for.
        max_wait_s: Seconds between two attempts; a host that asks for more is given up.
    """

    def __init__(
        self, *, max_bytes: int, timeout_s: float, attempts: int, max_wait_s: float
    ) -> None:
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_wait_s = max_wait_s
        self._client = httpx.Client(
            headers=_HEADERS, timeout=timeout_s, follow_redirects=True, max_redirects=_MAX_REDIRECTS
        )
        self._backoff = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=max_wait_s)
        self._jitter = wait_random(max=min(_FIRST_WAIT_S, max_wait_s))
        self._policy = Retrying(
            stop=stop_after_attempt(attempts),
            wait=self._wait_s,
            retry=retry_if_exception_type(_PassingError),
            before_sleep=_log_attempt,
            reraise=True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, url: str) -> bytes:
        """What is at a URL.

        Raises:
            PictureError: GONE, BUSY, REFUSED or, for an answer that breaks off, BROKEN.
        """
        return self._policy(self._attempt, url)

    def _attempt(self, url: str) -> bytes:
        try:
            with self._client.stream("GET", url) as response:
                self._check_status(response)
                return self._body(response)
        except httpx.TooManyRedirects as error:
            raise PictureError(PictureFault.GONE, "it redirects in circles") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise PictureError(PictureFault.REFUSED, f"it is no valid URL ({error})") from error
        except httpx.TimeoutException as error:
            raise self._late() from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise _PassingError(PictureFault.BROKEN, f"the answer breaks off ({error})") from error
        except httpx.TransportError as error:
            raise _PassingError(PictureFault.BUSY, f"out of reach ({error})") from error

    def _check_status(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        answer = f"the host answers {response.status_code} {response.reason_phrase}"
        if response.status_code in _GONE:
            raise PictureError(PictureFault.GONE, answer)
        if response.status_code not in _PASSING and not response.is_server_error:
            raise PictureError(PictureFault.REFUSED, answer)
        wait_s = _retry_after_s(response.headers.get("Retry-After", ""))
        if wait_s is not None and wait_s > self._max_wait_s:
            raise PictureError(
                PictureFault.BUSY, f"{answer}, and asks to wait {wait_s:.0f} s; run again later"
            )
        raise _PassingError(PictureFault.BUSY, answer, wait_s)

    def _body(self, response: httpx.Response) -> bytes:
        """The answer's body; its length is watched while it comes, whatever the headers say."""
        deadline = time.monotonic() + self._timeout_s
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise PictureError(
                    PictureFault.REFUSED, f"it has more than {self._max_bytes:,} bytes; compress it"
                )
            if time.monotonic() > deadline:
                raise self._late()
        return bytes(body)

    def _late(self) -> PictureError:
        return _PassingError(PictureFault.BUSY, f"no answer within {self._timeout_s:g} s")

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.wait_s if isinstance(error, _PassingError) else None
        return self._backoff(state) if asked_s is None else asked_s + self._jitter(state)


def _retry_after_s(header: str) -> float | None:
    """Seconds from now, of a number of them or of a date (RFC 9110, 10.2.3); None if neither."""
    if header.isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _log_attempt(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("%s: %s; trying again in %.1f s", state.args[0], error, state.upcoming_sleep)
