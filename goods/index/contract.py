"""What every index holds, whichever engine keeps it: names, payload, payload indexes, model stamp.

A point is one product. Its id is `Product.point_id`, its vector has length 1, beside it a sparse
vector holds its words (`goods.index.words`), and its payload is

    id, title, picture, group, texts    the product, as its columns' roles name it
    <field name>                        one key per filterable attribute, so that operators can
                                        filter by it in the engine's own console
    goods                               the fingerprint that decides what a re-run has to do
    goods_thumbnail                     where `goods serve` shows the picture, if that was said

`picture` is the location itself: Qdrant's console shows a thumbnail for a top-level string that is
an absolute URL ending in a picture's suffix. Of pictures in files, `goods_thumbnail` is one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from goods.errors import IndexStoreError, ModelMismatchError, SchemaError
from goods.product import Picture, Product, Value
from goods.schema import CatalogSchema, Field, FieldKind

LAYOUT = 2
"""Version of a point's layout; an index of another version has to be rebuilt. 2 brought words."""

GROUP = "group"
"""The payload's key for what all variants of a product share."""

THUMBNAIL = "goods_thumbnail"
"""The payload's key for where browsers see the picture."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What the vectors of one index are, so that nobody searches them with something else.

    Attributes:
        dimension: Length of every vector.
        model: Name or folder of the checkpoint that made them.
        stamp: Digest of that checkpoint (`Encoder.stamp`).
        schema: The catalog's columns and their roles.
        layout: Version of a point's layout.
    """

    dimension: int
    model: str
    stamp: str
    schema: CatalogSchema
    layout: int = LAYOUT

    @property
    def indexed(self) -> tuple[Field, ...]:
        """What conditions may name: the schema's fields, and the variant group if there is one."""
        group = self.schema.group
        variants = () if group is None else (Field(GROUP, FieldKind.KEYWORD, group),)
        return self.schema.fields + variants

    def to_json(self) -> dict[str, Any]:
        """A form in JSON's own types that `from_json` reads back; equal for equal contracts."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any], address: str) -> Self:
        """The contract that `to_json` wrote.

        Raises:
            IndexStoreError: Something else is stored at this address, or another layout.
        """
        try:
            if (layout := int(data["layout"])) != LAYOUT:
                raise IndexStoreError(
                    f"{address} has layout {layout}, this version of goods reads {LAYOUT}; "
                    "ingest again with --rebuild"
                )
            return cls(
                dimension=int(data["dimension"]),
                model=str(data["model"]),
                stamp=str(data["stamp"]),
                schema=CatalogSchema.from_json(data["schema"]),
            )
        except (KeyError, TypeError, ValueError, SchemaError) as error:
            raise IndexStoreError(
                f"{address} is not an index made by goods ({error!r}); "
                "choose another place, or ingest again with --rebuild"
            ) from error


def check_same_model(address: str, existing: Contract, stamp: str, model: str) -> None:
    """Refuse to use an index with another model than the one that made it.

    Raises:
        ModelMismatchError: The stamps differ.
    """
    if existing.stamp != stamp:
        raise ModelMismatchError(
            f"the vectors in {address} were made by {existing.model} (stamp {existing.stamp}), "
            f"not by {model} (stamp {stamp}); "
            "use the first, or ingest with --rebuild to embed the catalog again"
        )


def check_continues(address: str, existing: Contract, wanted: Contract) -> None:
    """Refuse to write into an index under a contract that its points do not keep.

    Raises:
        ModelMismatchError: Another model made its vectors.
        SchemaError: A field is compared in another way; a few bad cells can make a column of
            numbers look like keywords.
    """
    check_same_model(address, existing, wanted.stamp, wanted.model)
    for field in wanted.schema.fields:
        before = existing.schema.field(field.name)
        if before is not None and before.kind is not field.kind:
            raise SchemaError(
                f"{field.name} is a {before.kind} in {address} and looks like a {field.kind} in "
                f"this catalog: say which in --schema ([fields] {field.column} = "
                f'"{before.kind}"), or ingest with --rebuild'
            )


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digests of what a point was made from; equal digests mean that nothing has to be done."""

    picture: str
    payload: str


def payload_of(product: Product, fingerprint: Fingerprint) -> dict[str, Any]:
    """The payload that an index keeps for a product."""
    payload: dict[str, Any] = {"id": product.id, "picture": product.picture.location}
    if product.title:
        payload["title"] = product.title
    if product.group is not None:
        payload[GROUP] = product.group
    if product.texts:
        payload["texts"] = dict(product.texts)
    if product.thumbnail:
        payload[THUMBNAIL] = product.thumbnail
    for name, value in product.attributes.items():
        payload[name] = list(value) if isinstance(value, tuple) else value
    payload["goods"] = asdict(fingerprint)
    return payload


def vector_selector(with_vectors: bool) -> list[str] | bool:
    """What engines call the vector without a name, or no vector; the words are never read back."""
    return [""] if with_vectors else False


def payload_selector(keys: Sequence[str] | None) -> bool | list[str]:
    """What both engines take for: the whole payload, these top-level keys, or (no key) nothing."""
    return True if keys is None else list(keys) or False


def product_of(payload: Mapping[str, Any], schema: CatalogSchema) -> Product:
    """The product that `payload_of` wrote."""
    present = {f.name: payload[f.name] for f in schema.fields if f.name in payload}
    attributes: dict[str, Value] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in present.items()
    }
    return Product(
        id=payload["id"],
        picture=Picture(payload["picture"]),
        title=payload.get("title", ""),
        attributes=attributes,
        texts=payload.get("texts", {}),
        group=payload.get(GROUP),
        thumbnail=payload.get(THUMBNAIL, ""),
    )


def fingerprint_of(payload: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint inside a payload."""
    return Fingerprint(**payload["goods"])
