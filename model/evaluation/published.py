"""What others published, cited, and whether it may stand beside our scores."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("published.toml")
_SAME_CORPUS = 0.001  # copies of KAGL on hubs differ by a dozen of 44,434 rows


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What several models score on one task of one corpus.

    Attributes:
        corpus: "KAGL", or an average over several data sets.
        task: By the publisher's name.
        ours: What our tasks that ask the same are called.
        documents: What a product's vector is made of.
        scores: By model, then by metric in our spelling ("R@10"): the mean over all queries.
    """

    corpus: str
    task: str
    ours: tuple[str, ...]
    documents: str
    scores: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Published:
    """All that was published, and where.

    Attributes:
        source: Name of the page.
        url: The page, in the version that was read.
        updated: Its date.
        protocol: How it was measured.
        kagl_products: How many products the KAGL corpus has.
        kagl_url: Where that number comes from.
        tables: The scores.
    """

    source: str
    url: str
    updated: str
    protocol: str
    kagl_products: int
    kagl_url: str
    tables: tuple[PublishedTable, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """What may stand beside our scores.

    Attributes:
        tables: None where nothing is comparable.
        note: One line: where the tables come from, or why there are none.
        url: The source.
    """

    tables: tuple[PublishedTable, ...]
    note: str
    url: str


@cache
def published() -> Published:
    """Everything in `published.toml`."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    tables = tuple(
        PublishedTable(
            corpus=table["corpus"],
            task=table["task"],
            ours=tuple(table.get("ours", ())),
            documents=table["documents"],
            scores={
                model: dict(zip(table["metrics"], scores, strict=True))
                for model, scores in table["scores"].items()
            },
        )
        for table in data["tables"]
    )
    source, kagl = data["source"], data["kagl"]
    return Published(
        source=source["name"],
        url=source["url"],
        updated=source["updated"].isoformat(),
        protocol=source["protocol"],
        kagl_products=kagl["products"],
        kagl_url=kagl["url"],
        tables=tables,
    )


def published_beside(protocol: str, corpus_size: int, is_trained_on_it: bool) -> Beside:
    """The published scores that were measured as ours were, or one line that says why none.

    Averages over several data sets are never comparable with one catalog, so only KAGL's are.

    Args:
        protocol: How ours were measured; "marqo" is theirs.
        corpus_size: How many products were searched: KAGL is recognised by it.
        is_trained_on_it: Whether any of the models has learned from products of this corpus.
    """
    known = published()
    if protocol != known.protocol:
        reason = (
            f"published results are not shown: they follow the {known.protocol} protocol "
            "(whole catalog as corpus, up to 2,000 sampled queries), and this is another"
        )
    elif abs(corpus_size - known.kagl_products) > _SAME_CORPUS * known.kagl_products:
        reason = (
            f"published results are not shown: your corpus has {corpus_size:,} products, "
            f"KAGL {known.kagl_products:,}; the right product is easier to find among fewer"
        )
    elif is_trained_on_it:
        reason = (
            "published results are not shown: a model here was trained on part of this catalog; "
            "only held-out products are a fair comparison"
        )
    else:
        tables = tuple(table for table in known.tables if table.corpus == "KAGL")
        note = (
            f"{known.source}, updated {known.updated}; this corpus of {corpus_size:,} products "
            f"is taken for KAGL ({known.kagl_products:,}) by its size; of more than 2,000 titles "
            "theirs are another sample, unless --qrels names their ground truth"
        )
        return Beside(tables, note, known.url)
    return Beside((), reason, known.url)
