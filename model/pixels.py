"""From an image to the pixels that a checkpoint's picture tower takes.

Pixels stay uint8 until they are on the model's device: a quarter of the memory in queues, in the
training cache and on the way to a GPU, and the same numbers.

Legend: B pictures, H and W pixels, C colours, N patches, P bytes of one patch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import BaseImageProcessor
from transformers.models.siglip2.image_processing_pil_siglip2 import (
    get_image_size_for_max_num_patches,
)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How bytes become numbers: `byte * scale + shift`, per colour."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Self:
        """The rescaling and the mean and deviation of a checkpoint, in one step."""
        factor = settings["rescale_factor"] if settings["do_rescale"] else 1.0
        mean = settings["image_mean"] if settings["do_normalize"] else (0.0, 0.0, 0.0)
        deviation = settings["image_std"] if settings["do_normalize"] else (1.0, 1.0, 1.0)
        return cls(
            tuple(factor / d for d in deviation),
            tuple(-m / d for m, d in zip(mean, deviation, strict=True)),
        )

    def __call__(self, bytes_C: torch.Tensor) -> torch.Tensor:
        """The same pixels as float32; the last axis is the colour."""
        scale = torch.tensor(self.scale, device=bytes_C.device)
        return (bytes_C * scale).add_(torch.tensor(self.shift, device=bytes_C.device))


@dataclass(frozen=True, slots=True)
class FixedPixels:
    """Every picture at one size: CLIP, SigLIP and the fixed-resolution SigLIP 2.

    Attributes:
        resize: (height, width) to stretch to, or the length that the shorter edge gets.
        crop: (height, width) cut from the middle afterwards, if any.
        resample: Pillow's resampling filter.
        normalisation: What happens on the model's device.
    """

    resize: tuple[int, int] | int
    crop: tuple[int, int] | None
    resample: Image.Resampling
    normalisation: Normalisation

    @property
    def side(self) -> int:
        """Pixels that the shorter side of a picture needs, so that resizing invents none."""
        return self.resize if isinstance(self.resize, int) else max(self.resize)

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """`pixels_BHWC`, uint8. Safe to call from several threads."""
        return torch.from_numpy(np.stack([self._one(image) for image in images]))

    def inputs(self, pixels_BHWC: torch.Tensor) -> dict[str, torch.Tensor]:
        """What `get_image_features` takes, float32."""
        return {"pixel_values": self.normalisation(pixels_BHWC).permute(0, 3, 1, 2)}

    def _one(self, image: Image.Image) -> NDArray[np.uint8]:
        image = image.convert("RGB")
        height, width = self._size_after_resize(image)
        image = image.resize((width, height), self.resample)
        if self.crop:
            top, left = (height - self.crop[0]) // 2, (width - self.crop[1]) // 2
            image = image.crop((left, top, left + self.crop[1], top + self.crop[0]))
        return np.asarray(image)

    def _size_after_resize(self, image: Image.Image) -> tuple[int, int]:
        if isinstance(self.resize, tuple):
            return self.resize
        short = min(image.size)
        return int(self.resize * image.height / short), int(self.resize * image.width / short)


@dataclass(frozen=True, slots=True)
class PatchPixels:
    """Every picture in its own shape, as a limited number of patches: SigLIP 2 NaFlex.

    Source: SigLIP 2 (Tschannen et al. 2025), section 2.4.2.
    """

    patch: int
    max_patches: int
    resample: Image.Resampling
    normalisation: Normalisation

    @property
    def side(self) -> int:
        """Pixels that the shorter side of a picture needs, so that resizing invents none."""
        return int(self.max_patches**0.5) * self.patch

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """`pixels_BNP`, uint8, the last "patch" of each picture being its grid.

        One tensor per batch, whatever the shapes, is what queues and caches want; so the number of
        rows and columns of patches travels as four bytes of an additional patch.
        """
        packed = np.zeros((len(images), self.max_patches + 1, self.patch**2 * 3), np.uint8)
        for row, image in zip(packed, images, strict=True):
            patches, grid = self._one(image)
            row[: len(patches)] = patches
            row[-1, :4] = grid.view(np.uint8)
        return torch.from_numpy(packed)

    def inputs(self, pixels_BNP: torch.Tensor) -> dict[str, torch.Tensor]:
        """What `get_image_features` takes, float32."""
        grid_B2 = pixels_BNP[:, -1, :4].contiguous().view(torch.int16).long()
        colours_BNPC = pixels_BNP[:, :-1].unflatten(-1, (-1, 3))
        place_N = torch.arange(self.max_patches, device=grid_B2.device)
        return {
            "pixel_values": self.normalisation(colours_BNPC).flatten(2),
            "pixel_attention_mask": (place_N < grid_B2.prod(dim=1, keepdim=True)).long(),
            "spatial_shapes": grid_B2,
        }

    def _one(self, image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        height, width = get_image_size_for_max_num_patches(
            image.height, image.width, self.patch, self.max_patches
        )
        array_HWC = np.asarray(image.convert("RGB").resize((width, height), self.resample))
        rows, columns = height // self.patch, width // self.patch
        patches = array_HWC.reshape(rows, self.patch, columns, self.patch, 3).swapaxes(1, 2)
        grid = np.array([rows, columns], np.uint16)
        return patches.reshape(rows * columns, -1), grid


Preprocessing = FixedPixels | PatchPixels


def read_preprocessing(processor: BaseImageProcessor) -> Preprocessing:
    """The preprocessing that a checkpoint's image processor describes."""
    settings = processor.to_dict()
    resample = Image.Resampling(settings["resample"])
    normalisation = Normalisation.read(settings)
    if "max_num_patches" in settings:
        patch, max_patches = settings["patch_size"], settings["max_num_patches"]
        return PatchPixels(patch, max_patches, resample, normalisation)
    size, crop = settings["size"], settings.get("crop_size")
    return FixedPixels(
        (size["height"], size["width"]) if "height" in size else size["shortest_edge"],
        (crop["height"], crop["width"]) if crop and settings.get("do_center_crop") else None,
        resample,
        normalisation,
    )
