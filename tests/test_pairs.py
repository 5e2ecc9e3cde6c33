"""Groups, splits and pixels: nothing leaks from training into the test."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from goods.catalog import RefusedRow, open_catalog
from goods.errors import CatalogError
from goods.pictures import PictureLoader
from goods.product import Picture, Product
from goods.schema import CatalogSchema
from model.groups import MAX_RMS, group_products, near_identical, thumbnail
from model.pairs import Pairs, PictureStore, load_pairs
from model.pixels import FixedPixels, Normalisation
from model.splits import SPLITS, Place, given_places, read_splits, split_of_group, write_splits
from shop import make_shop

PREPROCESSING = FixedPixels(
    (16, 16), None, Image.Resampling.BICUBIC, Normalisation((1.0,) * 3, (0.0,) * 3)
)
PICTURE_BYTES = 16 * 16 * 3
SCHEMA = CatalogSchema(id="id", picture="image")


def png(seed: int, side: int = 24) -> bytes:
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    stream = io.BytesIO()
    image.resize((side, side), Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


def product(number: int, picture: int | None = None, **facts: str | None) -> Product:
    seed = 10_000 + number if picture is None else picture
    return Product(f"P-{number:03}", Picture(f"{number}.png", png(seed)), **facts)  # type: ignore[arg-type] # texts


def store(max_bytes: int = 1 << 20) -> PictureStore:
    return PictureStore(PictureLoader(), PREPROCESSING, max_bytes)


def load(products: Sequence[Product | RefusedRow], **options: object) -> Pairs:
    return load_pairs(products, store(), **options)  # type: ignore[arg-type] # passed on


def groups(products: Sequence[Product], told: Sequence[str | None] | None = None) -> list[str]:
    thumbnails = np.stack(
        [thumbnail(Image.open(io.BytesIO(p.picture.data or b""))) for p in products]
    )
    return group_products(products, thumbnails, told or [None] * len(products))


def test_variants_titles_twins_and_told_groups_stay_together() -> None:
    products = [
        product(0, group="G"),
        product(1, group="G", title="Aria"),
        product(2, title="ARIA "),
        product(3, picture=7),
        product(4, picture=7),
        product(5),
        product(6),
        product(7),
    ]
    told = [None, None, None, None, None, "d1", "d1", None]
    expected = ["P-000", "P-000", "P-000", "P-003", "P-003", "P-005", "P-005", "P-007"]
    assert groups(products, told) == expected


def test_pictures_that_differ_by_a_shade_stay_together() -> None:
    products = [Product(f"P-{number}", Picture("x.jpg")) for number in range(3)]
    thumbnails = np.full((3, 192), 100, np.uint8)
    thumbnails[1] += 1
    thumbnails[2] += 5
    assert group_products(products, thumbnails, [None] * 3) == ["P-0", "P-0", "P-2"]


def test_products_without_title_or_group_are_not_one_group() -> None:
    assert len(set(groups([product(number) for number in range(5)]))) == 5


def test_the_name_of_a_group_does_not_depend_on_the_order() -> None:
    products = [product(number, title=f"t{number % 3}") for number in range(9)]
    assert groups(products) == groups(products[::-1])[::-1]


def test_the_same_photograph_saved_worse_is_near_identical() -> None:
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    photograph = small.resize((240, 320), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    photograph.resize((90, 120)).save(stream, "JPEG", quality=60)
    copy = Image.open(stream)
    other = photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    thumbnails = np.stack([thumbnail(image) for image in (photograph, copy, other)])
    assert list(near_identical(thumbnails)) in ([(0, 1)], [(1, 0)])


@given(st.integers(2, 60), st.integers(0, 1000), st.integers(0, 6))
def test_near_identical_pairs_are_those_that_comparing_all_finds(
    count: int, seed: int, spread: int
) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(20, 230, (4, 192))
    noise = rng.integers(-spread, spread + 1, (count, 192))
    thumbnails = (base[rng.integers(0, 4, count)] + noise).astype(np.uint8)
    difference = thumbnails[:, None].astype(float) - thumbnails[None]
    rms = np.sqrt((difference**2).mean(axis=2))
    expected = {
        (one, other) for one in range(count) for other in range(one) if rms[one, other] < MAX_RMS
    }
    found = {(max(pair), min(pair)) for pair in near_identical(thumbnails)}
    assert found == expected


def test_many_pictures_are_compared_across_blocks() -> None:
    rng = np.random.default_rng(0)
    thumbnails = rng.integers(0, 256, (2500, 192), dtype=np.uint8)
    thumbnails[2400] = thumbnails[3]
    assert [sorted(pair) for pair in near_identical(thumbnails)] == [[3, 2400]]


def test_a_picture_that_thousands_share_is_one_group_at_once() -> None:
    products = [Product(f"{number:05}", Picture("none.jpg")) for number in range(20_000)]
    thumbnails = np.full((20_000, 192), 200, np.uint8)
    thumbnails[-1] = 10
    assert sorted(set(group_products(products, thumbnails, [None] * 20_000))) == ["00000", "19999"]


relations = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=25
)


@given(relations)
def test_products_that_share_anything_are_never_in_two_splits(
    rows: list[tuple[int, int, int]],
) -> None:
    products = [
        product(
            number, picture=picture, title=f"t{title}" if title else "", group=group and f"g{group}"
        )
        for number, (title, group, picture) in enumerate(rows)
    ]
    pairs = load(products)
    for one, (title, group, picture) in enumerate(rows):
        for other, (title2, group2, picture2) in enumerate(rows[:one]):
            shares = (title and title == title2) or (group and group == group2)
            if shares or picture == picture2:
                assert pairs.splits[one] == pairs.splits[other]
                assert pairs.groups[one] == pairs.groups[other]


def test_groups_are_assigned_eight_to_one_to_one() -> None:
    splits = [split_of_group(f"group {number}") for number in range(20_000)]
    shares = [splits.count(split) / len(splits) for split in SPLITS]
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.01)


def test_an_assignment_never_changes() -> None:
    assert [split_of_group(name) for name in ("P-000", "P-001", "a", "b")] == [
        "train",
        "train",
        "train",
        "train",
    ]


def test_unreadable_pictures_and_rows_are_left_out_and_explained() -> None:
    rows = [
        product(0),
        RefusedRow(2, "P-x", "shop.csv row 2 (product P-x): it has no picture"),
        Product("P-gone", Picture("/nowhere/gone.jpg")),
        Product("P-broken", Picture("broken.png", png(1)[:60])),
        product(4),
    ]
    pairs = load(rows)
    assert [p.id for p in pairs.products] == ["P-000", "P-004"]
    assert len(pairs.refused) == 3
    assert any("gone.jpg" in reason for reason in pairs.refused)
    assert any("cut off or damaged" in reason for reason in pairs.refused)


def test_pixels_are_those_of_the_preprocessing_in_the_order_asked_for() -> None:
    products = [product(number) for number in range(6)]
    pairs = load(products)
    batch, last = pairs.pictures.batches([np.array([4, 0]), np.array([5])])
    assert batch.numbers.tolist() == [4, 0]
    assert last.numbers.tolist() == [5]
    images = [Image.open(io.BytesIO(products[n].picture.data or b"")) for n in (4, 0)]
    assert batch.pixels.equal(PREPROCESSING.pixels(images))


def test_beyond_the_memory_pictures_are_decoded_again(tmp_path: Path) -> None:
    catalog = open_catalog(make_shop(tmp_path, 8))
    everything = PictureStore(PictureLoader(), PREPROCESSING, 1 << 20)
    little = PictureStore(PictureLoader(), PREPROCESSING, 3 * PICTURE_BYTES)
    for filled in (everything, little):
        load_pairs(catalog.products(), filled)
    order = [np.array([7, 0, 3, 1, 6])]
    for file in (tmp_path / "images").glob("P-[012].jpg"):
        file.unlink()  # these are in memory
    (one,), (other,) = everything.batches(order), little.batches(order)
    assert one.pixels.equal(other.pixels)


def test_a_picture_that_is_gone_later_is_left_out_of_its_batch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = open_catalog(make_shop(tmp_path, 4))
    empty = PictureStore(PictureLoader(), PREPROCESSING, 0)
    load_pairs(catalog.products(), empty)
    (tmp_path / "images" / "P-2.jpg").unlink()
    batches = list(empty.batches([np.array([2, 1]), np.array([2])]))
    assert [batch.numbers.tolist() for batch in batches] == [[1]]
    assert "P-2.jpg" in caplog.text


def test_encoded_bytes_are_not_kept() -> None:
    assert load([product(0)]).products[0].picture.data is None


def test_progress_counts_every_product() -> None:
    seen: list[int] = []
    load([product(0), Product("x", Picture("/nowhere")), product(2)], progress=seen.append)
    assert seen == [1, 2, 3]


def test_an_empty_catalog_has_no_pairs() -> None:
    pairs = load([])
    assert pairs.products == []
    assert pairs.numbers("train").tolist() == []


def test_the_catalogs_own_split_is_believed_and_rows_without_one_are_passed_over() -> None:
    schema = CatalogSchema(id="id", picture="image", split="split")
    rows = [product(0, split="test"), product(1), product(2, split="train", title="same")]
    rows.append(product(3, split="val", title="same"))
    pairs = load(rows, place_of=given_places(None, schema))
    assert [p.id for p in pairs.products] == ["P-000", "P-002", "P-003"]
    assert pairs.splits == ["test", "train", "val"]
    assert pairs.groups == ["P-000", "P-002", "P-002"]


def test_a_splits_file_goes_before_the_catalogs_own(tmp_path: Path) -> None:
    file = tmp_path / "splits.csv"
    file.write_text("id,split,dup_group\nP-000,validation,d\nP-001,TEST,\nP-002,,\nP-003,val,d\n")
    schema = CatalogSchema(id="id", picture="image", split="split")
    place_of = given_places(file, schema)
    rows = [product(number, split="train") for number in range(5)]
    pairs = load(rows, place_of=place_of)
    assert pairs.places() == {
        "P-000": Place("val", "P-000"),
        "P-001": Place("test", "P-001"),
        "P-003": Place("val", "P-000"),
    }
    assert pairs.numbers("val").tolist() == [0, 2]


def test_written_splits_are_read_back(tmp_path: Path) -> None:
    places = {"a": Place("train", "a"), "b, ü": Place("test"), "c": Place("val", "a")}
    write_splits(tmp_path / "splits.csv", places)
    assert read_splits(tmp_path / "splits.csv") == places


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,part\n1,train\n", "no column split"),
        ("id,split\n1,holdout\n", r"row 1 \(product 1\): split .*holdout.* is not train"),
        ("", "no column id"),
        (b"id,split\n\xff\xfe,train\n", "cannot be read"),
    ],
)
def test_a_wrong_splits_file_is_refused(content: str | bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "splits.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CatalogError, match=reason):
        read_splits(file)


def test_a_missing_splits_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        given_places(tmp_path / "none.csv", SCHEMA)
