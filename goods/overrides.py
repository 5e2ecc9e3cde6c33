"""What a schema file says: a small TOML that people edit, and that goes before inference."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from goods.errors import SchemaError
from goods.schema import FieldKind, picture_parts


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a schema file says; None leaves the choice to inference.

    Attributes:
        id: Column of the shop's id.
        picture: Column of the picture, or a template over columns.
        title: Column of the product's name; empty for none.
        group: Column that variants share; empty for none.
        split: Column of "train", "val" and "test"; empty for none.
        texts: Columns of free text.
        phrase: Names of the keyword fields that read as a phrase.
        ignore: Columns that stay unused.
        fields: Kinds by column, beside the inferred ones.
        separators: What stands between several keywords in a cell, by column; such a column is one
            of `fields`, too.
    """

    id: str | None = None
    picture: str | None = None
    title: str | None = None
    group: str | None = None
    split: str | None = None
    texts: tuple[str, ...] | None = None
    phrase: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    fields: Mapping[str, FieldKind] = field(default_factory=dict)
    separators: Mapping[str, str] = field(default_factory=dict)

    @property
    def settled(self) -> frozenset[str]:
        """The columns whose use is said outright; those in a picture template are still free."""
        roles = {self.id, self.picture, self.title, self.group, self.split}
        return frozenset({*filter(None, roles), *(self.texts or ()), *self.fields})


def picture_columns(picture: str, columns: Collection[str]) -> tuple[str, ...]:
    """The columns that a picture column or template stands on.

    Raises:
        SchemaError: It is neither a column nor a template over columns.
    """
    named = picture_parts(picture, columns)[1::2] or (picture,)
    return tuple(_known(column, columns, "picture: there is no column") for column in named)


def read_overrides(path: Path, columns: Collection[str]) -> Overrides:
    """What a schema file says about a catalog with these columns.

    Raises:
        SchemaError: The file cannot be read, contradicts itself, or names what does not exist.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return _overrides(said, columns)
    except OSError as error:
        raise SchemaError(f"{path}: the schema file cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SchemaError(f"{path}: the schema file is not TOML: {error}") from error
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from error


def _overrides(said: Mapping[str, object], columns: Collection[str]) -> Overrides:
    for key in said:
        _known(key, [field.name for field in fields(Overrides)], "there is no key")
    separators = _separators(said, columns)
    kinds = dict.fromkeys(separators, FieldKind.KEYWORD) | _kinds(said, columns)
    if others := sorted(c for c in separators if kinds[c] is not FieldKind.KEYWORD):
        raise SchemaError(
            f"separators lists {others}, which fields says are no keywords; only those are several"
        )
    told = Overrides(
        id=_column(said, "id", columns),
        picture=_text(said, "picture"),
        title=_column(said, "title", columns),
        group=_column(said, "group", columns),
        split=_column(said, "split", columns),
        texts=_columns(said, "texts", columns),
        phrase=_texts(said, "phrase"),
        ignore=_columns(said, "ignore", columns) or (),
        fields=kinds,
        separators={column: separator for column, separator in separators.items() if separator},
    )
    used = told.settled.union(picture_columns(told.picture, columns) if told.picture else ())
    if contradicted := sorted(used.intersection(told.ignore)):
        raise SchemaError(f"ignore lists {contradicted}, which the file also gives a use")
    return told


def _text(said: Mapping[str, object], key: str) -> str | None:
    text = said.get(key)
    if text is None or isinstance(text, str):
        return text
    if text is False:
        return ""
    raise SchemaError(f"{key} is {text!r}; write the name of a column, in quotes")


def _texts(said: Mapping[str, object], key: str) -> tuple[str, ...] | None:
    texts = said.get(key)
    if texts is None:
        return None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise SchemaError(f"{key} is {texts!r}; write a list of names, each in quotes")
    return tuple(texts)


def _column(said: Mapping[str, object], key: str, columns: Collection[str]) -> str | None:
    column = _text(said, key)
    return _known(column, columns, f"{key}: there is no column") if column else column


def _columns(
    said: Mapping[str, object], key: str, columns: Collection[str]
) -> tuple[str, ...] | None:
    listed = _texts(said, key)
    for column in listed or ():
        _known(column, columns, f"{key}: there is no column")
    return listed


def _kinds(said: Mapping[str, object], columns: Collection[str]) -> dict[str, FieldKind]:
    table = _table(said, "fields", columns)
    for column, kind in table.items():
        _known(kind, [*map(str, FieldKind)], f"fields: {column} cannot have the kind")
    return {column: FieldKind(kind) for column, kind in table.items()}


def _separators(said: Mapping[str, object], columns: Collection[str]) -> dict[str, str]:
    """As said; an empty one makes a column keywords of one value each."""
    table = _table(said, "separators", columns)
    for column, separator in table.items():
        if not isinstance(separator, str):
            raise SchemaError(
                f"separators: {column} is {separator!r}; write what stands between two values, "
                'in quotes, such as "|"'
            )
    return dict(table)


def _table(said: Mapping[str, object], key: str, columns: Collection[str]) -> Mapping[str, Any]:
    table = said.get(key, {})
    if not isinstance(table, dict):
        raise SchemaError(f"{key} is {table!r}; write a table: [{key}], then one column per line")
    for column in table:
        _known(column, columns, f"{key}: there is no column")
    return table


def _known(name: str, names: Collection[str], problem: str) -> str:
    """The name, when it is one of these names; otherwise a SchemaError with the nearest."""
    if name in names:
        return name
    nearest = get_close_matches(str(name), names, n=1)
    remedy = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(names)}"
    raise SchemaError(f"{problem} {name!r}; {remedy}")
