"""Streams in bounded memory: in batches, and worked on in threads ahead of who asks for them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from itertools import islice
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def map_ahead(
    function: Callable[[S], T], items: Iterable[S], pool: Executor, depth: int
) -> Iterator[T]:
    """`function(item)` for every item, in order, with up to `depth` of them begun in the pool.

    At most `depth` results wait in memory, however long the input is. An error in `function` is
    raised where its result would have come.
    """
    return in_order((pool.submit(function, item) for item in items), depth)


def in_order(begun: Iterable[T | Future[T]], depth: int) -> Iterator[T]:
    """The results of what was begun, in order, with up to `depth` of them under way.

    What is no future is a result already.
    """
    pending: deque[T | Future[T]] = deque()
    try:
        for item in begun:
            pending.append(item)
            if len(pending) >= depth:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
    finally:
        for item in pending:  # the one who asked has gone
            if isinstance(item, Future):
                item.cancel()


def _result(item: T | Future[T]) -> T:
    return item.result() if isinstance(item, Future) else item


def then(first: Future[S], pool: Executor, function: Callable[[Future[S]], T]) -> Future[T]:
    """What `function` makes of the first future, in a thread of the pool once that is done."""
    second: Future[T] = Future()

    def work() -> None:
        try:
            second.set_result(function(first))
        except BaseException as error:  # noqa: BLE001 - raised again by the one who asks
            second.set_exception(error)

    def go_on(done: Future[S]) -> None:
        if done.cancelled():
            second.cancel()
        elif second.set_running_or_notify_cancel():
            pool.submit(work)

    first.add_done_callback(go_on)
    return second


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """The items, made in a thread of its own while the one who asks is busy with earlier ones.

    At most `depth` items wait. An error is raised where its item would have come. When the one who
    asked stops early, the thread is told, ends `items` as a generator is ended, and is waited for.
    """
    made: Queue[T | _End] = Queue(depth)
    is_left = Event()

    def give(item: "T | _End") -> None:
        while not is_left.is_set():
            with suppress(Full):
                made.put(item, timeout=_LOOK_S)
                return

    def work() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                give(item)
                if is_left.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - raised again by the one who asks
            give(_End(error))
            return
        finally:
            if hasattr(iterator, "close"):
                iterator.close()
        give(_End(None))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_left.set()
        with suppress(Empty):
            while True:
                made.get_nowait()
        thread.join()


class _End:
    """The last thing that a thread gives: with or without an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


_LOOK_S = 0.1  # how often a thread that waits looks whether it is still wanted
