"""What a shopper's text was understood as: every decision, visible and reversible."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from goods.index.conditions import AnyOf, Condition, Not, Range, Scalar

_BOUNDS: dict[str, Callable[[str, float], Range]] = {
    "<": lambda field, bound: Range(field, lt=bound),
    "<=": lambda field, bound: Range(field, lte=bound),
    ">": lambda field, bound: Range(field, gt=bound),
    ">=": lambda field, bound: Range(field, gte=bound),
}

_IN_WORDS = {"<": "under", "<=": "up to", ">": "over", ">=": "from"}


class Why(StrEnum):
    """How far what is used lies from what was said."""

    SAID = "said"
    SPELLING = "spelling"
    SYNONYM = "synonym"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Understood:
    """One demand.

    Attributes:
        field: The field that it is about.
        op: `=` (one of the values), `!=` (none of them), `<`, `<=`, `>` or `>=` (the one number).
        values: Values as the catalog spells them.
        said: The words that it was taken from.
        why: How far the values lie from these words.
    """

    field: str
    op: str
    values: tuple[Scalar, ...]
    said: str
    why: Why = Why.SAID

    @property
    def condition(self) -> Condition:
        """The demand as the index takes it."""
        if self.op in _BOUNDS:
            return _BOUNDS[self.op](self.field, float(self.values[0]))
        wanted = AnyOf(self.field, self.values)
        return wanted if self.op == "=" else Not(wanted)

    @property
    def key(self) -> str:
        """What a caller names the demand by, to have it left out."""
        return str(self)

    @property
    def label(self) -> str:
        """What a shopper reads: "Red or Blue", "not Sleeveless", "price under 50"."""
        name = self.field.replace("_", " ")
        if self.op in _BOUNDS:
            return f"{name} {_IN_WORDS[self.op]} {_shown(self.values[0])}"
        if all(isinstance(value, bool) for value in self.values):
            is_wanted = (True in self.values) == (self.op == "=")
            return name if is_wanted else f"not {name}"
        values = " or ".join(map(_shown, self.values))
        return values if self.op == "=" else f"not {values}"

    def __str__(self) -> str:
        return f"{self.field} {self.op} {', '.join(map(_shown, self.values))}"

    def to_json(self) -> dict[str, Any]:
        """A plain form: the value of `=` and `!=` is a list, of a comparison a number."""
        value = self.values[0] if self.op in _BOUNDS else list(self.values)
        return {
            "field": self.field,
            "op": self.op,
            "value": value,
            "from": self.said,
            "key": self.key,
            "label": self.label,
        }


@dataclass(frozen=True, slots=True)
class Substituted:
    """Words in whose place others are used, and why."""

    said: str
    used: tuple[str, ...]
    why: Why

    def __str__(self) -> str:
        return f"{self.said} → {', '.join(self.used)}"

    def to_json(self) -> dict[str, Any]:
        """A plain form."""
        return {"from": self.said, "to": list(self.used), "why": str(self.why)}


@dataclass(frozen=True, slots=True)
class NotCarried:
    """Words that ask for what this catalog cannot answer, and why."""

    said: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """A plain form."""
        return {"from": self.said, "why": self.why}


@dataclass(frozen=True, slots=True)
class Avoided:
    """A thing that is refused and that no field tells of: products that have it move down.

    Attributes:
        text: What it is, without the "not".
        names: What products may call it; at least the text.
    """

    text: str
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        """What a caller names it by, to have it left out."""
        return f"not {self.text}"

    def to_json(self) -> dict[str, Any]:
        """A plain form."""
        return {"text": self.text, "names": list(self.names), "key": self.key}


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text asks for.

    Attributes:
        text: What is left for the model: the text without what it refuses and without numbers that
            were understood. A text tower does not see a "not", and takes "under 40" for anything.
            Words that were understood stay: a picture of a red dress is nearest to "red dress".
        filters: What products have to hold to.
        boosts: What only moves products up, because catalogs fill the field in loosely (season,
            usage) or because the word could mean two things.
        substituted: Words for which others are used.
        not_carried: Demands that the catalog has nothing to answer with.
        avoided: Those of them that are refusals: what is shown last instead.
    """

    text: str
    filters: tuple[Understood, ...] = ()
    boosts: tuple[Understood, ...] = ()
    substituted: tuple[Substituted, ...] = ()
    not_carried: tuple[NotCarried, ...] = ()
    avoided: tuple[Avoided, ...] = ()

    @property
    def decisions(self) -> tuple[Understood | Avoided, ...]:
        """All that can be taken back."""
        return (*self.filters, *self.boosts, *self.avoided)

    def without(self, decisions: Iterable[Understood | Avoided]) -> "Understanding":
        """The same, but for some of its decisions: what clicking a chip away does."""
        gone = set(decisions)
        return replace(
            self,
            filters=tuple(demand for demand in self.filters if demand not in gone),
            boosts=tuple(demand for demand in self.boosts if demand not in gone),
            avoided=tuple(thing for thing in self.avoided if thing not in gone),
        )

    def with_refusals(self, of: Iterable["Understanding"]) -> "Understanding":
        """The same together with what other texts refuse, each decision once."""
        all_of = (self, *of)
        return Understanding(
            self.text,
            tuple({one.key: one for said in all_of for one in said.filters}.values()),
            self.boosts,
            tuple(dict.fromkeys(one for said in all_of for one in said.substituted)),
            tuple(dict.fromkeys(one for said in all_of for one in said.not_carried)),
            tuple({one.key: one for said in all_of for one in said.avoided}.values()),
        )

    def softened(self) -> "Understanding":
        """The same with every filter turned into a boost."""
        return replace(self, filters=(), boosts=self.filters + self.boosts)

    def to_json(self) -> dict[str, Any]:
        """A plain form for machines."""
        return {
            "text": self.text,
            "filters": [demand.to_json() for demand in self.filters],
            "boosts": [demand.to_json() for demand in self.boosts],
            "substituted": [change.to_json() for change in self.substituted],
            "not_carried": [missing.to_json() for missing in self.not_carried],
            "avoided": [thing.to_json() for thing in self.avoided],
        }

    def lines(self) -> Iterator[str]:
        """What people read, a line per kind of decision."""
        if self.filters:
            yield "understood: " + "; ".join(map(str, self.filters))
        if self.boosts:
            yield "moves up: " + "; ".join(map(str, self.boosts))
        if self.avoided:
            yield "moves down: " + "; ".join(thing.text for thing in self.avoided)
        if self.substituted:
            yield "substituted: " + "; ".join(map(str, self.substituted))
        if self.not_carried:
            yield "not carried: " + "; ".join(
                f"{missing.said} ({missing.why})" for missing in self.not_carried
            )


def _shown(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
