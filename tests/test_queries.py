"""Queries and judgements of files, and what becomes of those that a catalog cannot answer."""

import gzip
import json
import logging
from pathlib import Path

import pytest

from goods.errors import QueryError
from goods.product import Picture, Product
from model.evaluation.judged_task import judged_task
from model.evaluation.judgements import read_judgements, read_queries
from model.evaluation.tasks import Corpus

QUERIES = {"q1": "red dress", "q2": "navy blue shirt"}
JUDGED = {"q1": {"83-A": 2, "84-B": 1}, "q2": {"85 C": 1}}


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.json", json.dumps(QUERIES)),
        (
            "q.jsonl",
            """{"_id": "q1", "text": "red dress", "metadata": {}}

            {"_id": "q2", "text": "navy blue shirt"}""",
        ),
        ("q.tsv", "q1\tred dress\nq2\tnavy blue shirt\n"),
        ("q.tsv", "q1\tred dress\rq2\tnavy blue shirt"),
        ("q.txt", "\ufeffquery-id\ttext\r\nq1\tred dress\r\nq2\tnavy blue shirt\r\n"),
    ],
)
def test_queries_are_read_from_every_layout(name: str, text: str, tmp_path: Path) -> None:
    assert read_queries(written(tmp_path, name, text)) == QUERIES


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("j.json", json.dumps(JUDGED)),
        ("j.tsv", "query-id\tcorpus-id\tscore\nq1\t83-A\t2\nq1\t84-B\t1\nq2\t85 C\t1\n"),
        ("j.tsv", "q1\t83-A\t2\nq1\t84-B\t1.0\nq2\t85 C\t1\n"),
        ("j.txt", "q1\t0\t83-A\t2\nq1\t0\t84-B\t1\nq2\tQ0\t85 C\t1\n"),
        (
            "j.jsonl",
            """{"query-id": "q1", "corpus-id": "83-A", "score": 2}
            {"query-id": "q1", "corpus-id": "84-B", "score": 1}
            {"query-id": "q2", "corpus-id": "85 C", "score": 1}""",
        ),
    ],
)
def test_judgements_are_read_from_every_layout(name: str, text: str, tmp_path: Path) -> None:
    assert read_judgements(written(tmp_path, name, text)) == JUDGED


