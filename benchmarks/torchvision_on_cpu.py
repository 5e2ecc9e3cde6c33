"""A torchvision made for CUDA, imported beside a CPU torch."""

import torch


def declare_torchvision() -> None:
    """Declare the operators that it misses there; call it before anything imports torchvision."""
    if torch.cuda.is_available():
        return
    for name in ("nms", "qnms"):
        torch.library.define(
            f"torchvision::{name}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor"
        )
