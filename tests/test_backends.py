"""Picture towers in OpenVINO: against torch, on disk, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

from checkpoints import tiny_clip, tiny_siglip, tiny_siglip2
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import ModelError
from model.backends import accelerate as accelerate_module
from model.backends.accelerate import Accelerated, accelerate, refuse_backend
from model.backends.agreement import agreement, recall_at
from model.backends.sample import sample_pixels
from model.backends.store import read_export
from model.encoder import Encoder
from shop import make_shop, picture

Make = Callable[..., Path]


def sample(encoder: Encoder, count: int = 36, first: int = 0) -> torch.Tensor:
    return encoder.pixels([picture(number) for number in range(first, first + count)])


def load(folder: Path) -> Encoder:
    return Encoder.load(str(folder), device="cpu")


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((one * other).sum(axis=1))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def in_int8(clip: Path, shared_cache: Path) -> Accelerated:
    encoder = load(clip)
    return accelerate(encoder, "openvino-int8", sample(encoder), shared_cache)


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip])
def test_openvino_vectors_are_those_of_torch(make: Make, tmp_path: Path) -> None:
    encoder = load(make(tmp_path / "model"))
    done = accelerate(encoder, "openvino", sample(encoder), tmp_path / "cache")
    pixels = sample(encoder, first=100)
    vectors = done.encoder.embed_pixels(pixels)
    np.testing.assert_allclose(vectors, encoder.embed_pixels(pixels), atol=1e-5)
    assert vectors.dtype == np.float32
    assert done.agreement is not None
    assert done.agreement.cosine_min > 0.9999
    assert done.agreement.recall_at_10 > 0.99


def test_int8_vectors_are_close_to_those_of_torch_and_of_unit_length(
    clip: Path, in_int8: Accelerated
) -> None:
    encoder = load(clip)
    pixels = sample(encoder, first=100)
    vectors = in_int8.encoder.embed_pixels(pixels)
    assert cosines(vectors, encoder.embed_pixels(pixels)).min() > 0.98
    assert np.abs(vectors - encoder.embed_pixels(pixels)).max() > 1e-4, "it is not int8 at all"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_batches_of_any_size_give_a_picture_the_same_vector(
    clip: Path, in_int8: Accelerated
) -> None:
    pixels = sample(in_int8.encoder, 40)
    together = in_int8.encoder.embed_pixels(pixels)
    for size in (1, 3, 16, 17):
        parts = [in_int8.encoder.embed_pixels(part) for part in pixels.split(size)]
        assert cosines(np.concatenate(parts), together).min() > 0.9999


def test_it_can_be_used_in_threads(in_int8: Accelerated) -> None:
    pixels = sample(in_int8.encoder, 40)
    expected = in_int8.encoder.embed_pixels(pixels)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(in_int8.encoder.embed_pixels, [pixels] * 8):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_stamp_and_texts_stay_those_of_the_checkpoint(clip: Path, in_int8: Accelerated) -> None:
    encoder = load(clip)
    assert in_int8.encoder.stamp == encoder.stamp
    np.testing.assert_array_equal(in_int8.encoder.texts(["red"]), encoder.texts(["red"]))


def test_torch_is_left_as_it_is(clip: Path, tmp_path: Path) -> None:
    encoder = load(clip)
    assert accelerate(encoder, "torch", sample(encoder), tmp_path) == Accelerated(encoder, None)


# What is kept


@pytest.fixture
def kept(in_int8: Accelerated, shared_cache: Path, tmp_path: Path) -> Path:
    """A cache of its own with the export in it."""
    for folder in shared_cache.iterdir():
        shutil.copytree(folder, tmp_path / "cache" / folder.name)
    return tmp_path / "cache"


@pytest.fixture
def exports(in_int8: Accelerated, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every export, by how many pictures calibrated it; all give the known graph."""
    counts: list[int] = []
    known = read_export(next(shared_cache.iterdir()))
    assert known is not None

    def calibrated(graph: object, pixels: torch.Tensor) -> object:
        counts.append(len(pixels))
        return graph

    monkeypatch.setattr(accelerate_module, "picture_graph", lambda *_: known.graph)
    monkeypatch.setattr(accelerate_module, "quantised", calibrated)
    return counts


def int8_again(clip: Path, cache: Path, first: int = 0, anew: bool = False) -> Accelerated:
    encoder = load(clip)
    return accelerate(encoder, "openvino-int8", sample(encoder, first=first), cache, anew)


