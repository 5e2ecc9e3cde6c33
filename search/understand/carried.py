"""Whether filters say all that a text says, so that what they let through is what was asked for."""

from search.understand.decision import Understanding
from search.understand.thesaurus import Thesaurus


def is_carried(text: str, said: Understanding, thesaurus: Thesaurus) -> bool:
    """Whether each word of a text is part of a filter, or only joins others: "shoes in black"."""
    told = {stem for demand in said.filters for stem in thesaurus.stems(demand.said)}
    phrases = (key for keys in thesaurus.grammar.values() for key in keys)
    joining = {stem for key in phrases for stem in thesaurus.spelt[key]}
    return bool(told) and not said.not_carried and told | joining >= set(thesaurus.stems(text))
