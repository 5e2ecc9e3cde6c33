"""An audit, from catalog to findings: gather, compare pictures, check values, doubt labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from goods.catalog import Catalog
from goods.errors import GoodsError
from goods.pictures import PictureLoader
from goods.product import Product
from goods.progress import Told
from goods.schema import CatalogSchema
from ingest.audit.clashes import clash_findings
from ingest.audit.findings import Finding, Kind
from ingest.audit.gaps import gap_findings
from ingest.audit.gather import Gathered, Gathering, gather
from ingest.audit.labels import NEIGHBOURS, Texts, label_findings
from ingest.audit.neighbours import nearest_others
from ingest.audit.numbers import number_findings
from ingest.audit.pictures import picture_findings
from ingest.audit.twins import Twins, find_twins, twin_findings
from ingest.audit.typos import typo_findings
from model.groups import Together


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still worth a finding.

    Attributes:
        min_side: Pixels that the longer side of a picture should have.
        most_labels: Doubtful labels of one field.
    """

    min_side: int = 100
    most_labels: int = 200

    def __post_init__(self) -> None:
        for name in ("min_side", "most_labels"):
            if getattr(self, name) < 0:
                raise GoodsError(f"{name} is {getattr(self, name)}; it cannot be negative")


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in a catalog.

    Attributes:
        catalog: Where it is.
        schema: What its columns are for.
        products: All of them, by the shop's id.
        pictures: How many could be read.
        reused: How many vectors came from an index.
        model: Whose vectors; None when pictures were only compared as pictures, and no label.
        findings: In the order in which they were found.
    """

    catalog: str
    schema: CatalogSchema
    products: dict[str, Product]
    pictures: int
    reused: int
    model: str | None
    findings: Sequence[Finding]


def audit(
    catalog: Catalog,
    loader: PictureLoader,
    how: Gathering,
    limits: Limits,
    progress: Told | None = None,
) -> Audit:
    """Everything that is wrong with a catalog, as far as this can tell.

    Args:
        catalog: What the shop has.
        loader: Where pictures come from.
        how: With which model, and how fast.
        limits: What is still worth a finding.
        progress: Told the stage and how far it is.

    Raises:
        CatalogError: The rest of the file cannot be read.
        IndexStoreError: The index of the vectors cannot be read.
    """
    tell = progress or _nobody
    expected = how.limit or catalog.count_estimate()
    gathered = gather(catalog, loader, how, lambda done: tell("pictures", done, expected))
    tell("comparing", 0, None)
    twins = find_twins(gathered.looks, gathered.vectors_PD)
    findings = [
        *picture_findings(gathered, limits.min_side),
        *twin_findings(gathered, twins),
        *gap_findings(gathered.products, gathered.schema),
        *number_findings(gathered.products, gathered.schema),
        *typo_findings(gathered.products, gathered.schema),
        *clash_findings(gathered.products, gathered.schema),
    ]
    if how.encoder:
        tell("labels", 0, None)
        findings += _labels(gathered, twins, how.encoder.texts, limits.most_labels, findings)
    return Audit(
        catalog.location,
        gathered.schema,
        {product.id: product for product in gathered.products},
        len(gathered.looks),
        gathered.reused,
        how.encoder.name if how.encoder else None,
        findings,
    )


def _labels(
    gathered: Gathered, twins: Sequence[Twins], texts: Texts, most: int, found: Sequence[Finding]
) -> list[Finding]:
    if gathered.vectors_PD is None or not gathered.schema.phrase:
        return []
    groups = twin_groups(gathered.pictured, twins)
    neighbours = nearest_others(gathered.vectors_PD, groups, NEIGHBOURS)
    nothing = {one for f in found if f.kind is Kind.PLACEHOLDER for one in f.products}
    return list(label_findings(gathered, neighbours, texts, most, nothing))


def twin_groups(products: Sequence[Product], twins: Sequence[Twins]) -> list[int]:
    """For each picture what its twins have, too, and the variants of its product."""
    together, first = Together(len(products)), dict[str, int]()
    for group in twins:
        for n in group.members[1:]:
            together.join(group.members[0], n)
    for n, product in enumerate(products):
        if product.group is not None:
            together.join(n, first.setdefault(product.group, n))
    return [together.root(n) for n in range(len(products))]


def _nobody(_stage: str, _done: int, _total: int | None) -> None:
    """Is told, and tells nobody."""
