"""Where in a picture a query is, and how it is shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from checkpoints import tiny_siglip, tiny_siglip2
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import QueryError
from goods.index import open_index
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from model.heat import GRID, heat_map
from search import Query, SearchClient
from search.heat import heated
from shop import make_shop


@pytest.fixture(scope="module")
def index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    store = open_index(str(folder / "index"))
    catalog = open_catalog(make_shop(folder / "shop", count=6))
    ingest(catalog, store, encoder, IngestSettings(folder / "refused.jsonl"))
    store.close()
    return folder / "index"


def bag(left: int, top: int) -> Image.Image:
    """A dark square on white, two places wide and high."""
    image = Image.new("RGB", (128, 128), "white")
    image.paste((20, 20, 120), (left, top, left + 32, top + 32))
    return image


def test_what_is_not_there_is_cold_and_what_the_query_shows_is_hot(encoder: Encoder) -> None:
    image = bag(left=80, top=16)
    heat = heat_map(encoder, image, encoder.images([image])[0])
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert (row, column) in {(1, 5), (1, 6), (2, 5), (2, 6)}
    assert heat.max() > 0
    assert heat[4:] == pytest.approx(0, abs=1e-6)  # empty, and nothing is lost with it
    assert heat[:, :4] == pytest.approx(0, abs=1e-6)


def test_each_number_is_the_cosine_that_is_lost_without_the_window(encoder: Encoder) -> None:
    image, query = bag(left=64, top=64).resize((64, 64)), encoder.texts(["blue bag"])[0]
    without = image.copy()
    without.paste((255, 255, 255), (28, 36, 44, 52))  # row 5, column 4
    whole, rest = encoder.images([image, without]) @ query
    assert heat_map(encoder, image, query)[5, 4] == pytest.approx(whole - rest, abs=1e-5)


@pytest.mark.parametrize("make", [tiny_siglip, tiny_siglip2])
@pytest.mark.parametrize("size", [(300, 40), (7, 9), (1, 1)])
def test_any_checkpoint_and_shape_has_a_map(
    make: type, size: tuple[int, int], tmp_path: Path
) -> None:
    encoder = Encoder.load(str(make(tmp_path)), device="cpu")
    heat = heat_map(encoder, Image.new("RGB", size, "red"), encoder.texts(["red"])[0])
    assert heat.shape == (GRID, GRID)
    assert np.isfinite(heat).all()


def test_a_hot_place_keeps_its_colour_and_a_cold_one_pales() -> None:
    heat = np.full((GRID, GRID), -1, np.float32)
    heat[:, :4] = 1
    shown = np.asarray(heated(Image.new("RGB", (80, 80), (0, 0, 200)), heat)).astype(int)
    (red, _, blue), cold = shown[40, 5], shown[40, 75]
    assert blue > 140
    assert red > 30
    assert cold.min() > 120
    assert cold.max() - cold.min() <= 1  # grey


def test_a_picture_without_any_heat_is_all_pale() -> None:
    shown = np.asarray(heated(Image.new("RGB", (8, 8), "red"), np.zeros((GRID, GRID), np.float32)))
    assert shown.min() > 120


def test_a_sheet_with_heat_differs_from_one_without(index: Path, tmp_path: Path) -> None:
    for name, more in (("plain.png", []), ("heat.png", ["--heat"])):
        arguments = ["search", "red dress", "--index", str(index), "--grid", str(tmp_path / name)]
        result = CliRunner().invoke(main, [*arguments, *more])
        assert result.exit_code == 0, result.output
    plain, hot = (Image.open(tmp_path / name) for name in ("plain.png", "heat.png"))
    assert plain.size == hot.size
    assert plain.tobytes() != hot.tobytes()


def test_heat_without_a_sheet_or_a_query_is_refused(index: Path) -> None:
    result = CliRunner().invoke(main, ["search", "red", "--index", str(index), "--heat"])
    assert result.exit_code == 2
    assert "--grid" in result.output
    with SearchClient(index) as client, pytest.raises(QueryError, match="say what to look for"):
        client.heat(Query())


def test_a_notebook_shows_hits_as_pictures_and_titles_as_text(index: Path) -> None:
    with SearchClient(index) as client:
        answer = client.by_text("red dress", limit=4)
    hostile = replace(answer.hits[0].product, title="<script>alert(1)</script>")
    hits = (replace(answer.hits[0], product=hostile), *answer.hits[1:])
    page = replace(answer, hits=hits)._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 4
    assert "4 of 6 products" in page
    assert "&lt;script&gt;alert" in page
    assert "<script" not in page


def test_a_notebook_names_pictures_that_are_gone(index: Path) -> None:
    with SearchClient(index) as client:
        answer = client.by_text("red dress", limit=1)
        Path(answer.hits[0].product.picture.location).unlink()
        page = answer._repr_html_()
    assert "data:image" not in page
    assert "no picture" in page
