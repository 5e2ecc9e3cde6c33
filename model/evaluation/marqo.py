"""The protocol of Marqo's fashion benchmark, on any catalog.

Facts from github.com/marqo-ai/marqo-FashionCLIP (eval.py, utils/, configs/KAGL.json, 2024): texts
ask, the whole catalog is searched, and exactly the products with the same value are right. Titles
ask among pictures; attribute values ask among documents w * image + (1 - w) * title, w = .9,
normalised. Cosine, the first ten hits, recall = found / all right, a reciprocal rank beyond the
tenth is 0; averages over tasks count each task the same.

What differs: their sample of titles is fixed in their ground-truth files (hand those over as
`--qrels` to ask the very same), ours is drawn by a seed; they skip some fields, we ask every
keyword field; they embed in half precision; equal cosines count against the model here.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from model.evaluation.tasks import Corpus, Query, Task

MAX_QUERIES = 2000
IMAGE_WEIGHT = 0.9


def marqo_tasks(
    corpus: Corpus, schema: CatalogSchema, seed: int = 0, image_weight: float = IMAGE_WEIGHT
) -> list[Task]:
    """Titles to pictures, then each keyword field's values to products.

    Args:
        corpus: The whole catalog.
        schema: Says which fields are keywords.
        seed: Of the sample of queries.
        image_weight: w of the documents that attribute values ask among; 1 is pictures only.
    """
    titles = ((product.title,) for product in corpus.products)
    queries = _queries(corpus.products, titles, seed)
    tasks = [Task("text-to-image", queries, ("R@10", "R@1", "RR@10"))]
    for field in schema.of_kind(FieldKind.KEYWORD):
        said = (_said(product, field.name) for product in corpus.products)
        queries = _queries(corpus.products, said, seed)
        measures = ("P@10", "P@1", "RR@10")
        tasks.append(Task(f"{field.name}-to-product", queries, measures, image_weight=image_weight))
    return [task for task in tasks if task.queries]


def _said(product: Product, field: str) -> tuple[str, ...]:
    value = product.attributes.get(field, ())
    return value if isinstance(value, tuple) else (str(value),)


def _queries(
    products: Sequence[Product], texts: Iterable[tuple[str, ...]], seed: int
) -> list[Query]:
    """Distinct texts in alphabetical order, at most so many; right is what says the same."""
    numbers = defaultdict(list)
    for number, said in zip(range(len(products)), texts, strict=True):
        for text in said:
            if text:
                numbers[text].append(number)
    chosen = sorted(numbers)
    if len(chosen) > MAX_QUERIES:
        rng = random.Random(seed)  # noqa: S311 - no secret
        chosen = sorted(rng.sample(chosen, MAX_QUERIES))
    return [Query(text, np.array(numbers[text]), text=text) for text in chosen]
