"""The labelled queries of shoppers in `shoppers/`, and how answers are scored against them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from goods.schema import CatalogSchema, Field, FieldKind
from search.understand import Understanding, Understood, Vocabulary

FOLDER = Path(__file__).with_name("shoppers")


@dataclass(frozen=True)
class Labelled:
    """A query, and what it should be understood as.

    Attributes:
        catalog: Name of the vocabulary.
        text: The query.
        filters: Demands in one canonical form each.
        boosts: Likewise, of what only moves products up.
        not_carried: The words that the catalog has nothing to answer with.
    """

    catalog: str
    text: str
    filters: frozenset[str]
    boosts: frozenset[str]
    not_carried: frozenset[str]

    @property
    def is_held_out(self) -> bool:
        """Whether it was put aside before anything was tuned: by a digest of the text alone."""
        return hashlib.sha256(self.text.encode()).digest()[0] % 2 == 1


def labelled() -> Iterator[Labelled]:
    """All labelled queries, in the order of the file."""
    for line in (FOLDER / "queries.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            catalog, text, *rest = line.split("|")
            demands = [_canonical(one) for one in rest[0].split(";") if one.strip()]
            missing = rest[1].split(";") if len(rest) > 1 else []
            yield Labelled(
                catalog.strip(),
                text[1:-1],
                frozenset(one for one in demands if not one.startswith("~")),
                frozenset(one[1:] for one in demands if one.startswith("~")),
                frozenset(one.strip() for one in missing),
            )


def _canonical(label: str) -> str:
    """A label with its values in order, and numbers as Python writes them."""
    label = label.strip()
    for op in ("!=", "<=", ">=", "<", ">", "="):
        field, found, value = label.partition(op)
        if found:
            values = sorted(one.strip() for one in value.split(","))
            return f"{field}{op}{','.join(map(_plain, values))}"
    raise AssertionError(label)


def _plain(value: object) -> str:
    try:
        return f"{float(str(value)):g}"
    except ValueError:
        return str(value).lower() if isinstance(value, bool) else str(value)


def canonical(demand: Understood) -> str:
    """A demand in the form of the labels."""
    return f"{demand.field}{demand.op}{','.join(sorted(map(_plain, demand.values)))}"


def filters_of(understanding: Understanding) -> frozenset[str]:
    """The filters in the form of the labels."""
    return frozenset(map(canonical, understanding.filters))


def is_exact(query: Labelled, understanding: Understanding) -> bool:
    """Whether filters and boosts are those of the label, no more and no less."""
    boosts = frozenset(map(canonical, understanding.boosts))
    return filters_of(understanding) == query.filters and boosts == query.boosts


def is_wrong(query: Labelled, understanding: Understanding) -> bool:
    """Whether products are filtered by anything that the label does not demand."""
    return not filters_of(understanding) <= query.filters


def facets() -> dict[str, dict[str, dict[str, int]]]:
    """By catalog and field: the values with how many products have each."""
    found = {}
    for name, data in json.loads((FOLDER / "vocabularies.json").read_text("utf-8")).items():
        claims = {f: {str(v).lower(): 1 for v in vs} for f, vs in data["booleans"].items()}
        found[name] = data["keywords"] | claims
    return found


def vocabularies() -> Mapping[str, Vocabulary]:
    """The vocabularies of the catalogs that the queries are asked of."""
    data = json.loads((FOLDER / "vocabularies.json").read_text("utf-8"))
    return {name: Vocabulary.build(_schema(data[name]), facets()[name]) for name in data}


def _schema(data: dict[str, list[str] | dict[str, object]]) -> CatalogSchema:
    kinds = {FieldKind.KEYWORD: "keywords", FieldKind.NUMBER: "numbers"}
    kinds |= {FieldKind.BOOLEAN: "booleans"}
    fields = tuple(Field(f, kind, f) for kind, key in kinds.items() for f in data[key])
    return CatalogSchema(id="id", picture="image", fields=fields, phrase=tuple(data["phrase"]))
