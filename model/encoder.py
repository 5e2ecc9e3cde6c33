"""Pictures and texts as unit vectors, by any CLIP, SigLIP or SigLIP 2 checkpoint.

Legend: N pictures or texts, D the dimension of a vector.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from goods.errors import ModelError
from goods.streams import batches
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.pixels import Preprocessing
from model.stamp import stamp_of

_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


Tower = Callable[[torch.Tensor], NDArray[np.float32]]
"""From pixels, as `Preprocessing.pixels` makes them, or tokens, as `DualEncoder.tokens` does, to
`(N, D)` unit vectors."""


class Encoder:
    """A checkpoint that only embeds.

    Safe to use from several threads.
    """

    def __init__(self, towers: DualEncoder) -> None:
        self._towers = towers
        self._picture_tower: Tower = self._embed_pixels
        self._text_tower: Tower = self._embed_tokens
        self._backend = ""
        self._text_backend = ""
        self._prepare: Callable[[], object] = lambda: None

    @classmethod
    def load(cls, name: str, device: str = "auto", dtype: str = "auto") -> Self:
        """The encoder of the checkpoint in this folder or of this hub name.

        Args:
            name: A folder in `save_pretrained` layout, or a name on the Hugging Face hub.
            device: "auto" (CUDA, else MPS, else CPU) or a torch device.
            dtype: "auto" (on CUDA bfloat16, or float16 where it has none; float32 elsewhere),
                "float32", "bfloat16" or "float16".

        Raises:
            ModelError: The checkpoint, the device or the dtype cannot be used.
        """
        target = choose_device(device)
        number = choose_dtype(dtype, target)
        towers = load_checkpoint(name)
        encoder = cls(towers)
        if number is not torch.float32:
            _ = encoder.stamp  # of the weights as they are stored, before the cast
        towers.to(target, number)
        return encoder

    def with_picture_tower(
        self, tower: Tower, backend: str, prepare: Callable[[], object] = lambda: None
    ) -> Self:
        """The same encoder, its pictures embedded by this function, which this backend runs.

        Args:
            tower: The function.
            backend: What is told of it.
            prepare: Makes it ready, where its first call would take minutes.
        """
        other = copy.copy(self)
        other._picture_tower = tower
        other._backend = backend
        other._prepare = prepare
        return other

    def with_text_tower(self, tower: Tower, backend: str) -> Self:
        """The same encoder, its texts embedded by this function, which this backend runs."""
        other = copy.copy(self)
        other._text_tower = tower
        other._text_backend = backend
        return other

    @property
    def name(self) -> str:
        """The folder or hub name that it was loaded from."""
        return self._towers.name

    @property
    def towers(self) -> DualEncoder:
        """The model in torch."""
        return self._towers

    @property
    def backend(self) -> str:
        """What runs the picture tower; empty for torch."""
        return self._backend

    @property
    def text_backend(self) -> str:
        """What runs the text tower; empty for torch."""
        return self._text_backend

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        return self._towers.dimension

    @property
    def made_by(self) -> str:
        """The stamp, and what else decides the last digits of a picture's vector."""
        number = str(self._towers.model.dtype).removeprefix("torch.")
        return f"{self.stamp} {self._backend or number}"

    @property
    def image_size(self) -> int:
        """Pixels that the shorter side of a decoded picture needs; more are not looked at."""
        return self._towers.preprocessing.side

    @property
    def preprocessing(self) -> Preprocessing:
        """From images to pixels."""
        return self._towers.preprocessing

    @cached_property
    def stamp(self) -> str:
        """What made its vectors: 16 hexadecimal digits, the same for every device and dtype."""
        return stamp_of(self._towers)

    def images(self, images: Iterable[Image.Image], batch_size: int = 64) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the images."""
        return self._stacked(
            self.embed_pixels(self.pixels(batch)) for batch in batches(images, batch_size)
        )

    def texts(self, texts: Iterable[str], batch_size: int = 256) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the texts."""
        return self._stacked(
            self.embed_tokens(self._towers.tokens(batch)) for batch in batches(texts, batch_size)
        )

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """The images as the picture tower wants them, uint8, on the CPU: work for a thread."""
        return self._towers.preprocessing.pixels(images)

    @property
    def sends(self) -> bool:
        """Whether pixels have to travel to the memory of a GPU before they can be embedded."""
        return self._towers.device.type == "cuda"

    def sent(self, pixels: torch.Tensor) -> torch.Tensor:
        """The same pixels on their way to a GPU, which goes on computing; elsewhere as they are."""
        if not self.sends:
            return pixels
        return pixels.pin_memory().to(self._towers.device, non_blocking=True)

    def prepare(self) -> None:
        """Make ready to embed pictures, now instead of when the first one comes."""
        self._prepare()

    def embed_pixels(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """`(N, D)` unit vectors of what `pixels` made; several of them may be concatenated."""
        return self._picture_tower(pixels)

    def embed_tokens(self, tokens: torch.Tensor) -> NDArray[np.float32]:
        """`(N, D)` unit vectors of what `DualEncoder.tokens` made."""
        return self._text_tower(tokens)

    def _embed_pixels(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            return self._towers.embed_pixels(pixels).cpu().numpy()

    def _embed_tokens(self, tokens: torch.Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            return self._towers.embed_tokens(tokens).cpu().numpy()

    def _stacked(self, batches: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate([np.empty((0, self.dimension), np.float32), *batches])


def choose_device(name: str) -> torch.device:
    """The torch device with this name; for "auto" the fastest that is there.

    Raises:
        ModelError: There is no such device on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"device '{name}' cannot be used: {reason}; try auto or cpu") from error


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format with this name; for "auto" the fastest that keeps the ranking.

    Raises:
        ModelError: The name is not one of the formats, or is float16 for a CPU.
    """
    if name == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if name not in _DTYPES:
        raise ModelError(f"dtype '{name}' is not one of auto, {', '.join(_DTYPES)}")
    if name == "float16" and device.type == "cpu":
        raise ModelError(
            "float16 is not for the CPU: slower than float32 there, and less exact; "
            "pass --dtype auto, or --backend openvino-int8 for speed"
        )
    return _DTYPES[name]
