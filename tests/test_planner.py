"""How a search is planned, and what each home is told of the plan."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.index import AnyOf, Condition, Not, Range, SearchMode
from goods.index.edge_models import edge_search_params
from goods.index.planner import (
    EF,
    EXACT_UP_TO,
    FILTERED_EF,
    GRAPH_FROM,
    Band,
    Tuning,
    plan_search,
)
from goods.index.server_models import server_search_params

RED = AnyOf("colour", ("Red",))
FILTERS: list[list[Condition]] = [[RED], [Not(RED)], [Range("price", lt=9), Not(RED)]]


@pytest.mark.parametrize("conditions", [[], *FILTERS])
def test_few_candidates_are_scanned_exactly(conditions: list[Condition]) -> None:
    assert plan_search(conditions, 10, lambda: EXACT_UP_TO, Tuning()) == SearchMode(is_exact=True)
    assert not plan_search(conditions, 10, lambda: EXACT_UP_TO + 1, Tuning()).is_exact


def test_without_conditions_many_candidates_take_the_plain_graph() -> None:
    assert plan_search([], 10, lambda: 10**6, Tuning()) == SearchMode(ef=EF, use_acorn=False)


@pytest.mark.parametrize("conditions", FILTERS)
def test_under_broad_conditions_acorn_looks_further(conditions: list[Condition]) -> None:
    assert plan_search(conditions, 10, lambda: 10**6, Tuning()) == SearchMode(
        ef=FILTERED_EF, use_acorn=True
    )


def test_an_index_may_have_settings_of_its_own() -> None:
    scan, walk = SearchMode(is_exact=True), SearchMode(ef=256)
    own = Tuning(SearchMode(ef=64), (Band(10, scan), Band(99, walk)), SearchMode(ef=32))
    assert Tuning.of(json.loads(json.dumps(asdict(own)))) == own
    assert plan_search([RED], 10, lambda: 10, own) == scan
    assert plan_search([RED], 10, lambda: 11, own) == walk
    assert plan_search([RED], 10, lambda: 100, own) == SearchMode(ef=32)
    assert plan_search([], 10, lambda: 10**6, own) == SearchMode(ef=64)
    assert own.keeping(100).under(10) == scan
    assert own.keeping(100).unfiltered == SearchMode(ef=100)


@pytest.mark.parametrize("note", [None, {}, {"ef": 64}, {"unfiltered": 1, "bands": []}])
def test_settings_that_cannot_be_read_are_those_of_the_table(
    note: dict[str, object] | None,
) -> None:
    assert Tuning.of(note) == Tuning()


@given(top=st.integers(1, 10_000), conditions=st.sampled_from([[], *FILTERS]))
def test_deep_pages_keep_at_least_twice_as_many_candidates(
    top: int, conditions: list[Condition]
) -> None:
    assert plan_search(conditions, top, lambda: 10**6, Tuning()).ef >= max(EF, 2 * top)


def test_a_graph_is_built_from_where_searches_use_it() -> None:
    assert GRAPH_FROM <= EXACT_UP_TO + 1


@given(mode=st.builds(SearchMode, ef=st.integers(1, 5000)), top=st.integers(1, 5000))
def test_all_that_a_walk_keeps_is_scored_again(mode: SearchMode, top: int) -> None:
    assert mode.oversampling(top) * top == pytest.approx(max(mode.ef, top))


@given(
    mode=st.builds(SearchMode, ef=st.integers(1, 5000), rescored=st.integers(1, 5000)),
    top=st.integers(1, 5000),
)
def test_or_only_the_best_of_it_and_at_least_twice_what_is_asked_for(
    mode: SearchMode, top: int
) -> None:
    assert mode.oversampling(top) * top == pytest.approx(max(min(mode.ef, mode.rescored or 0), top))
    deep = plan_search([], top, lambda: 10**6, Tuning(unfiltered=mode))
    assert deep.oversampling(top) >= 2


@pytest.mark.parametrize("words", [edge_search_params, server_search_params])
def test_every_home_is_told_the_same(words: Callable[[SearchMode, int], Any]) -> None:
    assert words(SearchMode(is_exact=True), 10).exact is True
    walk = words(SearchMode(ef=300, use_acorn=True), 10)
    assert walk.hnsw_ef == 300
    assert (walk.quantization.rescore, walk.quantization.oversampling) == (True, 30)
    assert walk.acorn.enable is True
    assert walk.acorn.max_selectivity == 1, "by default, engines leave it off for broad filters"
    assert words(SearchMode(), 10).acorn is None
