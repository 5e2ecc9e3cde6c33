"""Queries as fingers, keyboards and clipboards garble them."""

import random
from collections.abc import Callable, Iterator, Sequence

from shopper_queries import Labelled

Mutation = Callable[[str, random.Random], str]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ACCENTS = {"a": "á", "e": "é", "i": "ï", "o": "ö", "u": "ü", "c": "ç", "n": "ñ"}


def mutated(
    queries: Sequence[Labelled], count: int, seed: int = 0
) -> Iterator[tuple[str, Labelled, str]]:
    """Name of the mutation, query, and what became of its text; every kind as often."""
    rng = random.Random(seed)
    for number in range(count):
        name, mutation = list(MUTATIONS.items())[number % len(MUTATIONS)]
        query = rng.choice(queries)
        yield name, query, mutation(query.text, rng)


def _typo(text: str, rng: random.Random) -> str:
    """One letter of a long word is missing, doubled, changed or swapped with the next."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if not long:
        return text
    chosen = rng.choice(long)
    word = words[chosen]
    at = rng.randrange(1, len(word) - 1)
    words[chosen] = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice(_LETTERS) + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


def _case(text: str, rng: random.Random) -> str:
    return "".join(rng.choice([letter.upper(), letter.lower()]) for letter in text)


def _spaces(text: str, rng: random.Random) -> str:
    gaps = [" ", "  ", "\t", "\u00a0", " \n", "\u2003"]
    spaced = "".join(rng.choice(gaps) if letter == " " else letter for letter in text)
    return rng.choice(gaps) + spaced + rng.choice(gaps)


def _order(text: str, rng: random.Random) -> str:
    """The words in any order."""
    words = text.split(" ")
    rng.shuffle(words)
    return " ".join(words)


def _unicode(text: str, rng: random.Random) -> str:
    """Accents, full-width letters, curly quotes and invisible characters."""
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(_ACCENTS.get(letter, letter) for letter in text)
    if kind == 1:
        return "".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" else x for x in text)
    if kind == 2:
        return text.replace("'", "\u2019").replace("-", "\u2010")
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice("\u200b\u00ad\ufeff\u200d") + text[at:]


def _marks(text: str, rng: random.Random) -> str:
    before, after = rng.choice(["", '"', "(", "¿", "#"]), rng.choice(["!", "?", "...", ")", " ♥"])
    return f"{before}{text}{after}"


MUTATIONS: dict[str, Mutation] = {
    "typo": _typo,
    "case": _case,
    "spaces": _spaces,
    "order": _order,
    "unicode": _unicode,
    "marks": _marks,
}
