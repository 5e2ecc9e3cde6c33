"""The training loop: batches of pairs in, a better model out.

Legend: B pictures of a batch, G those of a batch of general pairs.
"""

import io
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import DivergedError, TrainingError
from model.captions import Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Pairs
from model.training.batch_loss import BatchLoss
from model.training.batches import epoch_order, kinds_of
from model.training.compute import DEFAULT_COMPUTE, Compute
from model.training.feed import Feed, Ready
from model.training.lora import add_adapters
from model.training.loss import MAX_LOG_TEMPERATURE
from model.training.optimiser import freeze, optimiser, schedule
from model.training.ranks import Ranks
from model.training.recipe import Recipe
from model.training.replay import Replay


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
        replay: General pairs that are learned besides.

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
        replay: Replay | None = None,
    ) -> None:
        if recipe.batch_size < ranks.count:
            raise TrainingError(
                f"{ranks.count} processes cannot share a batch of {recipe.batch_size}; "
                "raise --batch-size or lower --nproc"
            )
        self._towers, self._recipe, self._seed = towers, recipe, seed
        self._ranks, self._is_alike = ranks, ranks.count == 1
        self._feed = Feed(towers, pairs, captioner, recipe.is_fact_aware, ranks)
        self._replay = replay
        self._replay_feed = (
            Feed(towers, replay.pairs, replay.captioner, recipe.is_fact_aware, ranks)
            if replay
            else None
        )
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
        self._batch_loss = BatchLoss(towers, recipe.augmentation, seed, compute, ranks)

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Learn every product once, in full batches, in an order of its own.

        What `restore` found learned of this epoch is passed over, its pictures undecoded.

        Raises:
            DivergedError: The loss is no longer a number; this step was not taken.
        """
        self._begin_alike()
        started, pairs = time.perf_counter(), 0
        self._towers.model.train()
        shop = self._feed.batches(self._batches(epoch), epoch)
        for ready, general in zip(shop, self._replayed(epoch), strict=True):
            is_read_B = self._is_read(ready)
            if not is_read_B.any():
                self._done_in_epoch += 1
                continue
            lr = float(self._schedule.get_last_lr()[0])
            loss = self._learn(ready, is_read_B, general, epoch)
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

    def _replayed(self, epoch: int) -> Iterator[Ready | None]:
        """For each step that is left of an epoch its batch of general pairs."""
        per_epoch = len(self._numbers) // self._recipe.batch_size
        left = per_epoch - self._done_in_epoch
        if self._replay is None or self._replay_feed is None:
            return repeat(None, left)
        first = (epoch - 1) * per_epoch + self._done_in_epoch
        return self._replay_feed.batches(islice(self._replay.batches(first), left), epoch)

    def _is_read(self, ready: Ready) -> torch.Tensor:
        """Which pictures of a batch every process has: a picture can be lost to one of them."""
        return torch.from_numpy(np.concatenate(self._ranks.all_of(ready.is_read)))

    def _learn(
        self, ready: Ready, is_read_B: torch.Tensor, general: Ready | None, epoch: int
    ) -> float:
        """The loss of one batch of the shop, learned; beside it general pairs."""
        self._optimiser.zero_grad()
        loss = self._batch_loss.backward(ready, is_read_B, epoch, self._done)
        if general is not None and (is_read_G := self._is_read(general)).any():
            self._batch_loss.backward(general, is_read_G, epoch, self._done)
        return self._step(loss)

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
