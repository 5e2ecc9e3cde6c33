"""An encoder one of whose towers runs in another backend than torch, and proof that it may.

The model stamp stays that of the checkpoint: the agreement is what allows it. An ingest needs the
picture tower and a search the text tower, so each is exported by itself.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from goods.errors import ModelError
from model.backends.agreement import Agreement, agreement, text_agreement
from model.backends.compiled import CompiledTower
from model.backends.graph import compressed, picture_graph, quantised, text_graph
from model.backends.library import load_library, processor
from model.backends.searched import Searched
from model.backends.store import Export, Verdict, read_export, write_export
from model.encoder import Encoder, choose_device, choose_dtype

BACKENDS = {"torch": (), "openvino": ("openvino",), "openvino-int8": ("openvino", "nncf")}
"""What a tower can run in, and the packages that this needs."""

SAMPLE = 384
"""Pictures to export with: a third calibrates int8, the other 256 judge it."""


@dataclass(frozen=True, slots=True)
class Accelerated:
    """An encoder, and how far what is embedded elsewhere agrees with torch; for torch, nothing."""

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
    if backend == "torch":
        return Accelerated(encoder, None)
    _refuse_encoder(encoder, backend)
    if not len(sample):
        raise ModelError(
            f"{backend} is calibrated and judged on pictures of the catalog, and none can be read; "
            "use --backend torch"
        )

    def export() -> Any:
        calibration = _shares(sample).calibration
        graph = picture_graph(encoder.towers, calibration)
        return quantised(graph, calibration) if backend == "openvino-int8" else graph

    def judge(tower: CompiledTower) -> Agreement:
        return agreement(encoder.embed_pixels, tower, _shares(sample).judged)

    digest = hashlib.sha256(sample.numpy().data).hexdigest()
    task = _Task(encoder, backend, backend, export, judge, digest)
    tower, held = _ready(task, cache, anew)
    return Accelerated(encoder.with_picture_tower(tower, backend), held)


def accelerate_texts(
    encoder: Encoder, backend: str, searched: Callable[[], Searched], cache: Path
) -> Accelerated:
    """The same encoder, its texts embedded by this backend.

    Args:
        encoder: In float32 on the CPU.
        backend: One of `BACKENDS`.
        searched: Gives texts to judge by and vectors to find; not asked for torch.
        cache: Folder for exports, as for `accelerate`.

    Raises:
        ModelError: The backend cannot run here, or agrees too little.
    """
    if backend == "torch":
        return Accelerated(encoder, None)
    _refuse_encoder(encoder, backend)
    sample = searched()
    if not sample.texts:
        raise ModelError(
            f"{backend} is judged by what titles and values of the index find, and it has none; "
            "ingest a catalog with some, or use --backend torch"
        )

    def export() -> Any:
        graph = text_graph(encoder.towers)
        return compressed(graph) if backend == "openvino-int8" else graph

    def judge(tower: CompiledTower) -> Agreement:
        tokens = [encoder.towers.tokens([text]) for text in sample.texts]
        return text_agreement(encoder.embed_tokens, tower, tokens, sample.pictures_MD)

    task = _Task(encoder, backend, f"texts-{backend}", export, judge, sample.digest)
    tower, held = _ready(task, cache)
    return Accelerated(encoder.with_text_tower(tower, backend), held)


def _refuse_encoder(encoder: Encoder, backend: str) -> None:
    refuse_backend(backend, "cpu")
    _refuse_weights(backend, encoder.towers.device, encoder.towers.model.dtype)


@dataclass(frozen=True, slots=True)
class _Task:
    """One tower to make ready: how it is exported and judged, and on what, as a digest."""

    encoder: Encoder
    backend: str
    name: str
    export: Callable[[], Any]
    judge: Callable[[CompiledTower], Agreement]
    digest: str

    @property
    def folder(self) -> str:
        """What an export depends on, but for its calibration: see `accelerate`."""
        names = BACKENDS[self.backend]
        versions = (load_library(name).__version__.partition("-")[0] for name in names)
        return "-".join((self.encoder.stamp, self.name, *versions))


def _ready(task: _Task, cache: Path, anew: bool = False) -> tuple[CompiledTower, Agreement]:
    """The tower, read or exported, and its agreement on this sample and processor."""
    folder = cache / task.folder
    kept = None if anew else read_export(folder)
    graph = kept.graph if kept else task.export()
    tower = CompiledTower(graph)
    circumstances = hashlib.sha256(f"{task.digest} {processor()}".encode()).hexdigest()
    is_known = kept is not None and kept.verdict.circumstances == circumstances
    verdict = kept.verdict if kept and is_known else Verdict(circumstances, task.judge(tower))
    verdict.agreement.refuse_low(task.backend, task.encoder.name)
    if not is_known:
        write_export(folder, Export(graph, verdict))
    return tower, verdict.agreement


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
