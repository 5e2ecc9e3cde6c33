"""Several models, asked the same questions about the same products.

Legend: Q queries, N products, D the dimension of a vector.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goods.catalog import Catalog
from goods.errors import CatalogError
from goods.product import Product
from model.encoder import Encoder
from model.evaluation.evaluate import HeldOut
from model.evaluation.judge import load_held_out, own_splits
from model.evaluation.metrics import measured
from model.evaluation.results import Hit, Measure, ModelResult, QueryHits, TaskResult
from model.evaluation.search import NO_HIT, Ranking, nearest
from model.evaluation.tasks import Corpus, Query, Task
from model.splits import read_splits

SHOWN = 8
"""Queries of a task whose hits are kept to look at; half of them the worst."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched, and with what.

    Attributes:
        catalog: The products.
        split: "train", "val", "test", or "all".
        splits: A CSV that assigns products to splits; by default that of the first model that was
            trained with one: all models are asked about the same products.
        device: "auto" or a torch device.
        dtype: "auto" or a number format.
    """

    catalog: Catalog
    split: str = "test"
    splits: Path | None = None
    device: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True, slots=True)
class _Answers:
    """What one model found for one task."""

    ranking: Ranking
    measures: tuple[Measure, ...]
    clip_score: float | None


@dataclass(frozen=True, slots=True)
class _Run:
    """One model's answers to all tasks."""

    model: str
    stamp: str
    trained_on: int
    answers: tuple[_Answers, ...]


