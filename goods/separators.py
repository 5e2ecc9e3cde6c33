"""What stands between several keywords in one cell, told by the parts that are in other cells, too.

A comma is never found: it stands inside too many ordinary values, and a schema file can say it.
"""

import re
from collections import Counter
from itertools import chain

from goods.product import Picture
from goods.profile import Profile
from goods.schema import FieldKind
from goods.values import keywords

_SEPARATORS = "|;"
_FEWEST = 3  # different lists; fewer may be an accident
_ENTITY = re.compile(r"&#?\w+;")  # HTML's "Black &amp; White" is one value


def separator_of(found: Profile) -> str:
    """What separates the keywords in the cells of a column; empty where they are no clear lists.

    They are where most of the different cells that have it consist of parts that are in other
    cells, too, or alone in one.
    """
    if found.kind not in (None, FieldKind.KEYWORD) or found.shows_pictures or found.are_links:
        return ""
    if any(isinstance(cell, tuple | Picture) for cell in found.cells):
        return ""
    return next((each for each in _SEPARATORS if _separates(each, found)), "")


def _separates(separator: str, found: Profile) -> bool:
    different = set(found.values)
    if not any(separator in value for value in different):
        return False
    if separator == ";" and any(map(_ENTITY.search, different)):
        return False
    cells = {keywords(tuple(value.split(separator))) for value in different}
    lists = [parts for parts in cells if len(parts) > 1]
    uses = Counter(chain.from_iterable(cells))
    recurring = sum(all(uses[part] > 1 for part in parts) for parts in lists)
    if len(lists) < _FEWEST or recurring <= len(lists) / 2:
        return False
    parts = found.split(separator)
    return parts.kind is FieldKind.KEYWORD and not parts.reads_as_text
