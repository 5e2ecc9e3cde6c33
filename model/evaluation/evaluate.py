"""How well texts find held-out products: the few numbers that a training is steered by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from goods.progress import Told
from goods.schema import CatalogSchema
from model.encoder import Encoder
from model.evaluation.catalog_tasks import attribute_task, phrase_fields, title_task
from model.evaluation.metrics import clip_score, measured
from model.evaluation.results import Measure
from model.evaluation.search import nearest
from model.evaluation.tasks import Corpus, Numbers, Task
from model.pairs import Pairs

ALL = "all"
"""In place of a split: every product."""

_CHUNK = 128  # pictures embedded at a time


@dataclass(frozen=True, slots=True)
class TitleScores:
    """Titles as queries: is the product, or its twin, among the first? See `title_task`.

    Attributes:
        queries: Distinct titles.
        recall_at_1: Share of them whose design is the first hit.
        recall_at_5: ... is among the first five.
        recall_at_10: ... is among the first ten.
        mrr: Mean of 1 / rank of the first right hit, 0 beyond the tenth.
        clip_score: Mean of 100 * cosine of a title and its own picture; high does not mean good.
    """

    queries: int
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    mrr: float
    clip_score: float


@dataclass(frozen=True, slots=True)
class PhraseScores:
    """Phrases of attributes as queries ("red dress"), for one choice of fields.

    Attributes:
        fields: The fields that the phrases are made of.
        queries: Distinct phrases that at least `MIN_RELEVANT` held-out products fit.
        precision_at_10: Mean share of fitting products among the first ten hits.
        ceiling: What a perfect order reaches: below 1 where fewer than ten products fit.
    """

    fields: tuple[str, ...]
    queries: int
    precision_at_10: float
    ceiling: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one model scores on one set of held-out products."""

    products: int
    titles: TitleScores | None
    phrases: tuple[PhraseScores, ...]

    @property
    def precision_at_10(self) -> float | None:
        """Of attribute phrases, the mean over the choices of fields."""
        if not self.phrases:
            return None
        return sum(scores.precision_at_10 for scores in self.phrases) / len(self.phrases)

    @property
    def score(self) -> float:
        """What the best epoch is chosen by: the mean of title recall@10 and phrase P@10."""
        recall = self.titles.recall_at_10 if self.titles else None
        parts = [part for part in (recall, self.precision_at_10) if part is not None]
        return sum(parts) / len(parts) if parts else 0.0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Products that a model is judged by, and their vectors.

    Attributes:
        products: The products.
        groups: For each the name of its group; a hit on a product of the same group is right.
        vectors: Their pictures' unit vectors, `(N, D)`.
        refused: Why rows and pictures of the catalog were left out, one sentence each.
    """

    products: Sequence[Product]
    groups: Sequence[str]
    vectors: NDArray[np.float32]
    refused: Sequence[str] = ()

    @property
    def corpus(self) -> Corpus:
        """Them without their vectors: what tasks are made of."""
        return Corpus(self.products, self.groups)


def hold_out(
    pairs: Pairs, split: str, encoder: Encoder, progress: Told = lambda *_: None
) -> HeldOut:
    """The products of one split, or of `ALL`, their pictures embedded."""
    numbers = np.arange(len(pairs.products)) if split == ALL else pairs.numbers(split)
    found, vectors = embedded(pairs, numbers, encoder, progress)
    return HeldOut(
        [pairs.products[number] for number in found],
        [pairs.groups[number] for number in found],
        vectors,
        pairs.refused,
    )


def embedded(
    pairs: Pairs, numbers: Numbers, encoder: Encoder, progress: Told = lambda *_: None
) -> tuple[list[int], NDArray[np.float32]]:
    """Those of these products whose pictures can be read, and their unit vectors, `(N, D)`."""
    chunks = (numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK))
    found: list[int] = []
    vectors = [np.empty((0, encoder.dimension), np.float32)]
    for batch in pairs.pictures.batches(chunks):
        found += batch.numbers.tolist()
        vectors.append(encoder.embed_pixels(batch.pixels))
        progress("embed pictures", len(found), len(numbers))
    return found, np.concatenate(vectors)


def evaluate(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> Evaluation:
    """What the encoder scores with titles and attribute phrases as queries.

    Raises:
        ModelError: Its vectors are not numbers.
    """
    return Evaluation(
        products=len(held_out.products),
        titles=_title_scores(held_out, schema, encoder),
        phrases=tuple(
            scores
            for fields in phrase_fields(schema)
            if (scores := _phrase_scores(held_out, fields, encoder))
        ),
    )


def _title_scores(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> TitleScores | None:
    task = title_task(held_out.corpus, schema)
    if task is None:
        return None
    text_QD = encoder.texts([query.text or "" for query in task.queries])
    own = [query.asked_by for query in task.queries if query.asked_by is not None]
    found = _measured(task, text_QD, held_out)
    return TitleScores(
        queries=len(task.queries),
        recall_at_1=found["R@1"].mean,
        recall_at_5=found["R@5"].mean,
        recall_at_10=found["R@10"].mean,
        mrr=found["RR@10"].mean,
        clip_score=clip_score(text_QD, held_out.vectors, own),
    )


def _phrase_scores(
    held_out: HeldOut, fields: tuple[str, ...], encoder: Encoder
) -> PhraseScores | None:
    task = attribute_task(held_out.corpus, fields)
    if task is None:
        return None
    text_QD = encoder.texts([query.text or "" for query in task.queries])
    precision = _measured(task, text_QD, held_out)["P@10"]
    return PhraseScores(fields, len(task.queries), precision.mean, precision.ceiling)


def _measured(task: Task, query_QD: NDArray[np.float32], held_out: HeldOut) -> dict[str, Measure]:
    ranking = nearest(query_QD, held_out.vectors, task.queries, task.is_one_design)
    return {measure.name: measure for measure in measured(task, ranking)}
