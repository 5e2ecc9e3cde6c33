"""Products that a run could not take: counted, explained, and kept in a file."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from goods.errors import GoodsError


@dataclass(frozen=True, slots=True)
class Refused:
    """One product that was left out.

    Attributes:
        row: Its 1-based data row in the catalog.
        product: The shop's id, where the row has one.
        stage: "catalog" when the row is wrong, "picture" when its picture is.
        cause: The class it is counted under.
        message: What happened and what to do.
    """

    row: int
    product: str | None
    stage: str
    cause: str
    message: str


class RefusedLog:
    """Writes refused products to a JSON Lines file as they come, and counts them by cause.

    The file is begun anew by each run, so that an empty one says that all went well.

    Raises:
        GoodsError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_cause: Counter[str] = Counter()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise GoodsError(
                f"{path} cannot be written ({error.strerror}); name another file with --refused"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    @property
    def count(self) -> int:
        """How many products were refused so far."""
        return self.by_cause.total()

    def add(self, refused: Refused) -> None:
        """Note one product."""
        self.by_cause[f"{refused.stage}: {refused.cause}"] += 1
        self._stream.write(json.dumps(asdict(refused), ensure_ascii=False) + "\n")
