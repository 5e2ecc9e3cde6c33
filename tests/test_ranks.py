"""Several processes train as one does, and none is left waiting when another ends."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from checkpoints import tiny_clip
from ends import end
from fits import RECIPE, distance, fit_of, learned, pairs_of
from goods.errors import TrainingError
from model.caption_mix import CaptionMix
from model.checkpoint import load_checkpoint
from model.training import ranks as room
from model.training.compute import Compute
from model.training.launch import launch
from model.training.ranks import Ranks, joined
from shop import make_shop

WAYS = {
    "default": (RECIPE, Compute()),
    "replayed": (replace(RECIPE, replay=0.5), Compute()),
    "titles, in parts": (replace(RECIPE, is_fact_aware=False), Compute(micro_batch_size=2)),
    # Often one text for both pictures: then one process has none to embed. Its gradient is rounding
    # alone, which Adam makes as long as any other: so the steps are small.
    "nouns": (replace(RECIPE, batch_size=2, lr=1e-6, captions=CaptionMix(1, 0, 0)), Compute()),
}


@dataclass(frozen=True)
class Learned:
    """What one process found: by way of training, and after two pictures were lost."""

    ways: dict[str, tuple[list[float], dict[str, torch.Tensor]]]
    lost: list[float]
    is_alike: bool
    rows: list[list[float]]
    told: int


def learn(base: Path, shop: Path) -> Learned:
    """What one process does, of two or alone."""
    with joined("cpu") as ranks:
        ways = {
            name: learned(base, shop, compute, ranks, recipe)
            for name, (recipe, compute) in WAYS.items()
        }
        _, weights = ways["titles, in parts"]
        sums = ranks.all_of([float(weight.sum()) for weight in weights.values()])
        own = torch.full((2 - ranks.rank, 1), float(ranks.rank))
        return Learned(
            ways,
            learn_without(base, shop, ranks),
            all(other == sums[0] for other in sums),
            ranks.gather(own, 3).tolist(),
            ranks.from_first(ranks.rank + 5),
        )


def learn_without(base: Path, shop: Path, ranks: Ranks) -> list[float]:
    """The losses when two pictures are gone that could be read before."""
    towers = load_checkpoint(str(base))
    pairs = pairs_of(shop, towers, memory=0)
    ranks.all_of(None)
    for number in (3, 11):
        (shop.parent / "images" / f"P-{number}.jpg").unlink(missing_ok=True)
    ranks.all_of(None)
    return [step.loss for step in fit_of(towers, shop, pairs, ranks=ranks).epoch(1)]


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    base = tiny_clip(tmp_path / "base")
    both = launch(2, learn, base, make_shop(tmp_path / "two", 30))
    alone = learn(base, make_shop(tmp_path / "one", 30))
    before = load_checkpoint(str(base)).model.state_dict()
    for name, (losses, weights) in alone.ways.items():
        assert both.ways[name][0] == pytest.approx(losses, rel=1e-5), name
        if name != "nouns":
            assert distance(weights, both.ways[name][1], before) < 1e-4, name
    assert both.is_alike, "both end with the same weights, bit for bit"
    assert both.lost == pytest.approx(alone.lost, rel=1e-5)
    assert both.lost != pytest.approx(alone.ways["default"][0], rel=1e-5)
    assert both.rows == [[0.0], [0.0], [1.0]]
    assert both.told == 5


@pytest.mark.parametrize(
    ("how", "said"),
    [("error", "^at step 3 the loss is nan$"), ("killed", "^process 2 .* was ended by SIGKILL")],
)
def test_an_end_of_one_process_ends_all_with_its_reason(
    how: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    with pytest.raises(TrainingError, match=said):
        launch(2, end, how)
    assert time.monotonic() - started < 60
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "gpus", "expected"),
    [
        ("cpu", 0, "cpu"),
        ("auto", 0, "cpu"),
        ("mps", 0, "cannot share the device 'mps'"),
        ("cuda:1", 2, "cannot share the device 'cuda:1'"),
        ("cuda", 2, "process 3 of this machine has no GPU: there are 2"),
    ],
)
def test_each_process_gets_a_device_of_its_own(
    name: str, gpus: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    if expected == "cpu":
        assert room._device_of(name, local_rank=2) == torch.device("cpu")
        return
    with pytest.raises(TrainingError, match=expected):
        room._device_of(name, local_rank=2)


class Two(Ranks):
    """The first of two processes, the other of which says what a test wants."""

    count = 2

    def __init__(self, other: object) -> None:
        self.other = other

    def all_of(self, own: object) -> list:
        return [own, self.other]


def test_processes_with_different_products_are_refused(tmp_path: Path) -> None:
    towers = load_checkpoint(str(tiny_clip(tmp_path / "base")))
    shop = make_shop(tmp_path / "shop", 20)
    pairs = pairs_of(shop, towers)
    with pytest.raises(TrainingError, match="process 2 could read the pictures of 19 products"):
        fit_of(towers, shop, pairs, ranks=Two((19, "")))
    small = replace(RECIPE, batch_size=2)
    crowd = Two(None)
    crowd.count = 3
    with pytest.raises(TrainingError, match="3 processes cannot share a batch of 2"):
        fit_of(towers, shop, pairs, ranks=crowd, recipe=small)


def test_shares_are_all_rows_in_order() -> None:
    for count in range(1, 6):
        for rows in range(12):
            shares = []
            for rank in range(count):
                one = Ranks()
                one.rank, one.count = rank, count
                shares += range(rows)[one.share(rows)]
            assert shares == list(range(rows))


def test_gradients_travel_in_a_few_messages_of_one_format() -> None:
    size = room._BUCKET_BYTES // 8
    gradients = [torch.zeros(size) for _ in range(5)] + [torch.zeros(3, dtype=torch.bfloat16)] * 2
    buckets = list(room._buckets(gradients))
    assert [len(bucket) for bucket in buckets] == [2, 2, 1, 2]
    assert all(len({gradient.dtype for gradient in bucket}) == 1 for bucket in buckets)
