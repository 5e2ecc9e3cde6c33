"""Several models, asked the same questions about the same products.

Legend: Q queries, N products, D the dimension of a vector.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goods.catalog import Catalog
from goods.errors import CatalogError
from goods.limits import DEFAULT_LIMITS, PictureLimits
from goods.product import Product
from goods.progress import Told
from model.encoder import Encoder
from model.evaluation.evaluate import HeldOut
from model.evaluation.judge import load_held_out, own_splits, splits_of
from model.evaluation.metrics import clip_score, measured
from model.evaluation.results import Measure, ModelResult, TaskResult
from model.evaluation.search import Ranking, nearest
from model.evaluation.shown import shown_hits, shown_queries
from model.evaluation.summary import letter
from model.evaluation.tasks import Corpus, Query, Task
from model.splits import read_splits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched, and with what.

    Attributes:
        catalog: The products.
        split: "train", "val", "test", or "all".
        splits: A CSV that assigns products to splits; by default that of the first model that was
            trained on this catalog: all models are asked about the same products.
        device: "auto" or a torch device.
        dtype: "auto" or a number format.
        limits: What a picture may cost, and where it may come from.
    """

    catalog: Catalog
    split: str = "test"
    splits: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    limits: PictureLimits = DEFAULT_LIMITS


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
    progress: Told = lambda *_: None,
) -> tuple[ModelResult, ...]:
    """What each model scores, in their order.

    Args:
        models: Folders or hub names.
        searched: The products.
        ask: Makes the tasks from the products whose pictures can be read.
        progress: Told for each model how many pictures have been read and embedded, and how many
            queries asked.

    Raises:
        CatalogError: There is nothing to search or to ask, or not the same for every model.
        ModelError: A model cannot be loaded.
    """
    splits = searched.splits or own_splits(models, searched.catalog)
    for model in models[1:]:
        Encoder.load(model)  # one that cannot be loaded is refused before minutes of work
    corpus, tasks, runs = Corpus((), ()), list[Task](), list[_Run]()
    for number, model in enumerate(models):
        encoder = Encoder.load(model, searched.device, searched.dtype)
        tell = _of_model(letter(number), progress)
        held_out = load_held_out(
            encoder, searched.catalog, searched.split, splits, tell, searched.limits
        )
        if not runs:
            _warn_of_refused(held_out.refused)
            corpus = held_out.corpus
            tasks = list(ask(corpus))
            _refuse_no_tasks(tasks, searched.catalog)
        _refuse_other_products(corpus, held_out, model)
        trained_on = _trained_on(model, corpus.products)
        answers = tuple(_answers(tasks, held_out, encoder, tell))
        runs.append(_Run(model, encoder.stamp, trained_on, answers))
    return tuple(_results(tasks, runs, corpus.products))


def _of_model(name: str, progress: Told) -> Told:
    return lambda stage, done, total: progress(f"{name}: {stage}", done, total)


def _warn_of_refused(reasons: Sequence[str]) -> None:
    if reasons:
        log.warning("left out: %d rows or pictures; the first: %s", len(reasons), reasons[0])


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


def _answers(
    tasks: Sequence[Task], held_out: HeldOut, encoder: Encoder, progress: Told
) -> Iterator[_Answers]:
    weights = {task.image_weight for task in tasks}
    documents = {weight: document_vectors(held_out, encoder, weight) for weight in weights}
    queries, done = sum(len(task.queries) for task in tasks), 0
    for task in tasks:
        progress("ask queries", done, queries)
        query_QD = _query_vectors(task, held_out, encoder)
        found = nearest(query_QD, documents[task.image_weight], task.queries, task.is_one_design)
        score = _clip_score(task, query_QD, held_out)
        done += len(task.queries)
        yield _Answers(found, measured(task, found), score)


def _clip_score(task: Task, query_QD: NDArray[np.float32], held_out: HeldOut) -> float | None:
    """That of texts which were taken from products; None where others ask."""
    own = [query.asked_by for query in task.queries if query.asked_by is not None]
    if task.queries[0].text is None or len(own) < len(task.queries):
        return None
    return clip_score(query_QD, held_out.vectors, own)


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
        shown_queries(np.mean([run.answers[place].measures[0].values_Q for run in runs], axis=0))
        for place in range(len(tasks))
    ]
    for run in runs:
        results = [
            TaskResult(
                task=task.name,
                queries=[query.name for query in task.queries],
                measures=answers.measures,
                slices=_slices(task.queries),
                shown=shown_hits(task.queries, answers.ranking, products, rows),
                is_aside=task.is_aside,
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


def _slices(queries: Sequence[Query]) -> dict[str, list[str]]:
    fields = dict.fromkeys(name for query in queries for name in query.slices)
    return {name: [query.slices.get(name, "") for query in queries] for name in fields}


def _trained_on(model: str, products: Sequence[Product]) -> int:
    """How many of the products the model has learned from, as far as its folder tells."""
    own = splits_of(model)
    if own is None:
        return 0
    learned = {name for name, place in read_splits(own).items() if place.split == "train"}
    return sum(product.id in learned for product in products)


def _refuse_no_tasks(tasks: Sequence[Task], catalog: Catalog) -> None:
    if not tasks:
        raise CatalogError(
            f"{catalog.location} leaves nothing to ask: no titles, no keyword value that five "
            "products have and others have not, no variants; pass --qrels"
        )


def _refuse_other_products(corpus: Corpus, held_out: HeldOut, model: str) -> None:
    ids, others = ([p.id for p in products] for products in (corpus.products, held_out.products))
    if ids != others:
        raise CatalogError(
            f"the pictures of {len({*ids} ^ {*others})} products could be read for {model} only, "
            "or for all but it: the models cannot be compared; run it again"
        )
