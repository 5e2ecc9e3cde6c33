"""How far a batch is from every picture being nearest to what is said of it.

Legend: B images, T texts. Where no positives are given B = T, and image i and text i are a pair.
"""

import math

import torch
from torch.nn import functional

MAX_LOG_TEMPERATURE = math.log(100)
"""CLIP's bound (Radford et al. 2021, section 2.5): above it training becomes unstable."""


def contrastive_loss(
    logits_BT: torch.Tensor, positive_BT: torch.Tensor | None = None
) -> torch.Tensor:
    """Symmetric cross-entropy over the rows (images) and columns (texts) of a batch.

    Args:
        logits_BT: Temperature times cosine, image by text.
        positive_BT: Which texts are true of which images; the diagonal when None. The target of a
            row or column is spread evenly over its positives; each has at least one.

    Source: Radford et al. 2021 (CLIP), figure 3; several positives as in Khosla et al. 2020
    (supervised contrastive learning), equation 2.
    """
    if positive_BT is None:
        positive_BT = torch.eye(len(logits_BT), dtype=torch.bool, device=logits_BT.device)
    return (_one_way(logits_BT, positive_BT) + _one_way(logits_BT.T, positive_BT.T)) / 2


def sigmoid_loss(logits_BT: torch.Tensor, positive_BT: torch.Tensor | None = None) -> torch.Tensor:
    """Every image judged with every text: true or not; the sum over texts, mean over images.

    Args:
        logits_BT: Temperature times cosine plus bias, image by text.
        positive_BT: Which texts are true of which images; the diagonal when None.

    Source: Zhai et al. 2023 (SigLIP), algorithm 1.
    """
    if positive_BT is None:
        positive_BT = torch.eye(len(logits_BT), dtype=torch.bool, device=logits_BT.device)
    sign_BT = positive_BT.to(logits_BT.dtype) * 2 - 1
    return -functional.logsigmoid(sign_BT * logits_BT).sum() / len(logits_BT)


def _one_way(logits_BT: torch.Tensor, positive_BT: torch.Tensor) -> torch.Tensor:
    target_BT = positive_BT.to(logits_BT.dtype)
    target_BT = target_BT / target_BT.sum(dim=1, keepdim=True)
    return functional.cross_entropy(logits_BT, target_BT)
