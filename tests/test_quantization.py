"""In which form an index keeps vectors in memory: chosen by recall, kept, applied, interrupted."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from homes import HOMES, new_home
from points import CONTRACT, WIDE, point, points, widened
from qdrant_stub import Stub, connect, serve

from goods.cli import main
from goods.errors import GoodsError, IndexStoreError
from goods.index import Quantization, SearchMode
from goods.index.edge import EdgeIndex
from goods.index.generation import GRAPH_NOTE, Generation
from goods.index.planner import TUNING_NOTE, Tuning
from goods.index.server_models import offered
from search.tune.cli import tune
from search.tune.quantizations import (
    Candidate,
    choose_quantization,
    quantize,
    try_quantizations,
)
from search.tune.trials import EFS, Probe


@pytest.fixture
def any_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty points are enough for a graph."""
    monkeypatch.setattr("goods.index.edge.GRAPH_FROM", 40)
    monkeypatch.setattr("search.tune.quantizations.GRAPH_FROM", 40)


@pytest.fixture
def index(tmp_path: Path, any_graph: None) -> Iterator[EdgeIndex]:
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(CONTRACT)
        index.upsert(points(60))
        index.seal()
        yield index


def engine_config(index: EdgeIndex) -> dict[str, dict[str, object]] | None:
    """What the engine itself says of the shard that is served."""
    file = index.folder / index.info().generation / "shard" / "edge_config.json"
    config = json.loads(file.read_text()).get("quantization_config")
    assert bool(config) == bool(list(index.folder.rglob("quantized.data")))
    return config


