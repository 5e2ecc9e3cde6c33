"""Pictures in files, shown in Qdrant's console by way of the service."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import CatalogError
from goods.index import open_index
from goods.schema import CatalogSchema
from shop import make_shop

PUBLIC = "https://search.shop.example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    make_shop(folder / "shop", count=4)
    tiny_clip(folder / "model")
    return folder


def ingest(home: Path, folder: Path, more: Sequence[str]) -> Result:
    options = {
        "--catalog": home / "shop/products.csv",
        "--model": home / "model",
        "--index": folder / "index",
        "--journal": folder / "journal.db",
        "--refused": folder / "refused.jsonl",
    }
    pairs = [str(part) for option in options.items() for part in option]
    return CliRunner().invoke(main, ["ingest", "--json", *pairs, *more])


def payloads(folder: Path) -> dict[str, dict[str, Any]]:
    index = open_index(str(folder / "index"))
    found = {record.payload["id"]: record.payload for record in index.scan()}
    index.close()
    return found


def test_a_picture_in_a_file_gets_the_url_at_which_the_service_shows_it(
    home: Path, tmp_path: Path
) -> None:
    result = ingest(home, tmp_path, ["--public-url", PUBLIC + "/"])
    assert result.exit_code == 0, result.output
    assert payloads(tmp_path)["P-1"]["goods_thumbnail"] == f"{PUBLIC}/pictures/P-1.jpg"


def test_another_url_is_written_without_embedding_anything(home: Path, tmp_path: Path) -> None:
    assert ingest(home, tmp_path, []).exit_code == 0
    assert "goods_thumbnail" not in payloads(tmp_path)["P-0"]
    for url, written in ((PUBLIC, 4), (PUBLIC, 0), ("http://127.0.0.1:8000/goods", 4)):
        report = json.loads(ingest(home, tmp_path, ["--public-url", url]).stdout)
        assert (report["embedded"], report["written"]) == (0, written)
    assert payloads(tmp_path)["P-0"]["goods_thumbnail"].startswith("http://127.0.0.1:8000/goods/p")


def test_odd_ids_make_good_urls_and_web_pictures_keep_their_own(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("id,image\na/b ü?.jpg,x.jpg\n2,https://cdn.example/2.jpg\n3,s3://b/3.jpg\n")
    shown = [p.thumbnail for p in open_catalog(file).seen_at(PUBLIC).products()]  # type: ignore[union-attr]
    assert shown == [
        f"{PUBLIC}/pictures/a%2Fb%20%C3%BC%3F.jpg.jpg",
        "",
        f"{PUBLIC}/pictures/3.jpg",
    ]


@pytest.mark.parametrize("url", ["search.shop.example", "ftp://shop", "https://", "https:///x"])
def test_what_no_browser_opens_is_refused(url: str, home: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="browser"):
        open_catalog(home / "shop/products.csv").seen_at(url)
    result = ingest(home, tmp_path, ["--public-url", url])
    assert result.exit_code == 1
    assert "browser" in result.output


def test_a_schema_that_was_stored_before_there_were_public_urls_is_read() -> None:
    stored = CatalogSchema("id", "image").to_json()
    del stored["public_url"]
    assert CatalogSchema.from_json(stored) == CatalogSchema("id", "image")
