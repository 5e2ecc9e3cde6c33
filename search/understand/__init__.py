"""Query understanding: a shopper's words as filters of this catalog, without a model.

from search.understand import Vocabulary, understand
understand("red dress under 50 not sleeveless", vocabulary).filters
"""

from search.understand.decision import (
    Avoided,
    NotCarried,
    Substituted,
    Understanding,
    Understood,
    Why,
)
from search.understand.read import understand
from search.understand.thesaurus import Thesaurus, read_thesaurus
from search.understand.unwanted import unwanted
from search.understand.vocabulary import Vocabulary

__all__ = [
    "Avoided",
    "NotCarried",
    "Substituted",
    "Thesaurus",
    "Understanding",
    "Understood",
    "Vocabulary",
    "Why",
    "read_thesaurus",
    "understand",
    "unwanted",
]
