"""Questions that any catalog answers by itself: titles, attributes and pictures; no labels.

What is right follows from what the catalog says of its products and from their groups (variants of
one design, one title, near-identical pictures), never from a row's own place.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product as combinations

import numpy as np

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from model.captions import plain
from model.evaluation.tasks import NONE, Corpus, Numbers, Query, Task

MIN_RELEVANT = 5  # a phrase that fewer products fit says more of luck than of the model
TITLES = "titles"
VARIANTS = "variants"

Fields = tuple[str, ...]


def catalog_tasks(corpus: Corpus, schema: CatalogSchema, image_weight: float = 1.0) -> list[Task]:
    """Every task that this catalog has questions for; last those by words that no caption says.

    Args:
        corpus: What is searched.
        schema: Says what can be asked.
        image_weight: Of the documents that attributes ask among. Titles and pictures always ask
            among pictures: a title that is part of a document would find itself.
    """
    tasks = (
        title_task(corpus, schema),
        *(attribute_task(corpus, fields, image_weight) for fields in _said(schema)),
        variant_task(corpus, schema),
        *(attribute_task(corpus, fields, image_weight, is_aside=True) for fields in _aside(schema)),
    )
    return [task for task in tasks if task]


def title_task(corpus: Corpus, schema: CatalogSchema) -> Task | None:
    """Each distinct title asks for its product.

    A title names one design, and a shopper is served by any product of its group. So the group
    counts once, where its nearest product stands; its other products are passed over: ten twins
    need not all be found, and do not crowd the list for each other. Twins of *wrong* products
    stay, each in its own place, as they do on the page that a shopper sees.
    """
    number_of = {plain(product.title): n for n, product in enumerate(corpus.products)}
    number_of.pop("", None)
    members = _members(corpus.groups)
    queries = [
        Query(
            name=title,
            right_R=members[corpus.groups[number]],
            text=corpus.products[number].title,
            asked_by=number,
            slices=_slices(corpus.products[number], schema),
        )
        for title, number in number_of.items()
    ]
    measures = ("R@10", "R@1", "R@5", "RR@10")
    return Task(TITLES, queries, measures, is_one_design=True) if queries else None


def attribute_task(
    corpus: Corpus, fields: Fields, image_weight: float = 1.0, is_aside: bool = False
) -> Task | None:
    """Each phrase of these fields' values asks for the products that have them all.

    Every product that has the values is right by itself, twins as well: the page would be full of
    what was asked for. A twin of a right product that lacks them is passed over: same picture or
    same title, other label; it is the catalog that disagrees with itself. Variants are no such
    twins: the catalog says that a blue one and a red one are two, so blue is wrong for "red".
    """
    twins, name = _Twins(corpus), " + ".join(fields)
    queries = [
        Query(
            name=" ".join(values),
            right_R=np.array(numbers),
            text=" ".join(values),
            passed_over_P=twins.of(numbers),
            slices=dict(zip(fields, values, strict=True)) | {name: " ".join(values)},
        )
        for values, numbers in _fitting(corpus.products, fields).items()
    ]
    measures = ("P@10", "P@1", "RR@10", "nDCG@10")
    task = Task(name, queries, measures, image_weight=image_weight, is_aside=is_aside)
    return task if queries else None


def variant_task(corpus: Corpus, schema: CatalogSchema) -> Task | None:
    """Each picture of a product that is not alone in its group asks for the others.

    The product itself is passed over: it is its own nearest.
    """
    members = _members(corpus.groups)
    queries = [
        Query(
            name=product.id,
            right_R=others[others != number],
            asked_by=number,
            passed_over_P=np.array([number]),
            slices=_slices(product, schema),
        )
        for number, product in enumerate(corpus.products)
        if len(others := members[corpus.groups[number]]) > 1
    ]
    return Task(VARIANTS, queries, ("R@10", "P@1", "RR@10", "nDCG@10")) if queries else None


def phrase_fields(schema: CatalogSchema) -> list[Fields]:
    """What phrases are made of: the noun alone, with each other field, and all fields."""
    if not schema.phrase:
        return []
    *others, noun = schema.phrase
    chosen = [(noun,), *((other, noun) for other in others), schema.phrase]
    return list(dict.fromkeys(chosen))


def _said(schema: CatalogSchema) -> list[Fields]:
    """Each field of the phrase alone, then what phrases are made of; each choice once."""
    alone = [(name,) for name in schema.phrase]
    return list(dict.fromkeys([*alone, *phrase_fields(schema)]))


def _aside(schema: CatalogSchema) -> list[Fields]:
    """The other keyword fields, each alone: captions leave them out."""
    keywords = schema.of_kind(FieldKind.KEYWORD)
    return [(field.name,) for field in keywords if field.name not in schema.phrase]


def _fitting(products: Sequence[Product], fields: Fields) -> dict[Fields, list[int]]:
    """For each choice of values that enough products have, the numbers of those products.

    What all products have asks nothing, and is left out.
    """
    fitting = defaultdict(list)
    for number, product in enumerate(products):
        for values in combinations(*(_values(product, name) for name in fields)):
            fitting[values].append(number)
    count = len(products)
    return {values: fit for values, fit in fitting.items() if MIN_RELEVANT <= len(fit) < count}


def _values(product: Product, name: str) -> list[str]:
    """The values of a keyword field as people would type them, each once."""
    value = product.attributes.get(name, ())
    several = value if isinstance(value, tuple) else (str(value),)
    return list(dict.fromkeys(said for one in several if (said := plain(one))))


def _slices(product: Product, schema: CatalogSchema) -> Mapping[str, str]:
    """What a product is, by each field and by each phrase of fields that it has."""
    slices = {}
    for fields in (*_said(schema), *_aside(schema)):
        values = [" ".join(_values(product, name)) for name in fields]
        if all(values):
            slices[" + ".join(fields)] = " ".join(values)
    return slices


def _members(groups: Sequence[str]) -> dict[str, Numbers]:
    """The products of each group."""
    numbers = defaultdict(list)
    for number, group in enumerate(groups):
        numbers[group].append(number)
    return {group: np.array(found) for group, found in numbers.items()}


@dataclass(frozen=True)
class _Twins:
    """The products that are not alone in their group."""

    corpus: Corpus

    @cached_property
    def _in_groups(self) -> dict[str, Numbers]:
        members = _members(self.corpus.groups)
        return {group: numbers for group, numbers in members.items() if len(numbers) > 1}

    def of(self, right: Sequence[int]) -> Numbers:
        """The twins of right products that are not right, without declared variants of them."""
        products, groups = self.corpus.products, self.corpus.groups
        shared = {groups[n] for n in right} & self._in_groups.keys()
        if not shared:
            return NONE
        is_right = set(right)
        designs = {products[n].group for n in right} - {None}
        twins = [
            n
            for group in sorted(shared)
            for n in self._in_groups[group].tolist()
            if n not in is_right and products[n].group not in designs
        ]
        return np.array(twins, np.int64)
