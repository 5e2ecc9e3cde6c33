"""The training loop: batches of pairs in, a better model out.

Legend: B pictures of a batch, T its distinct texts, D the dimension of a vector.
"""

import io
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import DivergedError, TrainingError
from model.captions import Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Pairs
from model.pixels import FixedPixels
from model.training.augment import augmented
from model.training.batches import epoch_order, kinds_of
from model.training.compute import DEFAULT_COMPUTE, Compute, has_dropout, same_dropout
from model.training.feed import Feed, Ready
from model.training.gradients import Embed, Side, backward
from model.training.lora import add_adapters
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
        seed: Of the order of products, of augmentation and of dropout.
        compute: What memory and time a step may take.
        ranks: The processes that train together.

    Raises:
        TrainingError: There are more processes than products in a batch, or they have different
            products.
    """

    def __init__(
        self,
        towers: DualEncoder,
        pairs: Pairs,
        captioner: Captioner,
        recipe: Recipe,
        phrase: Sequence[str],
        seed: int,
        compute: Compute = DEFAULT_COMPUTE,
        ranks: Ranks = Ranks(),  # noqa: B008 - one process alone keeps nothing
    ) -> None:
        if recipe.batch_size < ranks.count:
            raise TrainingError(
                f"{ranks.count} processes cannot share a batch of {recipe.batch_size}; "
                "raise --batch-size or lower --nproc"
            )
        self._towers, self._recipe, self._seed = towers, recipe, seed
        self._compute, self._ranks, self._is_alike = compute, ranks, ranks.count == 1
        self._feed = Feed(towers, pairs, captioner, recipe.is_fact_aware, ranks)
        self._kinds = kinds_of(pairs.products, phrase)
        numbers = pairs.numbers("train")
        self._numbers = numbers[[captioner.has_any(number) for number in numbers]]
        self._steps = recipe.epochs * (len(self._numbers) // recipe.batch_size)
        self._done = self._done_in_epoch = 0
        freeze(towers, recipe.freeze)
        if recipe.lora_rank:
            add_adapters(towers, recipe.lora_rank, seed)
        self._optimiser = optimiser(towers, recipe)
        self._schedule = schedule(self._optimiser, self._steps, recipe)
        compute.apply(towers)
        self._has_dropout = has_dropout(towers.model)

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Learn every product once, in full batches, in an order of its own.

        What `restore` found learned of this epoch is passed over, its pictures undecoded.

        Raises:
            DivergedError: The loss is no longer a number; this step was not taken.
        """
        self._begin_alike()
        started, pairs = time.perf_counter(), 0
        self._towers.model.train()
        for ready in self._feed.batches(self._batches(epoch), epoch):
            # A picture can be lost to one process, and what is said of it is then lost to all.
            is_read_B = torch.from_numpy(np.concatenate(self._ranks.all_of(ready.is_read)))
            if not is_read_B.any():
                self._done_in_epoch += 1
                continue
            lr = float(self._schedule.get_last_lr()[0])
            loss = self._learn(ready, is_read_B, epoch)
            pairs += int(is_read_B.sum())
            pairs_per_s = pairs / (time.perf_counter() - started)
            yield Step(epoch, self._done, self._steps, loss, lr, pairs_per_s)
        self._done_in_epoch = 0
        self._towers.model.train(mode=False)

    def state(self) -> dict[str, Any]:
        """All that a step changes: what `restore` takes. Tensors are not copied."""
        return {
            "weights": self._towers.model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "done": self._done,
            "done_in_epoch": self._done_in_epoch,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where a training of the same products, recipe and seed was.

        Of several processes the first is enough: the others get its state before the next step.
        """
        self._towers.model.load_state_dict(state["weights"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._done, self._done_in_epoch = state["done"], state["done_in_epoch"]

    def _begin_alike(self) -> None:
        """Give every process the state of the first."""
        if self._is_alike:
            return
        buffer = io.BytesIO()
        if self._ranks.is_first:
            torch.save(self.state(), buffer)
        state = io.BytesIO(self._ranks.from_first(buffer.getvalue()))
        if not self._ranks.is_first:
            self.restore(torch.load(state, map_location="cpu", weights_only=True))
        self._is_alike = True

    def _batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        rng = np.random.default_rng((self._seed, epoch))
        size = self._recipe.batch_size
        order = epoch_order(self._numbers, self._kinds, self._recipe.cluster, rng)
        for start in range(self._done_in_epoch * size, len(order) - size + 1, size):
            yield order[start : start + size]

    def _learn(self, ready: Ready, is_read_B: torch.Tensor, epoch: int) -> float:
        """The loss of one batch, learned."""
        true_BT = ready.is_true_BT.to(self._towers.device)
        is_whole = bool(is_read_B.all())
        is_read_B = is_read_B.to(self._towers.device)

        def loss_of(image_BD: torch.Tensor, text_TD: torch.Tensor) -> torch.Tensor:
            is_true_BT = true_BT
            if not is_whole:  # pictures that cannot be read, and what is said of none but them
                is_said_T = true_BT[is_read_B].any(dim=0)
                image_BD, text_TD = image_BD[is_read_B], text_TD[is_said_T]
                is_true_BT = true_BT[is_read_B][:, is_said_T]
            logits_BT = self._towers.logits(image_BD, text_TD)
            loss = sigmoid_loss if self._towers.is_sigmoid else contrastive_loss
            return loss(logits_BT, is_true_BT)

        self._optimiser.zero_grad()
        sides = [self._pictures(ready, len(is_read_B), epoch), self._texts(ready)]
        loss = backward(sides, loss_of, self._ranks)
        return self._step(loss)

    def _pictures(self, ready: Ready, rows: int, epoch: int) -> Side:
        pixels = ready.pixels.to(self._towers.device, non_blocking=True)
        if isinstance(self._towers.preprocessing, FixedPixels):  # patches are no pictures any more
            seeds = [(self._seed, epoch, number) for number in ready.numbers.tolist()]
            pixels = augmented(pixels, self._recipe.augmentation, seeds)
        parts = pixels.split(self._compute.micro_batch_size or len(pixels))
        embed = self._towers.embed_pixels
        return Side([self._part(partial(embed, part), n) for n, part in enumerate(parts)], rows)

    def _texts(self, ready: Ready) -> Side:
        own = self._ranks.share(ready.texts)
        size = self._compute.micro_batch_size
        groups = [list(ready.tokens)]
        if size is not None:
            groups = [[part] for tokens in ready.tokens for part in tokens.split(size)]

        def embed(group: Sequence[torch.Tensor]) -> torch.Tensor:
            vectors = [self._towers.embed_tokens(tokens) for tokens in group]
            # Where the share is empty one text stands in, so that every process has gradients.
            return torch.cat(vectors)[: own.stop - own.start]

        parts = [self._part(partial(embed, group), -1 - n) for n, group in enumerate(groups)]
        return Side(parts, ready.texts)

    def _part(self, embed: Embed, number: int) -> Embed:
        """It in the chosen precision, with the same dropout on every call."""
        seed = (self._seed, self._done, self._ranks.rank, number % 2**32)

        def repeatable() -> torch.Tensor:
            with self._compute.precision(self._towers.device):
                if not self._has_dropout:
                    return embed()
                with same_dropout(self._towers.device, seed):
                    return embed()

        return repeatable

    def _step(self, loss: torch.Tensor) -> float:
        """The loss as a number, after a step."""
        weights = [w for w in self._towers.model.parameters() if w.requires_grad]
        self._ranks.average(weights)
        length = torch.nn.utils.clip_grad_norm_(weights, self._recipe.max_gradient_norm)
        loss_now, length_now = torch.stack([loss, length]).tolist()
        if not math.isfinite(loss_now) or not math.isfinite(length_now):
            raise DivergedError(
                f"at step {self._done + 1} of {self._steps} the loss is {loss_now:g} and its "
                f"gradient {length_now:g}; lower --lr (it is {self._recipe.lr:g})"
            )
        self._optimiser.step()
        self._schedule.step()
        self._done += 1
        self._done_in_epoch += 1
        with torch.no_grad():
            self._towers.model.logit_scale.clamp_(max=MAX_LOG_TEMPERATURE)
        return float(loss_now)
