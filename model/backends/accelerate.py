"""An encoder whose picture tower runs in another backend than torch, and proof that it may.

The model stamp stays that of the checkpoint: the agreement is what allows it. Texts stay with
torch: there is one query at a time, and it takes milliseconds.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from goods.errors import ModelError
from model.backends.agreement import Agreement, agreement
from model.backends.compiled import CompiledTower
from model.backends.graph import picture_graph, quantised
from model.backends.library import load_library, processor
from model.backends.store import Export, Verdict, read_export, write_export
from model.encoder import Encoder, choose_device, choose_dtype

BACKENDS = {"torch": (), "openvino": ("openvino",), "openvino-int8": ("openvino", "nncf")}
"""What a picture tower can run in, and the packages that this needs."""

SAMPLE = 384
"""Pictures to export with: a third calibrates int8, the other 256 judge it."""


@dataclass(frozen=True, slots=True)
class Accelerated:
    """An encoder, and how far its picture vectors agree with torch's; for torch there is none."""

    encoder: Encoder
    agreement: Agreement | None


def refuse_backend(backend: str, device: str = "auto", dtype: str = "auto") -> None:
    """Make sure that a backend can run here, before minutes of work.

    Raises:
        ModelError: It is unknown, its packages are missing, or it is asked for more than float32
            weights on the CPU.
    """
    if backend not in BACKENDS:
        raise ModelError(f"backend '{backend}' is not one of {', '.join(BACKENDS)}")
    if backend == "torch":
        return
    for name in BACKENDS[backend]:
        load_library(name)
    target = choose_device(device)
    _refuse_weights(backend, target, choose_dtype(dtype, target))


def _refuse_weights(backend: str, device: torch.device, dtype: torch.dtype) -> None:
    if device.type != "cpu":
        raise ModelError(
            f"{backend} runs on the CPU, not on {device}; add --device cpu, or use --backend torch"
        )
    if dtype is not torch.float32:
        raise ModelError(
            f"{backend} is exported from float32 weights, not {dtype}; leave out --dtype"
        )


def accelerate(
    encoder: Encoder, backend: str, sample: torch.Tensor, cache: Path, anew: bool = False
) -> Accelerated:
    """The same encoder, its pictures embedded by this backend.

    One checkpoint has one export: it is kept, and what it was calibrated on stays, so that a
    picture has the same vector tonight as last night. Only its agreement is measured again when
    the sample or the processor is another one.

    Args:
        encoder: In float32 on the CPU.
        backend: One of `BACKENDS`.
        sample: Pixels of up to `SAMPLE` pictures of the catalog, by `Encoder.pixels`.
        cache: Folder for exports, ours alone. One that cannot be written costs a warning and time.
        anew: Export also where there is an export, calibrated on this sample.

    Raises:
        ModelError: The backend cannot run here, cannot take this model, or agrees too little.
    """
    refuse_backend(backend, "cpu")
    if backend == "torch":
        return Accelerated(encoder, None)
    _refuse_weights(backend, encoder.towers.device, encoder.towers.model.dtype)
    if not len(sample):
        raise ModelError(
            f"{backend} is calibrated and judged on pictures of the catalog, and none can be read; "
            "use --backend torch"
        )
    folder = cache / _name(encoder, backend)
    kept = None if anew else read_export(folder)
    graph = kept.graph if kept else _exported(encoder, backend, _shares(sample).calibration)
    tower = CompiledTower(graph)
    verdict = _judged(encoder, tower, sample, kept.verdict if kept else None)
    verdict.agreement.refuse_low(backend, encoder.name)
    if kept is None or verdict != kept.verdict:
        write_export(folder, Export(graph, verdict))
    return Accelerated(encoder.with_picture_tower(tower, backend), verdict.agreement)


def _name(encoder: Encoder, backend: str) -> str:
    """What an export depends on, but for its calibration: see `accelerate`."""
    versions = (load_library(name).__version__.partition("-")[0] for name in BACKENDS[backend])
    return "-".join((encoder.stamp, backend, *versions))


def _exported(encoder: Encoder, backend: str, calibration: torch.Tensor) -> Any:
    graph = picture_graph(encoder.towers, calibration)
    return quantised(graph, calibration) if backend == "openvino-int8" else graph


def _judged(
    encoder: Encoder, tower: CompiledTower, sample: torch.Tensor, known: Verdict | None
) -> Verdict:
    """The agreement on this sample and processor, measured unless it is known."""
    digest = hashlib.sha256(sample.numpy().data)
    digest.update(processor().encode())
    circumstances = digest.hexdigest()
    if known and known.circumstances == circumstances:
        return known
    return Verdict(circumstances, agreement(encoder.embed_pixels, tower, _shares(sample).judged))


@dataclass(frozen=True, slots=True)
class _Shares:
    """A sample in two: no picture judges the ranges that it has set."""

    calibration: torch.Tensor
    judged: torch.Tensor


def _shares(sample: torch.Tensor) -> _Shares:
    """A third and the rest, drawn by lot: every third might be of one colour, and one was."""
    order = torch.randperm(len(sample), generator=torch.Generator().manual_seed(0))
    calibrates = order[: -(-len(sample) // 3)]
    return _Shares(
        sample[calibrates], sample[order[len(calibrates) :]] if len(sample) > 1 else sample
    )
