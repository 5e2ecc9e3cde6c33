"""What is asked of a model, and which products answer it.

Legend: R right products of a query, P products that are passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goods.product import Product

CATALOG, MARQO, FILES = "catalog", "marqo", "files"
"""Who asks: the catalog by what it says of its products, Marqo's benchmark, or judged queries."""

Numbers = NDArray[np.int64]
"""Products by their place in the corpus."""

NONE: Numbers = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Products that are searched.

    Attributes:
        products: The products.
        groups: For each the name of its group: what `model.groups` found to belong together.
    """

    products: Sequence[Product]
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Query:
    """One question.

    Attributes:
        name: What it is called, once in its task.
        right_R: The products that answer it; at least one.
        text: Its words; None when the picture of `asked_by` asks.
        asked_by: The product that the question was made from, if it was one.
        grades_R: How well each right product answers, from 1; all 1 when None.
        passed_over_P: Products that are taken out of its hits: neither right nor wrong.
        slices: What it asks for, by field: {"colour": "red"}; what scores are broken down by.
    """

    name: str
    right_R: Numbers
    text: str | None = None
    asked_by: int | None = None
    grades_R: NDArray[np.int64] | None = None
    passed_over_P: Numbers = field(default_factory=lambda: NONE)
    slices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """Questions of one kind.

    Attributes:
        name: "titles", "colour + category", "variants", or of a file.
        queries: The questions.
        measures: What they are measured by, in the spelling of `ir_measures`; the task is judged
            by the first.
        is_one_design: The right products of a query are one design: it counts once, at the place
            of its nearest product, and the others are passed over.
        image_weight: w of the document vectors w * image + (1 - w) * title; 1 is pictures only.
        is_aside: It asks by words that no caption of this catalog says, so that training does not
            teach them (season, usage): shown apart, and part of no average.
    """

    name: str
    queries: Sequence[Query]
    measures: Sequence[str]
    is_one_design: bool = False
    image_weight: float = 1.0
    is_aside: bool = False
