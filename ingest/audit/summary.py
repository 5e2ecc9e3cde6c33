"""An audit in a terminal, as JSON and as a table for spreadsheets."""

import csv
from collections.abc import Iterator
from dataclasses import asdict
from io import StringIO
from typing import Any

from ingest.audit.audit import Audit
from ingest.audit.findings import ADVICE, Finding, by_kind

TABLE = "findings.csv"
"""What an audit's folder calls its table."""

_WORST = 5  # findings shown of each kind
_COLUMNS = ("finding", "kind", "product", "field", "given", "suggested", "confidence", "note")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(audit: Audit) -> Iterator[str]:
    """The summary for people: of each kind the count, what to do, and the worst."""
    yield (
        f"{len(audit.products):,} products, {audit.pictures:,} pictures read; "
        f"{len(audit.findings):,} findings"
    )
    if audit.reused:
        yield f"{audit.reused:,} vectors taken from the index"
    if audit.model is None:
        yield "labels were not compared with pictures: that takes a --model"
    for kind, found in by_kind(audit.findings):
        yield ""
        yield f"{len(found):,} x {kind}. {ADVICE[kind].action}"
        for finding in found[:_WORST]:
            yield f"  {_shown(finding)}"
        if len(found) > _WORST:
            yield f"  ... and {len(found) - _WORST:,} more"


def audit_json(audit: Audit) -> dict[str, Any]:
    """The audit for machines."""
    return {
        "catalog": audit.catalog,
        "products": len(audit.products),
        "pictures": audit.pictures,
        "model": audit.model,
        "vectors_reused": audit.reused,
        "counts": {kind.value: len(found) for kind, found in by_kind(audit.findings)},
        "findings": [asdict(one) for _, found in by_kind(audit.findings) for one in found],
    }


def table(audit: Audit) -> str:
    """CSV, one row for each finding and product that it names; a finding's rows share a number.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    found = (finding for _, of_kind in by_kind(audit.findings) for finding in of_kind)
    for number, f in enumerate(found, 1):
        confidence = f"{f.confidence:.2f}"
        for product in f.products or ("",):
            cells = (f.kind.value, product, f.field, f.given, f.suggested, confidence, f.note)
            writer.writerow([number, *map(_harmless, cells)])
    return stream.getvalue()


def _shown(finding: Finding) -> str:
    few = ", ".join(finding.products[:_WORST])
    more = f" and {finding.count - _WORST:,} more" if finding.count > _WORST else ""
    suggestion = f" -> {finding.suggested}" if finding.suggested else ""
    return f"{finding.confidence:.2f}  {few}{more}: {_printable(finding.note)}{suggestion}"


def _printable(text: str) -> str:
    """The text on one line, with no sequence that a terminal obeys."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
