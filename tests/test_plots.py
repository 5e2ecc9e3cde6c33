"""Plots: what they promise to the page, and that nobody pays for them who does not plot."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from goods.errors import GoodsError
from model.evaluation.plots import (
    Bar,
    CurvePoint,
    EpochPoint,
    ScatterPoint,
    save_training_curves,
    score_bars,
    slice_scatter,
)

ROOT = Path(__file__).parents[1]
BARS = [[Bar(0.4, 0.3, 0.5), Bar(0.2, 0.1, 0.3)], [Bar(0.5, 0.4, 0.6), Bar(0.3, 0.2, 0.4)]]
POINTS = [ScatterPoint(0.1 * n, 0.09 * n, n) for n in range(1, 10)]


def bars(name: str = "t", **changes: object) -> str:
    given = {"metrics": ["R@10", "P@10"], "bars": BARS, "ceilings": [1, 0.8], "label": "scores"}
    return score_bars(name=name, **given | changes)


def scatter(name: str = "s") -> str:
    return slice_scatter(POINTS, name, "model A", "model B", "slices")


@pytest.mark.parametrize("svg", [bars(), scatter()])
def test_an_svg_is_one_well_formed_element_with_a_label(svg: str) -> None:
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert float(root.get("width", 0)) > 200


@pytest.mark.parametrize("draw", [bars, scatter])
def test_the_same_scores_give_the_same_svg(draw) -> None:
    assert draw() == draw()


@pytest.mark.parametrize("draw", [bars, scatter])
def test_ids_of_two_plots_never_meet(draw) -> None:
    first, second = (ET.fromstring(draw(name)) for name in ("one", "two"))
    ids = [{node.get("id") for node in root.iter()} - {None} for root in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name in ids[0]:
        assert f"#{name}" in draw("one")


@pytest.mark.parametrize("svg", [bars(), scatter()])
def test_colours_are_left_to_the_page(svg: str) -> None:
    assert "var(--ink, #1c2024)" in svg or "var(--faint, #5d646b)" in svg
    assert "var(--model-1, #b4501a)" in svg
    assert "#0a0b" not in svg
    assert "<style" not in svg
    assert "DejaVu" not in svg


def test_a_ceiling_is_drawn_only_where_it_cannot_be_reached() -> None:
    assert bars(ceilings=[1, 0.8]).count("stroke-dasharray") == 1
    assert "stroke-dasharray" not in bars(ceilings=[1, 1])


def test_more_than_four_models_share_colours() -> None:
    ET.fromstring(bars(bars=BARS * 3))


def test_labels_and_metrics_are_text_and_never_markup_or_mathematics() -> None:
    svg = bars(metrics=["$\\frac{", "<b>"], label='"><script>')
    ET.fromstring(svg)
    assert "<script>" not in svg
    assert "$\\frac{" in svg


def test_settings_of_others_are_put_back() -> None:
    before = dict(mpl.rcParams)
    bars()
    assert dict(mpl.rcParams) == before


def test_threads_may_draw_at_once() -> None:
    alone = bars(), scatter()
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda draw: draw(), [bars, scatter] * 3))
    assert drawn == [*alone] * 3


def steps(count: int) -> list[CurvePoint]:
    return [CurvePoint(n, n / 100, 5 / (1 + n), 1e-4) for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [0, 1, 300, 9000])
def test_curves_are_a_picture_at_any_time_of_a_training(tmp_path: Path, count: int) -> None:
    epochs = [EpochPoint(n, 0.1 * n) for n in range(count // 100)]
    save_training_curves(steps(count), epochs, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (960, 840)
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_curves_with_a_gap_are_drawn_and_repeat(tmp_path: Path) -> None:
    broken = [*steps(50), CurvePoint(51, 0.51, float("nan"), 1e-4)]
    for name in ("a.png", "b.png"):
        save_training_curves(broken, [EpochPoint(0, 0.2), EpochPoint(1, 0.1)], tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    save_training_curves(steps(50), [], tmp_path / "c.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "c.png").read_bytes()


def test_curves_that_cannot_be_written_say_where(tmp_path: Path) -> None:
    with pytest.raises(GoodsError, match=r"nowhere.*cannot be written"):
        save_training_curves(steps(3), [], tmp_path / "nowhere" / "curves.png")


def run_python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_whoever_does_not_plot_never_loads_matplotlib() -> None:
    users = "goods.cli, ingest, model.encoder, search.client"
    assert run_python(f"import sys, {users}; print('matplotlib' in sys.modules)") == "False"


def test_plots_never_load_what_opens_windows() -> None:
    draw = "from model.evaluation.plots import slice_scatter; slice_scatter([], 'n', 'A', 'B', 'l')"
    assert run_python(f"import sys; {draw}; print('matplotlib.pyplot' in sys.modules)") == "False"
