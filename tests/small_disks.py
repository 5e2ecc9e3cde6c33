"""A disk of a given size, for what happens when it is full."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk_at(place: Path, size_bytes: int) -> Iterator[Path]:
    """A new folder on a disk of its own; the test is skipped where none may be mounted."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", place]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield place
    finally:  # lazily: a file may still be open in a process that is just ending
        subprocess.run(["umount", "--lazy", place], check=True)
