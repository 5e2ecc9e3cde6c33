"""What an index is told about the catalog and the model that fill it."""

from pathlib import Path

from goods.catalog import Catalog
from goods.index.contract import Contract
from model.encoder import Encoder


def contract_of(catalog: Catalog, encoder: Encoder) -> Contract:
    """The contract of an index of this catalog's pictures, embedded by this model."""
    folder = Path(encoder.name)
    # a search has to find the model again, whatever folder it runs in
    name = str(folder.absolute()) if folder.is_dir() else encoder.name
    return Contract(encoder.dimension, name, encoder.stamp, catalog.schema)
