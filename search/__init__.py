"""The search client and its faces.

from search import SearchClient
with SearchClient("index") as shop:
    hits = shop.by_text("striped linen shirt").hits
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.answer import Answer, Hit
    from search.client import SearchClient
    from search.filters import Between, Filters

__all__ = ["Answer", "Between", "Filters", "Hit", "SearchClient"]


def __getattr__(name: str) -> object:
    """Import on first use, so that the command line starts without torch."""
    if name not in __all__:
        raise AttributeError(f"module 'search' has no attribute {name!r}")
    from search import client, filters

    return getattr(client, name, None) or getattr(filters, name)
