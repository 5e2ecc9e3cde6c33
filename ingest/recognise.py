"""Whether a picture is the one that was seen before, at the least cost that can be trusted.

a picture             is taken as unchanged when
at hand (Parquet)     its bytes have the same digest
a file                time and size are those that the journal saw, else its bytes are read
at a URL              the URL is the same; with `verify`, the host is asked
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from hashlib import blake2b
from uuid import UUID

from goods.errors import PictureError
from goods.index import Record
from goods.index.contract import fingerprint_of
from goods.pictures import Fetched, PictureLoader
from goods.product import Product
from ingest.journal import Journal, Seen
from ingest.refused import Refused, for_its_picture


@dataclass(frozen=True, slots=True)
class Recognised:
    """A product and the digest of its picture, as far as that is known.

    Attributes:
        product: The product; its picture with the bytes, where they were read for the digest.
        digest: None for a picture that was never seen, and was not read either.
        seen: What the journal should know, when it was read.
    """

    product: Product
    digest: str | None
    seen: Seen | None = None


def digest_of(data: bytes) -> str:
    """The digest of a picture's bytes, or of a payload: 32 hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def recognised(
    products: Sequence[Product],
    there: Mapping[UUID, Record],
    journal: Journal,
    loader: PictureLoader,
    pool: Executor,
    *,
    verify: bool,
) -> list[Recognised | Refused]:
    """Every product with the digest of its picture; `there` is what the index has of them."""
    known = journal.seen(product.picture.location for product in products)

    def read(product: Product) -> Recognised | Refused:
        return _read(product, known.get(product.picture.location), loader)

    cheap = [
        _cheaply(p, there.get(p.point_id), known.get(p.picture.location), loader, verify=verify)
        for p in products
    ]
    to_read = [p for p, done in zip(products, cheap, strict=True) if done is None]
    read_ones = pool.map(read, to_read)
    found = [next(read_ones) if done is None else done for done in cheap]
    journal.keep(seen=[r.seen for r in found if isinstance(r, Recognised) and r.seen])
    return found


def _cheaply(
    product: Product,
    record: Record | None,
    known: Seen | None,
    loader: PictureLoader,
    *,
    verify: bool,
) -> Recognised | None:
    """What can be said without reading the picture; None when it has to be read."""
    picture = product.picture
    if picture.data is not None:
        return Recognised(product, digest_of(picture.data))
    if picture.is_remote:
        is_same_url = record is not None and record.payload["picture"] == picture.location
        if verify and (known or is_same_url):
            return None
        if record is not None and is_same_url:
            return Recognised(product, fingerprint_of(record.payload).picture)
        return Recognised(product, known.digest if known else None)
    validator = loader.validator(picture)
    if known and known.validator == validator and not verify:
        return Recognised(product, known.digest)
    if record or validator is None:  # for None, reading it says why
        return None
    return Recognised(product, None)  # a new one is read when it is embedded


def _read(product: Product, known: Seen | None, loader: PictureLoader) -> Recognised | Refused:
    picture = product.picture
    ask_with = known.validator if known and picture.is_remote else None
    try:
        fetched = loader.fetch(picture, ask_with)
    except PictureError as error:
        return for_its_picture(product, error)
    if known and fetched.data is None:  # the host says that it is the same
        return Recognised(product, known.digest)
    seen = seen_as(picture.location, fetched)
    at_hand = product.with_picture(replace(picture, data=fetched.data))
    return Recognised(at_hand, seen.digest, seen)


def seen_as(location: str, fetched: Fetched) -> Seen:
    """What the journal should know of a picture that was read."""
    return Seen(location, fetched.validator or "", digest_of(fetched.data or b""))
