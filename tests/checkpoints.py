"""Tiny checkpoints with random weights, in the layout that real ones have."""

from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    BaseImageProcessor,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    TokenizersBackend,
)

from model.dual_encoder import DualEncoder
from model.scratch import train_tokenizer

torch.set_num_threads(1)  # threads of models this small mostly wait for each other

TEXTS = ("red dress", "blue denim jeans", "striped linen shirt", "a pair of white shoes 42")

_LAYERS = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def tiny_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP of 16-dimensional vectors: pictures of 32 pixels, cropped; texts of 16 tokens."""
    tokenizer = train_tokenizer(TEXTS, vocabulary=600, longest=16)
    config = CLIPConfig(
        projection_dim=16,
        text_config={
            **_LAYERS,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 16,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={**_LAYERS, "image_size": 32, "patch_size": 8},
    )
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return _save(folder, seed, lambda: CLIPModel(config), tokenizer, processor)


def tiny_siglip(folder: Path, seed: int = 0) -> Path:
    """A SigLIP of 32-dimensional vectors: pictures stretched to 32 pixels; texts of 12 tokens."""
    tokenizer = _siglip_tokenizer()
    config = SiglipConfig(
        text_config=_siglip_texts(tokenizer),
        vision_config={**_LAYERS, "image_size": 32, "patch_size": 8},
    )
    processor = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return _save(folder, seed, lambda: SiglipModel(config), tokenizer, processor)


def tiny_siglip2(folder: Path, seed: int = 0) -> Path:
    """A SigLIP 2 NaFlex of 32-dimensional vectors: up to 16 patches of 8 pixels."""
    tokenizer = _siglip_tokenizer()
    config = Siglip2Config(
        text_config=_siglip_texts(tokenizer),
        vision_config={**_LAYERS, "num_patches": 16, "patch_size": 8},
    )
    processor = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
    return _save(folder, seed, lambda: Siglip2Model(config), tokenizer, processor)


def _siglip_texts(tokenizer: TokenizersBackend) -> dict[str, object]:
    return {
        **_LAYERS,
        "vocab_size": len(tokenizer),
        "projection_size": 32,
        "max_position_embeddings": 12,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
    }


def _siglip_tokenizer() -> TokenizersBackend:
    """Like SigLIP's: an end token and no start token, padding with the end token, no mask."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(
        TEXTS, BpeTrainer(special_tokens=["<unk>", "</s>"], show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    return TokenizersBackend(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token="</s>",
        pad_token="</s>",
        model_max_length=12,
        model_input_names=["input_ids"],
    )


def _save(
    folder: Path,
    seed: int,
    make_model: Callable[[], CLIPModel | SiglipModel | Siglip2Model],
    tokenizer: TokenizersBackend,
    processor: BaseImageProcessor,
) -> Path:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        model = make_model()
        for name, weight in model.named_parameters():
            if "bias" in name:  # zero by default, where a mistake would not show
                torch.nn.init.normal_(weight, std=0.1)
        DualEncoder(str(folder), model, tokenizer, processor).save(folder)
    return folder
