"""open_clip's side of `train.py`: its model, its training step, and what its loader hands it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torchvision_on_cpu import declare_torchvision

declare_torchvision()
# ruff: noqa: E402 - open_clip imports torchvision
import numpy as np
import open_clip
from open_clip.loss import ClipLoss
from transformers import CLIPTokenizer

from model.dual_encoder import DualEncoder
from model.pairs import Pairs
from model.scratch import BLUEPRINTS


@dataclass(frozen=True)
class OpenClipStep:
    """One training step as open_clip's own loop does it, on what it would have been given."""

    model: torch.nn.Module
    optimiser: torch.optim.Optimizer
    loss: ClipLoss
    device: torch.device

    def __call__(self, images: torch.Tensor, texts: torch.Tensor) -> None:
        """Learn one batch."""
        images = images.to(self.device, non_blocking=True)
        texts = texts.to(self.device, non_blocking=True)
        self.optimiser.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            image, text, scale = self.model(images, texts)
            total = self.loss(image, text, scale)
        total.backward()
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))


def their_model(shape: str, ours: DualEncoder) -> torch.nn.Module:
    """The same by open_clip."""
    torch.manual_seed(0)
    if shape == "b32":
        return open_clip.CLIP(
            512,
            {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
            {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
            quick_gelu=True,
        )
    plan = BLUEPRINTS[shape]
    heads = plan.width // 32
    vision = {"image_size": plan.image_px, "layers": plan.image_layers, "width": plan.width}
    text = {"context_length": plan.text_tokens, "vocab_size": len(ours.tokenizer)}
    return open_clip.CLIP(
        plan.dimension,
        vision | {"patch_size": plan.patch_px, "head_width": 32},
        text | {"width": plan.width, "heads": heads, "layers": plan.text_layers},
    )


def their_step(model: torch.nn.Module, device: torch.device) -> OpenClipStep:
    """Its optimiser: decay on matrices only, otherwise as its defaults are."""
    model.to(device).train()
    weights = list(model.named_parameters())
    is_spared = [w.ndim < 2 or "bn" in n or "ln" in n or "bias" in n for n, w in weights]
    groups = [
        {
            "params": [
                w for (_, w), spared in zip(weights, is_spared, strict=True) if spared == no
            ],
            "weight_decay": 0.0 if no else 0.2,
        }
        for no in (True, False)
    ]
    adam = torch.optim.AdamW(groups, lr=5e-4, betas=(0.9, 0.98), eps=1e-6)
    return OpenClipStep(model, adam, ClipLoss(), device)


def their_batches(
    pairs: Pairs, towers: DualEncoder, size: int
) -> Sequence[tuple[torch.Tensor, torch.Tensor]]:
    """Some batches as its loader hands them over: normalised pixels, tokens of full length."""
    batches = []
    for numbers in np.split(np.arange(4 * size), 4):
        pixels = pairs.pictures.batch(numbers).pixels
        images = towers.preprocessing.inputs(pixels)["pixel_values"].contiguous()
        titles = [pairs.products[n].title.lower() for n in numbers]
        tokens = towers.tokenizer(titles, truncation=True, max_length=towers.text_limit)[
            "input_ids"
        ]
        texts = torch.zeros(size, towers.text_limit, dtype=torch.long)
        for row, ids in zip(texts, tokens, strict=True):
            row[: len(ids)] = torch.tensor(ids)
        batches.append((images, texts))
    return batches


def clip_tokenizer() -> CLIPTokenizer:
    """CLIP's own tokenizer, from the vocabulary that open_clip brings along."""
    theirs = open_clip.SimpleTokenizer()
    merges = sorted(theirs.bpe_ranks, key=theirs.bpe_ranks.get)
    words = [
        word.replace("<start_of_text>", "<|startoftext|>").replace("<end_of_text>", "<|endoftext|>")
        for word in theirs.encoder
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)
