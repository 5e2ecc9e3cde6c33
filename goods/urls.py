"""What is an address on the web, as opposed to a path, a bucket's or nothing of the kind."""

_SCHEMES = ("http://", "https://")


def is_url(location: str) -> bool:
    """Whether it is read over HTTP."""
    return location.startswith(_SCHEMES)
