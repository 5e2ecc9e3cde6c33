"""The forgetting guard: blends between base and tuned weights, and which of them is kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from goods.catalog import Catalog, open_catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from model.captions import Captioner
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.pairs import Pairs, PictureStore, load_pairs
from model.splits import Place, given_places
from model.training.everyday import EVERYDAY
from model.training.fit import Fit
from model.training.general import (
    General,
    agreement,
    catalog_score,
    everyday_words,
    general_catalog,
)
from model.training.guard import (
    ALPHAS,
    FEW_ALPHAS,
    Blend,
    GuardReport,
    choose,
    guard,
    set_blend,
    weights_of,
)
from model.training.recipe import Recipe
from shop import make_shop, read_rows, write_rows

KINDS = (tiny_clip, tiny_siglip, tiny_siglip2)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return open_catalog(make_shop(tmp_path_factory.mktemp("shop"), 120))


@pytest.fixture
def towers(tmp_path: Path) -> DualEncoder:
    return load_checkpoint(str(tiny_clip(tmp_path / "clip")))


def pairs_of(catalog: Catalog, towers: DualEncoder) -> Pairs:
    with PictureLoader() as loader:
        store = PictureStore(loader, towers.preprocessing, 1 << 30)
        return load_pairs(catalog.products(), store, given_places(None, catalog.schema))


def moved(towers: DualEncoder, value: float) -> None:
    """Set a number that the tests' scores read."""
    with torch.no_grad():
        towers.model.logit_scale.fill_(value)


def at(encoder: Encoder) -> float:
    """The alpha of a blend between `moved(0)` and `moved(1)`."""
    return float(encoder._towers.model.logit_scale.detach())


def sloped(shop: float, loss: float) -> tuple[object, General]:
    """A shop score that rises by `shop` and a general one that falls by `loss`, base to tuned."""

    def own(encoder: Encoder, split: str) -> float:
        return 0.5 + shop * at(encoder)

    def other(encoder: Encoder, split: str) -> float:
        return 1 - loss * at(encoder)

    return own, General("a made-up set", other)


def guarded(towers: DualEncoder, shop: float, loss: float, bound: float = 0.05) -> GuardReport:
    moved(towers, 0)
    base = weights_of(towers)
    moved(towers, 1)
    own, general = sloped(shop, loss)
    return guard(towers, base, own, general, bound)  # type: ignore[arg-type] # a Score


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_a_blend_lies_between_base_and_tuned_weights(
    tmp_path: Path, make: Callable[..., Path], alpha: float
) -> None:
    towers = load_checkpoint(str(make(tmp_path / "base", seed=0)))
    towers.model.register_buffer("count", torch.tensor(3))
    base = weights_of(towers)
    towers = load_checkpoint(str(make(tmp_path / "tuned", seed=1)))
    towers.model.register_buffer("count", torch.tensor(4))
    tuned = weights_of(towers)
    set_blend(towers, base, tuned, alpha)
    for name, weight in towers.model.state_dict().items():
        if weight.is_floating_point():
            expected = (1 - alpha) * base[name] + alpha * tuned[name]
            exact = {"atol": 0, "rtol": 0} if alpha in (0, 1) else {"atol": 1e-6, "rtol": 1e-5}
            torch.testing.assert_close(weight, expected, **exact)
    assert {"logit_scale", "count"} <= set(base)
    assert towers.model.get_buffer("count") == 4, "a number of things is not blended"


def test_a_copy_of_weights_stays_when_the_model_moves(towers: DualEncoder) -> None:
    kept = weights_of(towers)
    before = float(kept["logit_scale"])
    moved(towers, before + 1)
    assert float(kept["logit_scale"]) == before


def test_a_tuned_model_within_the_bound_is_left_as_it_is(towers: DualEncoder) -> None:
    report = guarded(towers, shop=0.3, loss=0.04)
    assert report.alpha == 1
    assert at(Encoder(towers)) == 1
    assert "kept as it is" in report.verdict


def test_the_best_blend_within_the_bound_is_kept(towers: DualEncoder) -> None:
    report = guarded(towers, shop=0.3, loss=0.16)
    assert report.alpha == 0.3
    assert [blend.alpha for blend in report.val] == [0, *sorted(ALPHAS), 1]
    assert at(Encoder(towers)) == pytest.approx(0.3)
    kept = next(blend for blend in report.val if blend.alpha == 0.3)
    assert (kept.gain, kept.loss) == (pytest.approx(0.18), pytest.approx(0.048))
    assert [blend.alpha for blend in report.test] == [0, 0.3, 1]


