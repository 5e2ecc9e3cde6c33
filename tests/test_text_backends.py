"""Texts of searches in OpenVINO: against torch, on disk, what is refused, and who uses it."""

import asyncio
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from goods.cli import main
from goods.errors import ModelError
from goods.index import open_index
from model.backends import accelerate as accelerate_module
from model.backends.accelerate import accelerate_texts
from model.backends.agreement import recall_at
from model.backends.searched import Searched, searched_in
from model.encoder import Encoder
from search import AsyncSearchClient, Query, SearchClient
from search.api.settings import ServiceSettings
from served import make_home, served
from shop import picture

TEXTS = ["red dress", "a pair of white shoes 42", "shoes", "red dress " * 30, ""]
CACHE = "cache"


def load(folder: Path) -> Encoder:
    return Encoder.load(str(folder), device="cpu")


def searched(encoder: Encoder) -> Searched:
    pictures = encoder.images(picture(number) for number in range(40))
    return Searched(tuple(text for text in TEXTS if text), pictures)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop, its model and index, and a cache with the int8 export of its texts."""
    folder = make_home(tmp_path_factory.mktemp("home"))
    with SearchClient(
        folder / "index", backend="openvino-int8", backend_cache=folder / CACHE, device="cpu"
    ) as client:
        client.by_text("red dress")
    return folder


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> Path:
    """A copy of that cache."""
    return shutil.copytree(home / CACHE, tmp_path / CACHE)


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerate_module, "text_graph", lambda _: pytest.fail("exported again"))


@pytest.fixture
def no_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerate_module, "text_agreement", lambda *_: pytest.fail("judged again"))


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip, tiny_siglip2])
def test_openvino_gives_texts_the_vectors_of_torch(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    encoder = load(make(tmp_path / "model"))
    done = accelerate_texts(encoder, "openvino", lambda: searched(encoder), tmp_path / CACHE)
    np.testing.assert_allclose(done.encoder.texts(TEXTS), encoder.texts(TEXTS), atol=1e-5)
    for text in TEXTS:
        np.testing.assert_allclose(done.encoder.texts([text]), encoder.texts([text]), atol=1e-5)
    assert done.encoder.text_backend == "openvino"
    assert done.agreement is not None
    assert (done.agreement.texts, done.agreement.pictures) == (4, 40)
    assert done.agreement.cosine_min > 0.9999


def test_weights_in_int8_give_close_vectors_of_unit_length(
    home: Path, kept: Path, no_export: None
) -> None:
    encoder = load(home / "model")
    done = accelerate_texts(encoder, "openvino-int8", lambda: searched(encoder), kept).encoder
    vectors, right = done.texts(TEXTS), encoder.texts(TEXTS)
    assert (vectors * right).sum(axis=1).min() > 0.999
    assert np.abs(vectors - right).max() > 1e-5, "it is not int8 at all"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_pictures_and_stamp_stay_those_of_torch(home: Path, kept: Path, no_export: None) -> None:
    encoder = load(home / "model")
    done = accelerate_texts(encoder, "openvino-int8", lambda: searched(encoder), kept).encoder
    pixels = encoder.pixels([picture(1)])
    np.testing.assert_array_equal(done.embed_pixels(pixels), encoder.embed_pixels(pixels))
    assert (done.stamp, done.made_by, done.backend) == (encoder.stamp, encoder.made_by, "")


# What it is judged by


def test_it_is_judged_by_titles_and_values_of_the_index(home: Path) -> None:
    index = open_index(str(home / "index"))
    try:
        sample = searched_in(index)
        again = searched_in(index)
    finally:
        index.close()
    assert sample.pictures_MD.shape == (24, 16)
    assert {"Red Shirt number 0", "Green Dress number 1"} <= set(sample.texts)
    assert any("Red" in text and "number" not in text for text in sample.texts)
    assert len(set(sample.texts)) == len(sample.texts)
    assert sample.digest == again.digest


def test_recall_of_texts_counts_the_pictures_that_are_right() -> None:
    pictures = np.eye(4, dtype=np.float32)
    right = np.array([[4, 3, 2, 1]], np.float32)
    assert recall_at(2, right, right, pictures) == 1
    assert recall_at(2, right, right[:, [0, 2, 1, 3]], pictures) == pytest.approx(1 / 2)


def test_a_text_tower_that_agrees_too_little_is_refused_and_not_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load(home / "model")

    def deaf(tokens: torch.Tensor) -> NDArray[np.float32]:
        return encoder.embed_tokens(tokens.clamp(max=300))

    monkeypatch.setattr(accelerate_module, "CompiledTower", lambda _: deaf)
    with pytest.raises(ModelError, match=r"changes what .* finds.*asked for; use --backend torch"):
        accelerate_texts(encoder, "openvino", lambda: searched(encoder), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_index_without_anything_to_say_is_refused(home: Path, tmp_path: Path) -> None:
    nothing = Searched((), np.empty((0, 16), np.float32))
    with pytest.raises(ModelError, match=r"it has none; .*use --backend torch"):
        accelerate_texts(load(home / "model"), "openvino", lambda: nothing, tmp_path)


# What is kept


def test_a_second_client_neither_exports_nor_judges(
    home: Path, kept: Path, no_export: None, no_judging: None
) -> None:
    with SearchClient(
        home / "index", backend="openvino-int8", backend_cache=kept, device="cpu"
    ) as client:
        assert client.agreement is None, "nothing is loaded yet"
        assert client.by_text("red dress").hits
        assert client.agreement is not None


def test_another_index_judges_the_same_export_anew(home: Path, kept: Path, no_export: None) -> None:
    encoder = load(home / "model")
    done = accelerate_texts(encoder, "openvino-int8", lambda: searched(encoder), kept)
    record = json.loads(next(kept.glob("*/export.json")).read_text())
    assert done.agreement is not None
    assert record["agreement"] == done.agreement.to_json()
    assert len(list(kept.iterdir())) == 1


# Who uses it


def test_a_client_finds_what_torch_finds(home: Path) -> None:
    with SearchClient(home / "index", device="cpu") as client:
        right = [hit.product.id for hit in client.search(Query("red dress")).hits]
        assert client.agreement is None

    async def ask() -> list[str]:
        async with AsyncSearchClient(
            str(home / "index"), backend="openvino-int8", backend_cache=home / CACHE, device="cpu"
        ) as client:
            return [hit.product.id for hit in (await client.search(Query("red dress"))).hits]

    assert len(set(asyncio.run(ask())) & set(right)) >= 9


def test_search_prints_how_far_texts_agree(home: Path, no_export: None) -> None:
    wanted = ["search", "red dress", "--index", str(home / "index"), "--device", "cpu"]
    wanted += ["--backend", "openvino-int8", "--backend-cache", str(home / CACHE)]
    run = CliRunner().invoke(main, wanted)
    assert run.exit_code == 0, run.output
    assert "openvino-int8 agrees with torch in float32 at cosine" in run.stderr
    assert "texts that find 24 pictures" in run.stderr
    filtered = CliRunner().invoke(main, [*wanted[:1], "--filter", "colour=Red", *wanted[2:]])
    assert "agrees" not in filtered.stderr, "nothing was embedded"


def test_the_service_says_what_embeds_texts(
    home: Path, no_export: None, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ServiceSettings(
        *(str(home / "index"),),
        device="cpu",
        backend="openvino-int8",
        backend_cache=home / CACHE,
        timeout_s=60,
    )
    with caplog.at_level(logging.INFO, "goods.serve"), served(settings) as client:
        assert client.get("/search", params={"q": "red dress"}).json()["hits"]
        assert 'goods_text_backend{backend="openvino-int8"} 1.0' in client.get("/metrics").text
    assert "texts are embedded by openvino-int8, which agrees with torch" in caplog.text


@pytest.mark.parametrize("command", ["search", "serve"])
def test_another_device_is_refused_before_anything_is_opened(command: str) -> None:
    wanted = ["--index", "nowhere", "--backend", "openvino", "--device", "meta"]
    run = CliRunner().invoke(main, [command, *(["red"] if command == "search" else []), *wanted])
    assert run.exit_code == 1
    assert "openvino runs on the CPU, not on meta; add --device cpu" in run.stderr
