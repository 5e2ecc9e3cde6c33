"""What the service counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_BATCHES = (1, 2, 4, 8, 16, 32)


class Counters:
    """The numbers of one process."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self.requests = Counter(
            "goods_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "goods_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        batch = Histogram(
            "goods_encoder_batch",
            "Texts or pictures embedded at a time.",
            ["kind"],
            buckets=_BATCHES,
            registry=registry,
        )
        self.text_batch = batch.labels("text")
        self.picture_batch = batch.labels("picture")
        self._embedded = Counter(
            "goods_embedded", "Texts and pictures asked for.", ["cache"], registry=registry
        )
        self.text_backend = Gauge(
            "goods_text_backend", "1 for what embeds texts.", ["backend"], registry=registry
        )
        self.thumbnails = Counter(
            "goods_thumbnails", "Thumbnails asked for.", ["cache"], registry=registry
        )
        self.points = Gauge(
            "goods_index_points", "Products that are served.", ["index"], registry=registry
        )
        self.opened = Gauge(
            "goods_index_opened_timestamp_seconds",
            "When the index that is served was copied or connected to.",
            ["index"],
            registry=registry,
        )
        self.refreshes = Counter(
            "goods_index_refreshes",
            "Times that a changed index was taken up, or could not be.",
            ["index", "outcome"],
            registry=registry,
        )

    def embedded(self, *, is_known: bool) -> None:
        """Note that a vector was asked for."""
        self._embedded.labels("hit" if is_known else "miss").inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
