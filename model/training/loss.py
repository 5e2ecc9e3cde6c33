"""How far a batch is from every picture being nearest to its own caption.

Legend: B pairs, image i and text i being pair i.
"""

import math

import torch
from torch.nn import functional

MAX_LOG_TEMPERATURE = math.log(100)
"""CLIP's bound (Radford et al. 2021, section 2.5): above it training becomes unstable."""


def contrastive_loss(
    logits_BB: torch.Tensor, positive_BB: torch.Tensor | None = None
) -> torch.Tensor:
    """Symmetric cross-entropy over the rows (images) and columns (texts) of a batch.

    Args:
        logits_BB: Temperature times cosine, image by text.
        positive_BB: Which texts are true of which images; the diagonal when None. The target of a
            row or column is spread evenly over its positives.

    Source: Radford et al. 2021 (CLIP), figure 3; several positives as in Khosla et al. 2020
    (supervised contrastive learning), equation 2.
    """
    if positive_BB is None:
        positive_BB = torch.eye(len(logits_BB), dtype=torch.bool, device=logits_BB.device)
    return (_one_way(logits_BB, positive_BB) + _one_way(logits_BB.T, positive_BB.T)) / 2


def sigmoid_loss(logits_BB: torch.Tensor, positive_BB: torch.Tensor | None = None) -> torch.Tensor:
    """Every pair of the batch judged alone: true or not; the sum over pairs, per image.

    Args:
        logits_BB: Temperature times cosine plus bias, image by text.
        positive_BB: Which texts are true of which images; the diagonal when None.

    Source: Zhai et al. 2023 (SigLIP), algorithm 1.
    """
    if positive_BB is None:
        positive_BB = torch.eye(len(logits_BB), dtype=torch.bool, device=logits_BB.device)
    sign_BB = positive_BB.to(logits_BB.dtype) * 2 - 1
    return -functional.logsigmoid(sign_BB * logits_BB).sum() / len(logits_BB)


def _one_way(logits_BB: torch.Tensor, positive_BB: torch.Tensor) -> torch.Tensor:
    target_BB = positive_BB.to(logits_BB.dtype)
    target_BB = target_BB / target_BB.sum(dim=1, keepdim=True)
    return functional.cross_entropy(logits_BB, target_BB)
