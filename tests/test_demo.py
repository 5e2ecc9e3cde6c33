"""The demo: the whole path in one command, on few products and one epoch."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from transformers import AutoModel

from goods.cli import main
from goods.demo import DemoSettings, run_demo
from goods.errors import GoodsError
from search import SearchClient
from shop import make_shop, read_rows, write_rows


def run(**settings: object) -> list[str]:
    said: list[str] = []
    run_demo(DemoSettings(epochs=1, **settings), said.append)  # type: ignore[arg-type]  # as each test names them
    return said


def test_the_demo_goes_from_nothing_to_pictures_of_answers(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    said = "\n".join(run(out=out, products=100))
    for step in ("1. 100 products drawn", "2. scratch:tiny", "drawn anew", "3. catalog", "4. quer"):
        assert step in said
    assert "titles: recall@10" in said
    for number in (1, 2, 3):
        with Image.open(out / f"queries-{number}.png") as sheet:
            assert sheet.width > 500
    with SearchClient(out / "index") as client:
        assert client.info().points == 100
        assert client.schema.group == "style_group"
    assert AutoModel.from_pretrained(out / "model").config.model_type == "clip"
    assert f"goods serve --index {out / 'index'}" in said


def test_the_demo_can_be_run_again_in_its_folder(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", count=100)
    for _ in range(2):
        said = "\n".join(run(out=tmp_path / "demo", catalog=str(shop)))
    assert "100 new" in said


def test_a_catalog_without_a_noun_says_what_to_do(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", count=100)
    rows = read_rows(shop)
    for row in rows:
        del row["category"], row["colour"]
    write_rows(shop, rows)
    with pytest.raises(GoodsError, match="--schema"):
        run(out=tmp_path / "demo", catalog=str(shop))


def test_a_demo_of_too_few_products_is_refused_before_it_begins(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["demo", "--products", "5", "--out", str(tmp_path / "demo")])
    assert result.exit_code == 2
    assert not (tmp_path / "demo").exists()
