"""Work that is given up once nobody waits for its answer."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.encoder import Encoder
from search import Query, SearchClient, SearchOptions
from search.api.counters import Counters
from search.api.encoder import SharedEncoder
from search.api.settings import ServiceSettings
from search.deadline import check, deadline, left_s
from served import served, until


def test_without_a_deadline_there_is_always_time() -> None:
    check()
    assert left_s() is None


def test_a_deadline_holds_in_its_thread_until_it_is_left() -> None:
    with deadline(time.monotonic() + 60):
        check()
        assert 59 < (left_s() or 0) <= 60
        with ThreadPoolExecutor(1) as other:
            assert other.submit(left_s).result() is None
    with deadline(time.monotonic() - 1), pytest.raises(TimeoutError):
        check()
    check()


STAGES = ("find_examples", "embed", "turn", "hits_of", "count_facets")


@pytest.mark.parametrize(
    ("last", "begun"),
    [
        ("find_examples", STAGES[:1]),
        ("embed", STAGES[:2]),
        ("turn", STAGES[:3]),
        ("hits_of", STAGES),  # which asks before each field
    ],
)
def test_a_search_ends_after_the_stage_in_which_its_time_ran_out(
    client: SearchClient, monkeypatch: pytest.MonkeyPatch, last: str, begun: tuple[str, ...]
) -> None:
    import search.client as module

    called: list[str] = []
    now = [0.0]
    monkeypatch.setattr("search.deadline.time", SimpleNamespace(monotonic=lambda: now[0]))

    def watched(name: str) -> Callable[..., Any]:
        stage = getattr(module, name)

        def call(*given: Any, **more: Any) -> Any:
            called.append(name)
            made = stage(*given, **more)
            now[0] += 10 if name == last else 0
            return made

        return call

    for name in STAGES:
        monkeypatch.setattr(module, name, watched(name))
    with deadline(5), pytest.raises(TimeoutError):
        client.search(Query("dress"), None, SearchOptions(facets=["colour"]))
    assert tuple(called) == begun


class SlowEncoder:
    """Embeds nothing before it may."""

    dimension, image_size = 4, 32

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.may = threading.Event()
        self.begun = threading.Event()

    def texts(self, texts: Iterable[str]) -> NDArray[np.float32]:
        self.begun.set()
        self.may.wait(30)
        self.embedded += texts
        return np.ones((len(self.embedded), 4), np.float32)[-len(list(texts)) :]

    def images(self, images: Iterable[object]) -> NDArray[np.float32]:
        return np.ones((len(list(images)), 4), np.float32)


def test_a_text_that_nobody_waits_for_is_not_embedded() -> None:
    slow = SlowEncoder()
    shared = SharedEncoder(slow, Counters())  # type: ignore[arg-type] # all that it needs
    with ThreadPoolExecutor(1) as first:
        being = first.submit(shared.texts, ["first"])
        assert slow.begun.wait(30)
        for number in range(5):
            with deadline(time.monotonic() + 0.02), pytest.raises(TimeoutError):
                shared.texts([f"late {number}"])
        slow.may.set()
        assert being.result().shape == (1, 4)
    assert shared.texts(["last"]).shape == (1, 4)
    shared.close()
    assert slow.embedded == ["first", "last"]


def test_a_flood_of_slow_searches_leaves_threads_and_model_to_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServiceSettings(str(home / "index"), device="cpu", timeout_s=0.5, threads=4, rate=0)
    may = threading.Event()
    embedded: list[str] = []
    texts = Encoder.texts

    def slow(self: Encoder, asked: Iterable[str]) -> NDArray[np.float32]:
        these = list(asked)
        if any(text.startswith("lamp") for text in these):
            may.wait(30)
        embedded.extend(these)
        return texts(self, these)

    monkeypatch.setattr(Encoder, "texts", slow)
    with served(settings) as web:
        with ThreadPoolExecutor(12) as shoppers:
            asked = [f"/search?q=lamp{number}" for number in range(24)]
            answers = list(shoppers.map(lambda path: web.get(path).status_code, asked))
        assert set(answers) == {503}
        assert web.get("/search?sort=price").status_code == 200  # it needs no model
        may.set()
        until(lambda: web.get("/search?q=dress").status_code == 200)
    lamps = [text for text in embedded if text.startswith("lamp")]
    assert len(lamps) <= settings.threads, "those that the model was busy with"
