"""What words of fashion have to do with one another: the shipped table, and a shop's own."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from goods.errors import GoodsError
from search.understand.words import fold, singular, tokens

SHIPPED = Path(__file__).with_name("thesaurus.toml")

_LISTS = ("plurals", "vague", "parts", "everyday")
_GRAMMAR = ("not", "or", "with", "for", "skip")


class ThesaurusError(GoodsError):
    """A file of synonyms cannot be read."""


@dataclass(frozen=True)
class Aspect:
    """What words tell of a product in one respect, such as its colour; all by key.

    Attributes:
        same: A word, and others for the same thing.
        kinds: A word, and what is of its kind.
        also: A word, and what someone who says it takes as well.
        near: A word, and what it is taken for, all of it, where it is missing.
    """

    same: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, tuple[str, ...]]
    also: Mapping[str, tuple[str, ...]]
    near: Mapping[str, tuple[str, ...]]

    @cached_property
    def broader(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """A word, and what it is taken for where it is missing: the first that is there."""
        found: defaultdict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
        kinds = ((kind, (parent,)) for parent, kinds in self.kinds.items() for kind in kinds)
        for one, instead in (*self.near.items(), *kinds):
            for word in (one, *self.same.get(one, ())):
                found[word][instead] = None
        return {word: tuple(groups) for word, groups in found.items()}

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word of it."""
        kinds = (kind for kinds in self.kinds.values() for kind in kinds)
        return tuple(dict.fromkeys((*self.same, *self.kinds, *kinds, *self.near)))


@dataclass(frozen=True)
class Thesaurus:
    """The relations by aspect, and the words that need care.

    Words and phrases are known by their key: their words in the singular, without gaps, so that
    "T-Shirts", "tee shirt" and "teeshirts" need no care of their own.

    Attributes:
        aspects: Relations by aspect: colour, garment, gender and so on.
        plurals: Words that are another one without their last letter.
        vague: Words that alone say too little.
        parts: What a colour may be said of without being the product's own.
        everyday: Words that are no misspellings.
        idioms: Phrases in which the words mean something else.
        misspelt: Corrections that are more than one letter away.
        grammar: Words that refuse, join, accompany, or may be passed over.
        spelt: The words of every key.
    """

    plurals: frozenset[str]
    vague: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    everyday: frozenset[str] = frozenset()
    idioms: tuple[str, ...] = ()
    misspelt: Mapping[str, str] = field(default_factory=dict)
    grammar: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    spelt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stem(self, word: str) -> str:
        """The one form of a folded word."""
        return singular(word, self.plurals)

    def stems(self, text: str) -> tuple[str, ...]:
        """The words of a text, each in its one form."""
        return tuple(self.stem(token.raw) for token in tokens(text))

    def key(self, text: str) -> str:
        """What a word or phrase is known by."""
        return "".join(self.stems(text))


@cache
def shipped_thesaurus() -> Thesaurus:
    """The table that comes with the package."""
    return read_thesaurus()


def read_thesaurus(*own: Path) -> Thesaurus:
    """The shipped table with a shop's own files added to it.

    Raises:
        ThesaurusError: A file is missing, is no TOML, or has another form.
    """
    tables: dict[str, Any] = {}
    for file in (SHIPPED, *own):
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ThesaurusError(f"{file}: the synonyms cannot be read: {error}") from error
        try:
            _add(tables, table)
        except TypeError as error:
            raise ThesaurusError(
                f"{file}: {error}; it has the form of {SHIPPED.name}: "
                '[colour] same = ["cream = ecru"], [colour.kinds] red = "scarlet, brick"'
            ) from error
    return _thesaurus(tables)


def _add(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    """Merge a table: tables by key, lists and lists of words one after the other."""
    for key, value in table.items():
        known = into.get(key)
        if isinstance(value, dict):
            if not isinstance(known, dict | None):
                raise TypeError(f"{key} is not a table")
            _add(into.setdefault(key, {}), value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            if not isinstance(known, list | None):
                raise TypeError(f"{key} is not a list")
            into[key] = (known or []) + value
        elif isinstance(value, str):
            if not isinstance(known, str | None):
                raise TypeError(f"{key} is not a text")
            joint = " " if key in _LISTS else ", "
            into[key] = f"{known}{joint}{value}" if known else value
        else:
            raise TypeError(f"{key} = {value!r} is neither a table, a list of texts nor a text")


def _thesaurus(tables: dict[str, Any]) -> Thesaurus:
    words, grammar = tables.pop("words"), tables.pop("grammar")
    sets = {name: frozenset(fold(word) for word in words[name].split()) for name in _LISTS}
    bare = Thesaurus(plurals=sets["plurals"])
    spelt: dict[str, tuple[str, ...]] = {}

    def key(text: str) -> str:
        stems = bare.stems(text)
        spelt.setdefault("".join(stems), stems)
        return "".join(stems)

    return Thesaurus(
        plurals=sets["plurals"],
        vague=frozenset(map(bare.stem, sets["vague"])),
        parts=sets["parts"],
        everyday=frozenset(map(bare.stem, sets["everyday"])),
        idioms=tuple(map(key, words["idioms"])),
        misspelt={bare.stem(fold(w)): bare.stem(fold(r)) for w, r in words["misspelt"].items()},
        grammar={name: tuple(map(key, grammar[name])) for name in _GRAMMAR},
        aspects={
            name: Aspect(
                _same(map(key, line.split("=")) for line in table.get("same", ())),
                *(
                    {key(w): tuple(map(key, k.split(","))) for w, k in table.get(of, {}).items()}
                    for of in ("kinds", "also", "near")
                ),
            )
            for name, table in tables.items()
        },
        spelt=spelt,
    )


def _same(groups: Iterable[Iterator[str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for group in groups:
        words = tuple(dict.fromkeys(group))
        for word in words:
            found[word].update(dict.fromkeys(other for other in words if other != word))
    return {word: tuple(others) for word, others in found.items()}
