"""One night after the other: runs and dry runs over a shop, with index and journal beside it."""

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
    index = open_index(str(shop.parent / folder))
    try:
        return ingest(open_catalog(shop), index, encoder, settings(shop, **others))
    finally:
        index.close()


def look(shop: Path, encoder: Encoder, folder: str = "index", **others: object) -> Preview:
    index = open_index(str(shop.parent / folder))
    try:
        return preview(open_catalog(shop), index, encoder, settings(shop, **others))
    finally:
        index.close()
