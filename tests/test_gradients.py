"""Gradients do not depend on how the work is cut: in parts, over processes, or recomputed."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from fits import RECIPE, distance, fit_of, learned, pairs_of
from goods.errors import TrainingError
from model.checkpoint import load_checkpoint
from model.training.augmentation import Augmentation
from model.training.batch_loss import BatchLoss
from model.training.compute import Compute, has_dropout
from model.training.gradients import Side, backward
from model.training.loss import contrastive_loss, sigmoid_loss
from model.training.ranks import Ranks
from shop import make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"), 50)


class Threads(Ranks):
    """Processes as threads: each `gather` and `average` waits for all of them."""

    def __init__(self, rank: int, board: list[object], barrier: threading.Barrier) -> None:
        self.rank, self.count = rank, len(board)
        self._board, self._barrier = board, barrier

    def all_of(self, own: object) -> list:
        self._board[self.rank] = own
        self._barrier.wait()
        told = list(self._board)
        self._barrier.wait()
        return told

    def gather(self, own: torch.Tensor, rows: int) -> torch.Tensor:
        return torch.cat(self.all_of(own))

    def average(self, weights: Iterable[torch.nn.Parameter]) -> None:
        weights = list(weights)
        for gradients in zip(*self.all_of([w.grad for w in weights]), strict=True):
            weights.pop(0).grad = torch.stack(gradients).mean(0)


class Towers:
    """Two linear towers and a temperature, in float64: rounding hides nothing."""

    def __init__(self, seed: int) -> None:
        rng = torch.Generator().manual_seed(seed)
        self.sides = [torch.nn.Linear(6, 4, bias=False).double() for _ in range(2)]
        self.scale = torch.nn.Parameter(torch.tensor(1.5).double())
        for side in self.sides:
            side.weight.data = torch.randn(4, 6, generator=rng).double()

    @property
    def weights(self) -> list[torch.nn.Parameter]:
        return [*(side.weight for side in self.sides), self.scale]

    def embed(self, side: int, rows: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.sides[side](rows).tanh(), dim=-1)

    def learn(
        self, inputs: Sequence[torch.Tensor], true: torch.Tensor, part: int, ranks: Ranks
    ) -> float:
        """The loss; the averaged gradients are then on the weights."""
        sides = []
        for number, rows in enumerate(inputs):
            own = rows[ranks.share(len(rows))]
            sides.append(Side([partial(self.embed, number, p) for p in own.split(part)], len(rows)))
        loss = backward(
            sides, lambda a, b: contrastive_loss(self.scale.exp() * a @ b.T, true), ranks
        )
        ranks.average(self.weights)
        return loss.item()


@given(
    pictures=st.integers(4, 12),
    texts=st.integers(4, 12),
    part=st.integers(1, 12),
    processes=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_gradients_of_parts_and_processes_are_those_of_the_whole_batch(
    pictures: int, texts: int, part: int, processes: int, seed: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(n, 6, generator=rng).double() for n in (pictures, texts)]
    true = torch.rand(pictures, texts, generator=rng) < 0.3
    true[
        torch.arange(max(pictures, texts)) % pictures, torch.arange(max(pictures, texts)) % texts
    ] = True

    whole = Towers(seed)
    loss = contrastive_loss(
        whole.scale.exp() * whole.embed(0, inputs[0]) @ whole.embed(1, inputs[1]).T, true
    )
    loss.backward()

    board, barrier = [None] * processes, threading.Barrier(processes)
    everyone = [Towers(seed) for _ in range(processes)]
    losses = [0.0] * processes

    def work(rank: int) -> None:
        losses[rank] = everyone[rank].learn(inputs, true, part, Threads(rank, board, barrier))

    threads = [threading.Thread(target=work, args=[rank]) for rank in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert losses == pytest.approx([loss.item()] * processes, rel=1e-12)
    for towers in everyone:
        for own, expected in zip(towers.weights, whole.weights, strict=True):
            torch.testing.assert_close(own.grad, expected.grad, rtol=1e-10, atol=1e-12)


def test_a_frozen_side_is_embedded_only_once_and_a_part() -> None:
    frozen, tuned, calls = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2), []
    frozen.requires_grad_(False)
    rows = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))

    def embed(side: torch.nn.Linear, part: torch.Tensor) -> torch.Tensor:
        calls.append(side)
        return side(part)

    sides = [Side([partial(embed, s, part) for part in rows.split(2)], 8) for s in (frozen, tuned)]
    backward(sides, lambda a, b: sigmoid_loss(a @ b.T), Ranks())
    assert calls.count(frozen) == 4 + 1
    assert calls.count(tuned) == 4 + 4
    assert frozen.weight.grad is None
    assert tuned.weight.grad is not None


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip, tiny_siglip2])
def test_what_is_learned_does_not_depend_on_how_it_is_computed(
    make: Callable[[Path], Path], shop: Path, tmp_path: Path
) -> None:
    base = make(tmp_path / "base")
    before = load_checkpoint(str(base)).model.state_dict()
    losses, weights = learned(base, shop)
    for compute in (
        Compute(micro_batch_size=4),
        Compute(is_checkpointed=True, micro_batch_size=11),
    ):
        others, other_weights = learned(base, shop, compute)
        assert others == pytest.approx(losses, rel=1e-5)
        assert distance(weights, other_weights, before) < 1e-4  # Adam divides by small gradients


# Said by torch's compiler to itself, about layers of transformers.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_compiled_layers_learn_the_same_and_keep_their_names(shop: Path, tmp_path: Path) -> None:
    base = tiny_clip(tmp_path / "base")
    losses, weights = learned(base, shop)
    others, other_weights = learned(base, shop, Compute(compiler="eager"))
    assert others == pytest.approx(losses, rel=1e-5)
    assert weights.keys() == other_weights.keys()


def test_what_cannot_be_compiled_is_refused_before_training() -> None:
    Compute(compiler="eager").refuse_no_compiler(torch.device("cpu"))
    with pytest.raises(TrainingError, match=r"torch.compile does not work here: .* without --comp"):
        Compute(compiler="no such thing").refuse_no_compiler(torch.device("cpu"))


def test_dropout_is_the_same_in_both_passes_over_a_part(tmp_path: Path) -> None:
    towers = load_checkpoint(str(tiny_clip(tmp_path / "base")))
    assert not has_dropout(towers.model)
    for module in towers.model.modules():
        if hasattr(module, "dropout"):
            module.dropout = 0.3
    assert has_dropout(towers.model)
    loss = BatchLoss(towers, Augmentation(), 0, Compute(), Ranks())
    towers.model.train()
    tokens = towers.tokens(["red dress"] * 4)
    one, other = (loss._part(partial(towers.embed_tokens, tokens), 0, n) for n in (0, 1))
    chance = torch.get_rng_state()
    torch.testing.assert_close(one(), one(), rtol=0, atol=0)
    assert not torch.equal(one(), other())
    assert torch.equal(torch.get_rng_state(), chance), "other draws are not disturbed"


def test_pictures_that_are_gone_leave_the_batch_with_what_is_said_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = make_shop(tmp_path / "shop", 30)
    towers = load_checkpoint(str(tiny_clip(tmp_path / "base")))
    pairs = pairs_of(shop, towers, memory=0)
    for number in range(0, 30, 7):
        (tmp_path / "shop" / "images" / f"P-{number}.jpg").unlink()
    steps = list(fit_of(towers, shop, pairs).epoch(1))
    assert [step.number for step in steps] == [1, 2]
    assert all(0 < step.loss < 10 for step in steps)
    assert sum("left out of this batch" in message for message in caplog.messages) == 5

    for file in (tmp_path / "shop" / "images").iterdir():
        file.unlink()
    assert list(fit_of(towers, shop, pairs).epoch(1)) == []


def test_a_batch_of_titles_alone_is_learned_as_pairs(shop: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, is_fact_aware=False)
    losses, _ = learned(tiny_clip(tmp_path / "base"), shop, recipe=recipe)
    assert losses[-1] < losses[0]
