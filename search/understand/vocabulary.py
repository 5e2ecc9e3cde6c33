"""What the words of a shopper mean in one catalog: worked out once, looked up in microseconds."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from goods.schema import CatalogSchema, FieldKind
from search.understand.claims import claim, stock_claims
from search.understand.decision import Why
from search.understand.numbers import NumberFields
from search.understand.resolve import Choice, Resolver
from search.understand.sizes import size_key
from search.understand.spelling import Spelling
from search.understand.thesaurus import Thesaurus, shipped_thesaurus
from search.understand.words import name_words

Facets = Mapping[str, Mapping[str, int]]
"""By keyword or boolean field: its values with how many products have each; "true" and "false"."""

_ASPECT_NAMES = {
    "colour": "colour color colours colors shade",
    "garment": "category categories subcategory type class kind garment",
    "gender": "gender sex audience",
    "pattern": "pattern print motif graphical",
    "material": "material materials fabric composition textile",
    "sleeve": "sleeve sleeves",
    "occasion": "usage use occasion",
    "season": "season",
    "size": "size sizes",
    "brand": "brand brands vendor designer manufacturer label",
}
_ASPECT_OF = {word: aspect for aspect, words in _ASPECT_NAMES.items() for word in words.split()}
_CARRIED = ("colour", "garment", "gender", "pattern", "material", "sleeve")
"""Aspects of which the catalog having no value is worth telling."""

_MUCH_MORE = 1.25  # a coarser field has to find this much more to be preferred to the noun's
_FEW = 500  # values of a field up to which each is also known with the field's name
_TELLING = 5  # letters of a word that may stand for a name it is part of
_MOSTLY = 0.5  # share of a field's values that are colours, if it holds colours


class Sense(StrEnum):
    """What kind of thing a phrase is."""

    VALUE = "value"
    UNSURE = "unsure"  # a value in several respects
    MISSING = "missing"  # known, but this catalog has nothing like it
    IDIOM = "idiom"
    NOT = "not"
    OR = "or"
    WITH = "with"
    FOR = "for"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means in this catalog.

    Attributes:
        sense: What kind of thing it is.
        aspect: What it tells of a product; empty when that has no name.
        choices: The fields it may be about, the likeliest first; of several aspects if unsure.
    """

    sense: Sense
    aspect: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """Everything that understanding a text needs to know of a catalog.

    Attributes:
        thesaurus: What words have to do with one another.
        aspects: What each field tells of a product; empty where that has no name.
        phrases: Meanings by key, see `Thesaurus`.
        longest: Words of the longest phrase.
        spelling: Corrects slips.
        numbers: The number fields, and what each is for.
        sizes: The fields that hold sizes, with their values by key.
    """

    thesaurus: Thesaurus
    aspects: Mapping[str, str]
    phrases: Mapping[str, Meaning]
    longest: int
    spelling: Spelling
    numbers: NumberFields
    sizes: Mapping[str, Mapping[str, str]]

    @classmethod
    def build(
        cls, schema: CatalogSchema, facets: Facets, thesaurus: Thesaurus | None = None
    ) -> "Vocabulary":
        """The vocabulary of a catalog, from its schema and the values that its fields have."""
        thesaurus = thesaurus or shipped_thesaurus()
        aspects = {
            field.name: aspect_of(field.name, facets.get(field.name, {}), thesaurus)
            for field in schema.of_kind(FieldKind.KEYWORD)
        }
        noun = schema.phrase[-1] if schema.phrase else ""
        phrases = dict(_meanings(aspects, facets, thesaurus, noun))
        phrases |= _claims(
            [field.name for field in schema.of_kind(FieldKind.BOOLEAN)], facets, thesaurus
        )
        for sense in (Sense.NOT, Sense.OR, Sense.WITH, Sense.FOR, Sense.SKIP):
            phrases |= {key: Meaning(sense) for key in thesaurus.grammar[sense]}
        phrases = dict(_hints(aspects, facets, thesaurus)) | phrases
        idioms = {key: Meaning(Sense.IDIOM) for key in thesaurus.idioms}
        phrases = idioms | phrases
        values = [value for name in aspects for value in facets.get(name, ())]
        spelt = [thesaurus.stems(value) for value in values]
        spelt += [thesaurus.spelt[key] for key in phrases if key in thesaurus.spelt]
        known = {stem for stems in spelt for stem in stems}
        numbers = NumberFields.of(field.name for field in schema.of_kind(FieldKind.NUMBER))
        return cls(
            thesaurus,
            aspects | {field: role for role, field in numbers.roles.items()},
            phrases,
            max(map(len, spelt)),
            Spelling(known, thesaurus.everyday, thesaurus.misspelt),
            numbers,
            {
                name: {size_key(value): value for value in facets.get(name, ())}
                for name, aspect in aspects.items()
                if aspect == "size"
            },
        )

    def means(self, word: str) -> tuple[str | bool, ...]:
        """The likeliest field and its values for a word by key; itself if it has none alone."""
        meaning = self.phrases.get(word)
        if meaning is None or not meaning.choices:
            return (word,)
        return (meaning.choices[0].field, *meaning.choices[0].values)


