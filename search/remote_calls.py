"""What a client sends to the service for a query, and how it reads what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin

import httpx
from PIL import Image

from goods.errors import QueryError, ServiceError
from goods.index import FacetCount
from goods.product import Picture, Product, Value
from goods.urls import is_url
from search.answer import Answer, Hit
from search.expressions import expressions
from search.facets import NumberFacet, RangeCount
from search.filters import Filters
from search.options import SearchOptions
from search.query import MINUS_WEIGHT, TEXT_WEIGHT, Example, Query
from search.relevance import Relevance
from search.understand.decision import (
    Avoided,
    NotCarried,
    Substituted,
    Understanding,
    Understood,
    Why,
)

Upload = tuple[str, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Call:
    """A search as it is posted: as JSON, or as a form when there are pictures to upload."""

    fields: dict[str, Any]
    uploads: list[Upload] = field(default_factory=list)

    def request(self) -> dict[str, Any]:
        """What httpx is given."""
        if not self.uploads:
            return {"json": self.fields}
        form = {
            name: [_text(one) for one in value] if isinstance(value, list) else _text(value)
            for name, value in self.fields.items()
        }
        return {"data": form, "files": self.uploads}


def call_of(query: Query, filters: Filters | None, options: SearchOptions) -> Call:
    """The search as it is posted.

    Raises:
        QueryError: It has a part that the service does not take.
    """
    if len(query.texts) > 1:
        raise QueryError("the service takes one text; join them")
    if (query.text_weight, query.minus_weight) != (TEXT_WEIGHT, MINUS_WEIGHT):
        raise QueryError("the service takes no weights of a query; leave them as they are")
    uploads: list[Upload] = []
    asked = {
        "q": query.words or None,
        "image": _sorted_out("image", query.images, uploads),
        "similar": list(query.products),
        "minus": list(query.minus_texts),
        "minus_image": _sorted_out("minus_image", query.minus_images, uploads),
        "minus_similar": list(query.minus_products),
        **filters_of(filters),
        "ignore": list(options.ignore),
        "understand": options.understand,
        "limit": options.limit,
        "offset": options.offset,
        "cursor": options.cursor,
        "group": options.by_group,
        "variants": options.include_variants,
        "sort": options.sort,
        "words_weight": options.words_weight,
        "diversity": options.diversity,
        "facets": list(options.facets),
        "facet_limit": options.facet_limit,
        "widen": options.widen_facets,
    }
    return Call({name: value for name, value in asked.items() if value not in (None, [])}, uploads)


def filters_of(filters: Filters | None) -> dict[str, list[str]]:
    """The filters as the service takes them."""
    return {"filter": list(expressions(filters))} if filters else {}


def _sorted_out(name: str, images: Any, uploads: list[Upload]) -> list[str]:
    """The addresses among these pictures; the others become uploads."""
    addresses = []
    for image in images:
        if isinstance(image, str) and is_url(image):
            addresses.append(image)
        else:
            uploads.append((name, (name, _bytes(image))))
    return addresses


def _bytes(image: Example) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, Image.Image):
        buffer = BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()
    try:
        return Path(image).read_bytes()
    except OSError as error:
        raise QueryError(f"{image} cannot be read: {error.strerror}") from error


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def checked(response: httpx.Response) -> httpx.Response:
    """The same response, if it is one of success.

    Raises:
        QueryError: The service cannot answer this query.
        ServiceError: It wants a key, or is busy.
    """
    if response.is_success:
        return response
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"it answered with status {response.status_code}, as no goods service does"
    if response.status_code in {400, 404, 413, 422}:
        raise QueryError(message)
    raise ServiceError(f"{response.url.host}: {message}")


def unreachable(url: object, error: httpx.HTTPError) -> NoReturn:
    """Say that the service does not answer.

    Raises:
        ServiceError: Always.
    """
    reason = str(error) or type(error).__name__
    raise ServiceError(
        f"{url} does not answer ({reason}); is goods serve running there?"
    ) from error


def answer_of(plain: Mapping[str, Any], url: str) -> Answer:
    """The answer that the service at this address wrote."""
    relevance = plain["relevance"]
    understanding = plain["understanding"]
    return Answer(
        hits=tuple(_hit(hit, url) for hit in plain["hits"]),
        total=plain["total"],
        relevance=Relevance(**relevance) if relevance else None,
        next=plain["next"],
        facets=facets_of(plain),
        numbers=numbers_of(plain),
        understanding=understanding_of(understanding) if understanding else None,
        relaxed=tuple(_demand(demand, _whys(understanding)) for demand in plain["relaxed"]),
        encode_ms=plain["encode_ms"],
        index_ms=plain["index_ms"],
    )


def facets_of(plain: Mapping[str, Any]) -> dict[str, tuple[FacetCount, ...]]:
    """Counts of values."""
    return {
        name: tuple(FacetCount(**count) for count in counts)
        for name, counts in plain["facets"].items()
    }


def numbers_of(plain: Mapping[str, Any]) -> dict[str, NumberFacet]:
    """Ranges of numbers."""
    return {
        name: NumberFacet(
            number["low"], number["high"], tuple(RangeCount(**r) for r in number["ranges"])
        )
        for name, number in plain["numbers"].items()
    }


def product_of(plain: Mapping[str, Any], url: str, group: str | None = None) -> Product:
    """A product, with the service's own address of its picture."""
    return Product(
        id=plain["id"],
        picture=Picture(urljoin(url, plain["picture_url"])),
        title=plain["title"],
        attributes=_attributes(plain["attributes"]),
        group=plain.get("group", group),
    )


def understanding_of(plain: Mapping[str, Any]) -> Understanding:
    """What a text was understood as."""
    whys = _whys(plain)
    return Understanding(
        text=plain["text"],
        filters=tuple(_demand(demand, whys) for demand in plain["filters"]),
        boosts=tuple(_demand(demand, whys) for demand in plain["boosts"]),
        substituted=tuple(
            Substituted(s["from"], tuple(s["to"]), Why(s["why"])) for s in plain["substituted"]
        ),
        not_carried=tuple(NotCarried(n["from"], n["why"]) for n in plain["not_carried"]),
        avoided=tuple(Avoided(a["text"], tuple(a["names"])) for a in plain["avoided"]),
    )


def _hit(plain: Mapping[str, Any], url: str) -> Hit:
    return Hit(
        product=product_of(plain, url),
        score=plain["score"],
        words=plain["words"],
        matched=_attributes(plain["matched"]),
        variants=tuple(product_of(v, url, plain["group"]) for v in plain["variants"]),
        variant_count=plain["variant_count"],
    )


def _whys(plain: Mapping[str, Any] | None) -> dict[str, Why]:
    """Why other words are used than were said, by those."""
    return {s["from"]: Why(s["why"]) for s in plain["substituted"]} if plain else {}


def _demand(plain: Mapping[str, Any], whys: Mapping[str, Why]) -> Understood:
    value, said = plain["value"], plain["from"]
    values = tuple(value) if isinstance(value, list) else (value,)
    return Understood(plain["field"], plain["op"], values, said, whys.get(said, Why.SAID))


def _attributes(plain: Mapping[str, Any]) -> dict[str, Value]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()
    }
