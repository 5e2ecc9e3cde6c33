"""Records from their plain form: the other direction of `dataclasses.asdict` and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def revived(kind: type[T], plain: object) -> T:
    """The record of this kind whose plain form this is.

    Args:
        kind: A dataclass; its fields are plain values, dataclasses, tuples of one kind of them,
            or None.
        plain: What `asdict` gave, also after a way through JSON.
    """
    return cast("T", _revived(kind, plain))


def _revived(kind: Any, plain: Any) -> object:
    if get_origin(kind) is UnionType:
        chosen = NoneType if plain is None else next(k for k in get_args(kind) if k is not NoneType)
        return _revived(chosen, plain)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return cast("Any", kind)(**{name: _revived(hints[name], plain[name]) for name in hints})
    if get_origin(kind) in (tuple, Sequence):
        return tuple(_revived(get_args(kind)[0], item) for item in plain)
    if get_origin(kind) in (dict, Mapping):
        return {name: _revived(get_args(kind)[1], item) for name, item in plain.items()}
    return plain
