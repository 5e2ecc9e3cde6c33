"""From rankings to numbers, by `ir_measures` and its pytrec_eval.

Legend: Q queries of a task, N products, D the dimension of a vector.
"""

from collections.abc import Sequence

import ir_measures
import numpy as np
from numpy.typing import NDArray

from model.evaluation.results import Measure
from model.evaluation.search import NO_HIT, Ranking
from model.evaluation.tasks import Query, Task

_DESIGN = "design"  # one document for all products of a query's design


def measured(task: Task, ranking: Ranking) -> tuple[Measure, ...]:
    """Every measure of the task, each query for itself.

    The hits are handed over with their places as scores: trec_eval would order equal cosines by
    the documents' names, and forgive a model that cannot tell them apart.
    """
    asked = [ir_measures.parse_measure(name) for name in task.measures]
    qrels = {str(row): _qrels(task, query) for row, query in enumerate(task.queries)}
    run = {
        str(row): _run(task, query, numbers)
        for row, (query, numbers) in enumerate(
            zip(task.queries, ranking.numbers_QK.tolist(), strict=True)
        )
    }
    # By identity: the hash of a measure spells it out anew, a second for 4,000 queries.
    values = {id(measure): np.zeros(len(task.queries)) for measure in asked}
    for found in ir_measures.evaluator(asked, qrels).iter_calc(run):
        values[id(found.measure)][int(found.query_id)] = found.value
    return tuple(
        Measure(name, values[id(measure)], _ceilings(measure, task))
        for name, measure in zip(task.measures, asked, strict=True)
    )


def clip_score(
    text_QD: NDArray[np.float32], picture_ND: NDArray[np.float32], own_Q: Sequence[int]
) -> float:
    """Mean of 100 * cosine of each text and the picture of the product that it was taken from.

    How alike, not how good: a model that finds everything alike has a high one.
    """
    return float(100 * (text_QD * picture_ND[own_Q]).sum(axis=1).mean())


def _ceilings(measure: ir_measures.Measure, task: Task) -> NDArray[np.float64]:
    """What a perfect order reaches: of k places and R right products, min(k, R) are right.

    Recall is that over R, precision over k; orders (RR, nDCG) can always be perfect.
    """
    right_Q = np.array([1.0 if task.is_one_design else len(q.right_R) for q in task.queries])
    if measure.NAME not in ("R", "P"):
        return np.ones_like(right_Q)
    k = measure["cutoff"]
    found_Q = np.minimum(k, right_Q)
    ceiling_Q: NDArray[np.float64] = found_Q / (right_Q if measure.NAME == "R" else k)
    return ceiling_Q


def _qrels(task: Task, query: Query) -> dict[str, int]:
    if task.is_one_design:
        return {_DESIGN: 1}
    numbers = query.right_R.tolist()
    grades = [1] * len(numbers) if query.grades_R is None else query.grades_R.tolist()
    return dict(zip(map(str, numbers), grades, strict=True))


def _run(task: Task, query: Query, numbers: list[int]) -> dict[str, float]:
    own = set(query.right_R.tolist()) if task.is_one_design else set()
    return {
        _DESIGN if number in own else str(number): -float(place)
        for place, number in enumerate(numbers)
        if number != NO_HIT
    }
