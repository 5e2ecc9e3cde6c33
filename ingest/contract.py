"""What an index is told about the catalog and the model that fill it."""

from pathlib import Path

from goods.catalog import Catalog
from goods.errors import IndexMissingError
from goods.index import VectorIndex
from goods.index.contract import Contract
from model.encoder import Encoder


def continued(catalog: Catalog, index: VectorIndex) -> Catalog:
    """The catalog, with the fields that the index has where nobody has said which it has.

    Raises:
        SchemaError: A column of theirs is gone, or has another use now.
    """
    try:
        return catalog.continuing(index.contract.schema.fields)
    except IndexMissingError:
        return catalog


def contract_of(catalog: Catalog, encoder: Encoder) -> Contract:
    """The contract of an index of this catalog's pictures, embedded by this model."""
    return Contract(encoder.dimension, whereabouts(encoder), encoder.stamp, catalog.schema)


def whereabouts(encoder: Encoder) -> str:
    """The name under which others find the model again, whatever folder they run in."""
    folder = Path(encoder.name)
    return str(folder.absolute()) if folder.is_dir() else encoder.name
