"""Who watches a run: lines, JSON lines, a bar, Prometheus; and the clock that they read."""

import json
import logging
import socket
import urllib.request
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from goods.cli import main
from goods.errors import GoodsError
from ingest import watch
from ingest.clock import StageClock, StageRate, bottleneck
from ingest.tally import Standing
from ingest.watch import watching

NOW = Standing(
    done=1500,
    refused=3,
    embedded=900,
    written=1400,
    stages=(StageRate("load", 1000, 8.0, lanes=4), StageRate("embed", 900, 9.5)),
    elapsed_s=10.0,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watch, "EVERY_S", 0)
    root = logging.getLogger()
    before = root.handlers
    yield
    assert root.handlers == before, "logging is as it was"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def test_a_line_says_how_far_how_fast_and_what_it_waits_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with watching(6000, "plain", None) as tell:
        tell(NOW)
    [line] = caplog.messages
    assert line.startswith("1,500 of 6,000 products, ")
    assert line.endswith("left, 3 refused, limited by embed")


def test_without_a_total_nobody_guesses_how_long_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with watching(None, "plain", None) as tell:
        tell(NOW)
    assert "left" not in caplog.text
    assert "1,500 products" in caplog.text


def test_json_lines_hold_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(6000, "json", None) as tell:
        tell(NOW)
        logging.getLogger("other").warning("a host %s", "is slow")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["done"], first["total"], first["refused"]) == (1500, 6000, 3)
    assert first["bottleneck"] == "embed"
    assert first["level"] == "info"
    assert first["stages"]["embed"] == pytest.approx(94.7)
    assert (second["level"], second["message"]) == ("warning", "a host is slow")


def test_metrics_are_served_while_it_runs_and_no_longer() -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/metrics"
    with watching(6000, "plain", str(port)) as tell:
        tell(NOW)
        with urllib.request.urlopen(address) as answer:
            lines = answer.read().decode().splitlines()
        assert 'goods_ingest_products{state="expected"} 6000.0' in lines
        assert 'goods_ingest_products{state="written"} 1400.0' in lines
        assert 'goods_ingest_stage_busy_seconds{stage="embed"} 9.5' in lines
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


def test_a_port_that_is_taken_or_none_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(GoodsError, match=f"cannot be served at {port}"),
            watching(None, "plain", str(port)),
        ):
            pass
    for text in ("http", "9100x", "99999999"):
        with pytest.raises(GoodsError, match=text), watching(None, "plain", text):
            pass


def test_the_bottleneck_is_the_stage_that_is_always_busy_or_else_the_hosts() -> None:
    assert NOW.bottleneck == "embed"
    assert bottleneck(NOW.stages, wall_s=9.5) == "embed"
    assert bottleneck(NOW.stages, wall_s=60.0) == "download"
    assert bottleneck((), wall_s=1.0) == "download"


def test_a_stage_of_several_lanes_is_busy_when_all_of_them_are() -> None:
    load = StageRate("load", 1000, 8.0, lanes=4)
    assert load.share(2.0) == 1.0
    assert load.per_s == 500.0


def test_the_clock_adds_up_what_was_measured_also_when_it_failed() -> None:
    clock = StageClock(load=4)
    with pytest.raises(ZeroDivisionError), clock.measure("load", 2):
        _ = 1 // 0
    assert [list(batch) for batch in clock.making("plan", iter([[1, 2], [3]]))] == [[1, 2], [3]]
    load, plan = clock.rates()
    assert (load.stage, load.products, load.lanes) == ("load", 2, 4)
    assert (plan.stage, plan.products) == ("plan", 3)
    assert load.busy_s > 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--max-refused", "many"), "no percentage"),
        (("--max-refused", "101%"), "between 0% and 100%"),
        (("--max-gone", "-1"), "between 0% and 100%"),
        (("--part", "9/8"), "no part 9 of 8"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_work(
    option: tuple[str, str], message: str
) -> None:
    result = CliRunner().invoke(main, ["ingest", "--catalog", "none.csv", *option])
    assert result.exit_code != 0
    assert message in result.output
