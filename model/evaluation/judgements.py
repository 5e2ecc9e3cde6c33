"""Queries and judgements (qrels) out of files: BEIR's, TREC's, or plain JSON.

Queries are `{"_id": "q1", "text": "red dress"}` per line of a `.jsonl`, `{"q1": "red dress"}` in a
`.json`, else two columns divided by a tab. Judgements are `{"q1": {"83-A": 1}}` in a `.json`, else
`q1 <tab> 83-A <tab> 1` as BEIR writes them or `q1 0 83-A 1` as trec_eval reads them, or lines of
`{"query-id": "q1", "corpus-id": "83-A", "score": 1}`. Tables may begin with a header.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from goods.errors import QueryError

log = logging.getLogger(__name__)

Judgements = Mapping[str, Mapping[str, int]]
"""For each query the grades of judged products; 0 and less say that a product is wrong."""

_QUERY = ("_id", "id", "query-id", "query_id", "qid")
_PRODUCT = ("corpus-id", "corpus_id", "doc-id", "doc_id")
_GRADE = ("score", "relevance", "grade")
_MAX_GRADE = 1000  # trec_eval counts the products of every grade up to the highest: 8 bytes each
_GZIP = b"\x1f\x8b"


def read_queries(path: Path) -> dict[str, str]:
    """The text of each query.

    Raises:
        QueryError: The file cannot be read or is empty, or a query has no text, or two.
    """
    queries: dict[str, str] = {}
    for place, query, text in _queries(path):
        if not text.strip():
            raise QueryError(f"{place}: query '{query}' has no text")
        _refuse_half_letters(place, query)
        _refuse_half_letters(place, text)
        if queries.setdefault(query, text) != text:
            raise QueryError(f"{place}: query '{query}' comes again with another text")
    if not queries:
        raise QueryError(f"{path} has no queries")
    return queries


def read_judgements(path: Path) -> Judgements:
    """The judged products of each query.

    Raises:
        QueryError: The file cannot be read or is empty, or a product has two grades.
    """
    judgements: dict[str, dict[str, int]] = {}
    repeated = 0
    for place, query, product, written in _judgements(path):
        _refuse_half_letters(place, query)  # it may be the text as well
        grade = _grade(place, written)
        graded = judgements.setdefault(query, {})
        repeated += product in graded
        if graded.setdefault(product, grade) != grade:
            raise QueryError(
                f"{place}: product '{product}' has grades {graded[product]} and {grade} for "
                f"query '{query}'; leave one"
            )
    if not judgements:
        raise QueryError(f"{path} has no judgements")
    if repeated:
        log.warning("%s: judgements that come again: %d; each counts once", path, repeated)
    return judgements


def _queries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Where each query stands, its id and its text."""
    if path.suffix == ".json":
        for query, text in _json_object(path).items():
            if not isinstance(text, str):
                raise QueryError(f"{path}: the text of query '{query}' is not a string")
            yield str(path), query, text
    elif path.suffix in (".jsonl", ".ndjson"):
        for place, record in _records(path):
            yield place, _cell(place, record, _QUERY), _cell(place, record, ("text",))
    else:
        for place, cells in _table(path, is_by_spaces=False):
            if len(cells) != 2:
                raise QueryError(
                    f"{place}: {len(cells)} columns; a query is its id, a tab, and its text"
                )
            yield place, cells[0], cells[1]


def _judgements(path: Path) -> Iterator[tuple[str, str, str, Any]]:
    """Where each judgement stands, its query, product and grade."""
    if path.suffix == ".json":
        for query, graded in _json_object(path).items():
            if not isinstance(graded, dict):
                raise QueryError(f"{path}: query '{query}' has no {{product: grade}}")
            for product, grade in graded.items():
                yield f"{path} query '{query}'", query, product, grade
    elif path.suffix in (".jsonl", ".ndjson"):
        for place, record in _records(path):
            grade = _cell(place, record, _GRADE)
            yield place, _cell(place, record, _QUERY), _cell(place, record, _PRODUCT), grade
    else:
        for place, cells in _table(path, is_by_spaces=True):
            if len(cells) not in (3, 4):
                raise QueryError(
                    f"{place}: {len(cells)} columns; a judgement is query, product and grade "
                    "divided by tabs (BEIR), or query, 0, product and grade (TREC)"
                )
            yield place, cells[0], cells[-2], cells[-1]


def _table(path: Path, is_by_spaces: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """The cells of each line but the header, divided by tabs; or by spaces where there is none."""
    for place, line in _lines(path):
        is_spaced = is_by_spaces and "\t" not in line
        cells = line.split() if is_spaced else [cell.strip() for cell in line.split("\t")]
        is_header = place.endswith(" line 1") and cells[0].lower() in _QUERY
        if not is_header:
            yield place, cells


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, line in _lines(path):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise QueryError(f"{place} is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise QueryError(f"{place} is not an object")
        yield place, record


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    # not splitlines(): JSON may hold a line separator (U+2028) as it is
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield f"{path} line {number}", line


def _json_object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(_text(path), object_pairs_hook=_without_repeats)
    except ValueError as error:
        raise QueryError(f"{path} is not usable JSON: {error}") from error
    if not isinstance(data, dict):
        raise QueryError(f"{path} is not an object by query")
    return data


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; JSON itself would keep the last of two entries, and not tell."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"'{twice}' comes twice")
    return found


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            raise QueryError(f"{path} is compressed; unpack it first (gunzip)")
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path} cannot be read: {error}") from error


def _refuse_half_letters(place: str, text: str) -> None:
    """Refuse half of a surrogate pair, which JSON can spell and no tokenizer or terminal take."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise QueryError(f"{place}: {text!a} holds half of a letter; write the file as UTF-8")


def _cell(place: str, record: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        if name in record:
            return str(record[name])
    raise QueryError(f"{place} has no '{names[0]}'; it has {sorted(record)}")


def _grade(place: str, written: object) -> int:
    """The grade as a whole number; "1.0", as some tools write, is one."""
    try:
        value = float(str(written))
        grade = int(value)
    except (ValueError, OverflowError):
        raise QueryError(f"{place}: the grade '{written}' is not a number") from None
    if grade != value:
        raise QueryError(f"{place}: the grade {written} is not a whole number")
    if grade > _MAX_GRADE:
        raise QueryError(
            f"{place}: the grade {written} is above {_MAX_GRADE:,}; grades are steps such as 1 to 3"
        )
    return grade
