"""Exact gradients of a contrastive batch, in parts that fit into memory and over processes.

A contrastive loss needs all vectors of a batch at once, but its gradient with respect to the
weights needs only the gradient with respect to each vector. So the vectors are gathered first, the
loss is taken of them, and then each part is sent back through its tower alone: larger batches than
memory holds, and several processes, change nothing but rounding.

Source: Gao et al. 2021 (Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup).

Legend: P rows of one part, D the dimension of a vector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from model.training.ranks import Ranks

Embed = Callable[[], torch.Tensor]
"""Embeds one part with gradients where they are enabled: `(P, D)`; the same on every call."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a batch: its pictures, or its texts.

    Attributes:
        parts: What this process embeds, in order.
        rows: Of all processes together.
    """

    parts: Sequence[Embed]
    rows: int


def backward(
    sides: Sequence[Side], loss_of: Callable[..., torch.Tensor], ranks: Ranks
) -> torch.Tensor:
    """The loss of all vectors; its gradients are added to those of the weights of this process.

    The mean of the processes' gradients is the gradient of the loss. A side of a single part keeps
    its graph; several parts are embedded twice, so that only one graph is in memory at a time.

    Args:
        sides: What the loss is of.
        loss_of: Takes one tensor per side, `(rows, D)`.
        ranks: The processes that share the work.
    """
    own = [_vectors(side) for side in sides]
    leaves = [
        ranks.gather(vectors_PD.detach(), side.rows).requires_grad_()
        for side, vectors_PD in zip(sides, own, strict=True)
    ]
    loss = loss_of(*leaves)
    loss.backward()
    for side, vectors_PD, leaf in zip(sides, own, leaves, strict=True):
        if leaf.grad is not None:
            _send_back(side, vectors_PD, leaf.grad[ranks.share(side.rows)] * ranks.count)
    return loss.detach()


def _vectors(side: Side) -> torch.Tensor:
    with torch.set_grad_enabled(len(side.parts) == 1):
        return torch.cat([embed() for embed in side.parts])


def _send_back(side: Side, vectors_PD: torch.Tensor, gradient_PD: torch.Tensor) -> None:
    if vectors_PD.requires_grad:
        vectors_PD.backward(gradient_PD)
        return
    if len(side.parts) == 1:  # a frozen tower
        return
    start = 0
    for embed in side.parts:
        part_PD = embed()
        if not part_PD.requires_grad:  # a frozen tower: the others are no different
            return
        part_PD.backward(gradient_PD[start : start + len(part_PD)])
        start += len(part_PD)
