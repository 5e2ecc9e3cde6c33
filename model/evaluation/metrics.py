"""From rankings to numbers, by `ir_measures` and its pytrec_eval.

Legend: Q queries of a task.
"""

import ir_measures
import numpy as np

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
        Measure(name, values[id(measure)], ceiling(measure, task))
        for name, measure in zip(task.measures, asked, strict=True)
    )


def ceiling(measure: ir_measures.Measure, task: Task) -> float:
    """The mean that a perfect order reaches: of k places and R right products, min(k, R) are right.

    Recall is that over R, precision over k; orders (RR, nDCG) can always be perfect.
    """
    if measure.NAME not in ("R", "P"):
        return 1.0
    k = measure["cutoff"]
    right_Q = np.array([_count(task, query) for query in task.queries])
    found_Q = np.minimum(k, right_Q)
    return float((found_Q / (right_Q if measure.NAME == "R" else k)).mean())


def _count(task: Task, query: Query) -> int:
    return 1 if task.is_one_design else len(query.right_R)


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
