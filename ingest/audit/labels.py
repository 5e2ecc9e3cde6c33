"""Labels that the picture contradicts: look-alikes and the model's words agree on another value.

Two witnesses are heard for each field of the catalog's phrase. The K nearest pictures vote, each by
its cosine; and the model says how much nearer the picture is to the text with the other value
("men black shirt" beside "men white shirt") than it usually is for products with the given one.
That comparison is what tells an error from a habit: pictures of Tops are often near to
"shirts", pictures of Watches are not. It is the idea of confident learning (Northcutt, Jiang and
Chuang 2021).

Legend: P pictures, D the dimension of a vector, K neighbours, V values of a field.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from ingest.audit.findings import Finding, Kind
from ingest.audit.gather import Gathered
from ingest.audit.neighbours import NONE, Neighbours
from model.captions import plain

NEIGHBOURS = 20  # 50 find no more: recall of planted labels .64 to .66 with either
SHOWN = 3  # look-alikes beside a finding
_LEAST_PRODUCTS = 10  # with a value, so that it can be suggested or doubted
_HALF = 4.0  # deviations of the gap at which the texts are half sure; found as benchmarks/audit.py
_MIN_CONFIDENCE = 0.3  # below, one in ten to one in five was a planted error

Texts = Callable[[Sequence[str]], NDArray[np.float32]]
"""From texts to their vectors, as `Encoder.texts` does."""


@dataclass(frozen=True, slots=True)
class _Labels:
    """One field of all pictures.

    Attributes:
        field: Its name.
        values: The V values with enough products.
        given_P: Which of them each product has; -1 for none of them.
    """

    field: str
    values: Sequence[str]
    given_P: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Doubt:
    """The verdict on every label: a better value, and how sure; 0 where there is no doubt."""

    better_P: NDArray[np.int64]
    confidence_P: NDArray[np.float64]


def label_findings(
    gathered: Gathered,
    neighbours: Neighbours,
    texts: Texts,
    most: int,
    without_picture: Collection[str] = (),
) -> Iterator[Finding]:
    """The doubtful labels of each field of the phrase, the surest first, at most so many a field.

    Args:
        gathered: The catalog, with vectors.
        neighbours: Of its pictures, twins left out.
        texts: The model's text tower.
        most: Findings per field.
        without_picture: Ids of products whose picture shows nothing; they neither vote nor are
            judged.
    """
    if gathered.vectors_PD is None:
        return
    for name in gathered.schema.phrase:
        labels = _labels(gathered.pictured, name, without_picture)
        if len(labels.values) < 2:
            continue
        rest = _nouns(gathered, name)
        cosine_PV = _cosines(gathered.vectors_PD, labels.values, rest, texts)
        doubt = _doubt(labels, _votes(labels, neighbours), cosine_PV)
        surest = np.argsort(-doubt.confidence_P, kind="stable")[:most].tolist()
        for n in surest:
            if doubt.confidence_P[n] >= _MIN_CONFIDENCE:
                yield _finding(n, labels, doubt, neighbours, gathered.pictured)


def _labels(products: Sequence[Product], name: str, left_out: Collection[str]) -> _Labels:
    """Products with several values at once are not judged."""
    given = [None if p.id in left_out else p.attributes.get(name) for p in products]
    counts = Counter(value for value in given if isinstance(value, str))
    values = [value for value, count in counts.items() if count >= _LEAST_PRODUCTS]
    place = {value: v for v, value in enumerate(values)}
    given_P = [place.get(value, NONE) if isinstance(value, str) else NONE for value in given]
    return _Labels(name, values, np.array(given_P, np.int64))


def _nouns(gathered: Gathered, name: str) -> list[str]:
    """What stands after the value in a text about each product: its noun, unless that is asked."""
    noun = gathered.schema.phrase[-1]
    if name == noun:
        return [""] * len(gathered.pictured)
    values = (product.attributes.get(noun, "") for product in gathered.pictured)
    return [value if isinstance(value, str) else "" for value in values]


def _cosines(
    vectors_PD: NDArray[np.float32], values: Sequence[str], nouns: Sequence[str], texts: Texts
) -> NDArray[np.float32]:
    """`cosine_PV` of each picture and the text that gives its product each value."""
    cosine_PV = np.empty((len(vectors_PD), len(values)), np.float32)
    numbers = defaultdict(list)
    for n, noun in enumerate(nouns):
        numbers[noun].append(n)
    for noun, having in numbers.items():
        text_VD = texts([plain(f"{value} {noun}") for value in values])
        cosine_PV[having] = vectors_PD[having] @ text_VD.T
    return cosine_PV


def _votes(labels: _Labels, neighbours: Neighbours) -> NDArray[np.float32]:
    """`vote_PV`: the share of each value among the neighbours of each picture."""
    count = len(labels.given_P)
    vote_PV = np.zeros((count, len(labels.values)), np.float32)
    columns = zip(neighbours.numbers_PK.T, neighbours.cosines_PK.T, strict=True)
    for number_P, cosine_P in columns:
        value_P = np.where(number_P == NONE, NONE, labels.given_P[number_P])
        voting = np.flatnonzero(value_P != NONE)
        vote_PV[voting, value_P[voting]] += np.maximum(cosine_P[voting], 0)
    vote_PV /= np.maximum(vote_PV.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vote_PV


def _doubt(labels: _Labels, vote_PV: NDArray[np.float32], cosine_PV: NDArray[np.float32]) -> _Doubt:
    """Sure of another value is who has both: the lead among neighbours, an unusual gap of texts."""
    row_P, given_P = np.arange(len(vote_PV)), labels.given_P
    better_P = vote_PV.argmax(axis=1)
    lead_P = vote_PV[row_P, better_P] - vote_PV[row_P, given_P]
    gap_P = cosine_PV[row_P, better_P] - cosine_PV[row_P, given_P]
    deviations_P = np.zeros(len(row_P))
    for given in range(len(labels.values)):
        having = np.flatnonzero(given_P == given)
        usual_HV = cosine_PV[having] - cosine_PV[having, given, None]
        mean_V, spread_V = usual_HV.mean(axis=0), usual_HV.std(axis=0) + 1e-3
        better_H = better_P[having]
        deviations_P[having] = (gap_P[having] - mean_V[better_H]) / spread_V[better_H]
    is_doubted_P = (given_P != NONE) & (better_P != given_P) & (gap_P > 0) & (deviations_P > 0)
    confidence_P = np.where(is_doubted_P, lead_P * deviations_P / (deviations_P + _HALF), 0.0)
    return _Doubt(better_P, confidence_P)


def _finding(
    n: int, labels: _Labels, doubt: _Doubt, neighbours: Neighbours, products: Sequence[Product]
) -> Finding:
    better = int(doubt.better_P[n])
    given, suggested = labels.values[labels.given_P[n]], labels.values[better]
    near = [number for number in neighbours.numbers_PK[n].tolist() if number != NONE]
    agreeing = [number for number in near if labels.given_P[number] == better]
    return Finding(
        Kind.LABEL,
        f"{labels.field} is {given!r}; {len(agreeing)} of {len(near)} look-alikes are "
        f"{suggested!r}, and so says the model",
        float(doubt.confidence_P[n]),
        (products[n].id,),
        field=labels.field,
        given=given,
        suggested=suggested,
        beside=tuple(products[number].id for number in agreeing[:SHOWN]),
    )
