"""Products that a run could not take: counted, explained, and kept in a file."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from goods.catalog import RefusedRow
from goods.errors import GoodsError, PictureError
from goods.product import Product

T = TypeVar("T")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Refused:
    """One product that was left out.

    Attributes:
        row: Its 1-based data row in the catalog.
        product: The shop's id, where the row has one.
        stage: "catalog" when the row is wrong, "picture" when its picture is, "index" when the
            index does not take what was made of it.
        cause: The class it is counted under.
        message: What happened and what to do.
        when: The moment, in UTC.
    """

    row: int
    product: str | None
    stage: str
    cause: str
    message: str
    when: str = field(default_factory=_now)


def for_its_row(row: RefusedRow) -> Refused:
    """What is wrong with a row of the catalog."""
    return Refused(row.row, row.product_id, "catalog", "schema", row.reason)


def for_its_picture(product: Product, error: PictureError) -> Refused:
    """What is wrong with the picture of a product."""
    return Refused(product.row, product.id, "picture", error.fault, str(error))


def taken(items: Iterable[T | Refused], refuse: Callable[[Refused], None]) -> Iterator[T]:
    """The items that are not refused; `refuse` is told of those that are."""
    for item in items:
        if isinstance(item, Refused):
            refuse(item)
        else:
            yield item


class RefusedLog:
    """Writes refused products to a JSON Lines file as they come, and counts them by cause.

    The file of the run before is replaced when this one has ended well; until then the lines are in
    a `.partial` beside it. An empty file says that all went well.

    Raises:
        GoodsError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_cause: Counter[str] = Counter()
        self.partial = path.with_name(f"{path.name}.partial")
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.partial.open("w", encoding="utf-8", buffering=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        if error is None:
            with _writing(self.path):
                self.partial.replace(self.path)

    @property
    def count(self) -> int:
        """How many products were refused so far."""
        return self.by_cause.total()

    def add(self, refused: Refused) -> None:
        """Note one product."""
        self.by_cause[f"{refused.stage}: {refused.cause}"] += 1
        with _writing(self.path):
            self._stream.write(json.dumps(asdict(refused), ensure_ascii=False) + "\n")


def read_refused(path: Path) -> frozenset[str]:
    """The ids of the products in a file of refused ones.

    Raises:
        GoodsError: It cannot be read, or is another file.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
        ids = [json.loads(line)["product"] for line in lines if line.strip()]
    except (OSError, UnicodeError) as error:
        raise GoodsError(f"{path} cannot be read: {error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise GoodsError(f"{path} is no file of refused products; see --refused") from error
    return frozenset(product_id for product_id in ids if product_id is not None)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GoodsError(
            f"{path} cannot be written ({error.strerror}); name another file with --refused"
        ) from error
