"""The losses, against a second way of writing them down."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPModel, SiglipModel

from checkpoints import tiny_clip, tiny_siglip
from model.training.loss import MAX_LOG_TEMPERATURE, contrastive_loss, sigmoid_loss


def random_logits(size: int, seed: int) -> torch.Tensor:
    return 3 * torch.randn(size, size, generator=torch.Generator().manual_seed(seed))


def by_hand(logits: np.ndarray, positive: np.ndarray) -> float:
    """Row by row, column by column: minus the mean log-probability of what is true."""

    def one_way(rows: np.ndarray, is_true: np.ndarray) -> float:
        losses = []
        for row, true in zip(rows, is_true, strict=True):
            log_probability = row - np.log(np.exp(row).sum())
            losses.append(-log_probability[true].mean())
        return float(np.mean(losses))

    return (one_way(logits, positive) + one_way(logits.T, positive.T)) / 2


@given(st.integers(2, 9), st.integers(0, 99))
def test_with_several_positives_it_is_the_mean_over_them(size: int, seed: int) -> None:
    logits = random_logits(size, seed)
    positive = random_logits(size, seed + 1) > 1
    positive |= torch.eye(size, dtype=torch.bool)
    expected = by_hand(logits.double().numpy(), positive.numpy())
    assert contrastive_loss(logits, positive).item() == pytest.approx(expected, rel=1e-4)


def test_without_positives_it_is_the_loss_of_clip(tmp_path) -> None:
    model = CLIPModel.from_pretrained(tiny_clip(tmp_path))
    tokens = torch.tensor([[600, 5, 7, 601], [600, 9, 1, 601], [600, 3, 3, 601]])
    tokens = tokens.clamp(max=model.config.text_config.vocab_size - 1)
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        output = model(input_ids=tokens, pixel_values=pixels, return_loss=True)
    ours = contrastive_loss(output.logits_per_image)
    assert ours.item() == pytest.approx(output.loss.item(), rel=1e-5)


def test_without_positives_the_sigmoid_loss_is_that_of_siglip(tmp_path) -> None:
    model = SiglipModel.from_pretrained(tiny_siglip(tmp_path))
    tokens = torch.randint(0, 20, (3, 12), generator=torch.Generator().manual_seed(0))
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        output = model(input_ids=tokens, pixel_values=pixels, return_loss=True)
    assert sigmoid_loss(output.logits_per_image).item() == pytest.approx(
        output.loss.item(), rel=1e-5
    )


def test_a_twin_is_no_longer_pushed_away() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    contrastive_loss(logits, torch.ones(2, 2, dtype=torch.bool)).backward()
    assert torch.equal(logits.grad, torch.zeros(2, 2))
    logits.grad = None
    contrastive_loss(logits).backward()
    assert logits.grad[0, 1] > 0 > logits.grad[0, 0]


def test_a_perfect_batch_costs_nothing() -> None:
    assert contrastive_loss(100 * torch.eye(4)).item() == pytest.approx(0, abs=1e-6)
    assert sigmoid_loss(200 * torch.eye(4) - 100).item() == pytest.approx(0, abs=1e-6)


def test_an_ignorant_model_costs_the_logarithm_of_the_batch() -> None:
    assert contrastive_loss(torch.zeros(8, 8)).item() == pytest.approx(math.log(8))


def test_the_temperature_is_bounded_as_in_clip() -> None:
    assert math.exp(MAX_LOG_TEMPERATURE) == pytest.approx(100)
