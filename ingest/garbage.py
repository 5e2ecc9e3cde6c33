"""Python's search for garbage, kept off what a process has loaded.

It goes through every object that there is, again and again while a run makes new ones; with torch
and transformers loaded that was a tenth of a plan's time. What there is when a run begins stays.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Meanwhile only what was made since is searched."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
