"""What several test files start from."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from points import CONTRACT, points

from goods.index.edge import EdgeIndex

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
def folder(index: EdgeIndex) -> Path:
    """The folder of an index of 40 points that is closed."""
    index.close()
    return index.folder
