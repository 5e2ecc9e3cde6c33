"""What answers say, as models that document and check them, and how they are made."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from goods.product import Product, Value, picture_path
from goods.urls import is_url
from search.answer import Answer

Shown = str | float | bool | list[str]


class View(BaseModel):
    """A JSON object with just these keys."""

    model_config = ConfigDict(extra="forbid")


class Variant(View):
    """A product of the same group."""

    id: str
    title: str
    attributes: dict[str, Shown]
    picture_url: str


class HitView(View):
    """One product that was found; see `search.Hit`."""

    id: str
    score: float
    words: float
    title: str
    picture: str | None
    picture_url: str
    group: str | None
    attributes: dict[str, Shown]
    matched: dict[str, Shown]
    variants: list[Variant]
    variant_count: int


class Count(View):
    """How many products have a value."""

    value: str | bool
    count: int


class RangeView(View):
    """How many products have a number in a range."""

    low: float
    high: float
    count: int


class NumberView(View):
    """A number field of the products."""

    low: float
    high: float
    ranges: list[RangeView]


class RelevanceView(View):
    """How good the best match is."""

    is_good: bool
    closeness: float


class Demand(View):
    """A filter or boost that a text was understood as; `ignore=KEY` leaves it out."""

    field: str
    op: str
    value: list[str | float | bool] | float
    said: Annotated[str, Field(alias="from")]
    key: str
    label: str


class SubstitutedView(View):
    """Words in whose place others are used."""

    said: Annotated[str, Field(alias="from")]
    to: list[str]
    why: str


class NotCarriedView(View):
    """Words that ask for what the catalog cannot answer."""

    said: Annotated[str, Field(alias="from")]
    why: str


class AvoidedView(View):
    """A thing that is refused and that moves products down; `ignore=KEY` leaves it out."""

    text: str
    names: list[str]
    key: str


class UnderstandingView(View):
    """What a text was understood as."""

    text: str
    filters: list[Demand]
    boosts: list[Demand]
    substituted: list[SubstitutedView]
    not_carried: list[NotCarriedView]
    avoided: list[AvoidedView]


class AnswerView(View):
    """What a search gives; see `search.Answer`."""

    total: int
    relevance: RelevanceView | None
    next: str | None
    hits: list[HitView]
    facets: dict[str, list[Count]]
    numbers: dict[str, NumberView]
    understanding: UnderstandingView | None
    relaxed: list[Demand]
    encode_ms: float
    index_ms: float


class FacetsView(View):
    """What the products under some filters have."""

    facets: dict[str, list[Count]]
    numbers: dict[str, NumberView]
    total: int


class ProductView(View):
    """A product, and its variants."""

    id: str
    title: str
    group: str | None
    attributes: dict[str, Shown]
    picture: str | None
    picture_url: str
    variants: list[Variant]


class SuggestionView(View):
    """One way to go on typing."""

    text: str
    field: str | None
    value: str | None
    count: int


class SuggestionsView(View):
    """Ways to go on typing, the most frequent first."""

    suggestions: list[SuggestionView]


class FieldView(View):
    """One field of the catalog."""

    name: str
    kind: str


class SchemaView(View):
    """What the shop has."""

    name: str
    products: int
    model: str
    fields: list[FieldView]
    group: bool
    currency: str | None
    indexes: list[str]
    models: dict[str, str]


class Problem(View):
    """What went wrong, and what to do about it."""

    code: str
    message: str


class ErrorView(View):
    """How every failure is told."""

    error: Problem


def public_location(location: str) -> str | None:
    """A picture's own location, if everybody may see it: no path, and no name and password."""
    return location if is_url(location) and "@" not in urlsplit(location).netloc else None


def answer_view(answer: Answer) -> dict[str, Any]:
    """The answer as callers get it."""
    plain = answer.to_json()
    for shown, hit in zip(plain["hits"], answer.hits, strict=True):
        shown["attributes"] = attributes_view(hit.product.attributes)
        shown["matched"] = attributes_view(hit.matched)
        shown["picture"] = public_location(hit.product.picture.location)
        shown["picture_url"] = picture_path(hit.product.id)
        shown["variants"] = [variant_view(variant) for variant in hit.variants]
    return plain


def product_view(product: Product, variants: list[Product]) -> dict[str, Any]:
    """A product as callers get it."""
    return {
        **variant_view(product),
        "group": product.group,
        "picture": public_location(product.picture.location),
        "variants": [variant_view(variant) for variant in variants],
    }


def variant_view(product: Product) -> dict[str, Any]:
    """A product in short."""
    return {
        "id": product.id,
        "title": product.title,
        "attributes": attributes_view(product.attributes),
        "picture_url": picture_path(product.id),
    }


def attributes_view(attributes: Mapping[str, Value]) -> dict[str, Shown]:
    """Attributes in JSON's own types."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in attributes.items()
    }