def compare(
    models: Sequence[str],
    searched: Searched,
    ask: Callable[[Corpus], Sequence[Task]],
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[ModelResult, ...]:
    """What each model scores, in their order.

    Args:
        models: Folders or hub names.
        searched: The products.
        ask: Makes the tasks from the products whose pictures can be read.
        progress: Told how many pictures have been read, over all models.

    Raises:
        CatalogError: There is nothing to search or to ask, or not the same for every model.
        ModelError: A model cannot be loaded.
    """
    splits = searched.splits or next(filter(None, map(own_splits, models)), None)
    corpus, tasks, runs, seen = Corpus((), ()), list[Task](), list[_Run](), 0
    for model in models:
        encoder = Encoder.load(model, searched.device, searched.dtype)
        read = _beyond(seen, progress)
        held_out = load_held_out(encoder, searched.catalog, searched.split, splits, read)
        seen += len(held_out.products)
        if not runs:
            corpus = held_out.corpus
            tasks = list(ask(corpus))
            _refuse_no_tasks(tasks, searched.catalog)
        _refuse_other_products(corpus, held_out, model)
        trained_on = _trained_on(model, corpus.products)
        runs.append(_Run(model, encoder.stamp, trained_on, _answers(tasks, held_out, encoder)))
    return tuple(_results(tasks, runs, corpus.products))


def _beyond(seen: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda read: progress(seen + read)


def document_vectors(held_out: HeldOut, encoder: Encoder, weight: float) -> NDArray[np.float32]:
    """`document_ND`: weight * picture + (1 - weight) * title, as unit vectors.

    A product without a title is its picture alone.
    """
    if weight == 1:
        return held_out.vectors
    text_ND = encoder.texts([product.title for product in held_out.products])
    has_title_N = np.array([bool(product.title) for product in held_out.products])
    weight_N1 = np.where(has_title_N, weight, 1.0)[:, None]
    mixed_ND = weight_N1 * held_out.vectors + (1 - weight_N1) * text_ND
    unit_ND: NDArray[np.float32] = mixed_ND / np.linalg.norm(mixed_ND, axis=1, keepdims=True)
    return unit_ND.astype(np.float32)


def _answers(tasks: Sequence[Task], held_out: HeldOut, encoder: Encoder) -> tuple[_Answers, ...]:
    weights = {task.image_weight for task in tasks}
    documents = {weight: document_vectors(held_out, encoder, weight) for weight in weights}
    answers = []
    for task in tasks:
        query_QD = _query_vectors(task, held_out, encoder)
        found = nearest(query_QD, documents[task.image_weight], task.queries, task.is_one_design)
        score = _clip_score(task, query_QD, held_out)
        answers.append(_Answers(found, measured(task, found), score))
    return tuple(answers)


def _clip_score(task: Task, query_QD: NDArray[np.float32], held_out: HeldOut) -> float | None:
    """Mean of 100 * cosine of each text and the picture of the product that it was taken from."""
    own = [query.asked_by for query in task.queries if query.asked_by is not None]
    if task.queries[0].text is None or len(own) < len(task.queries):
        return None
    return float(100 * (query_QD * held_out.vectors[own]).sum(axis=1).mean())


def _query_vectors(task: Task, held_out: HeldOut, encoder: Encoder) -> NDArray[np.float32]:
    """`query_QD`: of texts, or of the pictures that ask; a task has one kind."""
    if texts := [query.text for query in task.queries if query.text is not None]:
        return encoder.texts(texts)
    asking = [query.asked_by for query in task.queries if query.asked_by is not None]
    return held_out.vectors[asking]


def _results(
    tasks: Sequence[Task], runs: Sequence[_Run], products: Sequence[Product]
) -> Iterator[ModelResult]:
    shown = [
        _shown(np.mean([run.answers[place].measures[0].values_Q for run in runs], axis=0))
        for place in range(len(tasks))
    ]
    for run in runs:
        results = [
            TaskResult(
                task=task.name,
                queries=[query.name for query in task.queries],
                measures=answers.measures,
                slices=_slices(task.queries),
                shown=[_hits(task.queries[q], q, answers.ranking, products) for q in rows],
            )
            for task, answers, rows in zip(tasks, run.answers, shown, strict=True)
        ]
        clip_scores = [a.clip_score for a in run.answers if a.clip_score is not None]
        yield ModelResult(
            model=run.model,
            stamp=run.stamp,
            corpus=len(products),
            tasks=results,
            trained_on=run.trained_on,
            clip_score=clip_scores[0] if clip_scores else None,
        )


def _shown(score_Q: NDArray[np.float64]) -> list[int]:
    """Queries to look at: the worst, and some from the worst to the best."""
    order = np.argsort(score_Q, kind="stable").tolist()
    spread = np.linspace(0, len(order) - 1, SHOWN, dtype=int).tolist()
    chosen = dict.fromkeys([*order[: SHOWN // 2], *(order[place] for place in spread[::-1])])
    return sorted(list(chosen)[:SHOWN], key=order.index)


def _slices(queries: Sequence[Query]) -> dict[str, list[str]]:
    fields = dict.fromkeys(name for query in queries for name in query.slices)
    return {name: [query.slices.get(name, "") for query in queries] for name in fields}


def _hits(query: Query, row: int, ranking: Ranking, products: Sequence[Product]) -> QueryHits:
    right = set(query.right_R.tolist())
    found = zip(ranking.numbers_QK[row].tolist(), ranking.scores_QK[row].tolist(), strict=True)
    hits = [Hit(products[n], score, n in right) for n, score in found if n != NO_HIT]
    if query.text is not None or query.asked_by is None:
        return QueryHits(query.text or query.name, hits)
    asked_by = products[query.asked_by]
    return QueryHits(asked_by.title or asked_by.id, hits, asked_by)


def _trained_on(model: str, products: Sequence[Product]) -> int:
    """How many of the products the model has learned from, as far as its folder tells."""
    own = own_splits(model)
    if own is None:
        return 0
    learned = {name for name, place in read_splits(own).items() if place.split == "train"}
    return sum(product.id in learned for product in products)


def _refuse_no_tasks(tasks: Sequence[Task], catalog: Catalog) -> None:
    if not tasks:
        raise CatalogError(
            f"{catalog.path} leaves nothing to ask: no titles, no keyword value that five "
            "products have and others have not, no variants; pass --qrels"
        )


def _refuse_other_products(corpus: Corpus, held_out: HeldOut, model: str) -> None:
    ids, others = ([p.id for p in products] for products in (corpus.products, held_out.products))
    if ids != others:
        raise CatalogError(
            f"the pictures of {len({*ids} ^ {*others})} products could be read for {model} only, "
            "or for all but it: the models cannot be compared; run it again"
        )
