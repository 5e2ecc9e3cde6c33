"""An answer as lines of text, for people at a terminal."""

from collections.abc import Iterator

from goods.product import Value
from search.answer import Answer, Hit


def lines_of(answer: Answer, offset: int) -> Iterator[str]:
    """What was understood, the hits with their ranks, the counts, and how long it took.

    Args:
        answer: What was found.
        offset: How many better products were passed over.
    """
    yield from answer.understanding.lines() if answer.understanding else ()
    if answer.relaxed:
        yield f"nothing holds to all of it, so given up: {'; '.join(map(str, answer.relaxed))}"
    if not answer.total:
        yield "no product holds to the filters"
    if answer.hits and answer.relevance and not answer.relevance.is_good:
        yield "no good match; the closest are:"
    for rank, hit in enumerate(answer.hits, start=offset + 1):
        yield f"{rank:>4}  {_hit(hit)}"
    for name, counts in answer.facets.items():
        yield f"{name}: " + ", ".join(f"{c.value} ({c.count:,})" for c in counts)
    for name, number in answer.numbers.items():
        shown = ", ".join(f"{r.low:g}..{r.high:g} ({r.count:,})" for r in number.ranges)
        yield f"{name}, {number.low:g} to {number.high:g}: {shown}"
    yield (
        f"{len(answer.hits)} of {answer.total:,} products, "
        f"{answer.encode_ms:.1f} ms to embed + {answer.index_ms:.1f} ms in the index"
    )


def _hit(hit: Hit) -> str:
    product = hit.product
    values = (_value(name, value) for name, value in product.attributes.items())
    variants = f"  +{hit.variant_count} variants" if hit.variant_count else ""
    return f"{hit.score:.3f}  {product.id}  {product.title}  [{'; '.join(values)}]{variants}"


def _value(name: str, value: Value) -> str:
    """A value as people read it; what says little alone comes with its name."""
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if isinstance(value, float):
        return f"{name} {value:.10g}"
    return ", ".join(value) if isinstance(value, tuple) else value
