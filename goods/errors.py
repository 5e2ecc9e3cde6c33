"""The expected failures of every stage, in one tree.

A message says what happened, to which thing, and what to do about it. The command line turns each
of these into one line and an exit code; anything else is a bug and keeps its traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

_MAX_SHOWN = 120  # characters of a location in an error sentence


class GoodsError(Exception):
    """Something that a user or an operator can act on."""


class CatalogError(GoodsError):
    """The catalog as a whole cannot be used: missing, empty, unreadable, or without an id."""


class RowError(GoodsError):
    """One row of the catalog cannot be used; the rest can."""


class SchemaError(GoodsError):
    """A schema file contradicts itself or the catalog."""


class PictureFault(StrEnum):
    """Why a picture was refused: the class that reports count by."""

    GONE = "source gone"  # the path or URL leads to nothing
    BUSY = "source busy"  # the host is down, late, or asked to wait for too long
    REFUSED = "refused"  # too many bytes or pixels, or an address that is not allowed
    BROKEN = "broken"  # truncated or empty
    NOT_A_PICTURE = "not a picture"
    TOO_SMALL = "too small"  # a tracking pixel or an icon
    BLANK = "blank"  # one colour all over: a placeholder


class PictureError(GoodsError):
    """One picture cannot be used."""

    def __init__(self, fault: PictureFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@contextmanager
def blamed_on(location: str) -> Iterator[None]:
    """Lets every PictureError begin with the picture that it is about."""
    try:
        yield
    except PictureError as error:
        half = _MAX_SHOWN // 2
        is_long = len(location) > _MAX_SHOWN
        shown = f"{location[:half]}…{location[-half:]}" if is_long else location
        raise PictureError(error.fault, f"{shown}: {error}") from error


class ModelError(GoodsError):
    """A checkpoint cannot be loaded, or is not a dual encoder."""


class TrainingError(GoodsError):
    """Training cannot start or go on with this catalog and these settings."""


class DivergedError(TrainingError):
    """The loss is no longer a number: the same training would end there again."""


class IndexStoreError(GoodsError):
    """The index cannot be opened, read or written."""


class IndexMissingError(IndexStoreError):
    """There is no index at this address yet."""


class IndexLockedError(IndexStoreError):
    """Another process holds the index folder."""


class IndexRequestError(IndexStoreError):
    """The index does not take what it was given; it would not take it a second time either."""


class ModelMismatchError(IndexStoreError):
    """The vectors of the index were made by another model."""


class QueryError(GoodsError):
    """A query cannot be answered as it was put."""


class ServiceError(GoodsError):
    """The search service cannot be reached, is busy, or wants a key."""


class FilterError(QueryError):
    """A filter names a field or value that the catalog does not have, or has another type."""
