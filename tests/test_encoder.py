"""The encoder against plain transformers, its stamp, and what it refuses to load."""

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    AutoImageProcessor,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    ViTConfig,
)

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from goods.errors import ModelError
from model.encoder import Encoder, choose_device, choose_dtype
from model.quiet import quiet_libraries

MakeCheckpoint = Callable[..., Path]
EVERY_KIND = pytest.mark.parametrize("make", [tiny_clip, tiny_siglip, tiny_siglip2])
TEXTS = ["red dress", "Striped LINEN shirt", "a pair of white shoes 42, size 7", "ü"]


def noise(*sizes: tuple[int, int]) -> list[Image.Image]:
    """Pictures of random pixels; sizes are (width, height)."""
    rng = np.random.default_rng(0)
    shapes = [(height, width, 3) for width, height in sizes]
    return [Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)) for shape in shapes]


IMAGES = noise((40, 60), (168, 224), (90, 33), (20, 20), (32, 32), (300, 8))


def load(folder: Path) -> Encoder:
    return Encoder.load(str(folder), device="cpu")


@EVERY_KIND
def test_pictures_get_the_vectors_of_plain_transformers(
    make: MakeCheckpoint, tmp_path: Path
) -> None:
    folder = make(tmp_path)
    with quiet_libraries(), torch.inference_mode():
        model = AutoModel.from_pretrained(folder)
        inputs = AutoImageProcessor.from_pretrained(folder)(images=IMAGES, return_tensors="pt")
        features = model.get_image_features(**inputs).pooler_output
    expected = torch.nn.functional.normalize(features, dim=-1).numpy()
    np.testing.assert_allclose(load(folder).images(IMAGES, batch_size=2), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05, "all pictures look the same to this model"


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_a_clip_that_only_embeds_gives_the_vectors_that_it_learns_with(
    activation: str, tmp_path: Path
) -> None:
    config = tiny_clip(tmp_path) / "config.json"
    settings = json.loads(config.read_text())
    settings["vision_config"]["hidden_act"] = activation
    config.write_text(json.dumps(settings))
    towers = load(tmp_path).towers
    pixels = towers.preprocessing.pixels(IMAGES)
    learning = towers.embed_pixels(pixels)
    assert learning.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(towers.embed_pixels(pixels), learning, atol=1e-5, rtol=0)


@pytest.mark.parametrize("is_old", [False, True])
def test_texts_that_are_only_embedded_get_the_vectors_that_are_learned(
    is_old: bool, tmp_path: Path
) -> None:
    """Configurations of old say 2 for the end of a text, whatever it is."""
    config = tiny_clip(tmp_path) / "config.json"
    settings = json.loads(config.read_text())
    if is_old:
        settings["text_config"]["eos_token_id"] = 2
    assert (settings["text_config"]["eos_token_id"] == 2) is is_old
    config.write_text(json.dumps(settings))
    towers = load(tmp_path).towers
    tokens = towers.tokens(TEXTS)
    learning = towers.embed_tokens(tokens)
    assert learning.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(towers.embed_tokens(tokens), learning, atol=1e-5, rtol=0)


@EVERY_KIND
def test_texts_get_the_vectors_of_plain_transformers(make: MakeCheckpoint, tmp_path: Path) -> None:
    folder = make(tmp_path)
    padding = {"padding": True} if make is tiny_clip else {"padding": "max_length"}
    limit = 16 if make is tiny_clip else 12
    with quiet_libraries(), torch.inference_mode():
        model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        lower = [text.lower() for text in TEXTS]
        tokens = tokenizer(lower, max_length=limit, truncation=True, return_tensors="pt", **padding)
        features = model.get_text_features(tokens["input_ids"]).pooler_output
    expected = torch.nn.functional.normalize(features, dim=-1).numpy()
    np.testing.assert_allclose(load(folder).texts(TEXTS), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05, "all texts read the same to this model"


@EVERY_KIND
def test_a_text_has_the_same_vector_alone_and_beside_longer_ones(
    make: MakeCheckpoint, tmp_path: Path
) -> None:
    encoder = load(make(tmp_path))
    alone = np.concatenate([encoder.texts([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.texts(TEXTS), alone, atol=1e-5)


@EVERY_KIND
def test_vectors_are_unit_float32_and_as_long_as_the_dimension(
    make: MakeCheckpoint, tmp_path: Path
) -> None:
    encoder = load(make(tmp_path))
    for vectors in (encoder.images(IMAGES), encoder.texts(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == encoder.dimension
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@EVERY_KIND
def test_nothing_in_nothing_out(make: MakeCheckpoint, tmp_path: Path) -> None:
    encoder = load(make(tmp_path))
    assert encoder.images([]).shape == (0, encoder.dimension)
    assert encoder.texts([]).shape == (0, encoder.dimension)


@EVERY_KIND
def test_pixels_can_be_made_in_threads_and_joined(make: MakeCheckpoint, tmp_path: Path) -> None:
    encoder = load(make(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        pixels = list(pool.map(lambda image: encoder.pixels([image]), IMAGES * 4))
    assert all(part.dtype == torch.uint8 for part in pixels)
    together = encoder.embed_pixels(torch.cat(pixels))
    np.testing.assert_allclose(together, np.tile(encoder.images(IMAGES), (4, 1)), atol=1e-5)


def test_texts_can_be_embedded_in_threads(tmp_path: Path) -> None:
    encoder = load(tiny_clip(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(lambda n: encoder.texts(TEXTS[: 1 + n % 4]), range(40)))
    for n, own in enumerate(vectors):
        np.testing.assert_allclose(own, encoder.texts(TEXTS)[: 1 + n % 4], atol=1e-5)


def test_pictures_in_other_modes_are_made_rgb(tmp_path: Path) -> None:
    encoder = load(tiny_clip(tmp_path))
    grey = IMAGES[0].convert("L")
    np.testing.assert_array_equal(encoder.images([grey]), encoder.images([grey.convert("RGB")]))


def test_the_image_size_is_what_a_decoded_picture_needs(tmp_path: Path) -> None:
    clip = tiny_clip(tmp_path / "clip")
    assert load(clip).image_size == 32
    changed_json(clip, "preprocessor_config.json", size={"shortest_edge": 40})
    assert load(clip).image_size == 40, "it is cropped only after resizing"
    assert load(tiny_siglip2(tmp_path / "siglip2")).image_size == 32


def test_a_long_text_is_cut_and_this_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = load(tiny_clip(tmp_path))
    with caplog.at_level(logging.WARNING):
        encoder.texts(["red dress " * 7])  # 14 tokens and two marks: exactly the limit
        assert caplog.records == []
        cut = encoder.texts(["red dress " * 7 + "blue", "red dress " * 20])
        encoder.texts(["red dress " * 20])
    assert len(caplog.records) == 1
    assert "has 17 tokens" in caplog.text
    assert "reads 16" in caplog.text
    np.testing.assert_allclose(cut[0], encoder.texts(["red dress " * 7])[0], atol=1e-6)


def test_loading_and_saving_write_nothing_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    encoder = load(tiny_siglip(tmp_path))
    encoder.texts(["word " * 100])
    assert capfd.readouterr().err == ""


@EVERY_KIND
def test_the_stamp_is_the_same_wherever_and_however_it_is_loaded(
    make: MakeCheckpoint, tmp_path: Path
) -> None:
    stamp = load(make(tmp_path / "one")).stamp
    assert len(stamp) == 16
    int(stamp, 16)
    moved = (tmp_path / "one").rename(tmp_path / "two")
    assert Encoder.load(str(moved), device="cpu", dtype="bfloat16").stamp == stamp


def changed_json(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def other_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["text_projection.weight"][3, 3] += 1e-4
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def other_word(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["dress</w>"], vocabulary["jeans</w>"] = (
        vocabulary["jeans</w>"],
        vocabulary["dress</w>"],
    )
    path.write_text(json.dumps(tokenizer))


def other_activation(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_act"] = "gelu"
    (folder / "config.json").write_text(json.dumps(config))


CHANGES: dict[str, Callable[[Path], None]] = {
    "weight": other_weight,
    "activation": other_activation,
    "vocabulary": other_word,
    "mean": lambda folder: changed_json(folder, "preprocessor_config.json", image_mean=[0, 0, 0]),
    "filter": lambda folder: changed_json(folder, "preprocessor_config.json", resample=2),
    "crop": lambda folder: changed_json(folder, "preprocessor_config.json", do_center_crop=False),
    "size": lambda folder: changed_json(
        folder, "preprocessor_config.json", size={"shortest_edge": 40}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_stamp_changes_with_whatever_changes_a_vector(change: str, tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path)
    before = load(folder).stamp
    CHANGES[change](folder)
    assert load(folder).stamp != before


def test_two_models_have_two_stamps(tmp_path: Path) -> None:
    one, other = tiny_clip(tmp_path / "one"), tiny_clip(tmp_path / "other", seed=1)
    assert load(one).stamp != load(other).stamp


@pytest.mark.parametrize("config", [BertConfig, ViTConfig])
def test_a_model_with_one_tower_is_refused(config: type, tmp_path: Path) -> None:
    config().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"(bert|vit) model, not a dual encoder"):
        load(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        load(tmp_path / "nothing")


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load(tmp_path)


def test_cut_off_weights_are_refused(tmp_path: Path) -> None:
    weights = tiny_clip(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be read"):
        load(tmp_path)


def test_absent_weights_are_refused_instead_of_random(tmp_path: Path) -> None:
    file = tiny_clip(tmp_path) / "model.safetensors"
    weights = load_file(file)
    del weights["visual_projection.weight"]
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, the first is visual_projection"):
        load(tmp_path)


def test_an_unreachable_hub_names_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"local folder, or .*scratch:small"):
        Encoder.load("nobody/no-such-model-here")


def test_a_recipe_is_not_a_checkpoint() -> None:
    with pytest.raises(ModelError, match="train it with `goods train` first"):
        Encoder.load("scratch:small")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ModelError, match="'gpu' cannot be used"):
        choose_device("gpu")


def test_a_device_that_is_not_there_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ModelError, match="try auto or cpu"):
        choose_device("cuda:7")


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ModelError, match="'int3' is not one of auto, float32"):
        choose_dtype("int3", torch.device("cpu"))


def test_float16_is_refused_on_the_cpu() -> None:
    with pytest.raises(ModelError, match=r"not for the CPU.*--backend openvino-int8"):
        choose_dtype("float16", torch.device("cpu"))


@pytest.mark.parametrize(
    ("has_bfloat16", "dtype"), [(True, torch.bfloat16), (False, torch.float16)]
)
def test_auto_is_half_precision_on_cuda_only(
    has_bfloat16: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: has_bfloat16)
    assert choose_dtype("auto", torch.device("cuda")) == dtype
    assert choose_dtype("auto", torch.device("cpu")) == torch.float32


def test_auto_takes_the_fastest_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def test_bfloat16_vectors_agree_with_float32(tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path)
    half = Encoder.load(str(folder), device="cpu", dtype="bfloat16").images(IMAGES)
    assert (half * load(folder).images(IMAGES)).sum(axis=1).min() > 0.999
