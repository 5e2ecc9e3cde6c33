"""The values that fields have in an index, for filters to be checked against."""

from collections.abc import Sequence

from goods.index import VectorIndex

VALUES_LIMIT = 10_000
"""Values of one field up to which filters are checked against them."""


class FieldValues:
    """Reads the values of each field once.

    Args:
        index: Where they are.
    """

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._read: dict[str, tuple[str, ...]] = {}

    def of(self, name: str) -> Sequence[str] | None:
        """The field's values, or None when they are too many to check against."""
        if name not in self._read:
            counts = self._index.facet(name, limit=VALUES_LIMIT)
            self._read[name] = tuple(str(count.value) for count in counts)
        values = self._read[name]
        return values if len(values) < VALUES_LIMIT else None
