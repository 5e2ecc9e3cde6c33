"""Whether a catalog has what was asked for, judged by how close the best of what it lacks comes.

A model finds something for any text. What a cosine means depends on the model and on the catalog,
so it is measured: texts about each kind of thing in the catalog are asked with that kind left out.
The best scores of these are the background that is kept with the index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from goods.errors import GoodsError
from goods.index import AnyOf, Not, Vector, VectorIndex
from goods.index.words import query_words, share_of
from goods.schema import FieldKind

if TYPE_CHECKING:  # who only reads answers does without torch
    from model.encoder import Encoder

RELEVANCE_NOTE = "relevance"

FALSE_FULL = 0.05
"""Share of the texts about missing things that may pass for found by their looks."""

TEXTS = 300
"""Texts asked at most, half of them to set the threshold and half to judge it."""

FEWEST = 20
"""Texts without which nothing can be said."""

_NAMED = 10  # products looked at for one that has all the words
AT_LEAST = 3  # products of a kind, so that it is no slip of somebody's pen


@dataclass(frozen=True, slots=True)
class Background:
    """The best cosines for texts about things that the catalog lacks.

    Attributes:
        quantiles: 101 of them, from the lowest to the highest.
        threshold: From this cosine on, a picture counts as a good match.
    """

    quantiles: tuple[float, ...]
    threshold: float

    @classmethod
    def of(cls, note: Mapping[str, Any] | None) -> Self | None:
        """What was noted; None where nothing was, or by another version."""
        try:
            return cls(tuple(note["quantiles"]), float(note["threshold"])) if note else None
        except (KeyError, TypeError, ValueError):
            return None

    def closeness(self, cosine: float) -> float:
        """Share of the background below this cosine, 0 to 1."""
        return float(np.searchsorted(self.quantiles, cosine) / len(self.quantiles))


@dataclass(frozen=True, slots=True)
class Relevance:
    """How good the best match is.

    Attributes:
        is_good: It has all the words that were asked for, or looks closer than the threshold.
        closeness: Share of texts about missing things whose best match looks less close, 0 to 1.
    """

    is_good: bool
    closeness: float


def relevance(background: Background, cosine: float, words: float) -> Relevance:
    """How good a match is whose picture has this cosine, and which has this share of the words."""
    return Relevance(words >= 1 or cosine >= background.threshold, background.closeness(cosine))


@dataclass(frozen=True, slots=True)
class Wrong:
    """How often a judgement is wrong.

    Attributes:
        empty: Share of texts about things that are there, judged as missing.
        full: Share of texts about things that were left out, judged as there.
    """

    empty: float
    full: float


@dataclass(frozen=True, slots=True)
class RelevanceReport:
    """How often the judgement is wrong, on texts that did not set the threshold.

    Attributes:
        background: What was measured.
        texts: How many texts were judged.
        by_looks: How often it is wrong without the words.
        by_all: How often it is wrong as searches judge.
    """

    background: Background
    texts: int
    by_looks: Wrong
    by_all: Wrong

    def lines(self) -> list[str]:
        """What the threshold is, and how often it is wrong."""
        rules = {"by looks alone": self.by_looks, "by looks or words": self.by_all}
        return [
            f"a picture is a good match from cosine {self.background.threshold:.3f} on",
            *(
                f"{self.texts} other texts {rule}: {wrong.empty:.1%} missed that are there, "
                f"{wrong.full:.1%} found that are not"
                for rule, wrong in rules.items()
            ),
        ]


class FewKindsError(GoodsError):
    """A catalog has too few kinds of things to tell found from missing."""


def measure_relevance(index: VectorIndex, encoder: "Encoder") -> RelevanceReport:
    """Measure the background, keep it with the index, and judge it.

    Raises:
        FewKindsError: The catalog has too few kinds of things; all else is as it was.
    """
    kinds = list(_kinds(index))[:TEXTS]
    if len(kinds) < FEWEST:
        raise FewKindsError(
            f"the catalog has {len(kinds)} kinds of things that a text could ask for, {FEWEST} are "
            "needed to tell found from missing; name the nouns in --schema (phrase) when ingesting"
        )
    texts = [text for text, _ in kinds]
    vectors = encoder.texts(texts)
    there = [_best(index, t, v) for t, v in zip(texts, vectors, strict=True)]
    missing = [_best(index, t, v, Not(c)) for (t, c), v in zip(kinds, vectors, strict=True)]
    setting, judging = slice(0, None, 2), slice(1, None, 2)
    background = _background([cosine for cosine, _ in missing[setting]])
    index.write_note(RELEVANCE_NOTE, asdict(background))

    def wrong(*, use_words: bool) -> Wrong:
        good, bad = (
            np.mean([relevance(background, c, use_words * w).is_good for c, w in found[judging]])
            for found in (there, missing)
        )
        return Wrong(empty=1 - float(good), full=float(bad))

    return RelevanceReport(
        background, len(missing[judging]), wrong(use_words=False), wrong(use_words=True)
    )


def _background(missing: Sequence[float]) -> Background:
    quantiles = np.quantile(missing, np.linspace(0, 1, 101))
    return Background(
        tuple(round(float(q), 6) for q in quantiles), float(np.quantile(missing, 1 - FALSE_FULL))
    )


def _kinds(index: VectorIndex) -> Sequence[tuple[str, AnyOf]]:
    """Texts about the catalog's nouns, plain and with another word of its phrase, in a fixed order.

    With each comes the condition that what it is about holds to.
    """
    schema = index.contract.schema
    names = schema.phrase or tuple(f.name for f in schema.of_kind(FieldKind.KEYWORD))[-1:]
    if not names:
        return []
    *others, noun = names
    kinds: dict[str, AnyOf] = {}
    for thing in index.facet(noun, limit=TEXTS):
        if thing.count >= AT_LEAST:
            condition = AnyOf(noun, (thing.value,))
            kinds[str(thing.value)] = condition
            for other in others[-1:]:
                for word in index.facet(other, [condition], limit=3):
                    kinds[f"{word.value} {thing.value}"] = condition
    texts = sorted(kinds.items())
    np.random.default_rng(0).shuffle(texts)
    return texts


def _best(index: VectorIndex, text: str, vector: Vector, *held: Not) -> tuple[float, float]:
    """The best cosine, and the best share of the words, of the products under the conditions."""
    asked, schema = query_words(text), index.contract.schema
    found = index.search(vector, 1, conditions=held)
    named = index.search_words(asked, _NAMED, conditions=held)
    share = max((share_of(asked, one.payload, schema) for one in named), default=0.0)
    return found[0].score if found else -1.0, share
