"""What `goods tune` measures on an index, keeps with it, and what searches make of it."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from homes import HOMES, new_home
from hypothesis import given
from hypothesis import strategies as st
from points import CONTRACT, WIDE, point, points, widened

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import GoodsError
from goods.index import AnyOf, Not, SearchMode, VectorIndex, open_index
from goods.index.edge import EdgeIndex
from goods.index.planner import TUNED_NOTE, TUNING_NOTE, Tuning
from ingest.worker import IngestSettings, ingest
from model.encoder import Encoder
from search import Query, SearchClient, SearchOptions
from search.relevance import RELEVANCE_NOTE, Background, measure_relevance, relevance
from search.tune.planner import choose, tune_planner
from search.tune.rescoring import enough_rescored
from search.tune.trials import EFS, Demand, Probe, Trial, attempt, demands
from shop import make_shop

RED = AnyOf("colour", ("Red",))
EXACT, FAST, SLOW = SearchMode(is_exact=True), SearchMode(ef=64), SearchMode(ef=512)
ACORN = SearchMode(ef=64, use_acorn=True)


@pytest.fixture(params=HOMES)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    made = new_home(request.param, tmp_path / "index")
    made.create(CONTRACT)
    made.upsert(points(60))
    yield made
    made.close()


def test_every_field_is_tried_as_a_filter_with_its_true_count(index: VectorIndex) -> None:
    found = list(demands(index))
    assert found[0] == Demand("none", (), 60)
    assert {re.split("[!=<]", d.name)[0] for d in found[1:]} == {
        "colour", "tags", "price_2", "in-stock",
    }  # fmt: skip
    assert any("!=" in d.name for d in found)
    assert len([d for d in found if len(d.conditions) == 2]) >= 1, "two fields at once"
    for demand in found:
        if demand.unlike is None:
            assert index.count(demand.conditions) == demand.count >= 10


def test_numbers_are_tried_at_every_share_however_uneven_they_are(index: VectorIndex) -> None:
    dear = replace(point(60), payload={**point(60).payload, "price_2": 1e6})
    index.upsert([dear])
    counts = [d.count for d in demands(index) if d.name.startswith("price_2<")]
    assert len(counts) >= 2, "an outlier does not take all other numbers together"
    assert min(counts) < 20 < max(counts) <= 61 / 2 + 1


def test_a_query_is_also_tried_among_what_it_is_not(index: VectorIndex) -> None:
    demand = next(d for d in demands(index) if d.unlike == "colour")
    red = next(r for r in index.scan() if r.payload["colour"] == "Red")
    assert demand.of(Probe(point(1).vector, red.payload)) == (Not(AnyOf("colour", ("Red",))),)
    assert demand.of(Probe(point(1).vector)) == ()
    by_hand = [index.count(demand.of(Probe(point(1).vector, r.payload))) for r in index.scan()]
    assert demand.count == pytest.approx(sum(by_hand) / len(by_hand), abs=1)


def test_without_a_graph_every_search_stays_exact_and_says_so(index: VectorIndex) -> None:
    if isinstance(index, EdgeIndex):  # the double tells no truth about graphs
        report = tune_planner(index, [Probe(point(1000).vector)], list(demands(index)))
        assert Tuning.of(index.read_note(TUNING_NOTE)) == Tuning()
        assert list(report.lines())[-1].startswith("every search is exact")
        assert all(trial.mode.is_exact for trial in report.trials)


def test_a_graph_is_measured_and_its_settings_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goods.index.edge.GRAPH_FROM", 2600)
    index = EdgeIndex(tmp_path / "index")
    index.create(replace(CONTRACT, dimension=WIDE))
    index.upsert(widened(points(2600)))
    index.seal()
    assert index.info().is_out_of_tune, "it has a graph, and nobody has measured it"
    probes = [Probe(p.vector, p.payload) for p in widened([point(n) for n in range(5000, 5003)])]
    report = tune_planner(index, probes, list(demands(index)))
    assert report.has_graph
    assert index.info().tuned == 2600
    table = list(report.lines())
    filters = len({t.demand.name for t in report.trials})
    assert len(table) == 1 + filters + 3 + len(report.tuning.bands)
    assert table[1 + filters] == f"walks score their best {report.tuning.broad.rescored} again"
    for line in table[1 : 1 + filters]:
        assert float(line.split()[-2]) >= 0.9
    index.close()
    again = EdgeIndex(tmp_path / "index")
    assert Tuning.of(again.read_note(TUNING_NOTE)) == report.tuning
    again.close()


def test_an_index_that_has_outgrown_its_tuning_says_so(index: VectorIndex) -> None:
    assert index.info().tuned is None
    index.write_note(TUNED_NOTE, {"points": 60})
    assert index.info().tuned == 60
    assert not index.info().is_out_of_tune
    index.upsert(points(60, first=60))
    assert not index.info().is_out_of_tune, "twice as many"
    index.upsert(points(1, first=120))
    assert index.info().is_out_of_tune
    index.delete([point(n).id for n in range(91)])
    assert not index.info().is_out_of_tune, "half as many"
    index.delete([point(n).id for n in range(91, 92)])
    assert index.info().is_out_of_tune


def trial(mode: SearchMode, recall: float, p50_ms: float, count: int = 400) -> Trial:
    return Trial(Demand(f"colour {count}", (RED,), count), mode, recall, p50_ms)


def test_the_fastest_settings_that_find_everything_are_chosen() -> None:
    tried = [
        trial(EXACT, 1, 9.0), trial(FAST, 0.8, 1.0), trial(ACORN, 0.99, 2.0), trial(SLOW, 1.0, 3.0)
    ]  # fmt: skip
    assert choose(tried, 1000).under(400) == ACORN


def test_a_recall_that_may_be_luck_is_not_enough() -> None:
    lucky = Trial(Demand("colour 400", (RED,), 400), FAST, 0.991, 1.0, error=0.004)
    assert choose([trial(EXACT, 1, 9.0), lucky, trial(SLOW, 1.0, 3.0)], 1000).under(400) == SLOW


def test_walks_are_made_longer_until_an_exact_scan_is_faster(tmp_path: Path) -> None:
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(CONTRACT)
        index.upsert(points(60))
        demand, probes = Demand("none", (), 60), [Probe(point(1).vector)]
        walks = [SearchMode(ef=ef, use_acorn=use) for use in (False, True) for ef in (64, 128, 256)]
        clock = iter([0, 5, *(0, 1), *(0, 6), *(0, 4), *(0, 5), *(0, 6)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("search.tune.trials.time.perf_counter", lambda: next(clock))
            tried = attempt(index, probes, demand, walks, gives_up=True)
        assert [t.mode for t in tried[1:]] == [*walks[:2], *walks[3:]]
        assert len(attempt(index, probes, demand, walks)) == 1 + len(walks)


def test_a_walk_that_was_given_up_under_one_filter_is_not_chosen_for_another() -> None:
    fewer = [trial(EXACT, 1, 2.0, 390), trial(FAST, 0.8, 3.0, 390)]
    more = [trial(EXACT, 1, 9.0, 400), trial(FAST, 0.8, 1.0, 400), trial(SLOW, 1.0, 1.5, 400)]
    assert choose([*fewer, *more], 1000).under(400) == EXACT


@pytest.mark.parametrize(("kept", "enough"), [((0.9, 1.0, 1.0), 128), ((0.5, 0.9, 1.0), 192)])
def test_as_few_candidates_are_scored_again_as_lose_next_to_nothing(
    kept: tuple[float, ...], enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = [Probe(point(n).vector, {"n": n}) for n in range(100)]  # half pictures, half titles

    def attempted(
        _: object, asked: list[Probe], demand: Demand, walks: list[SearchMode]
    ) -> list[Trial]:
        assert {probe.payload["n"] >= 50 for probe in asked} == {False, True}
        assert 20 < len(asked) <= 40
        recalls = (*kept, *[1.0] * (len(walks) - len(kept)))
        assert {walk.ef for walk in walks} == {EFS[-1]}
        walked = [Trial(demand, walk, r, 1.0) for walk, r in zip(walks, recalls, strict=True)]
        return [Trial(demand, EXACT, 1.0, 1.0), *walked]

    monkeypatch.setattr("search.tune.rescoring.attempt", attempted)
    index = EdgeIndex("nowhere")
    tried = [Demand(f"colour {n}", (RED,), n) for n in (100, 5_000, 50_000)]
    assert enough_rescored(index, probes, tried) == enough
    assert enough_rescored(index, probes, tried[:1]) is None, "such a walk keeps them all"


def test_where_no_settings_find_enough_those_that_find_most_are_chosen() -> None:
    unfiltered = Demand("none", (), 30_000)
    walks = [Trial(unfiltered, FAST, 0.5, 1.0), Trial(unfiltered, SLOW, 0.9, 3.0)]
    assert choose(walks, 30_000).unfiltered == SLOW


def test_filters_are_searched_as_others_that_leave_as_many_products() -> None:
    narrow = [trial(EXACT, 1, 1.0, 5), trial(FAST, 1.0, 2.0, 5)]
    middle = [trial(EXACT, 1, 9.0, 120), trial(FAST, 0.9, 1.0, 120), trial(SLOW, 1.0, 2.0, 120)]
    broad = [trial(EXACT, 1, 90.0, 900), trial(FAST, 1.0, 1.0, 900), trial(SLOW, 1.0, 2.0, 900)]
    tuning = choose([*narrow, *middle, *broad], 1000)
    assert [tuning.under(count) for count in (1, 5, 150, 720, 1000, 2000)] == [
        EXACT, EXACT, SLOW, FAST, FAST, FAST
    ]  # fmt: skip
    assert tuning.under(30) == SLOW, "nothing was tried there; what leaves more says how"


@given(st.lists(st.floats(-1, 1), min_size=101, max_size=101).map(sorted), st.floats(-1, 1))
def test_a_closer_picture_is_never_a_worse_match(quantiles: list[float], cosine: float) -> None:
    background = Background(tuple(quantiles), quantiles[95])
    better = relevance(background, cosine + 0.1, 0)
    worse = relevance(background, cosine, 0)
    assert 0 <= worse.closeness <= better.closeness <= 1
    assert better.is_good >= worse.is_good
    assert relevance(background, cosine, 1).is_good


@pytest.mark.parametrize("note", [None, {}, {"quantiles": 1}, {"threshold": 0.5}])
def test_a_background_that_cannot_be_read_is_none(note: dict[str, object] | None) -> None:
    assert Background.of(note) is None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    shop = make_shop(folder / "shop", count=48)
    encoder = Encoder.load(str(tiny_clip(folder / "model")), device="cpu")
    index = open_index(str(folder / "index"))
    ingest(open_catalog(shop), index, encoder, IngestSettings(folder / "refused.jsonl"))
    index.close()
    return folder


def test_a_catalog_of_few_kinds_says_what_is_missing(home: Path) -> None:
    with SearchClient(home / "index") as client, pytest.raises(GoodsError, match="20 are needed"):
        measure_relevance(client.index, client.encoder)


def test_a_shop_of_few_kinds_is_tuned_all_the_same(home: Path) -> None:
    arguments = ["tune", "--index", str(home / "index"), "--queries", "4"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    *_, walk, judged = result.stdout.splitlines()
    assert walk.startswith("every search is exact")
    assert "20 are needed" in judged
    as_json = CliRunner().invoke(main, [*arguments, "--json"])
    assert json.loads(as_json.stdout)["relevance"] is None


def test_an_answer_says_whether_there_is_a_good_match(home: Path) -> None:
    with SearchClient(home / "index") as client:
        assert client.by_text("red shirt").relevance is None, "nothing was measured yet"
        background = Background(tuple(n / 100 for n in range(101)), 2.0)
        client.index.write_note(RELEVANCE_NOTE, asdict(background))
    with SearchClient(home / "index") as client:
        found = client.by_text("red shirt").relevance
        assert found is not None
        assert found.is_good, "a product has both words"
        lacking = client.by_text("lawn mower")
        assert lacking.relevance is not None
        assert not lacking.relevance.is_good
        second = SearchOptions(cursor=lacking.next)
        assert client.search(Query("lawn mower"), options=second).relevance is None
        assert client.similar_to("P-1").relevance is None


def test_a_page_that_may_lack_the_best_products_is_not_judged_by_those_it_has(home: Path) -> None:
    with SearchClient(home / "index") as client:
        background = Background(tuple(n / 100 for n in range(101)), 2.0)
        client.index.write_note(RELEVANCE_NOTE, asdict(background))
    blue_dresses = Query("blue dress")
    with SearchClient(home / "index") as client:
        cheapest = client.search(blue_dresses, options=SearchOptions(limit=1, sort="price"))
        assert cheapest.hits[0].words < 1, "there are others, which have both words"
        assert cheapest.relevance is None
        diverse = client.search(blue_dresses, options=SearchOptions(limit=2, diversity=1.0))
        assert diverse.hits[0].words == 1, "the best one comes first, however diverse the others"
        assert diverse.relevance is not None
        assert diverse.relevance.is_good


@pytest.mark.parametrize(
    ("text", "options", "is_good"),
    [
        ("red shirts", SearchOptions(understand="filter"), True),
        ("shirts in red for me", SearchOptions(understand="filter"), False),  # who is me?
        ("shirts in the red", SearchOptions(understand="filter"), True),
        ("shirts in the red", SearchOptions(understand="boost"), False),  # others come, too
        ("shirts in the red", SearchOptions(), False),
        ("shirts in the red", SearchOptions(understand="filter", ignore=["colour = Red"]), False),
        ("a shirt not red", SearchOptions(understand="filter"), True),
        ("a lawn mower in red", SearchOptions(understand="filter"), False),
    ],
)
def test_what_holds_to_all_that_was_said_is_a_good_match(
    home: Path, text: str, options: SearchOptions, is_good: bool
) -> None:
    with SearchClient(home / "index") as client:
        background = Background(tuple(n / 100 for n in range(101)), 2.0)
        client.index.write_note(RELEVANCE_NOTE, asdict(background))
    with SearchClient(home / "index") as client:
        found = client.search(Query(text), options=options).relevance
    assert found is not None
    assert found.is_good is is_good


def test_the_command_measures_prints_and_keeps(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.relevance.FEWEST", 3)
    arguments = ["tune", "--index", str(home / "index"), "--queries", "4"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "every search is exact" in result.stdout
    assert "by looks or words" in result.stdout
    with SearchClient(home / "index") as client:
        assert Background.of(client.index.read_note(RELEVANCE_NOTE)) is not None
    as_json = CliRunner().invoke(main, [*arguments, "--json"])
    assert '"unfiltered"' in as_json.stdout
    told = CliRunner().invoke(main, ["info", *arguments[1:3]])
    assert "\ntuned at 48 products\n" in told.stdout
