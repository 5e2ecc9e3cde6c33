"""What several test files start from."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from points import CONTRACT, points

from goods.index.edge import EdgeIndex


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
