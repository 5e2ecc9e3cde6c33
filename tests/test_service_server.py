"""An index on a Qdrant server that changes while it is served, as another process writes to it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from homes import server_double
from qdrant_client import QdrantClient

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.index.server import ServerIndex
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from search.api import home as api_home
from search.api.copies import CopyingFolder
from search.api.counters import Counters
from search.api.encoders import Encoders
from search.api.home import Home
from search.api.settings import ServiceSettings
from shop import make_shop, read_rows, write_rows


class Shop:
    """A shop of eight products, ingested to a server.

    Attributes:
        opened: How often the service connected to stay.
    """

    def __init__(self, folder: Path, server: QdrantClient) -> None:
        self.folder, self.server, self.opened = folder, server, 0
        make_shop(folder, count=8)
        self.encoder = Encoder.load(str(tiny_clip(folder / "model")), device="cpu")

    def open(self, *_: object, **__: object) -> ServerIndex:
        index = server_double(self.server)
        index.close = lambda: None  # type: ignore[method-assign] # others go on with the server
        return index

    def ingest(self) -> None:
        catalog = open_catalog(self.folder / "products.csv")
        ingest(catalog, self.open(), self.encoder, IngestSettings(self.folder / "refused.jsonl"))

    def note_opened(self) -> None:
        self.opened += 1


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with closing(QdrantClient(":memory:")) as server:
        yield Shop(tmp_path / "shop", server)


@contextmanager
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(api_home, "open_index", shop.open)
    settings = ServiceSettings("http://test/products", device="cpu")
    counters = Counters()
    encoders = Encoders(settings.query_model, counters)
    copies = CopyingFolder()
    home = Home("main", settings.index, settings, encoders, counters, copies, shop.note_opened)
    with closing(home):
        home.refresh()
        yield home


def suggested(home: Home, text: str) -> list[str]:
    with home.lease() as served:
        assert served.suggestions is not None
        return [suggestion.text for suggestion in served.suggestions.of(text, 5)]


def test_what_a_night_replaces_is_taken_up_when_it_is_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ingest()
    with at_home(shop, monkeypatch) as home:
        assert suggested(home, "tea") == []
        rows = read_rows(shop.folder / "products.csv")
        write_rows(shop.folder / "products.csv", [{**row, "colour": "Teal"} for row in rows])
        shop.ingest()  # as many products as before
        home.refresh()
        assert suggested(home, "tea") == ["teal"]
        assert shop.opened == 2


def test_what_is_measured_is_taken_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ingest()
    with at_home(shop, monkeypatch) as home:
        shop.open().write_note("tuning", {"threshold": 1})
        home.refresh()
        assert shop.opened == 2


def test_an_index_that_nobody_changed_is_not_opened_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ingest()
    with at_home(shop, monkeypatch) as home:
        home.refresh()
        assert shop.opened == 1
        assert home.reason is None
