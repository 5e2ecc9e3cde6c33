"""What an index folder asks of the disk: one holder, whole files, and room to write."""

import fcntl
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from goods.durable import sync
from goods.errors import IndexLockedError, IndexStoreError

LOCK_WAIT_S = 5.0
"""How long to wait for another process to finish with the folder: a search takes less."""

MIN_FREE_BYTES = 64 * 2**20
"""Room that has to be left before anything is opened or written. The engine maps its files into
memory; on a full disk that ends the process (SIGBUS) instead of raising an error. Its largest step
is a new log segment of 32 MiB."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into one sentence about `path`."""
    try:
        yield
    except OSError as error:
        raise IndexStoreError(f"{path} cannot be used: {error.strerror or error}") from error


def require_room(folder: Path, needed_bytes: int = 0) -> None:
    """Refuse to go on while the disk is nearly full.

    Raises:
        IndexStoreError: Fewer than `needed_bytes` and a reserve are free.
    """
    needed_bytes += MIN_FREE_BYTES
    with disk_errors(folder):
        free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise IndexStoreError(
            f"the disk of {folder} has {free_bytes >> 20} MiB left, {needed_bytes >> 20} are "
            "needed; make room and run again: nothing that was written is lost"
        )


def hold(file: Path, wait_s: float) -> IO[str]:
    """An open file whose lock this process holds; closing it lets go.

    Raises:
        IndexLockedError: Another process holds it for longer than `wait_s`.
        IndexStoreError: It cannot be opened or locked.
    """
    with disk_errors(file):
        stream = file.open("a+", encoding="utf-8")
    try:
        _wait_for(stream, file, wait_s)
    except BaseException:
        stream.close()
        raise
    started = datetime.now(UTC).isoformat(timespec="seconds")
    command = " ".join([Path(*sys.argv[:1]).name, *sys.argv[1:2]])
    with suppress(OSError):  # a full disk keeps no name, but the lock holds
        stream.truncate(0)
        stream.write(f"{command!r} (process {os.getpid()} on {socket.gethostname()}, {started})")
        stream.flush()
    return stream


def _wait_for(stream: IO[str], file: Path, wait_s: float) -> None:
    give_up = time.monotonic() + wait_s
    while not _is_locked_now(stream, file):
        if time.monotonic() > give_up:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise IndexLockedError(
                f"{file.parent} is open in {holder}; an embedded index has one user at a time: "
                "wait for it, stop it, or use a Qdrant server"
            )
        time.sleep(0.05)


def _is_locked_now(stream: IO[str], file: Path) -> bool:
    with disk_errors(file):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def write_atomically(file: Path, content: str | bytes) -> None:
    """Replace what is in a file so that a crash leaves either the old content or the new."""
    partial = file.with_name(file.name + ".partial")
    try:
        with disk_errors(file):
            with partial.open("wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
            sync(file.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)  # on a full disk it would take what room there is
        raise
