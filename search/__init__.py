"""The search client and its faces.

from search import SearchClient
with SearchClient("index") as shop:
    hits = shop.by_text("striped linen shirt").hits

RemoteClient asks a service (`goods serve`) in the same words, and needs no model of its own;
AsyncSearchClient and AsyncRemoteClient are for programs that wait with `await`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.aio import AsyncSearchClient
    from search.answer import Answer, Hit
    from search.client import SearchClient
    from search.filters import Between, Filters
    from search.options import SearchOptions
    from search.query import Query
    from search.remote import AsyncRemoteClient, RemoteClient
    from search.understand.decision import Understanding

_HOMES = {
    "Answer": "answer",
    "AsyncRemoteClient": "remote",
    "AsyncSearchClient": "aio",
    "Between": "filters",
    "Filters": "filters",
    "Hit": "answer",
    "Query": "query",
    "RemoteClient": "remote",
    "SearchClient": "client",
    "SearchOptions": "options",
    "Understanding": "understand.decision",
}

__all__ = [
    "Answer",
    "AsyncRemoteClient",
    "AsyncSearchClient",
    "Between",
    "Filters",
    "Hit",
    "Query",
    "RemoteClient",
    "SearchClient",
    "SearchOptions",
    "Understanding",
]


def __getattr__(name: str) -> object:
    """Import on first use, so that the command line starts without torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'search' has no attribute {name!r}")
    return getattr(import_module(f"search.{_HOMES[name]}"), name)
