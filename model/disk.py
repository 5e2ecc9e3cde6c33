"""What a training asks of the disk: room, a folder of its own, and files that stay."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from safetensors import SafetensorError

from goods.errors import TrainingError

RESERVE_BYTES = 64 * 2**20
"""Room for what is small beside weights: tokenizer, tables, pictures."""


def refuse_unwritable(folder: Path, needed_bytes: int = 0) -> None:
    """Make sure that a folder can be made or replaced here, and that so much fits beside it.

    Raises:
        TrainingError: It cannot, or does not.
    """
    if folder.name in ("", ".."):
        raise TrainingError(f"{folder} has no name of its own; name a folder in it")
    place = _existing(folder.parent)
    if not place.is_dir():
        raise TrainingError(f"{place} is a file: no folder {folder} can be made; name another")
    if not os.access(place, os.W_OK | os.X_OK):
        raise TrainingError(
            f"nothing may be written to {place}, where {folder.name} belongs; "
            "change its permissions or name another folder"
        )
    _refuse_full(folder, needed_bytes + RESERVE_BYTES, "the checkpoint and the training's state")


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """A block in which no other process writes this folder; one that is killed lets go of it.

    Raises:
        TrainingError: Another process is in such a block.
    """
    file = folder.with_name(f".{folder.name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(file, folder) as stream:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}")
        stream.flush()
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def _locked(file: Path, folder: Path) -> IO[str]:
    while True:
        stream = file.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with stream:
                stream.seek(0)
                holder = stream.read() or "another process"
            raise TrainingError(
                f"{folder} is being trained by {holder}; wait for it, stop it, or name another "
                "folder"
            ) from error
        if file.exists() and os.path.samestat(file.stat(), os.fstat(stream.fileno())):
            return stream
        stream.close()  # its holder ended in between, and deleted it


@contextmanager
def room_for(what: str, folder: Path, needed_bytes: int) -> Iterator[None]:
    """A block that writes something of this size, and leaves what was there if it fails.

    Raises:
        TrainingError: There is no room, or the system refused to write.
    """
    _refuse_full(folder, needed_bytes, what)
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainingError(
            f"{what} cannot be written to {folder}: {reason}; it takes {_mb(needed_bytes)}, "
            f"{_mb(_free_bytes(folder))} are free. {_REMEDY}"
        ) from error


_REMEDY = "What was there before is unharmed: make room, and go on with --resume"


def _refuse_full(folder: Path, needed_bytes: int, what: str) -> None:
    free_bytes = _free_bytes(folder)
    if free_bytes < needed_bytes:
        raise TrainingError(
            f"{what} cannot be written to {folder}: it takes {_mb(needed_bytes)}, "
            f"{_mb(free_bytes)} are free. {_REMEDY}"
        )


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
