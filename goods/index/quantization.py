"""In which form an index keeps the vectors that a walk on its graph compares.

The full vectors stay on the disk beside them, and score again whatever a walk keeps. Not offered:
product quantisation (its codebooks took 264 s for 10,000 x 256 where the others took 1 to 8), and
the engines' sizes in between (1.5 bits, and 2 bits of the binary kind).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Quantization(StrEnum):
    """A form of the vectors in memory; the more bits a number, the closer to the full vectors.

    `binary` keeps signs. The `turbo` ones rotate a vector first, so that every number tells the
    same (TurboQuant, arXiv:2504.19874).
    """

    NONE = "none"
    INT8 = "int8"
    TURBO4 = "turbo4"
    TURBO2 = "turbo2"
    TURBO1 = "turbo1"
    BINARY = "binary"

    def to_note(self) -> dict[str, str]:
        """What `of` reads back."""
        return {"name": self.value}

    @classmethod
    def of(cls, note: Mapping[str, Any] | None) -> "Quantization":
        """What was noted; int8 where nothing was, or by another version."""
        try:
            return cls(note["name"]) if note else cls.INT8
        except (KeyError, ValueError):
            return cls.INT8


QUANTIZATION_NOTE = "quantization"
"""Under which name an index keeps its choice."""
