"""What the system keeps in memory brought to the disk, where it survives a power failure."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, from the system's memory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring every file below `folder`, and all names in it, from memory to the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
