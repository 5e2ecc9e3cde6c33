"""A text file as its lines, wherever it is, and zipped or not."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader, TextIOWrapper
from typing import TextIO

from goods.errors import CatalogError
from goods.source import LocalFile, Source

_READ_BYTES = 1 << 20  # at a time; over a network, per request


@contextmanager
def open_text(source: Source) -> Iterator[TextIO]:
    """The file as UTF-8 text, unzipped; what is wrong with it as a whole is a CatalogError."""
    shown = source.location
    try:
        with ExitStack() as opened:
            raw = opened.enter_context(source.open())
            stream: BufferedReader | gzip.GzipFile = _Blocks(raw, _READ_BYTES)
            if source.name.lower().endswith(".gz"):
                stream = opened.enter_context(gzip.GzipFile(fileobj=stream))
            yield opened.enter_context(TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
    except UnicodeDecodeError as error:
        guess = "UTF-16" if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") else "Windows-1252"
        raise CatalogError(
            f"{shown} is not UTF-8 (byte 0x{error.object[error.start]:02x}); it may be {guess}: "
            f"save it as UTF-8, or convert it with iconv -f {guess} -t UTF-8"
        ) from error
    except (EOFError, OSError, zlib.error) as error:
        raise CatalogError(f"{shown} cannot be read: {error}") from error


def count_lines(source: Source, header: int) -> int | None:
    """How many lines follow the header; None where all would have to come over a network."""
    if not isinstance(source, LocalFile) or source.name.lower().endswith(".gz"):
        return None
    with source.open() as stream:
        blocks = iter(lambda: stream.read(_READ_BYTES), b"")
        return max(0, sum(block.count(b"\n") for block in blocks) - header)


class _Blocks(BufferedReader):
    """Reads a file in blocks of its buffer's size, whatever is asked for."""

    def read1(self, size: int = -1, /) -> bytes:
        """Up to so many of the next bytes; the base would ask the file for just these few."""
        self.peek(1)
        return super().read1(size)
