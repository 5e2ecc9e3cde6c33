"""The model stamp: a short digest of everything that decides what vector a picture or text gets."""

import hashlib
import json
from dataclasses import astuple

import torch

from model.dual_encoder import DualEncoder

VERSION = "1"
"""Raise it whenever our own preparation of pictures, texts or vectors changes its numbers."""

# Settings that shape the numbers and are visible neither in the weights nor in their shapes. They
# are listed, since a whole config changes with the version of transformers that reads it, and a
# stamp that changes costs a shop the embedding of its whole catalog.
_TOWER_SETTINGS = ("hidden_act", "layer_norm_eps", "num_attention_heads", "eos_token_id")

_PROBES = ("Men's T-Shirt, 100% Cotton (blue)", "Größe 42, été ÉTÉ", "a\tb  c\n", "лён 麻 👗")
"""Texts that tell tokenizers apart: case, accents, digits, spaces, rare scripts."""


def stamp_of(encoder: DualEncoder) -> str:
    """16 hexadecimal digits: equal for the same float32 checkpoint, wherever it is kept.

    Call it before the weights are cast: what a cast loses cannot be told apart any more.
    """
    digest = hashlib.sha256()
    for part in (VERSION, _pictures(encoder), _towers(encoder), _texts(encoder)):
        digest.update(json.dumps(part).encode())
    for name, weight in sorted(encoder.model.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)}".encode())
        digest.update(weight.to("cpu", torch.float32).contiguous().numpy().data)
    return digest.hexdigest()[:16]


def _pictures(encoder: DualEncoder) -> list[object]:
    return [type(encoder.preprocessing).__name__, astuple(encoder.preprocessing)]


def _towers(encoder: DualEncoder) -> list[str]:
    config = encoder.model.config
    return [
        f"{tower}.{setting}={getattr(getattr(config, tower), setting, None)}"
        for tower in ("text_config", "vision_config")
        for setting in _TOWER_SETTINGS
    ]


def _texts(encoder: DualEncoder) -> list[object]:
    """The vocabulary, and what becomes of a few texts; a tokenizer's file format may change."""
    vocabulary = sorted(encoder.tokenizer.get_vocab().items())
    probes = [encoder.tokenizer(probe, verbose=False)["input_ids"] for probe in _PROBES]
    return [vocabulary, probes, encoder.text_limit, encoder.is_sigmoid]
