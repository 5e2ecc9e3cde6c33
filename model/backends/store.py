"""Exported graphs on disk, so that a checkpoint is exported once.

A graph lies in a folder of its own, named after the model stamp, the backend and the versions of
what made it. It is replaced as a whole, and believed only when its digests are right.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from goods.durable import sync_tree
from model.backends.agreement import Agreement
from model.backends.library import load_library

log = logging.getLogger(__name__)

GRAPH_FILES = ("tower.xml", "tower.bin")
_RECORD = "export.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An agreement, and the pictures and processor that it holds for, as a digest."""

    circumstances: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Export:
    """A graph, an `openvino.Model`, and what is known of it."""

    graph: Any
    verdict: Verdict


def read_export(folder: Path) -> Export | None:
    """The export in this folder; None when there is none, or not a whole one."""
    try:
        return _read(folder)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        log.warning("%s is damaged (%s); the model is exported again", folder, error)
        return None


def write_export(folder: Path, export: Export) -> None:
    """Keep an export in this folder, in place of what is there; where that fails, say so."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            _write(fresh, export)
            sync_tree(fresh)
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            fresh.rename(folder)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s); the model will be exported again next time", folder, error
        )


def _read(folder: Path) -> Export:
    record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    if record["files"] != _digests(folder):
        raise ValueError("its files are not those that were written")
    verdict = Verdict(record["circumstances"], Agreement(**record["agreement"]))
    return Export(load_library("openvino").Core().read_model(folder / GRAPH_FILES[0]), verdict)


def _write(folder: Path, export: Export) -> None:
    graph_file = folder / GRAPH_FILES[0]
    load_library("openvino").save_model(export.graph, graph_file, compress_to_fp16=False)
    record = {
        "files": _digests(folder),
        "circumstances": export.verdict.circumstances,
        "agreement": export.verdict.agreement.to_json(),
    }
    (folder / _RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    digests = {}
    for name in GRAPH_FILES:
        with (folder / name).open("rb") as stream:
            digests[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return digests