def aspect_of(name: str, values: Iterable[str], thesaurus: Thesaurus) -> str:
    """What a keyword field tells of a product, by its name or else by its values."""
    for word in name_words(name):
        if word in _ASPECT_OF:
            return _ASPECT_OF[word]
    keys = {thesaurus.key(value) for value in values}
    shares = {
        len(keys & set(aspect.words)) / len(keys): found
        for found, aspect in thesaurus.aspects.items()
        if keys
    }
    best = max(shares, default=0.0)
    return shares[best] if best > _MOSTLY else ""


def _meanings(
    aspects: Mapping[str, str], facets: Facets, thesaurus: Thesaurus, noun: str
) -> Iterator[tuple[str, Meaning]]:
    """Every word that means a value, or could have."""
    found: defaultdict[str, dict[str, list[Choice]]] = defaultdict(dict)
    for name, aspect in aspects.items():
        counts = facets.get(name, {})
        if aspect == "size":
            counts = {value: n for value, n in counts.items() if re.fullmatch(r"\D+ \D+", value)}
        resolver = Resolver(name, counts, aspect, thesaurus)
        known = thesaurus.aspects[aspect].words if aspect in thesaurus.aspects else ()
        for word in dict.fromkeys((*known, *resolver.words)):
            choices = found[word].setdefault(aspect or name, [])
            if choice := resolver.choice(word):
                choices.append(choice)
                if len(counts) <= _FEW:
                    for phrase in _with_name(word, name, thesaurus):
                        found[phrase].setdefault(aspect or name, []).append(choice)
    for word, by_aspect in found.items():
        is_telling = word and word not in thesaurus.vague and not word.isdigit()
        if is_telling and (meaning := _meaning(by_aspect, noun)):
            yield word, meaning


def _hints(
    aspects: Mapping[str, str], facets: Facets, thesaurus: Thesaurus
) -> Iterator[tuple[str, Meaning]]:
    """The words that only one brand has in its name: enough to move its products up."""
    plain = {stem for stems in thesaurus.spelt.values() for stem in stems}
    for field, aspect in aspects.items():
        if aspect == "brand":
            having: defaultdict[str, list[str]] = defaultdict(list)
            for value in facets.get(field, ()):
                for stem in set(thesaurus.stems(value)) - plain:
                    having[stem].append(value)
            for stem, values in having.items():
                if len(values) == 1 and len(stem) >= _TELLING:
                    choice = Choice(field, tuple(values), (), Why.SAID, 0)
                    yield stem, Meaning(Sense.UNSURE, aspect, (choice,))


def _with_name(word: str, field: str, thesaurus: Thesaurus) -> Iterator[str]:
    """A word too vague to stand alone, beside the name of its field: "long sleeve"."""
    if word in thesaurus.vague:
        name = thesaurus.stem(name_words(field)[-1])
        yield f"{word}{name}"
        yield f"{name}{word}"


def _meaning(by_aspect: Mapping[str, list[Choice]], noun: str) -> Meaning | None:
    having = {aspect: choices for aspect, choices in by_aspect.items() if choices}
    if not having:
        aspect = next((aspect for aspect in by_aspect if aspect in _CARRIED), None)
        return Meaning(Sense.MISSING, aspect) if aspect else None
    if len(having) > 1:  # what the catalog says itself goes before what is only near
        said = {a: c for a, c in having.items() if any(one.why is Why.SAID for one in c)}
        having = said or having
    ranked = {aspect: tuple(_ranked(choices, noun)) for aspect, choices in having.items()}
    if len(ranked) == 1:
        [(aspect, choices)] = ranked.items()
        return Meaning(Sense.VALUE, aspect, choices)
    first = sorted(ranked, key=lambda aspect: aspect not in _CARRIED)  # "not navy" is the colour
    return Meaning(Sense.UNSURE, first[0], tuple(ranked[aspect][0] for aspect in first))


def _ranked(choices: list[Choice], noun: str) -> list[Choice]:
    """The fields by how well they have the word: its own value first, then the noun's field."""

    def rank(choice: Choice) -> tuple[int, float]:
        weight = choice.count * (_MUCH_MORE if choice.field == noun else 1)
        return choice.distance, -weight

    return sorted(choices, key=rank)


def _claims(names: Sequence[str], facets: Facets, thesaurus: Thesaurus) -> Mapping[str, Meaning]:
    """The words of the boolean fields; the name of one goes before what others make of it."""
    counts = {name: facets.get(name, {}) for name in names}
    said = [(name, *one) for name in names for one in stock_claims(name, counts[name], thesaurus)]
    said += [(name, *claim(name, counts[name], thesaurus)) for name in names]
    return {
        key: Meaning(Sense.VALUE, name, (choice,)) if choice else Meaning(Sense.MISSING, name)
        for name, key, choice in said
    }
