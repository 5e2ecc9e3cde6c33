"""A dual encoder from a folder or the hub, checked before it is believed."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

from goods.durable import sync, sync_tree
from goods.errors import ModelError
from model.dual_encoder import DualEncoder
from model.quiet import quiet_libraries

MODEL_TYPES = ("clip", "siglip", "siglip2")

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_LOADING_ERRORS = (OSError, ValueError, RuntimeError, ImportError, SafetensorError)


def load_checkpoint(name: str) -> DualEncoder:
    """The checkpoint in this folder or of this hub name: float32, on the CPU, in eval mode.

    Raises:
        ModelError: There is none, it is damaged, or it is not a CLIP, SigLIP or SigLIP 2 model.
    """
    if name.startswith("scratch:"):
        raise ModelError(f"{name} is a recipe, not a checkpoint: train it with `goods train` first")
    where = str(Path(name).expanduser())
    if not Path(where).is_dir() and not _HUB_NAME.fullmatch(name):
        raise ModelError(f"there is no folder {where}; pass a checkpoint's folder or hub name")
    try:
        with quiet_libraries():
            return _load(name, where)
    except _LOADING_ERRORS as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        if Path(where).is_dir():
            raise ModelError(
                f"the checkpoint in {where} cannot be read: {reason}; "
                "save or download it again, or pass another one"
            ) from error
        raise ModelError(
            f"there is no folder {name}, and the Hugging Face hub gave no model of this name: "
            f"{reason} Check the name and the network, pass a local folder, "
            "or train one from nothing: goods train --base scratch:small"
        ) from error


def _load(name: str, where: str) -> DualEncoder:
    config = AutoConfig.from_pretrained(where)
    if config.model_type not in MODEL_TYPES:
        raise ModelError(
            f"{name} is a {config.model_type} model, not a dual encoder of pictures and texts; "
            "pass a CLIP, SigLIP or SigLIP 2 checkpoint"
        )
    model, loading = AutoModel.from_pretrained(
        where, config=config, dtype=torch.float32, output_loading_info=True
    )
    # transformers fills absent weights with random numbers and only warns.
    if absent := sorted(loading["missing_keys"]):
        raise ModelError(
            f"the checkpoint {name} lacks {len(absent)} weights, the first is {absent[0]}; "
            "save or download it again, or pass another one"
        )
    return DualEncoder(
        name,
        model.eval(),
        AutoTokenizer.from_pretrained(where),
        AutoImageProcessor.from_pretrained(where, backend="pil"),
    )


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends well.

    A reader finds the old content or the new, never a mixture, also after the power has failed.
    Only a crash between two renames leaves neither in place: see `put_back`.
    """
    fresh, old = _beside(folder)
    put_back(folder)
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        sync_tree(fresh)
        if folder.exists():
            folder.replace(old)
        fresh.replace(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def put_back(folder: Path) -> None:
    """Give a folder its old content again if a crash of `replaced` left it without any."""
    _, old = _beside(folder)
    if old.exists() and not folder.exists():
        old.replace(folder)


def _beside(folder: Path) -> tuple[Path, Path]:
    """Where the new content is made, and where the old one waits until it is in place."""
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
