"""The sample catalog: what it writes, and that its pictures show what its rows say."""

import csv
import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from goods.errors import CatalogError
from goods.sample import write, write_sample
from goods.sample.assortment import KINDS
from goods.sample.design import Variant, variants
from goods.sample.drawings.emblems import EMBLEMS
from goods.sample.drawings.shapes import Cut, curve, mirrored
from goods.sample.look import FINISHES, Look, Shot
from goods.sample.paint import paint
from goods.sample.palette import COLOURS, accents, contrast, dyed
from goods.sample.patterns import PATTERNS, Pattern
from goods.sample.wording import row


def plain_look(colour: str, pattern: str = "plain", variety: float = 0.0) -> Look:
    neutral = Pattern(pattern, variety, 0.3, 7)
    return Look(COLOURS[colour], (255, 0, 255), (0, 255, 0), neutral, "matte")


def pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image, dtype=np.float64)


def nearest(rgb: NDArray[np.float64]) -> str:
    return min(COLOURS, key=lambda name: contrast(COLOURS[name], rgb))


def photograph(variant: Variant, size: int) -> NDArray[np.float64]:
    drawing = variant.design.kind.draw(variant.design.cut)
    return pixels(paint(drawing, variant.look, variant.shot, size))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty products: enough for every category, and for work in several processes."""
    return write_sample(tmp_path_factory.mktemp("sample"), count=60, seed=3, size=48)


def read(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_promised_columns(sample: Path) -> None:
    header = sample.read_text(encoding="utf-8").splitlines()[0]
    assert header == (
        "id,image,title,category,colour,pattern,sleeve,material,gender,price,in_stock,rating,"
        "style_group,description"
    )


def test_every_row_has_its_own_id_and_picture(sample: Path) -> None:
    rows = read(sample)
    assert len({line["id"] for line in rows}) == len(rows) == 60
    for line in rows:
        with Image.open(sample.parent / line["image"]) as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (48, 48))


def test_several_processes_write_what_one_writes(sample: Path, tmp_path: Path) -> None:
    for variant in list(variants(60, seed=3))[:12]:
        path = tmp_path / "alone.jpg"
        write.write_picture(variant, path, size=48)
        assert path.read_bytes() == (sample.parent / row(variant, 3).image).read_bytes()


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        write_sample(tmp_path / name, count=6, seed=seed, size=32)
    one, two, three = (files(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert not any(one[name] == three[name] for name in one)


def test_fewer_products_are_the_first_of_more() -> None:
    assert list(variants(20, seed=1)) == list(variants(90, seed=1))[:20]


def test_a_small_sample_shows_every_category() -> None:
    """A round of all categories is about 57 products long."""
    assert {variant.design.category for variant in variants(80, seed=2)} == set(KINDS)


def test_no_two_pictures_are_alike(sample: Path) -> None:
    digests = {
        hashlib.sha256(path.read_bytes()).digest() for path in (sample.parent / "images").iterdir()
    }
    assert len(digests) == 60


def test_variants_share_their_design_and_differ_in_colour() -> None:
    shop = list(variants(300, seed=4))
    groups = defaultdict(list)
    for variant in shop:
        groups[row(variant, 4).style_group].append(variant)
    *complete, _ = groups.values()  # the last may be cut short
    for group in complete:
        assert 2 <= len(group) <= 4
        assert len({variant.design for variant in group}) == 1
        assert len({variant.colour for variant in group}) == len(group)
        assert len({variant.shot for variant in group}) == len(group)


def test_some_values_are_missing_but_never_those_that_a_shop_needs() -> None:
    rows = [row(variant, 0) for variant in variants(600, seed=0)]
    for line in rows:
        assert all((line.id, line.image, line.title, line.category, line.colour, line.price))
        assert line.in_stock in {"true", "false"}
        assert bool(line.sleeve) == bool(KINDS[line.category].sleeves)
        assert float(line.price) > 5
        assert line.price[-3] == "."
        assert not line.rating or 1 <= float(line.rating) <= 5
    for column in ("material", "gender", "pattern", "rating", "description"):
        missing = sum(not getattr(line, column) for line in rows) / len(rows)
        assert 0 < missing < 0.2, column


def test_titles_read_as_shops_write_them() -> None:
    rows = [row(variant, 0) for variant in variants(600, seed=0)]
    assert all(len(line.title) < 120 and "  " not in line.title for line in rows)
    assert not any("  " in line.description for line in rows)
    named = sum(line.colour in line.title.lower() for line in rows) / len(rows)
    assert 0.3 < named < 0.7
    assert any("é" in line.title for line in rows)


@pytest.mark.parametrize("category", KINDS)
def test_every_style_fills_the_frame_and_stays_inside_it(category: str) -> None:
    kind = KINDS[category]
    for style in kind.styles:
        for sleeve in kind.sleeves or ("",):
            for size in (-1.0, 1.0):
                drawing = kind.draw(Cut(style, sleeve, size, size, size))
                picture = pixels(paint(drawing, plain_look("red"), Shot(tilt_deg=4), 64))
                is_red = picture[..., 0] - picture[..., 1] > 60
                assert 0.04 < is_red.mean() < 0.75, (style, sleeve)
                rim = np.concatenate([is_red[0], is_red[-1], is_red[:, 0], is_red[:, -1]])
                assert not rim.any(), (style, sleeve)


@pytest.mark.parametrize("category", KINDS)
def test_every_pattern_of_a_category_shows_on_every_style(category: str) -> None:
    kind = KINDS[category]
    for style in kind.styles:
        sleeve = kind.sleeves[0] if kind.sleeves else ""
        for name in set(kind.patterns):
            cut = Cut(style, sleeve, emblem="star" if name == "graphic" else "")
            plain, printed = (
                pixels(paint(kind.draw(cut), plain_look("white", pattern), Shot(), 96))
                for pattern in ("plain", name)
            )
            is_accent = (printed[..., 0] - printed[..., 1] > 60).mean()
            if name == "graphic":
                assert is_accent > 0.01, style
            else:
                assert is_accent > (plain[..., 0] - plain[..., 1] > 60).mean() + 0.02, (style, name)


@pytest.mark.parametrize("name", [name for name in PATTERNS if name not in {"plain", "graphic"}])
def test_a_pattern_leaves_most_of_the_cloth_in_the_products_colour(name: str) -> None:
    drawing = KINDS["t-shirt"].draw(Cut("crew neck", "short"))
    for variety in (0.0, 0.29, 0.5, 0.7, 0.99):
        picture = pixels(paint(drawing, plain_look("white", name, variety), Shot(), 128))
        middle = picture[44:96, 48:80]
        is_inked = np.ptp(middle, axis=2) > 60
        assert 0.05 < is_inked.mean() < 0.85, variety
        assert np.median(middle[..., 1][~is_inked]) > 200


@pytest.mark.parametrize("colour", COLOURS)
def test_the_cloth_is_closest_to_the_colour_that_the_row_names(colour: str) -> None:
    drawing = KINDS["sweater"].draw(Cut("crew neck", "long"))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        look = Look(dyed(colour, rng), (0, 0, 0), (0, 0, 0), Pattern("plain"), "matte")
        shot = Shot(light_deg=rng.uniform(-70, 70), exposure=rng.uniform(0.95, 1.04), seed=seed)
        middle = pixels(paint(drawing, look, shot, 64))[24:48, 22:42]
        assert nearest(middle.mean(axis=(0, 1))) == colour


def test_white_stands_out_from_the_backdrop() -> None:
    for variant in variants(900, seed=8):
        is_plain = variant.design.pattern.name == "plain"
        if variant.colour == "white" and is_plain and variant.design.category == "t-shirt":
            picture = photograph(variant, 64)
            assert np.median(picture[36:46, 26:38]) > np.median(picture[:6, :6]) + 8


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_has_accents_that_show_on_it(colour: str) -> None:
    for is_neutral in (False, True):
        found = accents(colour, is_neutral)
        assert found
        assert min(contrast(COLOURS[colour], COLOURS[other]) for other in found) > 250


def test_every_material_has_a_finish_and_every_kind_known_patterns_and_colours() -> None:
    for kind in KINDS.values():
        assert set(kind.materials.values()) <= set(FINISHES)
        assert set(kind.patterns) <= set(PATTERNS)
        assert set(kind.colours) <= set(COLOURS)


def test_every_emblem_is_printed_in_the_second_colour() -> None:
    for emblem in EMBLEMS:
        drawing = KINDS["t-shirt"].draw(Cut("crew neck", "short", emblem=emblem))
        picture = pixels(paint(drawing, plain_look("white"), Shot(), 64))
        assert (picture[..., 0] - picture[..., 1] > 80).mean() > 0.01, emblem


def test_a_turned_product_keeps_its_size_in_the_frame() -> None:
    drawing = KINDS["boots"].draw(Cut("chelsea"))
    for shot in (Shot(), Shot(tilt_deg=10), Shot(is_flipped=True)):
        picture = pixels(paint(drawing, plain_look("red"), shot, 100))
        rows, columns = np.nonzero(picture[..., 0] - picture[..., 1] > 40)
        assert max(np.ptp(rows), np.ptp(columns)) == pytest.approx(84, abs=6)


vertex = st.tuples(*[st.floats(-1, 1)] * 2, st.floats(0, 1))


@given(st.lists(vertex, min_size=3, max_size=8), st.booleans())
def test_a_curve_never_leaves_the_box_around_its_vertices(
    vertices: list[tuple[float, float, float]], is_closed: bool
) -> None:
    points = curve(tuple(vertices), is_closed)
    corners = np.array(vertices)[:, :2]
    assert (points >= corners.min(axis=0) - 1e-9).all()
    assert (points <= corners.max(axis=0) + 1e-9).all()


def test_an_open_curve_keeps_its_ends_and_sharp_corners() -> None:
    points = curve(((0, 0, 1), (1, 0), (1, 1, 1)), is_closed=False)
    assert points.tolist() == [[0, 0], [1, 0], [1, 1]]


def test_a_mirrored_outline_is_symmetric_and_closes_on_the_axis() -> None:
    outline = mirrored(((0, 0), (1, 0, 0.5), (2, 1), (0, 1)))
    assert outline == ((0, 0), (1, 0, 0.5), (2, 1), (0, 1), (-2, 1), (-1, 0, 0.5))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CatalogError, match=r"file.*cannot be written"):
        write_sample(tmp_path / "file", count=1, size=32)


def test_another_catalog_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("sku,name\n1,shirt\n")
    with pytest.raises(CatalogError, match="another catalog"):
        write_sample(tmp_path, count=1, size=32)
    assert (tmp_path / "products.csv").read_text() == "sku,name\n1,shirt\n"


def test_a_sample_is_replaced_by_the_next(tmp_path: Path) -> None:
    write_sample(tmp_path, count=2, size=32)
    table = write_sample(tmp_path, count=3, seed=1, size=32)
    assert len(read(table)) == 3


def test_who_asks_is_told_how_many_are_drawn(tmp_path: Path) -> None:
    told: list[int] = []
    write_sample(tmp_path, count=60, size=32, told=told.append)
    assert told == list(range(1, 61))