def test_a_model_is_exported_once(
    clip: Path, in_int8: Accelerated, kept: Path, exports: list[int]
) -> None:
    again = int8_again(clip, kept)
    assert exports == []
    assert again.agreement is not None
    assert in_int8.agreement is not None
    assert again.agreement.to_json() == in_int8.agreement.to_json()
    pixels = sample(again.encoder, first=100)
    np.testing.assert_array_equal(
        again.encoder.embed_pixels(pixels), in_int8.encoder.embed_pixels(pixels)
    )


def test_other_pictures_judge_the_same_export_anew(
    clip: Path, in_int8: Accelerated, kept: Path, exports: list[int]
) -> None:
    other = int8_again(clip, kept, first=50)
    assert exports == []
    assert other.agreement != in_int8.agreement
    assert int8_again(clip, kept, first=50).agreement is not None
    record = json.loads(next(kept.glob("*/export.json")).read_text())
    assert other.agreement is not None
    assert record["agreement"] == other.agreement.to_json()


@pytest.mark.parametrize("file", ["tower.xml", "tower.bin", "export.json"])
def test_a_damaged_export_is_made_again(
    file: str, clip: Path, kept: Path, exports: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    damaged = next(kept.glob(f"*/{file}"))
    damaged.write_bytes(damaged.read_bytes()[:-7])
    int8_again(clip, kept)
    assert exports == [12]
    assert "is damaged" in caplog.text
    int8_again(clip, kept)
    assert exports == [12], "it was not repaired"
    assert [path.name[0] for path in kept.iterdir()] != ["."], "something was left behind"


def test_a_cache_that_cannot_be_written_costs_a_warning(
    clip: Path, tmp_path: Path, exports: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    done = int8_again(clip, tmp_path / "file" / "cache")
    assert done.agreement is not None
    assert "cannot be written" in caplog.text


# Agreement


def blurred(encoder: Encoder) -> Callable[[torch.Tensor], NDArray[np.float32]]:
    """A tower that hardly sees anything."""
    return lambda pixels: encoder.embed_pixels(pixels // 200 * 200)


def test_a_backend_that_agrees_too_little_is_refused(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load(clip)
    monkeypatch.setattr(accelerate_module, "CompiledTower", lambda _: blurred(encoder))
    with pytest.raises(ModelError, match=r"changes what .* finds.*use --backend torch"):
        accelerate(encoder, "openvino", sample(encoder), tmp_path)
    assert list(tmp_path.iterdir()) == [], "what is refused is not kept"


def test_a_tower_agrees_with_itself(clip: Path) -> None:
    encoder = load(clip)
    own = agreement(encoder.embed_pixels, encoder.embed_pixels, sample(encoder))
    assert own.cosine_min == pytest.approx(1, abs=1e-6)
    assert own.recall_at_10 == 1
    assert own.pictures == 36


def test_recall_counts_the_nearest_that_are_right() -> None:
    angles = np.array([0, 1, 3, 7, 15], np.float32) / 10
    right = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert recall_at(1, right, right) == 1
    swapped = right[[0, 2, 1, 3, 4]]  # 0 and 2 now find 2 and 0, 1 finds 3: all wrong
    assert recall_at(1, right, swapped) == pytest.approx(1 / 5)
    assert recall_at(10, right, swapped) == 1, "among five pictures, four are the nearest"


def test_twins_are_right_in_any_order() -> None:
    right = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    turned = right + np.float32(1e-9) * np.arange(8, dtype=np.float32)[:, None]
    assert recall_at(2, right, turned) == 1


def test_a_single_picture_is_enough(clip: Path, tmp_path: Path, exports: list[int]) -> None:
    encoder = load(clip)
    done = accelerate(encoder, "openvino-int8", sample(encoder, count=1), tmp_path)
    assert exports == [1]
    assert done.agreement is not None
    assert (done.agreement.pictures, done.agreement.recall_at_10) == (1, 1)


def test_no_picture_is_not(clip: Path, tmp_path: Path) -> None:
    nothing = torch.empty(0, dtype=torch.uint8)
    with pytest.raises(ModelError, match="none can be read; use --backend torch"):
        accelerate(load(clip), "openvino", nothing, tmp_path)


def test_the_sample_is_the_same_whatever_the_order_and_leaves_out_what_cannot_be_read(
    clip: Path, tmp_path: Path
) -> None:
    encoder = load(clip)
    catalog = make_shop(tmp_path)
    (tmp_path / "images" / "P-7.jpg").write_bytes(b"broken")
    products = list(open_catalog(str(catalog)).products())
    pixels = sample_pixels(products, encoder)
    assert len(pixels) == 39
    torch.testing.assert_close(sample_pixels(products[::-1], encoder), pixels)


# What is refused


def test_a_model_of_any_resolution_is_refused(tmp_path: Path) -> None:
    encoder = load(tiny_siglip2(tmp_path))
    with pytest.raises(ModelError, match=r"NaFlex.*use --backend torch"):
        accelerate(encoder, "openvino", sample(encoder), tmp_path)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ModelError, match="'tpu' is not one of torch, openvino, openvino-int8"):
        refuse_backend("tpu")


@pytest.mark.parametrize("package", ["openvino", "nncf"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=f"needs {package}, .*pip install openvino nncf"):
        refuse_backend("openvino-int8", "cpu")


def test_other_devices_and_number_formats_are_refused(clip: Path) -> None:
    with pytest.raises(ModelError, match="not on meta; add --device cpu"):
        refuse_backend("openvino", "meta")
    with pytest.raises(ModelError, match=r"not torch.bfloat16; leave out --dtype"):
        refuse_backend("openvino", "cpu", "bfloat16")


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    code = (
        "import sys; from model.backends.library import load_library;"
        "load_library('openvino'); load_library('nncf');"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )
    environment = os.environ | {"HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "[]", run.stderr
    assert not (tmp_path / "intel").exists(), "where the reporter keeps its name for this machine"


# The command


def test_export_prints_how_far_it_agrees(clip: Path, kept: Path, tmp_path: Path) -> None:
    catalog = make_shop(tmp_path)
    wanted = ["export", "--catalog", str(catalog), "--model", str(clip)]
    wanted += ["--backend", "openvino", "--backend-cache", str(kept)]
    run = CliRunner().invoke(main, wanted)
    assert run.exit_code == 0, run.output
    assert "openvino agrees with torch in float32 at cosine 1.0000" in run.stdout
    assert len(list(kept.iterdir())) == 2


def test_ingest_exports_once_a_picture_is_to_be_embedded_and_not_before(
    clip: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ["ingest", "--catalog", str(make_shop(tmp_path)), "--model", str(clip)]
    wanted += ["--backend", "openvino-int8", "--backend-cache", str(kept)]
    for name in ("index", "journal", "refused", "report"):
        wanted += [f"--{name}", str(tmp_path / name)]
    first = CliRunner().invoke(main, wanted)
    assert first.exit_code == 0, first.output
    assert "openvino-int8 agrees with torch" in first.stderr
    report = json.loads((tmp_path / "report").read_text())
    assert report["agreement"]["recall_at_10"] > 0.9
    assert report["stages"]["export"]["busy_s"] > 0

    def unwanted(*_: object) -> Accelerated:
        raise ModelError("there is nothing to embed")

    monkeypatch.setattr("model.backends.late.accelerate", unwanted)
    again = CliRunner().invoke(main, wanted)
    assert again.exit_code == 0, again.output
    report = json.loads((tmp_path / "report").read_text())
    assert (report["embedded"], report["agreement"]) == (0, None)
    assert "export" not in report["stages"]
    shutil.rmtree(tmp_path / "index")
    planned = CliRunner().invoke(main, [*wanted, "--dry-run", "--json"])
    told = json.loads(planned.stdout)
    assert (told["new"], told["to_embed"]) == (40, 0)


def test_ingest_refuses_to_share_out_a_backend_before_it_exports(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.backends.late.accelerate", lambda *_: pytest.fail("exported"))
    wanted = ["ingest", "--catalog", str(make_shop(tmp_path)), "--model", str(clip)]
    wanted += ["--backend", "openvino", "--nproc", "2", "--index", str(tmp_path / "index")]
    wanted += ["--journal", str(tmp_path / "journal"), "--refused", str(tmp_path / "refused")]
    run = CliRunner().invoke(main, wanted)
    assert run.exit_code == 1
    assert "embeds in one process" in run.stderr


def test_torch_needs_no_export(clip: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["export", "--catalog", "none.csv", "--model", str(clip)])
    assert run.exit_code == 2
    assert "pass --backend openvino-int8" in run.stderr
