"""From a word to the values that a field of the catalog has for it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from search.understand.decision import Why
from search.understand.thesaurus import Aspect, Thesaurus

FAMILIES = frozenset({"colour", "gender", "material"})
"""Aspects in which a word takes what is of its kind even where the catalog has its own value."""

_HEADS = frozenset({"colour", "garment", "material"})
"""Aspects in which the last word says what something is: navy *blue*, organic *cotton*."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One field that a word may be about.

    Attributes:
        field: Its name.
        values: The values that are meant, as the catalog spells them, most frequent first.
        refused: The values that "not" before the word excludes; fewer, where some were only near.
        why: How far the values lie from the word.
        count: How many products have them, about.
        distance: 0 where the field has a value for the word itself, 1 for what is of its kind, 2
            and more for what it is a kind of.
    """

    field: str
    values: tuple[str | bool, ...]
    refused: tuple[str | bool, ...]
    why: Why
    count: int
    distance: int = 0


class Resolver:
    """Finds the values of one field that a word of its aspect means.

    Args:
        field: The field's name.
        counts: Its values, with how many products have each.
        name: Its aspect.
        thesaurus: What words have to do with one another.
    """

    def __init__(
        self, field: str, counts: Mapping[str, int], name: str, thesaurus: Thesaurus
    ) -> None:
        self._field = field
        self._counts = counts
        self._aspect = thesaurus.aspects.get(name) or Aspect({}, {}, {}, {})
        self._is_family = name in FAMILIES
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        self._halves: defaultdict[str, list[str]] = defaultdict(list)
        self._heads: defaultdict[str, list[str]] = defaultdict(list)
        for value in counts:
            stems = thesaurus.stems(value)
            self._values["".join(stems)].append(value)
            if "and" in stems[1:-1]:  # "Necklace and Chains"
                place = stems.index("and", 1)
                self._halves["".join(stems[:place])].append(value)
                self._halves["".join(stems[place + 1 :])].append(value)
            elif name in _HEADS and len(stems) > 1 and "".join(stems) not in self._aspect.words:
                self._heads[stems[-1]].append(value)

    @property
    def words(self) -> Iterator[str]:
        """The words, by key, that the field's own values give a meaning."""
        yield from self._values
        yield from self._halves

    def choice(self, word: str) -> Choice | None:
        """The values for a word; None when the field has none."""
        others = self._aspect.same.get(word, ())
        own, same = self._direct(word, others)
        direct = (*own, *same)
        kinds = self._kinds(word) if self._is_family or not direct else ()
        if not (direct or kinds or self._is_family):
            kinds = same = self._kinds(*others)
        refused = (*direct, *kinds)
        if refused:
            words = (word, *others)
            also = self._all(more for each in words for more in self._aspect.also.get(each, ()))
            why = Why.SYNONYM if same else Why.SAID
            return self._choice(
                (*refused, *also), refused, why, 0 if direct or self._is_family else 1
            )
        near, distance = self._nearest(word)
        return self._choice(near, (), Why.NEAREST, distance) if near else None

    def _nearest(self, word: str) -> tuple[tuple[str, ...], int]:
        """The values of what the word is taken for, or what that is in turn; and how far up."""
        seen, level, distance = {word}, [word], 1
        while level:
            groups = [group for one in level for group in self._aspect.broader.get(one, ())]
            distance += 1
            for group in groups:
                found = tuple(value for one in group for value in self._with_same(one))
                if found or (self._is_family and (found := self._kinds(*group))):
                    return found, distance
            level = [one for one in dict.fromkeys(chain(*groups)) if one not in seen]
            seen.update(level)
        return (), 0

    def _kinds(self, *words: str) -> tuple[str, ...]:
        """The values of everything that is of a kind, however far down."""
        seen: dict[str, None] = {}
        left = [kind for word in words for kind in self._aspect.kinds.get(word, ())]
        while left:
            if (kind := left.pop()) not in seen:
                seen[kind] = None
                left += self._aspect.kinds.get(kind, ())
        found = [value for kind in seen for value in self._with_same(kind)]
        return (*found, *(v for word in (*words, *seen) for v in self._heads.get(word, ())))

    def _direct(self, word: str, others: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values called so, or else as others call it; by half a name if there are neither."""
        for named in (self._values, self._halves):
            own = tuple(named.get(word, ()))
            same = () if own else tuple(v for other in others for v in named.get(other, ()))
            if own or same:
                return own, same
        return (), ()

    def _with_same(self, word: str) -> tuple[str, ...]:
        return self._all((word, *self._aspect.same.get(word, ())))

    def _all(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(value for word in words for value in self._values.get(word, ()))

    def _choice(
        self, values: Iterable[str], refused: Iterable[str], why: Why, distance: int
    ) -> Choice:
        meant = self._ranked(values)
        count = sum(self._counts[value] for value in meant)
        return Choice(self._field, meant, self._ranked(refused), why, count, distance)

    def _ranked(self, values: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(set(values), key=lambda value: (-self._counts[value], value)))
