"""How far the vectors of a backend agree with those of torch in float32.

Legend: N pictures or texts, M pictures to find, D the dimension of a vector.
"""

import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import ModelError
from model.encoder import Tower

MIN_COSINE_MEAN = 0.99
MIN_RECALL_AT_10 = 0.9
_BATCH = 16
_SAME_SCORE = 1e-6
"""Cosines this close are a tie, in whose order float32 itself is not certain."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a sample of pictures, or of texts that find pictures, showed.

    Attributes:
        cosine_mean: Of a vector with the one that torch gives, over the sample.
        cosine_min: The same for the picture or text that agrees least.
        recall_at_10: Part of the ten nearest pictures of each, within the sample, that are right.
        pictures: In the sample.
        speedup: How many times as fast as torch it was, taken in turns: batches of pictures, or
            one text at a time.
        texts: In the sample, where texts were judged.
    """

    cosine_mean: float
    cosine_min: float
    recall_at_10: float
    pictures: int
    speedup: float
    texts: int = 0

    def to_json(self) -> dict[str, float]:
        """A plain form for machines."""
        return {name: round(value, 6) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        texts = f"{self.texts:,} texts that find " if self.texts else ""
        return (
            f"agrees with torch in float32 at cosine {self.cosine_mean:.4f} (least "
            f"{self.cosine_min:.4f}) and recall@10 {self.recall_at_10:.3f}, on {texts}"
            f"{self.pictures:,} pictures, {self.speedup:.1f} x as fast"
        )

    def refuse_low(self, backend: str, model: str) -> None:
        """Make sure that searches are answered as with torch.

        Raises:
            ModelError: The agreement is too low.
        """
        if self.cosine_mean < MIN_COSINE_MEAN or self.recall_at_10 < MIN_RECALL_AT_10:
            remedy = (
                "" if self.texts else "calibrate it on pictures like these with goods export, or "
            )
            raise ModelError(
                f"{backend} changes what {model} finds: it {self}, where cosine "
                f"{MIN_COSINE_MEAN} and recall@10 {MIN_RECALL_AT_10} are asked for; "
                f"{remedy}use --backend torch"
            )


def agreement(torch_tower: Tower, tower: Tower, pixels: torch.Tensor) -> Agreement:
    """What the two make of the same pictures, in turns."""
    right_ND, own_ND, speedup = _both(torch_tower, tower, pixels.split(_BATCH))
    return Agreement(
        *_cosines(right_ND, own_ND), recall_at(10, right_ND, own_ND), len(pixels), speedup
    )


def text_agreement(
    torch_tower: Tower,
    tower: Tower,
    texts: Iterable[torch.Tensor],
    pictures_MD: NDArray[np.float32],
) -> Agreement:
    """What the two make of the same texts, in turns, and which pictures these find.

    Args:
        torch_tower: Embeds texts right.
        tower: Is to be judged.
        texts: The tokens of each, `(1, T)`: searches come one at a time.
        pictures_MD: Unit vectors of pictures to find.
    """
    right_ND, own_ND, speedup = _both(torch_tower, tower, texts)
    return Agreement(
        *_cosines(right_ND, own_ND),
        recall_at(10, right_ND, own_ND, pictures_MD),
        len(pictures_MD),
        speedup,
        len(right_ND),
    )


def _both(
    torch_tower: Tower, tower: Tower, batches: Iterable[torch.Tensor]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """The vectors of the one and of the other, and how many times as fast the other was."""
    right: list[NDArray[np.float32]] = []
    own: list[NDArray[np.float32]] = []
    ratios: list[float] = []
    for batch in batches:
        times_s = []
        for of, vectors in ((torch_tower, right), (tower, own)):
            started = time.perf_counter()
            vectors.append(of(batch))
            times_s.append(time.perf_counter() - started)
        ratios.append(times_s[0] / times_s[1])
    # Median: the first batch of a size is prepared for, and other programs interfere.
    return np.concatenate(right), np.concatenate(own), statistics.median(ratios)


def _cosines(right_ND: NDArray[np.float32], own_ND: NDArray[np.float32]) -> tuple[float, float]:
    """The mean and the least."""
    cosines_N = (right_ND * own_ND).sum(axis=1)
    return float(cosines_N.mean()), float(cosines_N.min())


def recall_at(
    k: int,
    right_ND: NDArray[np.float32],
    own_ND: NDArray[np.float32],
    pictures_MD: NDArray[np.float32] | None = None,
) -> float:
    """Part of the k nearest by `own_ND` that are among the k nearest by `right_ND`, 0 to 1.

    Every row asks for its nearest among these pictures; without them, among the other rows. Who
    ties with the k-th nearest is right, too: catalogs hold the same picture more than once.
    """
    k = min(k, len(right_ND) - 1 if pictures_MD is None else len(pictures_MD))
    if k < 1:
        return 1.0
    if pictures_MD is None:
        right_NM, own_NM = (vectors @ vectors.T for vectors in (right_ND, own_ND))
        for scores in (right_NM, own_NM):
            np.fill_diagonal(scores, -np.inf)
    else:
        right_NM, own_NM = (vectors @ pictures_MD.T for vectors in (right_ND, own_ND))
    worst_N1 = np.partition(right_NM, -k, axis=1)[:, -k, None]
    found_NK = np.argpartition(own_NM, -k, axis=1)[:, -k:]
    return float((np.take_along_axis(right_NM, found_NK, axis=1) >= worst_N1 - _SAME_SCORE).mean())
