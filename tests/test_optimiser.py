"""What learns, how fast: frozen towers, layer-wise learning rates, and weight decay on matrices."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from checkpoints import TEXTS, tiny_clip, tiny_siglip, tiny_siglip2
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.training.optimiser import depth_from_top, freeze, optimiser, warm_cosine
from model.training.recipe import Recipe
from shop import picture

KINDS = (tiny_clip, tiny_siglip, tiny_siglip2)
LAYERS = 2  # of each tower of the tiny checkpoints
OF_TOWER = {"vision": ("vision_model.", "visual_projection."), "text": ("text_",)}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def towers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DualEncoder:
    make: Callable[[Path], Path] = request.param
    return load_checkpoint(str(make(tmp_path_factory.mktemp("checkpoint"))))


def recipe(**others: object) -> Recipe:
    return Recipe(epochs=1, batch_size=4, lr=1e-3, **others)  # type: ignore[arg-type] # passed on


def by_name(towers: DualEncoder, of: torch.optim.Optimizer) -> dict[str, dict[str, float]]:
    """The group of each weight that is learned."""
    group_of = {id(weight): group for group in of.param_groups for weight in group["params"]}
    named = towers.model.named_parameters()
    return {name: group_of[id(weight)] for name, weight in named if id(weight) in group_of}


def learn(towers: DualEncoder, of: torch.optim.Optimizer) -> None:
    """One step that reaches every weight."""
    pixels = towers.preprocessing.pixels([picture(number) for number in range(4)])
    images, texts = towers.embed_pixels(pixels), towers.embed_tokens(towers.tokens(TEXTS))
    towers.model.zero_grad()
    towers.logits(images, texts).square().mean().backward()
    of.step()


def test_layers_are_counted_from_the_vectors_down(towers: DualEncoder) -> None:
    depths = depth_from_top(towers)
    assert set(depths) == {name for name, _ in towers.model.named_parameters()}
    for tower in ("text_model", "vision_model"):
        layers = [depths[f"{tower}.encoder.layers.{n}.mlp.fc1.weight"] for n in range(LAYERS)]
        assert layers == [2, 1]
        embeddings = {n: d for n, d in depths.items() if n.startswith(f"{tower}.embeddings.")}
        assert set(embeddings.values()) == {LAYERS + 1}
    outside = [n for n in depths if ".encoder." not in n and ".embeddings." not in n]
    tops = [name for name in outside if "pre_layrnorm" not in name]
    assert {depths[name] for name in tops} == {0}
    assert {"logit_scale", "vision_model.post_layernorm.weight"} <= set(tops)
    assert any("projection" in name or ".head." in name for name in tops)


def test_what_comes_before_the_first_layer_is_as_deep_as_the_embeddings(tmp_path: Path) -> None:
    depths = depth_from_top(load_checkpoint(str(tiny_clip(tmp_path))))
    assert depths["vision_model.pre_layrnorm.weight"] == LAYERS + 1


def test_the_learning_rate_falls_by_the_decay_per_layer(towers: DualEncoder) -> None:
    freeze(towers, "none")
    groups = by_name(towers, optimiser(towers, recipe(layer_decay=0.5)))
    assert set(groups) == set(depth_from_top(towers))
    for name, depth in depth_from_top(towers).items():
        assert groups[name]["lr"] == pytest.approx(1e-3 * 0.5**depth), name


def test_the_first_group_learns_at_the_peak(towers: DualEncoder) -> None:
    for frozen in ("none", "vision", "text"):
        freeze(towers, frozen)
        assert optimiser(towers, recipe(layer_decay=0.5)).param_groups[0]["lr"] == 1e-3


def test_only_matrices_decay(towers: DualEncoder) -> None:
    freeze(towers, "none")
    groups = by_name(towers, optimiser(towers, recipe(weight_decay=0.3)))
    decayed = {name for name, group in groups.items() if group["weight_decay"]}
    assert {groups[name]["weight_decay"] for name in decayed} == {0.3}
    for name in set(groups) - decayed:
        kept = ("bias", "norm", "logit_", "class_embedding", "probe")
        assert any(word in name for word in kept), name
    for name in decayed:
        assert name.endswith("weight"), name
        assert "norm" not in name


@pytest.mark.parametrize(("frozen", "other"), [("vision", "text"), ("text", "vision")])
def test_a_frozen_tower_gets_no_gradient_and_no_optimiser_state(
    towers: DualEncoder, frozen: str, other: str
) -> None:
    freeze(towers, frozen)
    before = {name: w.detach().clone() for name, w in towers.model.named_parameters()}
    of = optimiser(towers, recipe())
    learn(towers, of)
    moved = set()
    for name, weight in towers.model.named_parameters():
        is_frozen = name.startswith(
            (f"{frozen}_model.", {"vision": "visual_"}.get(frozen, "text_"))
        )
        assert (weight.grad is None) == is_frozen, name
        assert (weight in of.state) != is_frozen, name
        if not torch.equal(weight, before[name]):
            moved.add(name)
    assert all(not name.startswith(f"{frozen}_model.") for name in moved)
    assert any(name.startswith(f"{other}_model.") for name in moved)
    assert "logit_scale" in moved


def test_thawing_lets_all_learn_again(towers: DualEncoder) -> None:
    freeze(towers, "vision")
    freeze(towers, "none")
    assert all(weight.requires_grad for weight in towers.model.parameters())


def test_the_step_is_that_of_adam_with_decoupled_decay(tmp_path: Path) -> None:
    towers = load_checkpoint(str(tiny_clip(tmp_path)))
    name = "text_projection.weight"
    weight = towers.model.get_parameter(name)
    before = weight.detach().clone()
    learn(towers, optimiser(towers, recipe(weight_decay=0.1)))
    gradient = weight.grad
    # Kingma and Ba 2015, algorithm 1, first step; Loshchilov and Hutter 2019, algorithm 2.
    expected = before * (1 - 1e-3 * 0.1) - 1e-3 * gradient / (gradient.abs() + 1e-6)
    torch.testing.assert_close(weight.detach(), expected, atol=1e-7, rtol=1e-5)


@given(steps=st.integers(1, 500), share=st.floats(0, 1))
def test_the_schedule_rises_to_its_peak_and_falls_to_nothing(steps: int, share: float) -> None:
    shares = [warm_cosine(step, steps, recipe(warmup_share=share)) for step in range(steps)]
    peak = shares.index(max(shares))
    assert shares[:peak] == sorted(shares[:peak])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert shares[peak] == pytest.approx(1)
    assert min(shares) > 0
