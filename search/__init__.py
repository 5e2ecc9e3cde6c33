"""The search client and its faces.

from search import SearchClient
with SearchClient("index") as shop:
    hits = shop.by_text("striped linen shirt").hits
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.answer import Answer, Hit
    from search.client import SearchClient
    from search.filters import Between, Filters
    from search.options import SearchOptions
    from search.query import Query
    from search.understand.decision import Understanding

_HOMES = {
    "Answer": "answer",
    "Between": "filters",
    "Filters": "filters",
    "Hit": "answer",
    "Query": "query",
    "SearchClient": "client",
    "SearchOptions": "options",
    "Understanding": "understand.decision",
}

__all__ = [
    "Answer",
    "Between",
    "Filters",
    "Hit",
    "Query",
    "SearchClient",
    "SearchOptions",
    "Understanding",
]


def __getattr__(name: str) -> object:
    """Import on first use, so that the command line starts without torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'search' has no attribute {name!r}")
    return getattr(import_module(f"search.{_HOMES[name]}"), name)
