"""A backend that is made ready when the first picture comes: some nights have none."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from model.backends.accelerate import Accelerated, accelerate
from model.backends.agreement import Agreement
from model.encoder import Encoder


class LateTower:
    """A picture tower that is exported, or read, once it is needed. Safe to use from threads.

    Args:
        choose: Makes it.
        tell: Told how far it agrees with torch, once that is known.
    """

    def __init__(
        self, choose: Callable[[], Accelerated], tell: Callable[[Agreement], None]
    ) -> None:
        self._choose = choose
        self._tell = tell
        self._chosen: Accelerated | None = None
        self._turn = Lock()

    def prepare(self) -> Accelerated:
        """Make it ready.

        Raises:
            ModelError: As `accelerate` does; the next call tries again.
        """
        with self._turn:
            if self._chosen is None:
                self._chosen = self._choose()
                if self._chosen.agreement is not None:
                    self._tell(self._chosen.agreement)
            return self._chosen

    def __call__(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """The vectors of what `Preprocessing.pixels` made, in its order."""
        return self.prepare().encoder.embed_pixels(pixels)


def accelerated_late(
    encoder: Encoder,
    backend: str,
    sample: Callable[[], torch.Tensor],
    cache: Path,
    tell: Callable[[Agreement], None],
) -> Encoder:
    """The same encoder, its pictures embedded by this backend; see `accelerate`.

    Args:
        encoder: In float32 on the CPU.
        backend: One of `BACKENDS`.
        sample: Gives pixels of up to `SAMPLE` pictures of the catalog; asked once they are needed.
        cache: Folder for exports.
        tell: Told how far it agrees with torch, once that is known.
    """
    if backend == "torch":
        return encoder
    tower = LateTower(lambda: accelerate(encoder, backend, sample(), cache), tell)
    return encoder.with_picture_tower(tower, backend, tower.prepare)
