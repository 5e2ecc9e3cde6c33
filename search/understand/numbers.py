"""Numbers in a text: "under $50", "between 20 and 40 €", "4+ stars", "since 2015"."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from goods.values import number
from search.understand.words import fold, name_words

_COMPARE = {
    "<": "under|below|beneath|less than|cheaper than|lower than|smaller than|fewer than"
    "|before|older than|<",
    "<=": "up to|upto|at most|max(?:imum)?|not exceeding|within|<=|\u2264",
    ">": "over|above|more than|greater than|higher than|larger than|exceeding|after|newer than|>",
    ">=": "at least|min(?:imum)?|from|starting at|starting from|since|upwards of|>=|\u2265",
    "~": "around|about|approximately|approx|roughly|circa|~",
}
_SUFFIX = {
    "<=": "or less|or under|or below|or cheaper|and under|and below|and less|max(?:imum)?|at most",
    ">=": r"\+|or more|or above|or over|or higher|or better|and up|and above|and over|and more"
    "|upwards",
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_AROUND = 0.2  # "around 50" is 40 to 60

_CURRENCY = r"[€$£¥₹]|\b(?:rs|inr|usd|eur|gbp|chf|euros?|dollars?|bucks?|pounds?|quid|rupees?)\b\.?"
_CURRENCY_BEFORE = r"[€$£¥₹]|\b(?:rs|inr|usd|eur|gbp|chf)\b\.?"
_OFF = r"%\s*(?:off|discount|reduced)|percent\s*(?:off|discount)"
_LENGTHS = r"(?:cm|mm|inch(?:es)?)\b"
_OTHER = (
    r"(?:months?|years?|yrs?|yo|packs?|pcs|pieces?|pairs?|ml|l|oz|g|kg|gb|denier|w|days?|th|st|nd"
    r"|rd|s|x|people|colou?rs|buttons?|pockets?|ply|mp|in\s?1)\b|[%\"°x]|['\u2019]s"
)
_UNIT_WORDS = frozenset(["cm", "mm", "inch", "in", "eur", "usd", "gbp", "inr", "kg", "g", "pct"])
_YEARISH = frozenset(["before", "older than", "after", "newer than", "since"])
_YEAR = re.compile(r"199\d|20[0-4]\d")
_PEOPLE = re.compile(r"\b(?:men|women|man|woman|ladies|people|anyone|those|adults|girls|boys)\s*$")
_ROLES = {
    "price": {"price", "prices", "cost", "mrp", "rrp", "msrp"},
    "rating": {"rating", "ratings", "stars", "score"},
    "discount": {"discount", "discounts", "reduction"},
    "year": {"year"},
    "size": {"size"},
}
_SPOKEN = {
    "price": ("price", "prices", "priced", "cost", "costs", "costing"),
    "rating": ("rating", "ratings", "rated"),
    "discount": ("discount", "discounted"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A place in a text that compares a number.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        role: What the number is: "price", "rating" and so on; otherwise the field's name.
        field: The field that it is about; None when the catalog has none for it.
        bounds: Operators with their numbers.
    """

    start: int
    end: int
    role: str
    field: str | None
    bounds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class NumberFields:
    """The number fields of a catalog, and how they are spoken of.

    Attributes:
        roles: Fields by what they are for: "price", "rating", "discount", "year", "size".
        named: Fields by the words that people may call them.
        pattern: Finds a comparison of one of them.
    """

    roles: Mapping[str, str]
    named: Mapping[str, str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> "NumberFields":
        """The fields with these names; `price` is preferred to `old_price`."""
        roles: dict[str, str] = {}
        named: dict[str, str] = {}
        for name in sorted(names, key=lambda name: (len(name), name)):
            words = name_words(name)
            spoken = " ".join(word for word in words if word not in _UNIT_WORDS)
            named.setdefault(spoken or fold(name), name)
            for role, known in _ROLES.items():
                if set(words) & known:
                    roles.setdefault(role, name)
        for role, field in roles.items():
            for spoken in _SPOKEN.get(role, ()):
                named.setdefault(spoken, field)
        return cls(roles, named, _pattern(named))

    def read(self, text: str) -> Iterator[Measured]:
        """The comparisons in a text of `plain`, in order."""
        if not any(map(str.isdigit, text)):
            return
        for found in self.pattern.finditer(text):
            if measured := self._measured(found, text):
                yield measured

    def _measured(self, found: re.Match[str], text: str) -> Measured | None:
        if found["v1"] and not (bounds := self._range(found)):
            return None
        if not found["v1"] and not (bounds := self._bound(found)):
            return None
        role = self._role(found, text)
        if role is None:
            return None
        field = self.named.get(_spoken(found["name"])) if found["name"] else self.roles.get(role)
        if role == "year" and bounds == ((">=", bounds[0][1]),) and found["compare"] != "since":
            bounds = (("=", bounds[0][1]),)
        return Measured(found.start(), found.end(), role, field, bounds)

    def _range(self, found: re.Match[str]) -> tuple[tuple[str, float], ...]:
        low, high = _value(found, 1), _value(found, 2)
        if low is None or high is None:
            return ()
        if found["k2"] and not found["k1"] and low < 1000 <= high:  # "1-2k"
            low *= 1000
        return ((">=", min(low, high)), ("<=", max(low, high)))

    def _bound(self, found: re.Match[str]) -> tuple[tuple[str, float], ...]:
        value = _value(found, 3 if found["compare"] else 4)
        if value is None:
            return ()
        op = _op(found["compare"] or found["suffix"] or "")
        if op == "~":
            return ((">=", value * (1 - _AROUND)), ("<=", value * (1 + _AROUND)))
        return ((_OPPOSITE[op] if found["no"] else op, value),)

    def _role(self, found: re.Match[str], text: str) -> str | None:
        """What the number is; None when nobody can tell, or it is none that fields hold."""
        units = [found[f"u{n}"] or "" for n in (1, 2, 3, 4)] + [found["tail"] or ""]
        money = any(found[f"c{n}"] for n in (1, 2, 3, 4)) or any(
            re.fullmatch(_CURRENCY, unit) for unit in units if unit
        )
        stars = any(unit.startswith("star") for unit in units)
        off = any(re.fullmatch(_OFF, unit) for unit in units if unit)
        other = any(units) and not money and not stars and not off
        is_bare = not (found["compare"] or found["suffix"] or found["v1"])
        if found["name"]:
            return None if is_bare and not self._is_size(found) else found["name"]
        if stars or off:
            return "rating" if stars else "discount"
        if other:
            return None
        if not money and self._is_year(found, is_bare):
            return "year"
        if is_bare or _spoken(found["compare"] or "") in _YEARISH:
            return None
        if money:
            return "price"
        if found["v1"] and (not found["between"]):
            return None
        if _op(found["compare"] or "") in (">", ">=") and _PEOPLE.search(text[: found.start()]):
            return None  # "for women over 50" is an age
        return "price"

    def _is_size(self, found: re.Match[str]) -> bool:
        return self.named.get(_spoken(found["name"])) == self.roles.get("size")

    def _is_year(self, found: re.Match[str], is_bare: bool) -> bool:
        values = [found[f"v{n}"] for n in (1, 2, 3, 4) if found[f"v{n}"]]
        if "year" not in self.roles or not all(map(_YEAR.fullmatch, values)):
            return False
        said = _spoken(found["compare"] or "")
        return is_bare or bool(found["v1"]) or said in _YEARISH or said == "from"


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """What finds "price under 50", "between 20 and 40", "20 - 40 €", "4+ stars" and "2015"."""
    longest_first = sorted(names, key=len, reverse=True)
    called = "|".join(re.escape(name).replace(r"\ ", r"[\s_-]*") for name in longest_first)
    compare, suffix = _alternatives(_COMPARE), _alternatives(_SUFFIX)
    return re.compile(
        rf"(?:\b(?P<name>{called or '(?!)'})\s*(?:is|of|:|=|at)?\s*)?"
        rf"(?:(?:\b(?P<between>between|from)\s+)?"
        rf"{_amount(1)}\s*(?:-|\bto\b|\band\b)\s*{_amount(2)}"
        rf"|(?:\b(?P<no>not|no|never)\s+)?(?P<compare>{compare})\s*(?:of|a|the|than)?\s*{_amount(3)}"
        rf"|{_amount(4)}(?:\s*(?P<suffix>{suffix})(?!\w))?)"
        rf"(?:\s*(?P<tail>{_CURRENCY}|stars?\b|{_OFF}))?",
    )


def _alternatives(table: Mapping[str, str]) -> str:
    """All alternatives, the longer before the shorter, as whole words where they are words."""
    every = sorted("|".join(table.values()).split("|"), key=len, reverse=True)
    return "|".join(rf"\b{one}(?![^\W\d])\.?" if one[0].isalpha() else one for one in every)


def _amount(place: int) -> str:
    return (
        rf"(?P<c{place}>{_CURRENCY_BEFORE})?\s*(?<![\w.,])(?P<v{place}>\d+(?:[.,]\d+)*)"
        rf"(?P<k{place}>k\b)?(?:\s*(?P<u{place}>{_CURRENCY}|stars?\b|{_OFF}|{_LENGTHS}|{_OTHER}))?"
        r"(?![\w])"
    )


def _value(found: re.Match[str], place: int) -> float | None:
    try:
        value = number(f"{found[f'v{place}']} €")  # beside a currency, "1.000" groups thousands
    except ValueError:
        return None
    return value * 1000 if found[f"k{place}"] else value


def _op(said: str) -> str:
    """The operator of a comparison; of a number alone, such as "4 star", at least that."""
    said = _spoken(said).rstrip(".")
    for op, alternatives in (*_COMPARE.items(), *_SUFFIX.items()):
        if said and re.fullmatch(alternatives, said):
            return op
    return ">="


def _spoken(said: str) -> str:
    return " ".join(re.split(r"[\s_-]+", said))
