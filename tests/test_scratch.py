"""The compact CLIP that needs no download: plain transformers load it, and every text is read."""

import random
from pathlib import Path

import pytest
import torch
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from goods.errors import ModelError
from model.encoder import Encoder
from model.quiet import quiet_libraries
from model.scratch import BLUEPRINTS, build_scratch, train_tokenizer

CAPTIONS = ["red dress", "Blue denim jeans", "striped linen shirt", "white shoes 42"] * 20


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_plain_transformers_load_it(name: str, tmp_path: Path) -> None:
    folder = build_scratch(f"scratch:{name}", CAPTIONS, tmp_path)
    with quiet_libraries():
        model = AutoModel.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        processor = AutoImageProcessor.from_pretrained(folder)
    side = BLUEPRINTS[name].image_px
    assert processor.size == {"height": side, "width": side}
    assert model.config.text_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.model_max_length == BLUEPRINTS[name].text_tokens
    assert Encoder.load(str(folder), device="cpu").dimension == BLUEPRINTS[name].dimension


def test_the_tokenizer_spells_what_it_has_never_seen() -> None:
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=600, longest=32)
    for text in ("été", "лён", "麻 👗", "xylophone 9 %"):
        tokens = tokenizer(text)["input_ids"]
        assert tokens.count(tokenizer.eos_token_id) == 1, "the text would end in its middle"
        assert tokenizer.decode(tokens, skip_special_tokens=True).strip() == text


def test_frequent_words_are_one_token_in_any_case() -> None:
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=1000, longest=32)
    assert tokenizer.tokenize("DRESS jeans") == ["dress</w>", "jeans</w>"]


def test_the_vocabulary_is_as_large_as_asked_for() -> None:
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=530, longest=32)
    assert len(tokenizer) == 530
    assert set(tokenizer("dress")["input_ids"]) < set(range(530))


def test_the_text_vector_is_read_at_the_end_token(tmp_path: Path) -> None:
    encoder = Encoder.load(str(build_scratch("scratch:tiny", CAPTIONS, tmp_path)), device="cpu")
    red, redder = encoder.texts(["red dress", "red dress blue"])
    assert abs(red - redder).max() > 1e-3, "the last word is not read"


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    folders = [
        build_scratch("scratch:tiny", CAPTIONS, tmp_path / name, seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    one, same, other = (Encoder.load(str(folder), device="cpu").stamp for folder in folders)
    assert one == same != other


def test_building_leaves_the_random_state_of_others_alone(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    build_scratch("scratch:tiny", CAPTIONS, tmp_path)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("spec", ["scratch:huge", "tiny", "scratch:"])
def test_an_unknown_spec_names_the_known_ones(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pass scratch:tiny, scratch:small"):
        build_scratch(spec, CAPTIONS, tmp_path)


def test_a_catalog_without_captions_still_gives_a_tokenizer(tmp_path: Path) -> None:
    folder = build_scratch("scratch:tiny", [], tmp_path)
    assert Encoder.load(str(folder), device="cpu").texts(["red dress"]).shape == (1, 64)


def test_the_same_texts_make_the_same_tokenizer() -> None:
    words = random.Random(0)
    texts = ["".join(words.choices("abcdefgh", k=6)) for _ in range(300)]  # full of ties
    made = {
        train_tokenizer(texts, vocabulary=700, longest=16).backend_tokenizer.to_str()
        for _ in range(5)
    }
    assert len(made) == 1
