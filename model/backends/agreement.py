"""How far the vectors of a backend agree with those of torch in float32.

Legend: N pictures, D the dimension of a vector.
"""

import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from goods.errors import ModelError
from model.encoder import PictureTower

MIN_COSINE_MEAN = 0.99
MIN_RECALL_AT_10 = 0.9
_BATCH = 16
_SAME_SCORE = 1e-6
"""Cosines this close are a tie, in whose order float32 itself is not certain."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a sample of pictures showed.

    Attributes:
        cosine_mean: Of a picture's vector with the one that torch gives it, over the sample.
        cosine_min: The same for the picture that agrees least.
        recall_at_10: Part of the ten nearest of each picture, within the sample, that are right.
        pictures: In the sample.
        speedup: How many times as fast as torch it was, batches taken in turns.
    """

    cosine_mean: float
    cosine_min: float
    recall_at_10: float
    pictures: int
    speedup: float

    def to_json(self) -> dict[str, float]:
        """A plain form for machines."""
        return {name: round(value, 6) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        return (
            f"agrees with torch in float32 at cosine {self.cosine_mean:.4f} (least "
            f"{self.cosine_min:.4f}) and recall@10 {self.recall_at_10:.3f}, on {self.pictures:,} "
            f"pictures, {self.speedup:.1f} x as fast"
        )

    def refuse_low(self, backend: str, model: str) -> None:
        """Make sure that searches are answered as with torch.

        Raises:
            ModelError: The agreement is too low.
        """
        if self.cosine_mean < MIN_COSINE_MEAN or self.recall_at_10 < MIN_RECALL_AT_10:
            raise ModelError(
                f"{backend} changes what {model} finds: it {self}, where cosine "
                f"{MIN_COSINE_MEAN} and recall@10 {MIN_RECALL_AT_10} are asked for; "
                "calibrate it on pictures like these with goods export, or use --backend torch"
            )


def agreement(torch_tower: PictureTower, tower: PictureTower, pixels: torch.Tensor) -> Agreement:
    """What the two make of the same pictures, in turns."""
    right: list[NDArray[np.float32]] = []
    own: list[NDArray[np.float32]] = []
    ratios: list[float] = []
    for batch in pixels.split(_BATCH):
        times_s = []
        for of, vectors in ((torch_tower, right), (tower, own)):
            started = time.perf_counter()
            vectors.append(of(batch))
            times_s.append(time.perf_counter() - started)
        ratios.append(times_s[0] / times_s[1])
    right_ND, own_ND = np.concatenate(right), np.concatenate(own)
    cosines_N = (right_ND * own_ND).sum(axis=1)
    return Agreement(
        float(cosines_N.mean()),
        float(cosines_N.min()),
        recall_at(10, right_ND, own_ND),
        len(pixels),
        # Median: the first batch of a size is prepared for, and other programs interfere.
        statistics.median(ratios),
    )


def recall_at(k: int, right_ND: NDArray[np.float32], own_ND: NDArray[np.float32]) -> float:
    """Part of the k nearest by `own_ND` that are among the k nearest by `right_ND`, 0 to 1.

    Every row asks for its nearest among the others. Who ties with the k-th nearest is right, too:
    catalogs hold the same picture more than once.
    """
    k = min(k, len(right_ND) - 1)
    if k < 1:
        return 1.0
    right_NN, own_NN = (vectors @ vectors.T for vectors in (right_ND, own_ND))
    for scores in (right_NN, own_NN):
        np.fill_diagonal(scores, -np.inf)
    worst_N1 = np.partition(right_NN, -k, axis=1)[:, -k, None]
    found_NK = np.argpartition(own_NN, -k, axis=1)[:, -k:]
    return float((np.take_along_axis(right_NN, found_NK, axis=1) >= worst_N1 - _SAME_SCORE).mean())
