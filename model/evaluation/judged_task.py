"""Queries of a file, asked of a catalog."""

import logging
from collections.abc import Mapping

import numpy as np

from goods.errors import QueryError
from model.evaluation.judgements import Judgements
from model.evaluation.tasks import Corpus, Query, Task

log = logging.getLogger(__name__)

MEASURES = ("nDCG@10", "R@10", "P@10", "P@1", "RR@10")


def judged_task(
    name: str,
    judgements: Judgements,
    texts: Mapping[str, str] | None,
    corpus: Corpus,
    image_weight: float = 1.0,
) -> Task:
    """The queries that somebody judged, as judged: no product is excused as a twin.

    Args:
        name: Of the task.
        judgements: The right products by query, named by the shop's ids.
        texts: By query; None where the queries' ids are their texts, as in Marqo's files.
        corpus: What is searched. A right product that is not in it cannot be found: it is left
            out and counted, and so is a query that none is left for.
        image_weight: Of the documents.

    Raises:
        QueryError: No query is left.
    """
    number_of = {product.id: number for number, product in enumerate(corpus.products)}
    queries: list[Query] = []
    unknown = 0
    asked = {query: query for query in judgements} if texts is None else texts
    for query, text in asked.items():
        right = {p: grade for p, grade in judgements.get(query, {}).items() if grade > 0}
        found = {number_of[p]: grade for p, grade in right.items() if p in number_of}
        unknown += len(right) - len(found)
        if found:
            numbers, grades = np.array(list(found)), np.array(list(found.values()))
            queries.append(Query(query, numbers, text=text, grades_R=grades))
    _warn(name, "right products are not among those searched; they are left out", unknown)
    _warn(name, "queries have no right product; they are not asked", len(asked) - len(queries))
    _warn(name, "judged queries have no text; they are not asked", len(judgements.keys() - asked))
    if not queries:
        raise QueryError(f"{name}: no query is left to ask; {_why_none(judgements, asked, corpus)}")
    return Task(name, queries, MEASURES, image_weight=image_weight)


def _why_none(judgements: Judgements, asked: Mapping[str, str], corpus: Corpus) -> str:
    if not judgements.keys() & asked:
        judged, query = next(iter(judgements), ""), next(iter(asked), "")
        return f"it judges others (such as '{judged}') than --queries has (such as '{query}')"
    if not any(grade > 0 for query in asked for grade in judgements.get(query, {}).values()):
        return "no product is graded above 0"
    known = next((product.id for product in corpus.products), "")
    return (
        "its right products are named by other ids than this catalog's "
        f"(such as '{known}'), or are not in this split"
    )


def _warn(name: str, what: str, count: int) -> None:
    if count:
        log.warning("%s: %d %s", name, count, what)
