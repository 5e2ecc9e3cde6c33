"""Streams in bounded memory: in batches, and worked on in threads ahead of who asks for them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
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
    pending: deque[Future[T]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= depth:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:  # the one who asked has gone
            future.cancel()
