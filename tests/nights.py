"""One night after the other: runs and dry runs over a shop, with index and journal beside it."""

from contextlib import closing
from pathlib import Path

from goods.catalog import open_catalog
from goods.index import open_index
from ingest.preview import Preview, preview
from ingest.report import IngestReport
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder


def settings(shop: Path, **others: object) -> IngestSettings:
    usual = {"refused": shop.parent / "refused.jsonl", "journal": shop.parent / "journal.db"}
    return IngestSettings(**(usual | others))  # type: ignore[arg-type] # as each test names them


def run(shop: Path, encoder: Encoder, folder: str = "index", **others: object) -> IngestReport:
    with closing(open_index(str(shop.parent / folder))) as index:
        return ingest(open_catalog(shop), index, encoder, settings(shop, **others))


def look(shop: Path, encoder: Encoder, folder: str = "index", **others: object) -> Preview:
    with closing(open_index(str(shop.parent / folder))) as index:
        return preview(open_catalog(shop), index, encoder, settings(shop, **others))
