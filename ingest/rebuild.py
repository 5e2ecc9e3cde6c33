"""What keeps a rebuild from putting less into service than it takes out."""

from contextlib import suppress
from pathlib import Path

from goods.errors import GoodsError
from goods.index import IndexInfo, VectorIndex
from ingest.settings import IngestSettings
from ingest.tally import Tally


def in_service(index: VectorIndex) -> IndexInfo | None:
    """The index that a rebuild is to replace; None where there is none that can be read."""
    with suppress(GoodsError):
        return index.info()
    return None


def check_successor(
    index: VectorIndex,
    replaced: IndexInfo,
    tally: Tally,
    explained: Path,
    settings: IngestSettings,
) -> None:
    """Refuse to put a rebuilt index into service that has lost too much on the way.

    Args:
        index: What was written.
        replaced: What is in service.
        tally: How many products were refused.
        explained: Where each of them is.
        settings: How many may be refused, and how many may be gone.

    Raises:
        GoodsError: The one in service stays; what was written is taken up by the next rebuild.
    """
    stays = f"the {replaced.points:,} products in service stay as they are"
    if tally.refused_share > settings.max_refused:
        raise GoodsError(
            f"{tally.refused_share:.1%} of the catalog was refused, more than --max-refused "
            f"{settings.max_refused:.1%}: {stays}. See {explained}, mend them and rebuild again, "
            "or raise --max-refused"
        )
    points = index.count()
    if points < (1 - settings.max_gone) * replaced.points:
        raise GoodsError(
            f"the rebuilt index has {points:,} products: {stays}. "
            "Is this the whole catalog? If so, rebuild again with a higher --max-gone"
        )
