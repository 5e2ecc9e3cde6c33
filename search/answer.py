"""What a search gives back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from goods.index import FacetCount
from goods.product import Product, Value
from search.facets import NumberFacet
from search.relevance import Relevance
from search.understand.decision import Understanding, Understood

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Hit:
    """One product that was found.

    Attributes:
        product: As the catalog has it.
        score: Cosine of its picture and the query, higher is closer; 0 without a query.
        words: Share of the query's words that it has; 0 where words were not looked at.
        matched: Why it is here, beside its looks: its values of the fields that filters are about,
            and those that the text says.
        variants: The other products of its group under the filters, when hits were grouped; of
            all hits of a page the first 1,000.
        variant_count: How many there are.
    """

    product: Product
    score: float
    words: float = 0.0
    matched: Mapping[str, Value] = field(default_factory=dict)
    variants: tuple[Product, ...] = ()
    variant_count: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search gives.

    Attributes:
        hits: The best products, best first.
        total: How many products hold to the filters.
        relevance: Whether the best of them is a good match; None for other queries than texts, on
            later pages, when sorted, and until `goods tune` has measured the index.
        next: Cursor of the next page; None after the last one.
        facets: Counts of each value of the fields that were asked for, under the filters.
        numbers: The same for number fields, by ranges.
        understanding: What the text was understood as, if that was asked for.
        relaxed: Filters of it that were given up because nothing held to all of them.
        encode_ms: Time to make the query's vector.
        index_ms: Time that the index took.
    """

    hits: tuple[Hit, ...]
    total: int
    relevance: Relevance | None = None
    next: str | None = None
    facets: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)
    numbers: Mapping[str, NumberFacet] = field(default_factory=dict)
    understanding: Understanding | None = None
    relaxed: tuple[Understood, ...] = ()
    encode_ms: float = 0.0
    index_ms: float = 0.0

    def to_frame(self) -> "pd.DataFrame":
        """The hits as a table: id, score, title, picture, and a column per attribute."""
        import pandas as pd

        return pd.DataFrame(
            {
                "id": hit.product.id,
                "score": hit.score,
                "title": hit.product.title,
                "picture": hit.product.picture.location,
                **hit.product.attributes,
            }
            for hit in self.hits
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the hits as pictures."""
        from search.notebook import page

        return page(self)

    def to_json(self) -> dict[str, Any]:
        """A plain form for machines."""
        return {
            "total": self.total,
            "relevance": asdict(self.relevance) if self.relevance else None,
            "next": self.next,
            "hits": [_hit_json(hit) for hit in self.hits],
            "facets": {
                name: [{"value": f.value, "count": f.count} for f in counts]
                for name, counts in self.facets.items()
            },
            "numbers": {name: asdict(facet) for name, facet in self.numbers.items()},
            "understanding": self.understanding.to_json() if self.understanding else None,
            "relaxed": [demand.to_json() for demand in self.relaxed],
            "encode_ms": round(self.encode_ms, 2),
            "index_ms": round(self.index_ms, 2),
        }


def _hit_json(hit: Hit) -> dict[str, Any]:
    product = hit.product
    return {
        "id": product.id,
        "score": round(hit.score, 6),
        "words": round(hit.words, 6),
        "title": product.title,
        "picture": product.picture.location,
        "group": product.group,
        "attributes": dict(product.attributes),
        "matched": dict(hit.matched),
        "variants": [variant.id for variant in hit.variants],
        "variant_count": hit.variant_count,
    }
