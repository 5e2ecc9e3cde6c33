"""The loss of one batch, sent back to the weights: pictures and texts through their towers.

Legend: B pictures of a batch, T its distinct texts, D the dimension of a vector.
"""

from collections.abc import Sequence
from functools import partial

import torch

from model.dual_encoder import DualEncoder
from model.pixels import FixedPixels
from model.training.augment import augmented
from model.training.augmentation import Augmentation
from model.training.compute import Compute, has_dropout, same_dropout
from model.training.feed import Ready
from model.training.gradients import Embed, Side, backward
from model.training.loss import contrastive_loss, sigmoid_loss
from model.training.ranks import Ranks


class BatchLoss:
    """How far batches are from every picture being nearest to what is said of it.

    Args:
        towers: The model.
        augmentation: How differently a picture is seen each time.
        seed: Of augmentation and of dropout.
        compute: What memory and time a step may take.
        ranks: The processes that share each batch.
    """

    def __init__(
        self,
        towers: DualEncoder,
        augmentation: Augmentation,
        seed: int,
        compute: Compute,
        ranks: Ranks,
    ) -> None:
        self._towers, self._augmentation, self._seed = towers, augmentation, seed
        self._compute, self._ranks = compute, ranks
        self._has_dropout = has_dropout(towers.model)

    def backward(
        self, ready: Ready, is_read_B: torch.Tensor, epoch: int, step: int
    ) -> torch.Tensor:
        """The loss of a batch; its gradients are added to those of the weights.

        Args:
            ready: This process's share.
            is_read_B: Which pictures of all processes could be read; at least one.
            epoch: Decides with the seed how each picture is seen.
            step: Decides with the seed what dropout leaves out.
        """
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

        sides = [self._pictures(ready, len(is_read_B), epoch, step), self._texts(ready, step)]
        return backward(sides, loss_of, self._ranks)

    def _pictures(self, ready: Ready, rows: int, epoch: int, step: int) -> Side:
        pixels = ready.pixels.to(self._towers.device, non_blocking=True)
        if isinstance(self._towers.preprocessing, FixedPixels):  # patches are no pictures any more
            seeds = [(self._seed, epoch, number) for number in ready.numbers.tolist()]
            pixels = augmented(pixels, self._augmentation, seeds)
        parts = pixels.split(self._compute.micro_batch_size or len(pixels))
        embed = self._towers.embed_pixels
        embeds = [self._part(partial(embed, part), step, n) for n, part in enumerate(parts)]
        return Side(embeds, rows)

    def _texts(self, ready: Ready, step: int) -> Side:
        own = self._ranks.share(ready.texts)
        size = self._compute.micro_batch_size
        groups = [list(ready.tokens)]
        if size is not None:
            groups = [[part] for tokens in ready.tokens for part in tokens.split(size)]

        def embed(group: Sequence[torch.Tensor]) -> torch.Tensor:
            vectors = [self._towers.embed_tokens(tokens) for tokens in group]
            # Where the share is empty one text stands in, so that every process has gradients.
            return torch.cat(vectors)[: own.stop - own.start]

        parts = [self._part(partial(embed, group), step, -1 - n) for n, group in enumerate(groups)]
        return Side(parts, ready.texts)

    def _part(self, embed: Embed, step: int, number: int) -> Embed:
        """It in the chosen precision, with the same dropout on every call."""
        seed = (self._seed, step, self._ranks.rank, number % 2**32)

        def repeatable() -> torch.Tensor:
            with self._compute.precision(self._towers.device):
                if not self._has_dropout:
                    return embed()
                with same_dropout(self._towers.device, seed):
                    return embed()

        return repeatable
