"""Rows of a catalog that need not be read, since they say what they said before.

What a product's payload is follows from its row, the schema and the code alone. So the journal
remembers the digest of the payload by a digest of these three: such an entry is never out of date,
and in a night in which little has changed, a row costs its comparison with the index and no more.
"""

import inspect
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from types import ModuleType
from typing import NamedTuple

from goods import assembly, product, schema, values
from goods.catalog import Entry
from goods.index import Record, contract
from goods.pictures import PictureLoader
from goods.product import Picture, is_remote
from goods.schema import CatalogSchema
from ingest.journal import Journal, Seen

_READERS = (assembly, product, schema, values, contract)
"""Code between a row and its payload; another version of it may make something else of a row."""

_KEPT_AT_ONCE = 1 << 16
"""Rows remembered with one commit. They are spread over the whole table, so that few at a time
would write most of it anew each time; losing them costs the reading of as many rows. 13 MB."""


class Told(NamedTuple):
    """What is said of a row before it is read.

    Attributes:
        key: What `Unread.payloads` knows it by; None for one that has to be read.
        picture: Where its picture is, if that is not a web page.
    """

    key: bytes | None = None
    picture: str = ""

    def state(self, loader: PictureLoader) -> bytes | None:
        """A digest of the row and of its picture's state; None where that cannot be told."""
        if self.key is None or not self.picture or is_remote(self.picture):
            return self.key
        validator = loader.validator(Picture(self.picture))
        if validator is None:
            return None
        return blake2b(self.key + validator.encode(), digest_size=16).digest()


class Unread:
    """What is known of rows without reading them.

    Args:
        journal: Remembers it.
        schema: What the columns of the catalog are for.
    """

    def __init__(self, journal: Journal, schema: CatalogSchema) -> None:
        self._journal = journal
        self._salted = blake2b(_state_of_code(), digest_size=16)
        self._salted.update(json.dumps(schema.to_json(), sort_keys=True).encode())
        self._fresh: dict[bytes, str] = {}

    def told(self, entry: Entry) -> Told:
        """What can be said of a row."""
        content = entry.content()
        if content is None:
            return Told()
        hasher = self._salted.copy()
        hasher.update(content[0])
        return Told(hasher.digest(), content[1])

    def payloads(self, keys: Iterable[bytes | None]) -> dict[bytes, str]:
        """Digests of the payloads that these rows make, as far as they are known, by key."""
        return self._journal.payloads(filter(None, keys))

    def remember(self, key: bytes | None, payload: str) -> None:
        """Know next time that the row of this key makes this payload."""
        if key is not None:
            self._fresh[key] = payload
        if len(self._fresh) >= _KEPT_AT_ONCE:
            self.keep()

    def keep(self) -> None:
        """Write to the journal what is not there yet."""
        self._journal.keep_payloads(self._fresh)
        self._fresh = {}


def is_as_written(
    record: Record, payload: str | None, seen: Mapping[str, Seen], loader: PictureLoader
) -> bool:
    """Whether a row that makes this payload, and its picture, are what the index has.

    Of a picture in a file, time and size have to be those that the journal saw; of one at a URL,
    the URL, which is in the payload.
    """
    then = record.payload["goods"]
    if payload is None or payload != then["payload"]:
        return False
    location = record.payload["picture"]
    if is_remote(location):
        return True
    known = seen.get(location)
    if known is None or known.digest != then["picture"]:
        return False
    return known.validator == loader.validator(Picture(location))


def files_of(records: Iterable[Record]) -> list[str]:
    """Where the pictures of these records are, except for those at URLs."""
    locations = (record.payload["picture"] for record in records)
    return [location for location in locations if not is_remote(location)]


def _state_of_code(modules: Sequence[ModuleType] = _READERS) -> bytes:
    """A digest of the code that reads rows; where its text is not at hand, nothing is equal."""
    try:
        texts = [inspect.getsource(module) for module in modules]
    except OSError:
        return os.urandom(32)
    return blake2b("\0".join([sys.version, *texts]).encode()).digest()
