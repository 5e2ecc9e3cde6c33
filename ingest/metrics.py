"""A run's numbers for Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from goods.errors import GoodsError
from ingest.tally import Standing, Told


@contextmanager
def served_metrics(where: str, total: int | None) -> Iterator[Told]:
    """A function that is told how far the run has come; served at `http://host:port/metrics`.

    Args:
        where: `[host:]port`; 127.0.0.1 unless a host is named.
        total: Products to expect, if that is known.

    Raises:
        GoodsError: It is no such text, or the port is taken.
    """
    host, _, port = where.rpartition(":")
    if not port.isdecimal():
        raise GoodsError(f"{where!r} is no port; write 9100, or 0.0.0.0:9100 for all interfaces")
    registry = CollectorRegistry()
    products = Gauge(
        "goods_ingest_products", "Products of this run, by state", ["state"], registry=registry
    )
    busy = Gauge(
        "goods_ingest_stage_busy_seconds",
        "Time that a stage was busy",
        ["stage"],
        registry=registry,
    )
    handled = Gauge(
        "goods_ingest_stage_products", "Products that a stage handled", ["stage"], registry=registry
    )
    products.labels("expected").set(total or 0)

    def tell(now: Standing) -> None:
        for state in ("done", "refused", "embedded", "written"):
            products.labels(state).set(getattr(now, state))
        for stage in now.stages:
            busy.labels(stage.stage).set(stage.busy_s)
            handled.labels(stage.stage).set(stage.products)

    try:
        server, thread = start_http_server(int(port), host or "127.0.0.1", registry)
    except (OSError, OverflowError) as error:
        raise GoodsError(f"metrics cannot be served at {where}: {error}") from error
    try:
        yield tell
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
