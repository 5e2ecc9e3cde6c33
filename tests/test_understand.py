"""What shoppers type, understood: labelled queries, garbled queries, and whatever text there is."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query_mutations import MUTATIONS, mutated
from search.understand import Understanding, understand
from shopper_queries import facets, is_exact, is_wrong, labelled, vocabularies

VOCABULARIES = vocabularies()
FACETS = facets()
QUERIES = list(labelled())
WORDS = sorted({word for query in QUERIES for word in query.text.split()})

any_text = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join)
)
catalogs = st.sampled_from(sorted(VOCABULARIES))


@pytest.mark.parametrize("is_held_out", [False, True])
def test_filters_are_exact_for_95_and_wrong_for_1_of_100_queries(is_held_out: bool) -> None:
    half = [query for query in QUERIES if query.is_held_out is is_held_out]
    answers = [(query, understand(query.text, VOCABULARIES[query.catalog])) for query in half]
    assert len(half) > 200
    assert sum(is_exact(*answer) for answer in answers) >= 0.95 * len(half)
    assert sum(is_wrong(*answer) for answer in answers) <= 0.01 * len(half)


@pytest.mark.parametrize("is_held_out", [False, True])
def test_what_a_catalog_does_not_carry_is_said(is_held_out: bool) -> None:
    half = [query for query in QUERIES if query.is_held_out is is_held_out]
    told = 0
    for query in half:
        found = understand(query.text, VOCABULARIES[query.catalog]).not_carried
        told += {missing.said for missing in found} == query.not_carried
    assert told >= 0.95 * len(half)


def test_ten_thousand_garbled_queries_are_understood_alike_or_less() -> None:
    """Case, spaces, marks and Unicode change nothing; a slip may cost a filter, rarely adds one."""
    tried, exact, wrong = Counter[str](), Counter[str](), Counter[str]()
    for name, query, text in mutated(QUERIES, 10_000):
        answer = understand(text, VOCABULARIES[query.catalog])
        tried[name] += 1
        exact[name] += is_exact(query, answer)
        wrong[name] += is_wrong(query, answer)
        assert_nothing_invented(query.catalog, answer)
    assert set(tried) == set(MUTATIONS)
    for name in ("case", "spaces", "marks", "unicode"):
        assert exact[name] >= 0.98 * tried[name], name
        assert wrong[name] <= 0.01 * tried[name], name
    assert exact["typo"] >= 0.85 * tried["typo"]
    assert wrong["typo"] <= 0.02 * tried["typo"]


def assert_nothing_invented(catalog: str, answer: Understanding) -> None:
    """Every value is one that the catalog has."""
    for demand in (*answer.filters, *answer.boosts):
        if demand.op in ("=", "!=") and demand.field in FACETS[catalog]:
            known = FACETS[catalog][demand.field]
            assert demand.values
            for value in demand.values:
                assert (str(value).lower() if isinstance(value, bool) else value) in known
        else:
            assert all(isinstance(value, float) for value in demand.values)


@given(any_text, catalogs)
@settings(max_examples=300, deadline=None)
def test_any_text_is_understood_without_inventing_a_value(text: str, catalog: str) -> None:
    assert_nothing_invented(catalog, understand(text, VOCABULARIES[catalog]))


@given(any_text, catalogs)
@settings(max_examples=300, deadline=None)
def test_what_is_left_has_nothing_more_to_leave_out(text: str, catalog: str) -> None:
    left = understand(text, VOCABULARIES[catalog]).text
    assert understand(left, VOCABULARIES[catalog]).text == left


@given(any_text, catalogs)
@settings(max_examples=100, deadline=None)
def test_the_same_text_is_always_understood_alike(text: str, catalog: str) -> None:
    again = vocabularies()[catalog] if len(text) % 50 == 0 else VOCABULARIES[catalog]
    assert understand(text, again) == understand(text, VOCABULARIES[catalog])


def test_a_text_of_any_length_is_read() -> None:
    answer = understand("red dress " * 50_000, VOCABULARIES["sample"])
    assert len(answer.text) <= 1000
    assert {demand.field for demand in answer.filters} == {"colour", "category"}
