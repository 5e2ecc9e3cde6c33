"""The training loop: batches of pairs in, a better model out.

Legend: B pictures of a batch, T its distinct texts, D the dimension of a vector.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import TrainingError
from model.captions import Caption, Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Batch, Pairs
from model.pixels import FixedPixels
from model.training.augment import augmented
from model.training.batches import epoch_order, kinds_of
from model.training.gradients import Side, backward
from model.training.loss import MAX_LOG_TEMPERATURE, contrastive_loss, sigmoid_loss
from model.training.optimiser import freeze, optimiser, schedule
from model.training.ranks import Ranks
from model.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the training, done.

    Attributes:
        epoch: Which pass over the products, from 1.
        number: Which step of the whole training, from 1.
        of: Steps of the whole training.
        loss: Of its batch.
        lr: The learning rate that it was taken with, of the layers next to the vectors.
        pairs_per_s: Mean of this epoch so far, with waiting for pictures.
    """

    epoch: int
    number: int
    of: int
    loss: float
    lr: float
    pairs_per_s: float


class Fit:
    """A model in training; owns the optimiser and its schedule.

    Args:
        towers: The model; trained in place.
        pairs: Products; those of the split "train" are learned.
        captioner: What is said of them.
        recipe: How.
        phrase: The fields of a phrase, the noun last: what hard batches are made by.
        seed: Of the order of products and of augmentation.
        autocast: Number format of matrix products on the device; None computes in float32.
        chunk: Pictures in memory at a time, on each process; None takes the batch at once.
        ranks: The processes that train together.
    """

    def __init__(
        self,
        towers: DualEncoder,
        pairs: Pairs,
        captioner: Captioner,
        recipe: Recipe,
        phrase: Sequence[str],
        seed: int,
        autocast: torch.dtype | None = None,
        chunk: int | None = None,
        ranks: Ranks = Ranks(),  # noqa: B008 - one process alone keeps nothing
    ) -> None:
        self._towers, self._pairs, self._captioner = towers, pairs, captioner
        self._recipe, self._seed, self._autocast = recipe, seed, autocast
        self._chunk, self._ranks = chunk, ranks
        self._kinds = kinds_of(pairs.products, phrase)
        numbers = pairs.numbers("train")
        self._numbers = numbers[[captioner.has_any(number) for number in numbers]]
        self._steps = recipe.epochs * (len(self._numbers) // recipe.batch_size)
        self._done = 0
        freeze(towers, recipe.freeze)
        self._optimiser = optimiser(towers, recipe)
        self._schedule = schedule(self._optimiser, self._steps, recipe)

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Learn every product once, in full batches, in an order of its own.

        Raises:
            TrainingError: The loss is no longer a number; this step was not taken.
        """
        started, pairs = time.perf_counter(), 0
        self._towers.model.train()
        for batch in self._pairs.pictures.batches(self._batches(epoch)):
            lr = float(self._schedule.get_last_lr()[0])
            loss = self._learn(batch, epoch)
            pairs += len(batch.numbers)
            pairs_per_s = pairs / (time.perf_counter() - started)
            yield Step(epoch, self._done, self._steps, loss, lr, pairs_per_s)
        self._towers.model.train(mode=False)

    def _batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        rng = np.random.default_rng((self._seed, epoch))
        size = self._recipe.batch_size
        order = epoch_order(self._numbers, self._kinds, self._recipe.cluster, rng)
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]

    def _learn(self, batch: Batch, epoch: int) -> float:
        """The loss of one batch, learned."""
        numbers = batch.numbers.tolist()
        captions = self._captions(numbers, epoch)
        texts = [caption.text for caption in captions]
        is_true_BT = None
        if self._recipe.is_fact_aware:
            is_true_BT = torch.from_numpy(self._captioner.positives(numbers, captions))
            is_true_BT = is_true_BT.to(self._towers.device)

        def loss_of(image_BD: torch.Tensor, text_TD: torch.Tensor) -> torch.Tensor:
            logits_BT = self._towers.logits(image_BD, text_TD)
            loss = sigmoid_loss if self._towers.is_sigmoid else contrastive_loss
            return loss(logits_BT, is_true_BT)

        self._optimiser.zero_grad()
        sides = [self._pictures(batch, epoch), self._texts(texts)]
        loss = backward(sides, loss_of, self._ranks).item()
        self._step(loss)
        return loss

    def _captions(self, numbers: Sequence[int], epoch: int) -> list[Caption]:
        """What is said of a batch: each text once, or where only pairs are true one per picture."""
        drawn = [self._captioner.draw(number, epoch) for number in numbers]
        if not self._recipe.is_fact_aware:
            return [captions[0] for captions in drawn]
        return list({caption.text: caption for captions in drawn for caption in captions}.values())

    def _pictures(self, batch: Batch, epoch: int) -> Side:
        pixels = batch.pixels
        if isinstance(self._towers.preprocessing, FixedPixels):  # patches are no pictures any more
            seeds = [(self._seed, epoch, number) for number in batch.numbers.tolist()]
            pixels = augmented(pixels, self._recipe.augmentation, seeds)
        parts = pixels.split(self._chunk or len(pixels))
        return Side([partial(self._embed_pixels, part) for part in parts], len(pixels))

    def _texts(self, texts: Sequence[str]) -> Side:
        size = self._chunk or len(texts)
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        return Side([partial(self._embed_texts, part) for part in parts], len(texts))

    def _embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        with self._precision():
            return self._towers.embed_pixels(pixels)

    def _embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        with self._precision():
            return self._towers.embed_tokens(self._towers.tokens(texts))

    def _precision(self) -> torch.autocast:
        device, dtype = self._towers.device.type, self._autocast
        return torch.autocast(device, dtype, enabled=dtype is not None)

    def _step(self, loss: float) -> None:
        weights = [w for w in self._towers.model.parameters() if w.requires_grad]
        self._ranks.average(weights)
        length = torch.nn.utils.clip_grad_norm_(weights, self._recipe.max_gradient_norm)
        if not math.isfinite(loss) or not math.isfinite(length.item()):
            raise TrainingError(
                f"at step {self._done + 1} of {self._steps} the loss is {loss:g} and its "
                f"gradient {length.item():g}; lower --lr (it is {self._recipe.lr:g})"
            )
        self._optimiser.step()
        self._schedule.step()
        self._done += 1
        with torch.no_grad():
            self._towers.model.logit_scale.clamp_(max=MAX_LOG_TEMPERATURE)
