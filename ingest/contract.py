"""What an index is told about the catalog and the model that fill it."""

from pathlib import Path

from goods.catalog import Catalog
from goods.index.contract import Contract
from model.encoder import Encoder


def contract_of(catalog: Catalog, encoder: Encoder) -> Contract:
    """The contract of an index of this catalog's pictures, embedded by this model."""
    return Contract(encoder.dimension, whereabouts(encoder), encoder.stamp, catalog.schema)


def whereabouts(encoder: Encoder) -> str:
    """The name under which others find the model again, whatever folder they run in."""
    folder = Path(encoder.name)
    return str(folder.absolute()) if folder.is_dir() else encoder.name
