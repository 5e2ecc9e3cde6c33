"""Files that results are written to: refused before minutes of work, and whole or not there."""

from contextlib import suppress
from pathlib import Path

from goods.errors import GoodsError

PAGE = "index.html"
"""What a report's folder calls its page."""


def refuse_unwritable(path: Path) -> None:
    """Make sure that a file can be written here; its folder is made if need be.

    Raises:
        GoodsError: It cannot.
    """
    fresh = _fresh(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        if _is_device(path):
            return
        _make(path.parent)
        fresh.touch()
        fresh.unlink()
    except OSError as error:
        raise GoodsError(f"{path} cannot be written: {error.strerror}; name another") from error


def write_whole(path: Path, text: str) -> None:
    """Write a file in UTF-8; what was there before stays until all of it is on its way.

    Raises:
        GoodsError: It cannot be written.
    """
    data = text.encode("utf-8", errors="replace")  # a title may hold half a letter
    fresh = _fresh(path)
    try:
        if _is_device(path):
            path.write_bytes(data)
            return
        _make(path.parent)
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise GoodsError(f"{path} cannot be written: {error.strerror}") from error


def _make(folder: Path) -> None:
    if folder.is_file():
        raise NotADirectoryError(None, f"{folder.name} is a file")
    folder.mkdir(parents=True, exist_ok=True)


def _is_device(path: Path) -> bool:
    """Whether it is a pipe or a device, such as /dev/stdout: written to, and never replaced."""
    return path.exists() and not path.is_file()


def _fresh(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
