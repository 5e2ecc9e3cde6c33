"""Batches made ready for the towers, ahead of them and in threads: captions, tokens and pixels.

Legend: B pictures and T texts of a batch, of all processes together.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from goods.errors import TrainingError
from goods.streams import map_ahead
from model.captions import Caption, Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Pairs
from model.training.ranks import Ranks

_THREADS = min(8, os.cpu_count() or 1)

# Texts of a batch are embedded in groups of similar length. On a CPU two or three groups spare 7 to
# 28 % of the text tower's time at 60 to 210 captions; smaller groups, or texts that are all as long
# as each other, nothing. A GPU would wait for the additional calls.
_GROUPS = 3
_SMALLEST_GROUP = 24


@dataclass(frozen=True, slots=True)
class Ready:
    """One batch, ready for this process to embed its share.

    Attributes:
        numbers: The products of its share of the pictures.
        pixels: Their pixels; a picture that cannot be read any more is blank.
        is_read: Whether each could be read.
        tokens: Its share of the texts, in tensors of texts of similar length; one empty text where
            the share has none.
        texts: How many texts there are of all processes.
        is_true_BT: Which texts are true of which pictures.
    """

    numbers: NDArray[np.int64]
    pixels: torch.Tensor
    is_read: NDArray[np.bool_]
    tokens: Sequence[torch.Tensor]
    texts: int
    is_true_BT: torch.Tensor


class Feed:
    """Makes batches ready: the same ones for the same numbers and epoch.

    Args:
        towers: What they are for.
        pairs: Products.
        captioner: What is said of them.
        is_fact_aware: Whether a caption is true of all products that it describes; else of its own.
        ranks: The processes that share each batch.

    Raises:
        TrainingError: They have different products.
    """

    def __init__(
        self,
        towers: DualEncoder,
        pairs: Pairs,
        captioner: Captioner,
        is_fact_aware: bool,
        ranks: Ranks,
    ) -> None:
        _refuse_other_products(pairs, ranks)
        self._towers, self._pictures, self._captioner = towers, pairs.pictures, captioner
        self._is_fact_aware, self._ranks = is_fact_aware, ranks
        side = towers.preprocessing.side
        self._blank = towers.preprocessing.pixels([Image.new("RGB", (side, side))])[0]

    def batches(self, wanted: Iterable[NDArray[np.int64]], epoch: int) -> Iterator[Ready]:
        """Each list of products as a batch, the next ones made meanwhile."""
        with ThreadPoolExecutor(_THREADS) as pool:
            yield from map_ahead(
                lambda numbers: self._ready(numbers, epoch), wanted, pool, depth=1 + _THREADS
            )

    def _ready(self, numbers: NDArray[np.int64], epoch: int) -> Ready:
        own = numbers[self._ranks.share(len(numbers))]
        pixels, is_read = self._pixels(own)
        if self._towers.device.type == "cuda":
            pixels = pixels.pin_memory()  # sent while the GPU computes
        captions, is_true_BT = self._captions(numbers.tolist(), epoch)
        texts = [caption.text for caption in captions]
        groups = self._groups(texts[self._ranks.share(len(texts))])
        tokens = [self._towers.tokens(group) for group in groups]
        return Ready(own, pixels, is_read, tokens, len(texts), is_true_BT)

    def _pixels(self, numbers: NDArray[np.int64]) -> tuple[torch.Tensor, NDArray[np.bool_]]:
        batch = self._pictures.batch(numbers)
        if batch is not None and len(batch.numbers) == len(numbers):
            return batch.pixels, np.ones(len(numbers), bool)
        pixels = self._blank.repeat(len(numbers), *(1 for _ in self._blank.shape))
        is_read = np.isin(numbers, [] if batch is None else batch.numbers)
        if batch is not None:
            pixels[torch.from_numpy(is_read)] = batch.pixels
        return pixels, is_read

    def _captions(
        self, numbers: Sequence[int], epoch: int
    ) -> tuple[Sequence[Caption], torch.Tensor]:
        """What is said of a batch, and of which pictures it is true.

        Each text once; or, where only pairs are true, one per picture. Every process gets some of
        every length.
        """
        drawn = [self._captioner.draw(number, epoch) for number in numbers]
        captions = [said for several in drawn for said in several]
        if self._is_fact_aware:
            captions = list({caption.text: caption for caption in captions}.values())
        else:
            captions = [several[0] for several in drawn]
        by_length = sorted(range(len(captions)), key=lambda t: len(captions[t].text))
        count = self._ranks.count
        order = [t for rank in range(count) for t in by_length[rank::count]]
        captions = [captions[t] for t in order]
        if self._is_fact_aware:
            return captions, torch.from_numpy(self._captioner.positives(numbers, captions))
        return captions, torch.eye(len(numbers), dtype=torch.bool)[:, order]

    def _groups(self, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """Texts in order of length, in a few groups: short ones need no padding to the longest."""
        if not texts:
            yield [""]
            return
        groups = max(1, min(_GROUPS, len(texts) // _SMALLEST_GROUP))
        if self._towers.is_sigmoid or self._towers.device.type != "cpu":
            groups = 1  # SigLIP pads every text to its limit
        for places in np.array_split(np.arange(len(texts)), groups):
            yield texts[places[0] : places[-1] + 1]


def _refuse_other_products(pairs: Pairs, ranks: Ranks) -> None:
    ids = "\n".join(product.id for product in pairs.products).encode()
    told = ranks.all_of((len(pairs.products), hashlib.sha256(ids).hexdigest()))
    for rank, own in enumerate(told):
        if own != told[0]:
            raise TrainingError(
                f"process {rank + 1} could read the pictures of {own[0]:,} products and process 1 "
                f"those of {told[0][0]:,}, but all have to train on the same ones; copy the "
                "catalog and its pictures to a disk that every machine reaches"
            )
