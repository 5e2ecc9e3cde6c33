"""The same picture, seen a little differently: what makes a product what it is stays untouched.

A product photograph fills its frame, so nothing is cut off; colour and pattern are what shoppers
ask for, so hues stay and nothing is blurred.

Legend: B pictures, H and W pixels, C colours.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from model.training.augmentation import Augmentation


def augmented(
    pixels_BHWC: torch.Tensor, how: Augmentation, seeds: Sequence[tuple[int, ...]]
) -> torch.Tensor:
    """The pictures, uint8 again, each changed by what its own seed decides.

    Args:
        pixels_BHWC: uint8.
        how: How far.
        seeds: One per picture: the same seed changes it in the same way, in any batch.
    """
    draws_B5 = torch.from_numpy(
        np.stack([np.random.default_rng(seed).random(6, np.float32) for seed in seeds])
    ).to(pixels_BHWC.device)
    if how.mirror:
        is_mirrored_B = draws_B5[:, 0] < 0.5
        pixels_BHWC = torch.where(
            is_mirrored_B[:, None, None, None], pixels_BHWC.flip(2), pixels_BHWC
        )
    if not how.is_moving and not how.light:
        return pixels_BHWC
    spread = draws_B5[:, 1:] * 2 - 1
    images = pixels_BHWC.permute(0, 3, 1, 2).float()
    if how.is_moving:
        images = _moved(images, how, spread)
    if how.light:
        images = images * (1 + how.light * spread[:, 4, None, None, None])
    return images.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _moved(images_BCHW: torch.Tensor, how: Augmentation, spread_B5: torch.Tensor) -> torch.Tensor:
    """Zoomed, turned and shifted; the edge's pixels continue beyond it."""
    zoom = 1 + how.zoom * spread_B5[:, 0]
    angle = torch.deg2rad(how.turn_degrees * spread_B5[:, 1])
    matrix_B23 = torch.stack(
        [
            torch.stack(
                [angle.cos() * zoom, -angle.sin() * zoom, 2 * how.shift * spread_B5[:, 2]], 1
            ),
            torch.stack(
                [angle.sin() * zoom, angle.cos() * zoom, 2 * how.shift * spread_B5[:, 3]], 1
            ),
        ],
        dim=1,
    )
    grid = functional.affine_grid(matrix_B23, list(images_BCHW.shape), align_corners=False)
    return functional.grid_sample(
        images_BCHW, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
