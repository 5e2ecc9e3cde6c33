"""What each column of a catalog is for.

A `CatalogSchema` is inferred from the file (`goods.infer`), can be overridden by a small TOML
(`goods.overrides`), and is stored with the index. Filters, facets, captions and pages derive from
it; nothing else knows a column's name.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import chain, count
from typing import Any, Self
from unicodedata import normalize

from goods.errors import SchemaError

RESERVED_NAMES = frozenset({"id", "title", "picture", "group", "texts", "goods", "goods_thumbnail"})
"""Payload keys that the index keeps for itself; no field may take them."""

_NO_DECOMPOSITION = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae"})
"""Letters that Unicode does not take apart into a Latin one and its mark."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class FieldKind(StrEnum):
    """How a field is compared."""

    KEYWORD = "keyword"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Field:
    """One filterable attribute.

    Attributes:
        name: What people type and what the payload calls it: letters, digits, `_` and `-` only.
        kind: How it is compared.
        column: The catalog's own name for it.
        separator: What stands between several values in one cell of text; empty when a cell is one
            value. Of keyword fields only.
    """

    name: str
    kind: FieldKind
    column: str
    separator: str = ""


@dataclass(frozen=True, slots=True)
class CatalogSchema:
    """The role of every column that is used.

    Attributes:
        id: Column of the shop's id.
        picture: Column of the picture, or a template such as `images/{id}.jpg` over columns.
        title: Column of the product's name, if there is one.
        fields: Filterable attributes, in catalog order.
        texts: Columns of free text.
        group: Column that the variants of one design share.
        split: Column that assigns products to "train", "val" or "test".
        phrase: Names of keyword fields that read as a phrase in this order, the noun last
            (gender, colour, type); attribute captions are made of them.
        public_url: Where `goods serve` shows pictures to browsers; empty when it does not.
    """

    id: str
    picture: str
    title: str | None = None
    fields: tuple[Field, ...] = ()
    texts: tuple[str, ...] = ()
    group: str | None = None
    split: str | None = None
    phrase: tuple[str, ...] = ()
    public_url: str = ""

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise SchemaError(f"two fields are called {sorted(repeated)}; give each its own name")
        if taken := RESERVED_NAMES & set(names):
            raise SchemaError(
                f"fields cannot be called {sorted(taken)}: the index uses these names"
            )
        keywords = {field.name for field in self.fields if field.kind is FieldKind.KEYWORD}
        if unknown := [name for name in self.phrase if name not in keywords]:
            raise SchemaError(
                f"phrase names {unknown}, which are not keyword fields; "
                f"the keyword fields are {sorted(keywords)}"
            )

    @property
    def roles(self) -> frozenset[str]:
        """The columns that are no fields and no texts; a picture's template is none."""
        return frozenset(filter(None, (self.id, self.picture, self.title, self.group, self.split)))

    def field(self, name: str) -> Field | None:
        """The field with this name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def of_kind(self, kind: FieldKind) -> tuple[Field, ...]:
        """The fields of one kind, in catalog order."""
        return tuple(field for field in self.fields if field.kind is kind)

    def to_json(self) -> dict[str, Any]:
        """A plain form that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The schema that `to_json` wrote.

        Raises:
            SchemaError: The data has another shape.
        """
        try:
            fields = tuple(
                Field(f["name"], FieldKind(f["kind"]), f["column"], str(f.get("separator", "")))
                for f in data["fields"]
            )
            rest = {key: data[key] for key in ("id", "picture", "title", "group", "split")}
            texts, phrase = tuple(data["texts"]), tuple(data["phrase"])
            public_url = str(data.get("public_url", ""))  # came later than the others
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the stored schema cannot be read: {error!r}") from error
        return cls(fields=fields, texts=texts, phrase=phrase, public_url=public_url, **rest)


def field_names(columns: Sequence[str]) -> dict[str, str]:
    """A field name for every column, in ASCII letters, digits, `_` and `-`; each only once.

    "Price (EUR)" is called Price_EUR; a name of the index or of another column gets `_2`.
    """
    names: dict[str, str] = {}
    taken = set(RESERVED_NAMES)
    for place, column in enumerate(columns, 1):
        ascii_only = normalize("NFKD", column.translate(_NO_DECOMPOSITION)).encode(
            "ascii", "ignore"
        )
        slug = re.sub(r"[^A-Za-z0-9_-]+", "_", ascii_only.decode()).strip("_-") or f"field_{place}"
        copies = (f"{slug}_{number}" for number in count(2))
        name = next(name for name in chain([slug], copies) if name.lower() not in taken)
        taken.add(name.lower())
        names[column] = name
    return names


def picture_parts(picture: str, columns: Collection[str]) -> tuple[str, ...]:
    """A picture template as literal text and columns in turn; a column is ("", column, "")."""
    if picture in columns:
        return ("", picture, "")
    return tuple(_PLACEHOLDER.split(picture))


def to_toml(schema: CatalogSchema, columns: Sequence[str] = ()) -> str:
    """A schema file that leaves nothing to inference, for a catalog with these columns."""
    kinds = {field.column: field.kind for field in schema.fields}
    roles = {schema.id, schema.title, schema.group, schema.split, *schema.texts, *kinds}
    used = roles.union(picture_parts(schema.picture, columns))
    unused = [column for column in columns if column not in used]
    lists = {field.column: field.separator for field in schema.fields if field.separator}
    separators = ["[separators] # of several keywords in one cell", *_lines(lists), ""]
    return "\n".join(
        [
            "# What each column is for; an empty string switches a role off.",
            f"id = {_quoted(schema.id)}",
            f"picture = {_quoted(schema.picture)}",
            f"title = {_quoted(schema.title or '')}",
            f"group = {_quoted(schema.group or '')}",
            f"split = {_quoted(schema.split or '')}",
            f"texts = {_listed(schema.texts)}",
            f"phrase = {_listed(schema.phrase)}",
            f"ignore = {_listed(unused)}",
            "",
            "[fields] # keyword, number or boolean",
            *_lines(kinds),
            "",
            *(separators if lists else ()),
        ]
    )


def _lines(texts: Mapping[str, str]) -> list[str]:
    return [f"{_quoted(key)} = {_quoted(text)}" for key, text in texts.items()]


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's, except for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"
