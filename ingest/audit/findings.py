"""What an audit finds: one record for every kind of fault, and what to do about each kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from goods.product import Product, Value


class Kind(StrEnum):
    """What can be wrong, what costs most sales first: the order of the report."""

    NOT_A_PRODUCT = "row that is no product"
    UNREADABLE = "unreadable picture"
    BLANK = "blank picture"
    PLACEHOLDER = "placeholder picture"
    MISSING_PRICE = "missing price"
    ODD_PRICE = "odd price"
    LABEL = "label against picture"
    TYPO = "value that looks like a typo"
    SPELLING = "value spelled in several ways"
    TITLE_CLASH = "same title, other attribute"
    SAME_ID = "ids that look the same"
    EXACT_TWINS = "same picture file"
    NEAR_TWINS = "same photograph"
    ODD_NUMBER = "odd number"
    MISSING_VALUES = "missing values"
    SMALL = "small picture"
    VARIANTS = "variants with one picture"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a kind of finding means, and what a merchandiser does about it."""

    meaning: str
    action: str


ADVICE = {
    Kind.NOT_A_PRODUCT: Advice(
        "Rows of the file that no shopper will ever find.", "Repair the row in the shop's system."
    ),
    Kind.UNREADABLE: Advice(
        "The picture is gone, damaged, too large or no picture.", "Upload the picture again."
    ),
    Kind.BLANK: Advice("The picture has one colour.", "Replace the picture."),
    Kind.PLACEHOLDER: Advice(
        "One picture stands for products that are not alike: probably “no picture yet”.",
        "Photograph these products, or hide them until then.",
    ),
    Kind.MISSING_PRICE: Advice("There is no price.", "Enter the price."),
    Kind.ODD_PRICE: Advice(
        "The price is zero, negative, or far from those of its category.",
        "Check the decimal point and the currency.",
    ),
    Kind.LABEL: Advice(
        "Products that look alike have another value, and the model prefers it, too.",
        "Look at the picture: take the suggested value, or keep the given one.",
    ),
    Kind.TYPO: Advice(
        "A rare value is one letter away from a common one.",
        "Replace it by the suggested value if it means the same.",
    ),
    Kind.SPELLING: Advice(
        "Values that differ in capitals, spaces, punctuation or the plural split one shelf in two.",
        "Keep the suggested spelling.",
    ),
    Kind.TITLE_CLASH: Advice(
        "Products of one title nearly always share this attribute; these do not.",
        "Decide which value is right, or tell the titles apart.",
    ),
    Kind.SAME_ID: Advice(
        "Ids that differ in capitals or spaces alone.",
        "Find out whether it is one product; delete the other.",
    ),
    Kind.EXACT_TWINS: Advice(
        "Different products show the very same file.",
        "Delete doubles, or give each product its own picture; variants need a group column.",
    ),
    Kind.NEAR_TWINS: Advice(
        "Different products show the same photograph, saved anew.",
        "Delete doubles, or give each product its own picture; variants need a group column.",
    ),
    Kind.ODD_NUMBER: Advice(
        "A number is far from all others of its field.", "Check the number and its unit."
    ),
    Kind.MISSING_VALUES: Advice(
        "Filters by this field never show these products.",
        "Fill the field, fullest categories first.",
    ),
    Kind.SMALL: Advice(
        "The picture has fewer pixels than a product page shows.", "Upload a larger one."
    ),
    Kind.VARIANTS: Advice(
        "Variants of one product that share a picture: usually as it should be.", "Nothing."
    ),
}
"""In the order of `Kind`, each kind once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    Attributes:
        kind: What is wrong.
        note: The same as a sentence, about this case.
        confidence: How sure, 0 to 1. Facts have 1; of guesses, those with more are more often
            right.
        products: Whom it concerns, the shop's ids; of `count` products perhaps only examples.
        count: How many products it concerns.
        field: The attribute that is wrong, if one is.
        given: Its value.
        suggested: The value that is probably right, if one is known.
        beside: Ids of products to compare with.
    """

    kind: Kind
    note: str
    confidence: float = 1.0
    products: tuple[str, ...] = ()
    count: int = 1
    field: str = ""
    given: str = ""
    suggested: str = ""
    beside: tuple[str, ...] = ()


def by_kind(findings: Sequence[Finding]) -> Iterator[tuple[Kind, list[Finding]]]:
    """The findings of each kind that has any, in the order of `Kind`; the surest first."""
    for kind in Kind:
        found = [finding for finding in findings if finding.kind is kind]
        if found:
            yield kind, sorted(found, key=lambda finding: (-finding.confidence, -finding.count))


def ids(products: Sequence[Product]) -> tuple[str, ...]:
    """The shop's ids of these products."""
    return tuple(product.id for product in products)


def words_of(product: Product, field: str) -> str:
    """A product's value of a field as people read it; empty where it has none."""
    value: Value = product.attributes.get(field, "")
    return ", ".join(value) if isinstance(value, tuple) else str(value)