def test_the_base_is_kept_where_nothing_else_is_within_the_bound(towers: DualEncoder) -> None:
    report = guarded(towers, shop=0.3, loss=1.0, bound=0.04)
    assert report.alpha == 0
    assert at(Encoder(towers)) == 0
    assert "the base is kept, no gain" in report.verdict
    assert [blend.alpha for blend in report.test] == [0, 1]


def test_a_blend_that_is_worse_for_the_shop_is_not_kept(towers: DualEncoder) -> None:
    assert guarded(towers, shop=-0.3, loss=0.16).alpha == 0


def test_a_base_that_can_do_nothing_has_nothing_to_guard(towers: DualEncoder) -> None:
    own, _ = sloped(0.3, 0)
    nothing = General("an empty set", lambda encoder, split: 0.0)
    with pytest.raises(TrainingError, match="scores 0 on an empty set: there is nothing to guard"):
        guard(towers, weights_of(towers), own, nothing, 0.05)  # type: ignore[arg-type] # a Score


def test_a_gain_over_a_base_that_finds_nothing_is_no_number(towers: DualEncoder) -> None:
    _, general = sloped(0.3, 0.04)
    report = guard(towers, weights_of(towers), lambda e, s: 0.0, general, 0.05)
    assert report.val[1].gain is None
    assert any(" - " in line for line in report.lines())


def test_without_a_general_set_only_the_shop_counts(towers: DualEncoder) -> None:
    moved(towers, 0)
    base = weights_of(towers)
    moved(towers, 1)
    report = guard(towers, base, lambda encoder, _: 0.5 - abs(at(encoder) - 0.6), None, None)
    assert report.alpha == 0.5
    assert at(Encoder(towers)) == 0.5
    assert [blend.alpha for blend in report.val] == [0, *sorted(FEW_ALPHAS), 1]
    head, columns, *rows, verdict = report.lines()
    assert head == "between base (alpha 0) and tuned model (alpha 1)"
    assert columns.split() == ["products", "alpha", "shop", "gain"]
    assert rows[2].split()[:4] == ["val", "(kept)", "0.5", "0.400"]
    assert verdict == "alpha 0.5 is kept: the best for the shop"
    assert "| val (kept) | 0.5 | 0.400 |" in report.markdown()


def test_every_blend_is_told_and_test_products_choose_nothing(towers: DualEncoder) -> None:
    moved(towers, 0)
    base = weights_of(towers)
    moved(towers, 1)
    own, _ = sloped(0.3, 0)
    # On test products nothing would be within the bound.
    other = General("x", lambda encoder, split: 1 - (0.08 if split == "val" else 1) * at(encoder))
    told: list[Blend] = []
    report = guard(towers, base, own, other, 0.05, progress=told.append)  # type: ignore[arg-type] # a Score
    assert report.alpha == 0.6
    assert sorted(told, key=lambda blend: blend.alpha) == list(report.val)
    assert guard(towers, base, own, other, 0.5, has_test=False).test == ()  # type: ignore[arg-type] # a Score


blends = st.lists(
    st.builds(
        Blend,
        alpha=st.sampled_from(ALPHAS),
        shop=st.floats(0, 1),
        general=st.floats(0, 1),
        gain=st.none(),
        loss=st.floats(-1, 1),
    ),
    unique_by=lambda blend: blend.alpha,
)


@given(blends, st.floats(0, 0.5))
def test_the_choice_is_within_the_bound_and_no_other_there_is_better(
    others: list[Blend], bound: float
) -> None:
    every = [Blend(0, 0.5, 0.5, 0.0, 0.0), *others]
    chosen = next(blend for blend in every if blend.alpha == choose(every, bound))
    assert chosen.loss <= bound
    assert all(blend.shop <= chosen.shop for blend in every if blend.loss <= bound)


def test_the_table_shows_every_blend_and_marks_the_kept_one(towers: DualEncoder) -> None:
    report = guarded(towers, shop=0.3, loss=0.16)
    lines = report.lines()
    assert "a made-up set" in lines[0]
    assert lines[-1] == report.verdict
    kept = [line.split() for line in lines if "(kept)" in line]
    assert kept == [
        ["val", "(kept)", "0.3", "0.590", "+18.0%", "0.952", "4.8%"],
        ["test", "(kept)", "0.3", "0.590", "+18.0%", "0.952", "4.8%"],
    ]
    assert len(lines) == 2 + 13 + 3 + 1
    card = report.markdown()
    assert "| val (kept) | 0.3 | 0.590 | +18.0% | 0.952 | 4.8% |" in card
    assert "\n| products | alpha | shop | gain | general | loss |\n|---|---|" in card


