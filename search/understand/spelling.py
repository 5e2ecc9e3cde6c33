"""Words with one slip of the finger, brought back to a word that is known."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

_SHORTEST = 4
"""Letters of a word that may be corrected: shorter ones are one letter from too many others."""


class Spelling:
    """Finds the known word that is one letter away: missing, added, changed, or two swapped.

    Known words are kept under each form that lacks one letter (as SymSpell does), so that a look-up
    costs a handful of dictionary accesses, however many words are known. The first letter has to
    be right: "best" stays, though a vest is one letter away.

    Args:
        known: Words to correct to.
        kept: Words that are right as they are.
        misspelt: Corrections that are more than one letter away, or shorter.
    """

    def __init__(
        self, known: Collection[str], kept: Collection[str], misspelt: Mapping[str, str]
    ) -> None:
        self._right = frozenset(known) | frozenset(kept)
        self._misspelt = dict(misspelt)
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(set(known)):
            if len(word) >= _SHORTEST and word.isalpha():
                for form in {word, *_shortened(word)}:
                    self._near[form].append(word)

    def meant(self, word: str) -> tuple[str, ...]:
        """The words that may have been meant, in order; none when this one is right."""
        if word in self._right:
            return ()
        if word in self._misspelt:
            return (self._misspelt[word],)
        if len(word) < _SHORTEST or not word.isalpha():
            return ()
        forms = {word, *_shortened(word)}
        near = {known for form in forms for known in self._near.get(form, ())}
        return tuple(sorted(known for known in near if _is_slip(word, known)))


def _shortened(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _is_slip(typed: str, known: str) -> bool:
    """Whether one edit leads from one to the other, and a likely one.

    Of four letters, a changed or added one leaves too little to tell by: "bear" is no beard.
    """
    first = 0
    while first < min(len(typed), len(known)) and typed[first] == known[first]:
        first += 1
    last = 0
    while last < min(len(typed), len(known)) - first and typed[-1 - last] == known[-1 - last]:
        last += 1
    one, other = typed[first : len(typed) - last], known[first : len(known) - last]
    if len(one) == len(other) == 2:
        return one == other[::-1]
    if not first or len(one) > 1 or len(other) > 1:
        return False
    return len(typed) > _SHORTEST or not one
