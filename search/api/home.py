"""One index as it is served: opened, watched for changes, and swapped for its successor."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from goods.errors import (
    GoodsError,
    IndexLockedError,
    IndexMissingError,
    ModelError,
    ModelMismatchError,
)
from goods.index import VectorIndex, open_index
from goods.urls import is_url
from search.api.copies import CopyingFolder, Watched, is_busy
from search.api.counters import Counters
from search.api.encoder import SharedEncoder
from search.api.encoders import Encoders
from search.api.settings import ServiceSettings
from search.api.suggest import Suggestions
from search.client import SearchClient

log = logging.getLogger("goods.serve")


class NotReadyError(GoodsError):
    """The index is not open yet, or its model is not loaded."""


@dataclass(slots=True)
class Served:
    """An open index with its client; closed by whoever leaves it last.

    Attributes:
        client: Searches it; its index is only ever read.
        copy: The private copy that it is, if any.
        state: Of its index, when it was opened.
        suggestions: How to go on typing; None until they are collected.
        leases: Requests that are using it.
        is_replaced: Whether its successor is there.
    """

    client: SearchClient
    copy: Path | None
    state: str
    suggestions: Suggestions | None = None
    leases: int = 0
    is_replaced: bool = False


class Home:
    """An index that is always open in its latest state.

    Args:
        name: What requests and metrics call it.
        address: Where it is.
        settings: Of the service.
        encoders: The models.
        counters: Told of every refresh.
        copies: Where private copies go.
        changed: Called whenever another state of the index is served.
    """

    def __init__(
        self,
        name: str,
        address: str,
        settings: ServiceSettings,
        encoders: Encoders,
        counters: Counters,
        copies: CopyingFolder,
        changed: Callable[[], object],
    ) -> None:
        self.name = name
        self._address = address
        self._settings = settings
        self._encoders = encoders
        self._counters = counters
        self._copies = copies
        self._changed = changed
        is_server = is_url(address)
        self._watched = None if is_server else Watched(Path(address))
        self._served: Served | None = None
        self._failure = ""
        self._reason = "is being opened"
        self._lock = threading.Lock()

    @property
    def reason(self) -> str | None:
        """Why it cannot be searched, for everybody to hear; None when it can."""
        return self._reason if self._served is None else None

    @contextmanager
    def lease(self) -> Iterator[Served]:
        """The index as it is now; it stays open until the end, whatever happens meanwhile.

        Raises:
            NotReadyError: It is not open yet.
        """
        with self._lock:
            served = self._served
            if served is None:
                raise NotReadyError(f"the index {self._reason}; try again soon")
            served.leases += 1
        try:
            yield served
        finally:
            with self._lock:
                served.leases -= 1
            self._close_if_left(served)

    def refresh(self) -> None:
        """Take up the index if it is there and has changed; what is served stays, if it fails."""
        try:
            opened = self._open_changed()
            if opened is not None:
                self._replace(*opened)
                self._counters.refreshes.labels(self.name, "taken up").inc()
        except GoodsError as error:
            if self._served is None or not is_busy(error):
                self._counters.refreshes.labels(self.name, "failed").inc()
                if str(error) != self._failure:
                    log.warning("%s: %s; trying again", self.name, error)
            self._failure, self._reason = str(error), _public(error)

    def close(self) -> None:
        """Let go of the index when the last request has left it."""
        with self._lock:
            served, self._served = self._served, None
            self._reason = "is being closed"
        if served is not None:
            served.is_replaced = True
            self._close_if_left(served)

    def _open_changed(self) -> tuple[VectorIndex, Path | None] | None:
        if self._watched is None:
            return self._open_server()
        target = self._watched.copy(self._copies.new)
        return None if target is None else (open_index(str(target)), target)

    def _open_server(self) -> tuple[VectorIndex, None] | None:
        index = open_index(self._address, api_key=self._settings.qdrant_key)
        try:
            if (served := self._served) is not None and index.info().state == served.state:
                index.close()
                return None
        except BaseException:
            index.close()
            raise
        return index, None

    def _replace(self, index: VectorIndex, copy: Path | None) -> None:
        """Open a client, and put it in the place of the one that is served."""
        before = self._served
        with ExitStack() as undo:
            undo.callback(self._discard, index, copy)
            contract, state = index.contract, index.info().state  # later changes are taken up next
            encoder = self._encoders.take(self._address, index)
            undo.callback(self._encoders.give_back, contract)
            served = Served(self._client(index, encoder), copy, state)
            if before is not None:  # nobody waits for the new one, so it comes complete
                served.suggestions = Suggestions.collect(served.client)
            undo.pop_all()
        with self._lock:
            self._served = served
        if before is not None:
            before.is_replaced = True
            self._close_if_left(before)
        else:
            served.suggestions = Suggestions.collect(served.client)
        self._changed()
        points = index.info().points
        self._counters.points.labels(self.name).set(points)
        self._counters.opened.labels(self.name).set(time.time())
        log.warning("%s: serving %s products", self.name, f"{points:,}")

    def _client(self, index: VectorIndex, encoder: SharedEncoder) -> SearchClient:
        client = SearchClient(
            index,
            synonyms=self._settings.synonyms,
            limits=self._settings.pictures,
            embedder=encoder,
        )
        client.understand("warm")  # builds the vocabulary, and the search reads the graph:
        client.by_text("warm")  # the first is the slowest
        return client

    def _discard(self, index: VectorIndex, copy: Path | None) -> None:
        """Let go of an index that cannot be served, so that it is opened again."""
        index.close()
        if copy is not None:
            shutil.rmtree(copy, ignore_errors=True)
        if self._watched is not None:
            self._watched.forget()

    def _close_if_left(self, served: Served) -> None:
        with self._lock:
            is_left = served.is_replaced and served.leases == 0
            if is_left:
                served.leases = -1  # nobody closes it a second time
        if not is_left:
            return
        contract = served.client.contract
        with suppress(GoodsError):
            served.client.close()
        self._encoders.give_back(contract)
        if served.copy is not None:
            shutil.rmtree(served.copy, ignore_errors=True)


def _public(error: GoodsError) -> str:
    """What may be said of a failure to everybody: no path, and no address."""
    if isinstance(error, IndexLockedError):
        return "is being written"
    if isinstance(error, IndexMissingError):
        return "is not there yet"
    if isinstance(error, ModelError | ModelMismatchError):
        return "has a model that cannot be used; the log says why"
    return "cannot be opened; the log says why"
