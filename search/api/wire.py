"""What requests ask for: the names of the HTTP contract, their limits, and what they mean to us."""

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from goods.errors import QueryError
from search.filters import Filters
from search.options import SearchOptions, Understand
from search.query import Example, Query
from search.ranking import WORDS_WEIGHT

MAX_TEXT = 500
"""Characters of a text: a shopper's sentence, and far beyond what a text tower reads."""

MAX_PARTS = 16
"""Values of one repeatable parameter."""


def _web_address(location: str) -> str:
    """A picture's address: nothing but a web address may be read for a stranger."""
    try:
        parts = urlsplit(location)
    except ValueError as error:
        raise ValueError("it is no address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it has to begin with http:// or https:// and name a host")
    return parts._replace(fragment="").geturl()


Text = Annotated[str, Field(max_length=MAX_TEXT)]
ProductId = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
Expression = Annotated[str, Field(max_length=1000)]
Name = Annotated[str, Field(max_length=100)]
Texts = Annotated[list[Text], Field(max_length=MAX_PARTS)]
Ids = Annotated[list[ProductId], Field(max_length=MAX_PARTS)]
Addresses = Annotated[list[Address], Field(max_length=MAX_PARTS)]
Expressions = Annotated[list[Expression], Field(max_length=64)]
Names = Annotated[list[Name], Field(max_length=64)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
IndexName = Literal["main", "compare"]


class Asking(BaseModel):
    """What every way to ask for products has in common."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[Text | None, Field(description="What to look for.", examples=["red dress"])] = None
    filter: Annotated[
        Expressions,
        Field(
            description="`colour=Red,Blue` `colour!=Red` `price<40` `price=10..40` `size=*`",
            examples=[["price<40"]],
        ),
    ] = []
    ignore: Annotated[
        Expressions, Field(description="Keys of understood demands that are not carried out.")
    ] = []
    facets: Annotated[Names, Field(description="Fields to count, or `all`.")] = []
    facet_limit: Annotated[int, Field(ge=1, le=1000, description="Values per field.")] = 100
    widen: Annotated[
        bool, Field(description="Count each field under the filters on the others alone.")
    ] = True
    index: Annotated[IndexName, Field(description="Which index to ask.")] = "main"

    def texts(self) -> tuple[str, ...]:
        """What it says; a blank text says nothing."""
        return (self.q,) if self.q and self.q.strip() else ()

    def filters(self) -> Filters:
        """What products have to hold to.

        Raises:
            FilterError: An expression cannot be read.
        """
        return Filters.parse(self.filter)

    def counted(self, countable: Sequence[str]) -> tuple[str, ...]:
        """The fields to count, each once."""
        return tuple(countable) if "all" in self.facets else tuple(dict.fromkeys(self.facets))


class Likeness(Asking):
    """What to look for besides one product, and how to answer."""

    image: Annotated[Addresses, Field(description="Addresses of pictures to look like.")] = []
    minus: Annotated[Texts, Field(description="What is not wanted, each as a text.")] = []
    minus_image: Annotated[Addresses, Field(description="Pictures to move away from.")] = []
    minus_similar: Annotated[Ids, Field(description="Products to move away from.")] = []
    understand: Annotated[
        Understand, Field(description="Whether demands in the text filter or only move up.")
    ] = "filter"
    limit: Annotated[int, Field(ge=1, le=100, description="Products on a page.")] = 24
    offset: Annotated[int, Field(ge=0, le=10_000, description="Better ones to pass over.")] = 0
    cursor: Annotated[str | None, Field(max_length=20_000, description="`next` before.")] = None
    group: Annotated[bool, Field(description="Show each group of variants once.")] = False
    variants: Annotated[bool, Field(description="Let examples find their own variants.")] = False
    sort: Annotated[
        Name | None, Field(description="A number field, `-` before it from the highest down.")
    ] = None
    words_weight: Annotated[Share, Field(description="Share of the words.")] = WORDS_WEIGHT
    diversity: Annotated[Share, Field(description="How unlike each other hits are.")] = 0.0

    def query(
        self,
        products: Sequence[str] = (),
        uploads: Sequence[bytes] = (),
        minus_uploads: Sequence[bytes] = (),
    ) -> Query:
        """What to look for, with what came beside these parameters.

        Raises:
            QueryError: There are too many pictures.
        """
        images: tuple[Example, ...] = (*self.image, *uploads)
        minus_images: tuple[Example, ...] = (*self.minus_image, *minus_uploads)
        if len(images) + len(minus_images) > MAX_PARTS:
            raise QueryError(f"a search takes {MAX_PARTS} pictures at most; leave some out")
        minus = tuple(text for text in self.minus if text.strip())
        return Query(
            self.texts(), images, tuple(products), minus, minus_images, tuple(self.minus_similar)
        )

    def options(self, countable: Sequence[str]) -> SearchOptions:
        """How to answer."""
        return SearchOptions(
            limit=self.limit,
            offset=self.offset,
            cursor=self.cursor or None,
            by_group=self.group,
            include_variants=self.variants,
            words_weight=self.words_weight,
            sort=self.sort or None,
            diversity=self.diversity,
            understand=self.understand,
            ignore=self.ignore,
            facets=self.counted(countable),
            facet_limit=self.facet_limit,
            widen_facets=self.widen,
        )


class Searching(Likeness):
    """What `/search` is asked."""

    similar: Annotated[Ids, Field(description="Ids of products to be like.")] = []


class Counting(Asking):
    """What `/facets` is asked: all fields unless some are named."""

    facets: Annotated[Names, Field(description="Fields to count, or `all`.")] = ["all"]


class SessionKey(BaseModel):
    """The key with which a browser begins a session."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=500)]
