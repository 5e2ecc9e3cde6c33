"""What the base could do is practised on: pairs of a general catalog beside the shop's."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from checkpoints import tiny_clip
from fits import pairs_of
from goods.catalog import open_catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from interruptions import Stopped, begin, course, stop_at, weights
from model.caption_mix import TITLES
from model.captions import Captioner
from model.checkpoint import load_checkpoint
from model.encoder import Encoder
from model.training.fit import Fit, Step
from model.training.recipe import Recipe
from model.training.replay import Replay, load_replay
from model.training.settings import TrainSettings
from shop import make_shop


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("base") / "clip")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"), 60)


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Another catalog, of which 40 products may be learned from."""
    folder = tmp_path_factory.mktemp("general")
    rows = [f"P-{n},{'train' if n < 540 else 'val'}\n" for n in range(500, 560)]
    (folder / "splits.csv").write_text("id,split\n" + "".join(rows))
    return {"general": make_shop(folder, 60, first=500), "general_splits": folder / "splits.csv"}


def settings(base: Path, **others: object) -> TrainSettings:
    usual = {"epochs": 2, "batch_size": 16, "guard": False, "is_blended": False}
    return TrainSettings(base=str(base), **(usual | others))  # type: ignore[arg-type] # passed on


def replay_of(asked: TrainSettings, shop: Path) -> Replay | None:
    towers = load_checkpoint(asked.base)
    with PictureLoader() as loader:
        return load_replay(asked, towers, pairs_of(shop, towers), loader)


def test_only_what_is_train_by_its_splits_is_replayed(
    base: Path, shop: Path, general: dict[str, Path]
) -> None:
    replay = replay_of(settings(base, replay=0.5, **general), shop)
    assert replay is not None
    assert {product.id for product in replay.pairs.products} == {f"P-{n}" for n in range(500, 540)}
    assert replay.batch_size == 8
    assert replay_of(settings(base, **general), shop) is None


def test_no_more_is_read_than_is_learned(base: Path, shop: Path, general: dict[str, Path]) -> None:
    replay = replay_of(settings(base, epochs=1, replay=0.25, **general), shop)
    assert replay is not None
    assert len(replay.pairs.products) == 15, "a quarter of the shop's 60"


def test_no_pair_comes_again_before_all_others_and_steps_can_be_passed_over(
    base: Path, shop: Path
) -> None:
    towers = load_checkpoint(str(base))
    pairs = pairs_of(shop, towers)
    schema = open_catalog(shop).schema
    replay = Replay(pairs, schema, Captioner(pairs.products, schema, 0, TITLES), 7, seed=3)
    steps = [batch.tolist() for batch in islice(replay.batches(0), 30)]
    drawn = [number for batch in steps for number in batch]
    turns = [drawn[start : start + 56] for start in range(0, 168, 56)]
    assert all(len(set(turn)) == 56 for turn in turns), "four of 60 do not fill a batch of 7"
    assert turns[0] != turns[1]
    assert [batch.tolist() for batch in islice(replay.batches(11), 19)] == steps[11:]


def test_what_is_replayed_is_learned_beside_the_shop(
    base: Path, shop: Path, general: dict[str, Path]
) -> None:
    """The general catalog has other words for its colours; only where it is replayed they mean any.

    Its products 500 to 539 begin with blue: every third number is of one colour.
    """
    words = [("jade", "crimson", "azure")[number % 3] for number in range(40)]

    def telling(share: float) -> float:
        """How much nearer a picture is to the word for its colour than to the other two."""
        asked = settings(base, epochs=4, lr=3e-3, replay=share, **general)
        towers, replay = load_checkpoint(asked.base), replay_of(asked, shop)
        if replay:
            for number, facts in enumerate(replay.captioner._facts):
                facts |= {"title": words[number], "colour": words[number], "category": "hat"}
        pairs, schema = pairs_of(shop, towers), open_catalog(shop).schema
        captioner = Captioner(pairs.products, schema, 0, asked.recipe.captions)
        fit = Fit(towers, pairs, captioner, asked.recipe, schema.phrase, 0, replay=replay)
        for epoch in range(1, 5):
            assert len(list(fit.epoch(epoch))) == 3
        batch = pairs_of(general["general"], towers).pictures.batch(np.arange(40))
        assert batch is not None
        encoder = Encoder(towers)
        cosine = encoder.embed_pixels(batch.pixels) @ encoder.texts(sorted(set(words))).T
        own = cosine[np.arange(40), [sorted(set(words)).index(word) for word in words]]
        return float(own.mean() - cosine.mean())

    assert telling(1) > 0.2 > abs(telling(0))


def test_an_interrupted_replay_goes_on_with_the_same_weights(
    base: Path, shop: Path, general: dict[str, Path], tmp_path: Path
) -> None:
    asked = {"guard": False, "is_blended": False, "replay": 1.0, **general}
    begin(base, shop, tmp_path / "whole", **asked)
    stop = stop_at(lambda event: isinstance(event, Step) and event.number == 5)
    with pytest.raises(Stopped):
        begin(base, shop, tmp_path / "out", stop, **asked)
    with pytest.raises(TrainingError, match=r"replay was 1\.0, now 0\.5"):
        begin(base, shop, tmp_path / "out", resume=True, **(asked | {"replay": 0.5}))
    begin(base, shop, tmp_path / "out", resume=True, **asked)
    ours, theirs = weights(tmp_path / "out"), weights(tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert course(tmp_path / "out") == course(tmp_path / "whole")


def test_a_general_catalog_that_may_not_be_learned_from_is_refused(
    base: Path, shop: Path, general: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(
        TrainingError, match="has 0 products to replay, fewer than the 16 of a step"
    ):
        begin(base, shop, tmp_path / "out", replay=1.0, general=general["general"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("others", [{"replay": 1.0}, {"replay": -1.0}, {"replay": 0.01}])
def test_a_replay_of_nothing_is_refused(base: Path, others: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match="replay"):
        settings(base, **others)


def test_replay_is_off_unless_asked_for() -> None:
    assert TrainSettings().recipe.replay == 0
    assert Recipe(epochs=1, batch_size=64, lr=1e-3, replay=0.5).replay_batch_size == 32
