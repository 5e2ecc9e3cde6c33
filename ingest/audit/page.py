"""One self-contained page for a merchandiser: what is wrong, what to do, and the pictures.

The page needs no network and no script. Everything from a catalog is foreign text: the template
escapes it, and the page's own policy forbids whatever would slip through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from goods.pictures import PictureLoader
from goods.product import Product
from ingest.audit.audit import Audit
from ingest.audit.findings import ADVICE, Advice, Finding, Kind, by_kind, words_of
from ingest.audit.summary import TABLE
from model.evaluation.thumbnails import thumbnails

_TEMPLATE = Path(__file__).with_name("page.html")
_SHOWN = 40  # findings of a kind: the rest is in the table
_PICTURED = 6  # products of a finding
MAX_PICTURES = 1000  # on the page; some 4 kB each


@dataclass(frozen=True, slots=True)
class Shown:
    """A product on the page, and what the catalog says of it."""

    product: Product
    values: str


@dataclass(frozen=True, slots=True)
class Case:
    """A finding on the page."""

    finding: Finding
    products: Sequence[Shown]
    beside: Sequence[Shown]
    left_out: int


@dataclass(frozen=True, slots=True)
class Section:
    """All findings of a kind, or the first of them."""

    kind: Kind
    anchor: str
    advice: Advice
    count: int
    cases: Sequence[Case]


def page(audit: Audit, loader: PictureLoader) -> str:
    """The page as HTML; a picture that cannot be loaded is shown as missing."""
    sections = list(_sections(audit))
    return _template().render(
        audit=audit,
        sections=sections,
        pictures=thumbnails(_pictured(sections), loader),
        table=TABLE,
    )


def _sections(audit: Audit) -> Iterator[Section]:
    for kind, found in by_kind(audit.findings):
        cases = [_case(finding, audit) for finding in found[:_SHOWN]]
        yield Section(kind, kind.name.lower().replace("_", "-"), ADVICE[kind], len(found), cases)


def _case(finding: Finding, audit: Audit) -> Case:
    known = [audit.products[one] for one in finding.products if one in audit.products]
    beside = [audit.products[one] for one in finding.beside]
    shown = [_shown(product, audit) for product in known[:_PICTURED]]
    return Case(
        finding,
        shown,
        [_shown(product, audit) for product in beside],
        finding.count - len(shown) if known else 0,
    )


def _shown(product: Product, audit: Audit) -> Shown:
    values = (words_of(product, name) for name in audit.schema.phrase)
    return Shown(product, " · ".join(filter(None, values)))


def _pictured(sections: Sequence[Section]) -> list[Product]:
    """The products whose pictures are on the page; the first of every section before the rest."""
    ranked = [
        (place, shown.product)
        for section in sections
        for place, case in enumerate(section.cases)
        for shown in (*case.products, *case.beside)
    ]
    ranked.sort(key=lambda pair: pair[0])
    distinct = {product.id: product for _, product in ranked}
    return list(distinct.values())[:MAX_PICTURES]


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE.name)
