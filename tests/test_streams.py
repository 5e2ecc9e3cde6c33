"""Streams that work ahead: in order, bounded, and ended when nobody asks any more."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from goods.streams import ahead, in_order, then


def test_items_come_in_order_from_another_thread() -> None:
    names = {threading.current_thread().name}

    def items() -> Iterator[int]:
        names.add(threading.current_thread().name)
        yield from range(1000)

    assert list(ahead(items(), 3)) == list(range(1000))
    assert len(names) == 2


def test_no_more_than_the_depth_is_made_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    stream = ahead(items(), 2)
    next(stream)
    time.sleep(0.3)
    assert len(made) <= 4, "one taken, two waiting, one in the hand"
    stream.close()  # type: ignore[attr-defined] # it is a generator


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("third row")

    stream = ahead(items(), 2)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="third row"):
        next(stream)


def test_who_stops_asking_ends_the_generators_behind() -> None:
    ended: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            ended.append(threading.current_thread().name)

    before = threading.active_count()
    stream = ahead(ahead(items(), 2), 2)
    next(stream)
    stream.close()  # type: ignore[attr-defined] # it is a generator
    assert len(ended) == 1
    assert threading.active_count() == before


def test_what_is_no_future_is_a_result_already() -> None:
    late: Future[str] = Future()
    threading.Timer(0.05, late.set_result, ["b"]).start()
    assert list(in_order(["a", late, "c"], 2)) == ["a", "b", "c"]


def test_a_step_after_a_future_runs_in_the_pool_and_hands_errors_on() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="decoder") as pool:
        first: Future[int] = Future()
        doubled = then(
            first, pool, lambda done: (2 * done.result(), threading.current_thread().name)
        )
        failed = then(first, pool, lambda done: 1 // (done.result() - 21))
        first.set_result(21)
        number, thread = doubled.result()
        assert number == 42
        assert thread.startswith("decoder")
        with pytest.raises(ZeroDivisionError):
            failed.result()
