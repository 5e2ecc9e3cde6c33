"""A folder of pictures without a table: every picture is a product."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from goods.errors import CatalogError
from goods.source import LocalFile, Source
from goods.tables import Row

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
_SEPARATORS = re.compile(r"[\s_.+-]+")


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """The pictures of a folder and of its sub-folders, sorted by name in each of them.

    Hidden files and folders are passed over, and links to folders are not followed.

    Attributes:
        path: The folder.
        columns: "id" is the path in the folder without its suffix, "picture" the whole path,
            "title" the name in words; and where there are sub-folders, "category" is the one that
            the picture is in.
    """

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The pictures of a folder; None if there are none.

        Raises:
            CatalogError: A folder cannot be read.
        """
        if next(_pictures(path), None) is None:
            return None
        is_sorted = any(entry.is_dir(follow_symlinks=False) for entry in _entries(path))
        return cls(path, ("id", "picture", "title", *(["category"] if is_sorted else [])))

    @property
    def source(self) -> Source:
        """See `goods.tables.Table`; pictures are absolute already."""
        return LocalFile(self.path)

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """See `goods.tables.Table`.

        Memory: the names in one folder and in those above it.
        """
        for number, file in enumerate(_pictures(self.path), 1):
            inside = file.relative_to(self.path)
            cells = {
                "id": inside.with_suffix("").as_posix(),
                "picture": str(file),
                "title": _SEPARATORS.sub(" ", file.stem).strip(),
                "category": inside.parent.name,
            }
            yield Row(number, tuple(cells[column] for column in columns))

    def count(self) -> int | None:
        """See `goods.tables.Table`; exact."""
        return sum(1 for _ in _pictures(self.path))


def _pictures(folder: Path) -> Iterator[Path]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _pictures(Path(entry.path))
        elif Path(entry.name).suffix.lower() in _SUFFIXES and entry.is_file():
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry for entry in entries if not entry.name.startswith(".")),
                key=lambda entry: entry.name,
            )
    except OSError as error:
        raise CatalogError(f"{folder} cannot be read: {error.strerror}") from error
