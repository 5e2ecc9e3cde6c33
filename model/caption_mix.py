"""How often a product is called what; apart from the code that does it, so that it loads fast."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptionMix:
    """How often a product is called what.

    Attributes:
        phrase_share: As people describe things, by a phrase of attributes; else as shops name them.
        text_share: Of the named ones those by a free text, where the catalog has any.
        keep_share: Of the words before the noun: "women red dress", "red dress", "dress".
        is_both: Whether every product is called both ways at once: two captions for one picture.
    """

    phrase_share: float = 0.5
    text_share: float = 0.25
    keep_share: float = 0.6
    is_both: bool = False


TITLES = CaptionMix(phrase_share=0, text_share=0)
"""Each product by its title; by its phrase only where it has no title."""
