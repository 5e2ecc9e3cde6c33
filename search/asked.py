"""A query as it is carried out: with what its text was understood as, in which order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from goods.index import Condition, Exists, Vector, VectorIndex
from goods.index.words import query_words
from search.boost import avoiding, boosted
from search.options import SearchOptions
from search.query import Query
from search.ranking import (
    Ranking,
    by_likeness,
    by_likeness_and_words,
    by_number,
    diverse,
    is_named,
    listed,
)
from search.relax import relax
from search.understand import Understanding, Understood, Vocabulary, understand, unwanted

_NAMED = 10  # products looked at for one that is called just what was typed


@dataclass(frozen=True, slots=True)
class Asked:
    """What is really looked for.

    Attributes:
        query: The query with the text that is left for the model.
        conditions: What products have to hold to.
        boosts: What moves products up.
        understanding: What was made of the text; None when nothing was asked to be.
        relaxed: Filters that were given up because nothing held to all of them.
    """

    query: Query
    conditions: tuple[Condition, ...]
    boosts: tuple[Understood, ...] = ()
    understanding: Understanding | None = None
    relaxed: tuple[Understood, ...] = ()


def ask(
    query: Query,
    filtered: tuple[Condition, ...],
    options: SearchOptions,
    index: VectorIndex,
    vocabulary: Callable[[], Vocabulary],
) -> Asked:
    """Understand a query's texts as the options say, and give up filters that leave nothing.

    A text that is just the title or id of a product is left alone: "Red Tape Brown Shoes" is a
    name, and its product is not red. A minus text that filters can carry out leaves the vector;
    where nothing is looked for all of them do, and demands filter: a list has no order that they
    could move.
    """
    if options.understand == "off" or not (query.texts or query.minus_texts):
        return Asked(query, filtered)
    known = vocabulary()
    is_name = bool(query.texts) and _names_one(query, filtered, index)
    if is_name and not query.minus_texts:
        return Asked(query, filtered)
    minus = {text: unwanted(text, known) for text in query.minus_texts}
    said = Understanding(query.words) if is_name else understand(", ".join(query.texts), known)
    said = said.with_refusals(minus.values())
    ignored = set(options.ignore)
    understood = said.without(one for one in said.decisions if one.key in ignored)
    query = replace(query, texts=(understood.text,) if understood.text else ())
    left = [text for text, its in minus.items() if its.avoided] if query.is_aimed else []
    query = replace(query, minus_texts=left)
    is_soft = options.understand == "boost" and query.is_aimed
    carried = understood.softened() if is_soft else understood

    def count(demands: Sequence[Understood]) -> int:
        return index.count((*filtered, *(demand.condition for demand in demands)))

    relaxed = relax(carried.filters, known.aspects, count)
    conditions = (*filtered, *(demand.condition for demand in relaxed.kept))
    return Asked(query, conditions, carried.boosts, understood, relaxed.dropped)


def _names_one(query: Query, filtered: tuple[Condition, ...], index: VectorIndex) -> bool:
    words = query.words
    found = index.search_words(query_words(words), _NAMED, conditions=filtered)
    return any(is_named(one.payload, words) for one in found)


def ranking_of(
    asked: Asked,
    index: VectorIndex,
    vector: Vector | None,
    conditions: tuple[Condition, ...],
    options: SearchOptions,
) -> Ranking:
    """How the products that hold to the conditions are ordered; without a vector all are as good.

    Raises:
        QueryError: The options sort by what is no number field.
    """
    query, order = asked.query, options.order(index.contract.schema)
    things = asked.understanding.avoided if asked.understanding else ()
    if vector is None:
        present = (Exists(order.field),) if order else ()
        ranking = listed(index, conditions + present, order)
        return ranking if order or not things else avoiding(ranking, things, index.contract.schema)
    keep = options.diversity > 0
    if weight := options.words_weight * query.text_share:
        ranking = by_likeness_and_words(index, vector, query.words, conditions, weight, keep=keep)
    else:
        ranking = by_likeness(index, vector, conditions, keep=keep)
    if asked.boosts:
        ranking = boosted(ranking, asked.boosts)
    if things:
        ranking = avoiding(ranking, things, index.contract.schema)
    if order:
        return by_number(ranking, order)
    return diverse(ranking, options.diversity) if keep else ranking
