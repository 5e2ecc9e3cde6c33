"""What several test files start from."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from points import CONTRACT, points

from goods.index.edge import EdgeIndex
from shop import make_shop

if TYPE_CHECKING:  # many tests do without torch
    from model.encoder import Encoder
    from search.client import SearchClient

# What a script starts in the background ignores interrupts, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Other work may share the cores: how long an example takes says nothing of what is right.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgeIndex]:
    """An index of 40 points: at 32 bytes each, enough for the engine to build a graph."""
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(CONTRACT)
        index.upsert(points(40))
        yield index


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The points that were looked up in an index."""
    looked: list[UUID] = []
    fetch = EdgeIndex.fetch

    def noted(self: EdgeIndex, ids: list[UUID], **wanted: object) -> object:
        looked.extend(ids)
        return fetch(self, ids, **wanted)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(EdgeIndex, "fetch", noted)
    return looked


@pytest.fixture
def folder(index: EdgeIndex) -> Path:
    """The folder of an index of 40 points that is closed."""
    index.close()
    return index.folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The catalog of 40 products, for a test to change."""
    return make_shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny CLIP; nobody changes it."""
    from checkpoints import tiny_clip

    return tiny_clip(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def encoder(model: Path) -> "Encoder":
    """A tiny CLIP."""
    from model.encoder import Encoder

    return Encoder.load(str(model), device="cpu")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `shop/`, `model/` and `index/` of 48 products."""
    from served import make_home

    return make_home(tmp_path_factory.mktemp("home"), count=48)


@pytest.fixture
def client(home: Path) -> "Iterator[SearchClient]":
    """A client of that index."""
    from search.client import SearchClient

    with SearchClient(home / "index") as client:
        yield client