def test_agreement_ignores_what_finds_nothing() -> None:
    rng = np.random.default_rng(0)
    cosines = rng.normal(size=(20, 7)).astype(np.float32)
    by_word = rng.normal(size=7).astype(np.float32)
    by_picture = rng.normal(size=(20, 1)).astype(np.float32)
    assert agreement(cosines, cosines) == pytest.approx(1)
    assert agreement(cosines, 3 * cosines + by_word + by_picture) == pytest.approx(1, abs=1e-6)
    assert agreement(cosines, -cosines) == pytest.approx(-1)
    assert abs(agreement(cosines, rng.normal(size=(20, 7)).astype(np.float32))) < 0.3
    assert agreement(cosines, np.ones((20, 7), np.float32)) == 0


def test_agreement_falls_as_training_goes_on(catalog: Catalog, towers: DualEncoder) -> None:
    pairs = pairs_of(catalog, towers)
    base = weights_of(towers)
    general = everyday_words(Encoder(towers), pairs, catalog.schema)
    recipe = Recipe(epochs=3, batch_size=16, lr=3e-4)
    captioner = Captioner(pairs.products, catalog.schema, 0, recipe.captions)
    fit = Fit(towers, pairs, captioner, recipe, catalog.schema.phrase, 0)
    seen = [general.score(Encoder(towers), "val")]
    for epoch in (1, 2, 3):
        list(fit.epoch(epoch))
        seen.append(general.score(Encoder(towers), "val"))
    assert seen[0] == pytest.approx(1)
    assert seen == sorted(seen, reverse=True)
    assert seen[3] < 0.9
    tuned = weights_of(towers)
    between = []
    for alpha in (0, 0.25, 0.5, 0.75, 1):
        set_blend(towers, base, tuned, alpha)
        between.append(general.score(Encoder(towers), "test"))
    assert between == sorted(between, reverse=True)


def test_words_of_the_shops_own_captions_are_not_asked(
    catalog: Catalog, towers: DualEncoder
) -> None:
    general = everyday_words(Encoder(towers), pairs_of(catalog, towers), catalog.schema)
    own = {"red", "green", "blue", "shirt", "dress", "bag", "number"}
    assert own <= set(EVERYDAY)
    assert f"{len(EVERYDAY) - len(own)} everyday words" in general.measure


def test_the_everyday_words_are_many_and_each_is_there_once() -> None:
    assert len(EVERYDAY) == len(set(EVERYDAY)) > 200
    assert all(word == word.lower() for word in EVERYDAY)


def test_a_general_catalog_is_scored_as_the_shop_is(catalog: Catalog, towers: DualEncoder) -> None:
    with PictureLoader() as loader:
        general = general_catalog(catalog, None, loader, towers.preprocessing)
        few = general_catalog(catalog, None, loader, towers.preprocessing, most=10)
    encoder = Encoder(towers)
    assert general.measure == "titles and phrases on products.csv"
    for split in ("val", "test"):
        assert 0 < general.score(encoder, split) < few.score(encoder, split) <= 1


def test_the_splits_of_a_general_catalog_are_respected(
    tmp_path: Path, catalog: Catalog, towers: DualEncoder
) -> None:
    rows = read_rows(make_shop(tmp_path, 40))
    for number, row in enumerate(rows):
        row["split"] = ("train", "val", "test", "test")[number % 4]
    write_rows(tmp_path / "products.csv", rows)
    told = open_catalog(tmp_path / "products.csv")
    pairs = pairs_of(told, towers)
    assert len(pairs.numbers("train")) == 10
    with PictureLoader() as loader:
        general = general_catalog(told, None, loader, towers.preprocessing)
    encoder = Encoder(towers)
    expected = catalog_score(pairs, told.schema)
    for split in ("val", "test"):
        assert general.score(encoder, split) == expected(encoder, split)


def test_a_general_catalog_without_products_is_refused(
    catalog: Catalog, towers: DualEncoder, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text("id,split\nnobody,val\n")
    with (
        PictureLoader() as loader,
        pytest.raises(TrainingError, match=r"no validation product .* --general-splits"),
    ):
        general_catalog(catalog, splits, loader, towers.preprocessing)


def test_a_place_is_val_or_test_where_nothing_is_said(catalog: Catalog) -> None:
    from model.training.general import _half

    places = {_half(product) for product in catalog.products()}  # type: ignore[arg-type] # no row is refused
    assert places == {Place("val"), Place("test")}
