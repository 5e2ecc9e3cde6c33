"""What a text asks for that names what is not wanted: "lace", typed where it says "without"."""

from search.understand.avoided import thing
from search.understand.decision import NotCarried, Understanding, Understood
from search.understand.read import understand
from search.understand.vocabulary import Vocabulary
from search.understand.words import clean

_WITHOUT = "without"


def unwanted(text: str, vocabulary: Vocabulary) -> Understanding:
    """The refusals that a text stands for; nothing of what it says is wanted.

    What cannot be refused by filters alone, as "red dress" would refuse red and want a dress, is
    avoided as a whole.
    """
    refused = clean(f"{_WITHOUT} {text}")
    said = understand(refused, vocabulary)
    is_value = [demand.said for demand in said.filters] == [refused]  # "without sleeves"
    is_refusal = not said.text and not said.boosts and all(map(_refuses, said.filters))
    if is_value or (is_refusal and said.decisions):
        return said
    return Understanding(
        "",
        not_carried=(NotCarried(refused, "no value to exclude"),),
        avoided=(thing(clean(text), vocabulary.thesaurus),),
    )


def _refuses(demand: Understood) -> bool:
    return demand.op == "!=" or demand.values == (False,)
