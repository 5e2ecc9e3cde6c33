"""How well texts find products: exact search over held-out products, no index in between.

Legend: Q queries, N products.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.errors import ModelError
from goods.product import Product
from goods.schema import CatalogSchema
from model.captions import phrase_facts, plain
from model.encoder import Encoder
from model.pairs import Pairs

MIN_RELEVANT = 5  # a phrase that fewer held-out products fit says more of luck than of the model
K = 10
_CHUNK = 128  # pictures embedded at a time
_QUERIES = 1024  # titles ranked at a time: 44k products make 180 MB of scores


@dataclass(frozen=True, slots=True)
class TitleScores:
    """Titles as queries: is the product, or its twin, among the first?

    Attributes:
        queries: Distinct titles.
        recall_at_1: Share of them whose product is the first hit.
        recall_at_5: ... is among the first five.
        recall_at_10: ... is among the first ten.
        mrr: Mean of 1 / rank of the first right hit.
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
        precision_at_10: Mean share of fitting products among the first hits: `precision_at`.
    """

    fields: tuple[str, ...]
    queries: int
    precision_at_10: float


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
    """

    products: Sequence[Product]
    groups: Sequence[str]
    vectors: NDArray[np.float32]


def hold_out(pairs: Pairs, split: str, encoder: Encoder) -> HeldOut:
    """The products of one split, their pictures embedded."""
    numbers = pairs.numbers(split)
    chunks = (numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK))
    found: list[int] = []
    vectors = [np.empty((0, encoder.dimension), np.float32)]
    for batch in pairs.pictures.batches(chunks):
        found += batch.numbers.tolist()
        vectors.append(encoder.embed_pixels(batch.pixels))
    return HeldOut(
        [pairs.products[number] for number in found],
        [pairs.groups[number] for number in found],
        np.concatenate(vectors),
    )


def evaluate(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> Evaluation:
    """What the encoder scores with titles and attribute phrases as queries.

    Raises:
        ModelError: Its vectors are not numbers.
    """
    return Evaluation(
        products=len(held_out.products),
        titles=_title_scores(held_out, encoder),
        phrases=tuple(
            scores
            for fields in phrase_fields(schema)
            if (scores := _phrase_scores(held_out, fields, encoder))
        ),
    )


def _title_scores(held_out: HeldOut, encoder: Encoder) -> TitleScores | None:
    number_of = {plain(product.title): n for n, product in enumerate(held_out.products)}
    number_of.pop("", None)
    if not number_of:
        return None
    own_Q = np.array(list(number_of.values()))
    text_QD = encoder.texts([held_out.products[n].title for n in own_Q])
    _, group_N = np.unique(held_out.groups, return_inverse=True)
    ranks = []
    for start in range(0, len(own_Q), _QUERIES):
        chunk = slice(start, start + _QUERIES)
        is_right_QN = group_N[own_Q[chunk], None] == group_N
        ranks.append(first_right_rank(cosines(text_QD[chunk], held_out), is_right_QN))
    rank_Q = np.concatenate(ranks)
    return TitleScores(
        queries=len(own_Q),
        recall_at_1=float((rank_Q <= 1).mean()),
        recall_at_5=float((rank_Q <= 5).mean()),
        recall_at_10=float((rank_Q <= 10).mean()),
        mrr=float((1 / rank_Q).mean()),
        clip_score=float(100 * (text_QD * held_out.vectors[own_Q]).sum(axis=1).mean()),
    )


def _phrase_scores(
    held_out: HeldOut, fields: tuple[str, ...], encoder: Encoder
) -> PhraseScores | None:
    fitting = fitting_products(held_out, fields)
    if not fitting:
        return None
    is_right_QN = np.zeros((len(fitting), len(held_out.products)), bool)
    for row, numbers in zip(is_right_QN, fitting.values(), strict=True):
        row[numbers] = True
    score_QN = cosines(encoder.texts(list(fitting)), held_out)
    precision_Q = precision_at(K, score_QN, is_right_QN)
    return PhraseScores(fields, len(fitting), float(precision_Q.mean()))


def phrase_fields(schema: CatalogSchema) -> list[tuple[str, ...]]:
    """What phrases are made of: the noun alone, with each other field, and all fields."""
    if not schema.phrase:
        return []
    *others, noun = schema.phrase
    chosen = [(noun,), *((other, noun) for other in others), schema.phrase]
    return list(dict.fromkeys(chosen))


def fitting_products(held_out: HeldOut, fields: tuple[str, ...]) -> dict[str, list[int]]:
    """For each phrase of these fields that enough products fit, the numbers of those products."""
    fitting = defaultdict(list)
    for n, product in enumerate(held_out.products):
        told = phrase_facts(product, fields)
        if len(told) == len(fields):
            fitting[" ".join(told.values())].append(n)
    return {phrase: fit for phrase, fit in fitting.items() if len(fit) >= MIN_RELEVANT}


def cosines(text_QD: NDArray[np.float32], held_out: HeldOut) -> NDArray[np.float32]:
    """`score_QN`.

    Raises:
        ModelError: They are not numbers: every comparison with them would rank first.
    """
    score_QN = text_QD @ held_out.vectors.T
    if not np.isfinite(score_QN).all():
        raise ModelError("the model's vectors are not numbers; train again with a lower --lr")
    return score_QN


def first_right_rank(
    score_QN: NDArray[np.float32], is_right_QN: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """For each query the 1-based rank of its first right product; ties count against it."""
    best_Q = np.where(is_right_QN, score_QN, -np.inf).max(axis=1)
    is_before_QN = (score_QN >= best_Q[:, None]) & ~is_right_QN
    rank_Q: NDArray[np.int64] = 1 + is_before_QN.sum(axis=1)
    return rank_Q


def precision_at(
    k: int, score_QN: NDArray[np.float32], is_right_QN: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """For each query the right products among its first k hits, as a share of how many can be.

    That is k, or fewer where fewer products are right: a perfect search always scores 1.
    """
    order_QN = np.argsort(-score_QN, axis=1, kind="stable")[:, :k]
    is_right_QK = np.take_along_axis(is_right_QN, order_QN, axis=1)
    possible_Q = np.minimum(is_right_QN.sum(axis=1), k)
    precision_Q: NDArray[np.float64] = is_right_QK.sum(axis=1) / possible_Q
    return precision_Q
