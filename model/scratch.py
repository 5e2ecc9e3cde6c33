"""A compact CLIP with random weights and a tokenizer made from the catalog's own captions.

For shops that cannot or may not download a pretrained model, for the demo and for tests: it is
trained from nothing, so it knows what the catalog shows and nothing else.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from goods.errors import ModelError
from model.dual_encoder import DualEncoder

PREFIX = "scratch:"
WORD_END = "</w>"

_SPECIALS = ("<|startoftext|>", "<|endoftext|>")


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The shape of one compact CLIP."""

    image_px: int
    patch_px: int
    width: int
    image_layers: int
    text_layers: int
    vocabulary: int
    dimension: int
    text_tokens: int = 48  # the longest of 44k fashion titles has 29


# Patches of 16 pixels: on 5,379 products patches of 8 scored less after the same epochs (.367
# against .413) and took 2.7 times as long.
BLUEPRINTS = {
    "tiny": Blueprint(64, 16, 128, 4, 2, 1_000, 64),
    "small": Blueprint(64, 16, 192, 6, 3, 4_000, 128),
}


def build_scratch(spec: str, captions: Iterable[str], folder: Path, seed: int = 0) -> Path:
    """The folder, now holding an untrained checkpoint that `from_pretrained` reads.

    Args:
        spec: "scratch:tiny" or "scratch:small".
        captions: Texts of the catalog; the tokenizer learns its vocabulary from them.
        folder: Where the checkpoint goes.
        seed: Of the random weights.

    Raises:
        ModelError: There is no such spec.
    """
    blueprint = BLUEPRINTS.get(spec.removeprefix(PREFIX))
    if blueprint is None or not spec.startswith(PREFIX):
        known = ", ".join(PREFIX + name for name in BLUEPRINTS)
        raise ModelError(f"there is no base called '{spec}'; to start from nothing pass {known}")
    tokenizer = train_tokenizer(captions, blueprint.vocabulary, blueprint.text_tokens)
    processor = CLIPImageProcessorPil(
        # The whole picture, stretched: cutting the middle out of an upright product photograph
        # loses the shoes.
        size={"height": blueprint.image_px, "width": blueprint.image_px},
        do_center_crop=False,
        image_mean=(0.5, 0.5, 0.5),
        image_std=(0.5, 0.5, 0.5),
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        model = CLIPModel(_config(blueprint, tokenizer))
        DualEncoder(spec, model, tokenizer, processor).save(folder)
    return folder


def _config(blueprint: Blueprint, tokenizer: CLIPTokenizer) -> CLIPConfig:
    width = {
        "hidden_size": blueprint.width,
        "intermediate_size": 4 * blueprint.width,
        "num_attention_heads": blueprint.width // 32,
        "hidden_act": "gelu",
    }
    return CLIPConfig(
        projection_dim=blueprint.dimension,
        text_config={
            **width,
            "vocab_size": len(tokenizer),
            "num_hidden_layers": blueprint.text_layers,
            "max_position_embeddings": blueprint.text_tokens,
            # The text's vector is read where this id first stands.
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            **width,
            "num_hidden_layers": blueprint.image_layers,
            "image_size": blueprint.image_px,
            "patch_size": blueprint.patch_px,
        },
    )


def train_tokenizer(texts: Iterable[str], vocabulary: int, longest: int) -> CLIPTokenizer:
    """A byte-pair tokenizer of these texts that splits words as CLIP's own does.

    Args:
        texts: What it learns to abbreviate.
        vocabulary: Tokens at most; 514 of them spell every text and mark its ends.
        longest: Tokens of the longest text.
    """
    spelling = list(_bytes())
    clip = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(BPE(end_of_word_suffix=WORD_END))
    learner.normalizer, learner.pre_tokenizer = clip.normalizer, clip.pre_tokenizer
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        # Numbered before any word is counted: pairs that are equally frequent are merged in the
        # order of their numbers, and words are counted in another order every time.
        special_tokens=spelling,
        end_of_word_suffix=WORD_END,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = json.loads(learner.to_str())["model"]["merges"]
    merges = [tuple(pair) for pair in learned[: vocabulary - len(spelling) - len(_SPECIALS)]]
    tokens = [*spelling, *("".join(pair) for pair in merges), *_SPECIALS]
    ids = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=ids,
        merges=merges,  # type: ignore[arg-type] # pairs, as the BPE model that gets them wants
        model_max_length=longest,
    )


def _bytes() -> Iterator[str]:
    """Every byte inside and at the end of a word, seen or not.

    CLIP's unknown token is its end token: a byte without a token would end the text there.
    """
    for letter in sorted(ByteLevel.alphabet()):
        yield letter
        yield letter + WORD_END
