"""Where the next page begins: a short text that the caller keeps and gives back.

It carries what was shown so far, four bytes a product or group, and no place in a ranking: whatever
is written to the index between two pages, nothing is shown twice, and nothing that stays is left
out. It is URL-safe, and good only for the question that it came from.
"""

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from goods.errors import QueryError

VERSION = 1

MAX_SHOWN = 2000
"""Products or groups up to which there are further pages: 11 kB of cursor, and nobody looks on."""

_HEAD = struct.Struct("<B4s")
_ITEM = struct.Struct("<I")
_CHECK = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Cursor:
    """What was shown of the answer to one question.

    Attributes:
        question: Four bytes that tell the question from others.
        shown: A number per product or group.
    """

    question: bytes
    shown: Sequence[int]

    def __str__(self) -> str:
        data = _HEAD.pack(VERSION, self.question)
        data += struct.pack(f"<{len(self.shown)}I", *self.shown)
        data += _CHECK.pack(zlib.crc32(data))
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str, question: bytes) -> "Cursor":
        """The cursor that was written as this text.

        Raises:
            QueryError: It is damaged, of another version, or of another question.
        """
        try:
            data = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise QueryError(_damaged(text)) from error
        body, check = data[: -_CHECK.size], data[-_CHECK.size :]
        if len(body) < _HEAD.size or check != _CHECK.pack(zlib.crc32(body)):
            raise QueryError(_damaged(text))
        version, asked = _HEAD.unpack_from(body)
        if version != VERSION or (len(body) - _HEAD.size) % _ITEM.size:
            raise QueryError(_damaged(text))
        if asked != question:
            raise QueryError(
                "the cursor belongs to another search; give it with the same query, filters and "
                "options as the page that it came with"
            )
        return cls(question, [item for (item,) in _ITEM.iter_unpack(body[_HEAD.size :])])


def _damaged(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return f"the cursor {shown!r} cannot be read; begin again without one"
