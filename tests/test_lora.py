"""LoRA: only adapters learn, and what is saved is an ordinary checkpoint."""

import builtins
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from checkpoints import TEXTS, tiny_clip, tiny_siglip, tiny_siglip2
from goods.errors import TrainingError
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.training.guard import weights_of
from model.training.lora import add_adapters, merged
from model.training.optimiser import depth_from_top, freeze, optimiser
from model.training.recipe import Recipe
from shop import picture

Make = Callable[[Path], Path]
KINDS = (tiny_clip, tiny_siglip, tiny_siglip2)
RECIPE = Recipe(epochs=1, batch_size=4, lr=1e-2)


def adapted(folder: Path, make: Make = tiny_clip, frozen: str = "none") -> DualEncoder:
    towers = load_checkpoint(str(make(folder)))
    freeze(towers, frozen)
    add_adapters(towers, rank=4, seed=0)
    return towers


def vectors(towers: DualEncoder) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = towers.preprocessing.pixels([picture(number) for number in range(4)])
    return towers.embed_pixels(pixels), towers.embed_tokens(towers.tokens(TEXTS))


def learn(towers: DualEncoder, steps: int = 3) -> None:
    of = optimiser(towers, RECIPE)
    for _ in range(steps):
        of.zero_grad()
        towers.logits(*vectors(towers)).diagonal().mean().neg().backward()
        of.step()


def trainable(towers: DualEncoder) -> set[str]:
    return {name for name, weight in towers.model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("make", KINDS)
def test_at_the_start_nothing_has_changed(tmp_path: Path, make: Make) -> None:
    plain = load_checkpoint(str(make(tmp_path)))
    for own, other in zip(vectors(adapted(tmp_path, make)), vectors(plain), strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize("make", KINDS)
def test_every_attention_and_mlp_matrix_has_an_adapter_and_nothing_else_learns(
    tmp_path: Path, make: Make
) -> None:
    towers = adapted(tmp_path, make)
    matrices = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    expected = {"logit_scale"} | ({"logit_bias"} if towers.is_sigmoid else set())
    for tower in ("text_model", "vision_model"):
        for layer in range(2):
            for matrix in matrices:
                place = "mlp" if matrix.startswith("fc") else "self_attn"
                for part in ("lora_A", "lora_B"):
                    name = f"{tower}.encoder.layers.{layer}.{place}.{matrix}.{part}.default.weight"
                    expected.add(name)
    assert trainable(towers) == expected
    depths = depth_from_top(towers)
    assert {depths[name] for name in expected} == {0, 1, 2}


def test_a_frozen_tower_has_no_adapters(tmp_path: Path) -> None:
    learning = trainable(adapted(tmp_path, frozen="vision"))
    assert learning
    assert all(name.startswith(("text_model.", "logit_")) for name in learning)


@pytest.mark.parametrize("make", KINDS)
def test_what_is_saved_is_an_ordinary_checkpoint_that_answers_alike(
    tmp_path: Path, make: Make
) -> None:
    towers = adapted(tmp_path / "base", make)
    learn(towers)
    (tmp_path / "saved").mkdir()
    merged(towers).save(tmp_path / "saved")
    loaded = load_checkpoint(str(tmp_path / "saved"))
    plain = load_checkpoint(str(tmp_path / "base"))
    assert set(weights_of(loaded)) == set(weights_of(plain))
    for own, other, base in zip(vectors(towers), vectors(loaded), vectors(plain), strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=0)
        assert (own - base).abs().max() > 1e-3, "it has learned something"


def test_merging_leaves_the_training_bit_for_bit_as_it_was(tmp_path: Path) -> None:
    one, other = adapted(tmp_path), adapted(tmp_path)
    for towers in (one, other):
        learn(towers)
    saved = merged(one)
    assert saved is not one
    for towers in (one, other):
        learn(towers)
    weights = weights_of(other)
    for name, weight in weights_of(one).items():
        assert torch.equal(weight, weights[name]), name
    assert trainable(one) == trainable(other)


def test_a_model_without_adapters_is_its_own_merged_one(tmp_path: Path) -> None:
    towers = load_checkpoint(str(tiny_clip(tmp_path)))
    assert merged(towers) is towers


def test_the_state_of_a_training_with_adapters_can_be_restored(tmp_path: Path) -> None:
    towers = adapted(tmp_path)
    learn(towers)
    fresh = load_checkpoint(str(tmp_path))
    freeze(fresh, "none")
    add_adapters(fresh, rank=4, seed=1)
    fresh.model.load_state_dict(towers.model.state_dict())
    for own, other in zip(vectors(towers), vectors(fresh), strict=True):
        assert torch.equal(own, other)


def test_the_seed_decides_where_adapters_start_and_leaves_other_chance_alone(
    tmp_path: Path,
) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    one, same = adapted(tmp_path), adapted(tmp_path)
    assert torch.equal(torch.rand(1), expected)
    other = load_checkpoint(str(tmp_path))
    add_adapters(other, rank=4, seed=1)
    name = "text_model.encoder.layers.0.mlp.fc1.lora_A.default.weight"
    starts = [towers.model.get_parameter(name) for towers in (one, same, other)]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_without_peft_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: object) -> object:
        if name.split(".", maxsplit=1)[0] == "peft":
            raise ImportError(name)
        return real(name, *args)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(TrainingError, match="pip install peft"):
        adapted(tmp_path)


def test_a_rank_of_nothing_is_refused(tmp_path: Path) -> None:
    towers = load_checkpoint(str(tiny_clip(tmp_path)))
    with pytest.raises(TrainingError, match="rank 0"):
        add_adapters(towers, rank=0, seed=0)