def test_trec_judgements_may_be_divided_by_spaces(tmp_path: Path) -> None:
    assert read_judgements(written(tmp_path, "x.qrels", "7 0  83-A  1\n7 0 84-B -1\n")) == {
        "7": {"83-A": 1, "84-B": -1}
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("q.json", "{}", "has no queries"),
        ("q.tsv", "", "has no queries"),
        ("q.json", "[1]", "is not an object by query"),
        ("q.json", '{"q1": 7}', "text of query 'q1' is not a string"),
        ("q.json", '{"q1": "a", "q1": "b"}', "'q1' comes twice"),
        ("q.json", "{", "not usable JSON"),
        ("q.jsonl", '{"_id": "q1"}', "line 1 has no 'text'; it has ['_id']"),
        ("q.jsonl", "red dress", "line 1 is not JSON"),
        ("q.jsonl", "[]", "line 1 is not an object"),
        ("q.tsv", "q1\ta\tb", "line 1: 3 columns; a query is its id, a tab, and its text"),
        ("q.tsv", "red dress", "line 1: 1 columns; a query is its id, a tab, and its text"),
        ("q.json", '{"q1": "half \\ud83d"}', "'half \\ud83d' holds half of a letter"),
        ("q.tsv", "q1\t ", "query 'q1' has no text"),
        ("q.tsv", "q1\ta\nq1\tb", "line 2: query 'q1' comes again with another text"),
        ("missing.tsv", None, "cannot be read"),
    ],
)
def test_queries_that_cannot_be_used_say_why(
    name: str, text: str | None, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / name if text is None else written(tmp_path, name, text)
    with pytest.raises(QueryError) as caught:
        read_queries(file)
    assert reason in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("j.json", "{}", "has no judgements"),
        ("j.json", '{"q1": ["83-A"]}', "query 'q1' has no {product: grade}"),
        ("j.json", '{"q1": {"83-A": "good"}}', "query 'q1': the grade 'good' is not a number"),
        ("j.json", '{"q1": {"83-A": 0.5}}', "the grade 0.5 is not a whole number"),
        ("j.tsv", "q1\t83-A\tinf", "the grade 'inf' is not a number"),
        ("j.tsv", "q1\t83-A\t2147483648", "the grade 2147483648 is above 1,000"),
        ("j.json", '{"half \\ud83d": {"83-A": 1}}', "holds half of a letter"),
        ("j.tsv", "q1\t83-A", "2 columns; a judgement is query, product and grade"),
        ("j.tsv", "q1\tA\t1\nq1\tA\t2", "product 'A' has grades 1 and 2 for query 'q1'"),
        ("j.jsonl", '{"query-id": "q1", "score": 1}', "has no 'corpus-id'"),
    ],
)
def test_judgements_that_cannot_be_used_say_why(
    name: str, text: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(QueryError) as caught:
        read_judgements(written(tmp_path, name, text))
    assert reason in str(caught.value)


def test_a_line_separator_within_json_ends_no_line(tmp_path: Path) -> None:
    text = '{"_id": "q1", "text": "red\u2028dress"}\n{"_id": "q2", "text": "hat\x85"}'
    assert read_queries(written(tmp_path, "q.jsonl", text)) == {
        "q1": "red\u2028dress",
        "q2": "hat\x85",
    }


def test_a_compressed_file_is_told_from_a_broken_one(tmp_path: Path) -> None:
    file = tmp_path / "j.tsv.gz"
    file.write_bytes(gzip.compress(b"q\tA\t1\n"))
    with pytest.raises(QueryError, match=r"j\.tsv\.gz is compressed; unpack it first"):
        read_judgements(file)


def test_negative_grades_say_that_a_product_is_wrong(tmp_path: Path) -> None:
    judged = read_judgements(written(tmp_path, "j.tsv", "q\tA\t-1\nq\tC\t1\n"))
    [query] = judged_task("mine", judged, None, CORPUS).queries
    assert query.right_R.tolist() == [2]


def test_a_judgement_that_comes_again_counts_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_judgements(written(tmp_path, "j.tsv", "q\tA\t1\nq\tA\t1\n")) == {"q": {"A": 1}}
    assert "judgements that come again: 1" in caplog.text


CORPUS = Corpus([Product(id_, Picture("x.jpg")) for id_ in ("A", "B", "C")], ["g", "g", "c"])


def test_judged_queries_ask_for_what_was_judged_and_no_twin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    judged = {"q1": {"A": 2, "B": 0, "gone": 1}, "q2": {"gone": 1}, "q3": {"C": 1}}
    with caplog.at_level(logging.WARNING):
        task = judged_task("mine", judged, {"q1": "one", "q2": "two", "q4": "four"}, CORPUS, 0.9)
    [query] = task.queries
    assert (query.name, query.text) == ("q1", "one")
    assert (query.right_R.tolist(), query.grades_R.tolist()) == ([0], [2])
    assert not query.passed_over_P.size
    assert task.image_weight == 0.9
    assert "mine: 2 right products are not among those searched" in caplog.text
    assert "mine: 2 queries have no right product" in caplog.text
    assert "mine: 1 judged queries have no text" in caplog.text


def test_without_texts_the_names_of_queries_are_asked() -> None:
    task = judged_task("marqo", {"Red Shirt": {"B": 1}}, None, CORPUS)
    assert [query.text for query in task.queries] == ["Red Shirt"]


@pytest.mark.parametrize(
    ("judged", "texts", "reason"),
    [
        ({"q": {"a-1": 1}}, None, "other ids than this catalog's (such as 'A')"),
        ({"q": {"A": 0}}, {"q": "red"}, "no product is graded above 0"),
        ({"q": {"A": 1}}, {"Q": "red"}, "judges others (such as 'q') than --queries has (such as"),
    ],
)
def test_where_no_query_is_left_the_reason_is_told(
    judged: dict[str, dict[str, int]], texts: dict[str, str] | None, reason: str
) -> None:
    with pytest.raises(QueryError) as caught:
        judged_task("mine", judged, texts, CORPUS)
    assert reason in str(caught.value)
