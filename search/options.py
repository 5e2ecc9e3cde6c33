"""How an answer is ordered, cut into pages and grouped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from goods.errors import QueryError
from goods.index import Order
from goods.schema import CatalogSchema, FieldKind
from search.facets import FACET_LIMIT
from search.ranking import WORDS_WEIGHT

Understand = Literal["filter", "boost", "off"]
"""Whether what a text was understood as filters products, moves them up, or is not looked for."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Everything about an answer but what to look for.

    Attributes:
        limit: Products (or groups) on a page.
        offset: Better ones to pass over; with a cursor, of those that were not shown yet.
        cursor: `Answer.next` of the page before; the first page without it.
        by_group: Show of all variants of a product the best one, with the others beside it.
        include_variants: Find the variants of an example product, too.
        words_weight: Share of the words beside the picture's likeness, 0 to 1; 0 leaves them out.
            It is that of a query of texts alone, and less by as much as examples take part in it.
        sort: A number field to go by, with "-" before it from the highest down. With a query, the
            best 1,000 products for it are sorted; those without that number are left out.
        diversity: From 0, the best products, to 1, products unlike each other.
        understand: What to make of "under 40" and the like in a text.
        ignore: Keys (`Understood.key`) of demands in a text that are not carried out.
        facets: Fields whose values are counted.
        facet_limit: Values counted per field.
        widen_facets: Count each field under the filters on the other fields alone.

    Raises:
        QueryError: A number is out of its range, or two options contradict each other.
    """

    limit: int = 10
    offset: int = 0
    cursor: str | None = None
    by_group: bool = False
    include_variants: bool = False
    words_weight: float = WORDS_WEIGHT
    sort: str | None = None
    diversity: float = 0.0
    understand: Understand = "off"
    ignore: Sequence[str] = ()
    facets: Sequence[str] = ()
    facet_limit: int = FACET_LIMIT
    widen_facets: bool = False

    def __post_init__(self) -> None:
        if self.facet_limit < 1:
            raise QueryError(f"facet_limit is {self.facet_limit}; count at least 1 value")
        if self.limit < 1 or self.offset < 0:
            raise QueryError(
                f"limit {self.limit}, offset {self.offset}: ask for at least 1, from 0 on"
            )
        for name in ("words_weight", "diversity"):
            if not 0 <= getattr(self, name) <= 1:
                raise QueryError(f"{name} is {getattr(self, name)}; it lies between 0 and 1")
        if self.understand not in get_args(Understand):
            raise QueryError(
                f"understand is {self.understand!r}; it is one of {', '.join(get_args(Understand))}"
            )
        if self.sort and self.diversity:
            raise QueryError("sorted products cannot be diverse as well; leave out one")

    def order(self, schema: CatalogSchema) -> Order | None:
        """What to sort by.

        Raises:
            QueryError: It is not a number field.
        """
        if self.sort is None:
            return None
        name = self.sort.removeprefix("-")
        field = schema.field(name)
        if field is None or field.kind is not FieldKind.NUMBER:
            numbers = ", ".join(f.name for f in schema.of_kind(FieldKind.NUMBER)) or "none"
            raise QueryError(f"cannot sort by {name!r}; the number fields are: {numbers}")
        return Order(name, is_descending=self.sort.startswith("-"))

    def question(self) -> str:
        """What has to stay the same from page to page."""
        parts = (self.by_group, self.include_variants, self.words_weight, self.sort, self.diversity)
        return repr((*parts, self.understand, sorted(self.ignore)))