@pytest.mark.parametrize(
    ("dimension", "chosen"), [(8, Quantization.INT8), (WIDE, Quantization.BINARY)]
)
def test_signs_are_chosen_where_they_tell_enough_and_not_where_they_do_not(
    dimension: int,
    chosen: Quantization,
    tmp_path: Path,
    any_graph: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.tune.quantizations.EFS", (128,))
    shape = widened if dimension == WIDE else list  # 8 signs make no more than 256 vectors
    with closing(EdgeIndex(tmp_path / "index")) as index:
        index.create(replace(CONTRACT, dimension=dimension))
        index.upsert(shape(points(2000)))
        index.quantizations = (Quantization.INT8, Quantization.BINARY)
        probes = [Probe(p.vector) for p in shape([point(n) for n in range(5000, 5020)])]
        report = try_quantizations(index, probes, 0.95)
        assert report.chosen is not None
        assert report.chosen.quantization is chosen
        int8, binary = report.candidates
        assert int8.vector_bytes == pytest.approx(dimension + 4, abs=16)
        assert binary.vector_bytes <= max(16, dimension / 8)
        assert (binary.recall >= 0.95) == (chosen is Quantization.BINARY)
        table = list(report.lines())
        assert table[0].startswith("on a sample of 2,000 of 2,000 products")
        assert table[-1].startswith(f"{chosen} is the smallest")
        assert index.info().quantization is Quantization.INT8, "measuring changes nothing"


def candidate(name: str, size: float, recall: float) -> Candidate:
    return Candidate(Quantization(name), size, 64, recall, "none", 1.0)


def test_the_smallest_that_reaches_the_target_is_chosen_or_none() -> None:
    tried = [candidate("none", 400, 1), candidate("int8", 104, 0.99), candidate("binary", 13, 0.98)]
    for target, name in ((0.98, "binary"), (0.99, "int8"), (0.995, "none")):
        chosen = choose_quantization(tried, target)
        assert chosen is not None
        assert chosen.quantization == name
    assert choose_quantization(tried[1:], 1.0) is None


def test_the_next_graph_has_what_was_chosen_and_so_has_the_one_after(index: EdgeIndex) -> None:
    assert "scalar" in (engine_config(index) or {})
    quantize(index, Quantization.BINARY)
    assert list(engine_config(index) or {}) == ["binary"]
    index.upsert(points(40, first=60))
    index.seal()
    assert index.info().indexed == 100
    index.close()
    with closing(EdgeIndex(index.folder)) as again:
        assert again.info().quantization is Quantization.BINARY
        assert list(engine_config(again) or {}) == ["binary"]
        quantize(again, Quantization.NONE)
        assert engine_config(again) is None
        quantize(again, Quantization.TURBO2)
        assert engine_config(again) == {"turbo": {"bits": "bits2", "memory": "pinned"}}
        best = again.search(point(3).vector, 1, mode=SearchMode(ef=64))[0]
        assert best.payload["id"] == "p3"
        assert again.count() == 100


def test_an_interrupted_build_leaves_the_old_graph_and_is_made_up_for(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("goods.index.edge_in_use.seal_in_child", stopped)
        with pytest.raises(KeyboardInterrupt):
            quantize(index, Quantization.BINARY)
    index.close()
    with closing(EdgeIndex(index.folder)) as again:
        assert again.info().quantization is Quantization.INT8
        assert "scalar" in (engine_config(again) or {})
        assert Tuning.of(again.read_note(TUNING_NOTE)).unfiltered.ef == EFS[-1], "enough for either"
        assert again.search(point(3).vector, 1)[0].payload["id"] == "p3"
        again.seal()
        assert again.info().quantization is Quantization.BINARY


def test_an_index_from_before_there_was_a_choice_is_int8_and_stays(index: EdgeIndex) -> None:
    served = index.info().generation
    Generation(index.folder / served).write_note(GRAPH_NOTE, {"vectors": 60, "words": 60})
    assert index.info().quantization is Quantization.INT8
    index.seal()
    assert index.info().generation == served


@pytest.mark.parametrize("home", HOMES)
def test_a_choice_is_kept_until_a_rebuild(home: str, tmp_path: Path) -> None:
    with closing(new_home(home, tmp_path / "index")) as index:
        index.create(CONTRACT)
        assert index.info().quantization is Quantization.INT8
        index.quantize(Quantization.BINARY)
        assert index.info().quantization is Quantization.BINARY
        index.create(CONTRACT, rebuild=True)
        assert index.info().quantization is Quantization.INT8


def test_a_server_is_told_the_form_and_keeps_it_in_one_step() -> None:
    with serve(Stub()) as stub, closing(connect(stub)) as index:
        index.create(CONTRACT)
        index.quantize(Quantization.TURBO4)
        sent = stub.body("PATCH")
        assert sent["quantization_config"] == {"turbo": {"bits": "bits4", "always_ram": True}}
        assert sent["metadata"] == {"note:quantization": {"name": "turbo4"}}
        index.quantize(Quantization.NONE)
        assert stub.collections["products-0001"]["quantization_config"] == "Disabled"
        assert index.info().quantization is Quantization.NONE
        with closing(connect(stub)) as again:
            assert again.info().quantization is Quantization.NONE


def test_an_older_server_is_not_asked_for_what_it_does_not_know(any_graph: None) -> None:
    assert set(offered((1, 18))) == set(Quantization)
    assert set(offered((1, 17))) == {"none", "int8", "binary"}
    with serve(Stub(version="1.17.0")) as stub, closing(connect(stub)) as index:
        index.create(CONTRACT)
        index.upsert(points(40))
        with pytest.raises(GoodsError, match=r"Qdrant 1\.17\.0 does not offer turbo2; .*binary"):
            quantize(index, Quantization.TURBO2)
        assert not stub.lines("PATCH")


def test_a_failing_build_is_said_and_the_index_goes_on(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise IndexStoreError("building the graph failed")

    monkeypatch.setattr("goods.index.edge_in_use.seal_in_child", full)
    with pytest.raises(IndexStoreError, match="building the graph failed"):
        quantize(index, Quantization.BINARY)
    assert index.search(point(3).vector, 1)[0].payload["id"] == "p3"


def test_the_command_says_what_it_cannot_do(home: Path) -> None:
    arguments = ["tune", "--index", str(home / "index"), "--queries", "4", "--quantization"]
    unknown = CliRunner().invoke(main, [*arguments, "int4"])
    assert unknown.exit_code == 2
    assert "'int4' is not one of 'auto', 'none', 'int8'" in unknown.stderr
    small = CliRunner().invoke(main, [*arguments, "binary"])
    assert small.exit_code == 1
    assert "48 products; vectors are quantised from 20,000 on" in small.stderr
    assert CliRunner().invoke(main, [*arguments, "auto", "--recall", "2"]).exit_code == 2
    [option] = [o for o in tune.params if o.name == "quantization"]
    assert list(getattr(option.type, "choices", ())) == ["auto", *Quantization]


def test_the_command_chooses_builds_and_measures(
    home: Path, any_graph: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.relevance.FEWEST", 3)
    arguments = ["--index", str(home / "index")]
    options = ["--queries", "4", "--quantization", "auto"]
    result = CliRunner().invoke(main, ["tune", *arguments, *options])
    assert result.exit_code == 0, result.stderr
    table = result.stdout.splitlines()
    assert table[0] == "on a sample of 48 of 48 products, on Qdrant Edge"
    assert {line.split()[0] for line in table[2:8]} == set(Quantization)
    smallest = min(float(line.split()[1]) for line in table[2:8])
    assert float(table[7].split()[1]) == smallest
    assert np.isclose(float(table[7].split()[4]), 1.0), "with 48, all are scored again"
    shown = CliRunner().invoke(main, ["info", *arguments])
    assert f"quantization {table[7].split()[0]}\n" in shown.stdout
