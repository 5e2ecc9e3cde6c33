"""The training loop: batches of pairs in, a better model out.

Legend: B pairs of a batch, D the dimension of a vector.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.lr_scheduler import LambdaLR

from goods.errors import TrainingError
from model.captions import Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Batch, Pairs
from model.pixels import FixedPixels
from model.training.loss import MAX_LOG_TEMPERATURE, contrastive_loss, sigmoid_loss
from model.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the training, done.

    Attributes:
        epoch: Which pass over the products, from 1.
        number: Which step of the whole training, from 1.
        of: Steps of the whole training.
        loss: Of its batch.
        pairs_per_s: Mean of this epoch so far, with waiting for pictures.
    """

    epoch: int
    number: int
    of: int
    loss: float
    pairs_per_s: float


class Fit:
    """A model in training; owns the optimiser and its schedule.

    Args:
        towers: The model; trained in place.
        pairs: Products; those of the split "train" are learned.
        captioner: What is said of them.
        recipe: How.
        seed: Of the order of products and of mirroring.
        autocast: Number format of matrix products on the device; None computes in float32.
    """

    def __init__(
        self,
        towers: DualEncoder,
        pairs: Pairs,
        captioner: Captioner,
        recipe: Recipe,
        seed: int,
        autocast: torch.dtype | None = None,
    ) -> None:
        self._towers, self._pairs, self._captioner = towers, pairs, captioner
        self._recipe, self._seed, self._autocast = recipe, seed, autocast
        self._numbers = [n for n in pairs.numbers("train") if captioner.has_any(n)]
        self._steps = recipe.epochs * (len(self._numbers) // recipe.batch_size)
        self._done = 0
        self._optimiser = _optimiser(towers, recipe)
        self._schedule = LambdaLR(
            self._optimiser, lambda step: warm_cosine(step, self._steps, recipe)
        )

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Learn every product once, in full batches, in an order of its own.

        Raises:
            TrainingError: The loss is no longer a number; this step was not taken.
        """
        rng = np.random.default_rng((self._seed, epoch))
        started, pairs = time.perf_counter(), 0
        self._towers.model.train()
        for batch in self._pairs.pictures.batches(self._batches(rng)):
            loss = self._loss(batch, epoch, rng)
            self._learn(loss)
            pairs += len(batch.numbers)
            pairs_per_s = pairs / (time.perf_counter() - started)
            yield Step(epoch, self._done, self._steps, loss.item(), pairs_per_s)
        self._towers.model.train(mode=False)

    def _batches(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        order, size = rng.permutation(self._numbers), self._recipe.batch_size
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]

    def _loss(self, batch: Batch, epoch: int, rng: np.random.Generator) -> torch.Tensor:
        towers, device = self._towers, self._towers.device
        numbers = batch.numbers.tolist()
        captions = [self._captioner.draw(number, epoch) for number in numbers]
        is_true_BB = torch.from_numpy(self._captioner.positives(numbers, captions)).to(device)
        pixels = self._mirrored(batch.pixels, rng)
        with torch.autocast(device.type, self._autocast, enabled=self._autocast is not None):
            image_BD = towers.embed_pixels(pixels)
            text_BD = towers.embed_tokens(towers.tokens([caption.text for caption in captions]))
        logits_BB = towers.logits(image_BD, text_BD)
        if towers.is_sigmoid:
            return sigmoid_loss(logits_BB, is_true_BB)
        return contrastive_loss(logits_BB, is_true_BB)

    def _mirrored(self, pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Half of the pictures the other way round, where their pixels are still pictures."""
        if not self._recipe.mirror or not isinstance(self._towers.preprocessing, FixedPixels):
            return pixels
        is_mirrored_B = torch.from_numpy(rng.random(len(pixels)) < 0.5)
        return torch.where(is_mirrored_B[:, None, None, None], pixels.flip(2), pixels)

    def _learn(self, loss: torch.Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()
        weights = self._towers.model.parameters()
        length = torch.nn.utils.clip_grad_norm_(weights, self._recipe.max_gradient_norm)
        if not math.isfinite(loss.item()) or not math.isfinite(length.item()):
            raise TrainingError(
                f"at step {self._done + 1} of {self._steps} the loss is {loss.item():g} and its "
                f"gradient {length.item():g}; lower --lr (it is {self._recipe.lr:g})"
            )
        self._optimiser.step()
        self._schedule.step()
        self._done += 1
        with torch.no_grad():
            self._towers.model.logit_scale.clamp_(max=MAX_LOG_TEMPERATURE)


def warm_cosine(step: int, steps: int, recipe: Recipe) -> float:
    """The share of the peak learning rate at a step: a linear rise, then half a cosine to zero."""
    warmup = max(1, round(recipe.warmup_share * steps))
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def _optimiser(towers: DualEncoder, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; weight decay would pull norms, biases and the temperature towards zero for nothing."""
    weights = [weight for weight in towers.model.parameters() if weight.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.ndim >= 2], "weight_decay": recipe.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
        ],
        lr=recipe.lr,
        betas=(0.9, 0.98),  # CLIP's (Radford et al. 2021, table 18)
        eps=1e-6,
    )
