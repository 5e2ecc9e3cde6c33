"""From the cell of a catalog to a typed value.

A cell is text in a CSV file; JSON and Parquet also have numbers, booleans and lists.
"""

import math
import re

from goods.product import Picture, Value
from goods.schema import FieldKind

Cell = str | int | float | bool | tuple[str, ...] | Picture | None
"""What a reader found in one column of one row; None where there is nothing."""

_MISSING = frozenset({"", "NA", "N/A", "NaN", "null", "None"})
_BOOLEANS = {"true": True, "yes": True, "y": True, "1": True}
_BOOLEANS |= {"false": False, "no": False, "n": False, "0": False}

_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_SPLITS |= {"val": "val", "valid": "val", "validation": "val", "dev": "val"}

_MONEY = r"(?:[A-Z]{3}|[A-Z]{0,2}\$|[€£¥₹₽₩₺₫₴₪฿]|Rs\.?|kr\.?|zł|lei)"
_CURRENCY = re.compile(rf"^{_MONEY}\s*|\s*{_MONEY}$")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?P<mark>[,.\s'\u2019])\d{3}(?:(?P=mark)\d{3})*([.,]\d+)?")
_DECIMAL = re.compile(r"[-+]?\d*[.,]?\d+")
_MAX_NUMBER = 40  # characters; the longest price is shorter, and longer text would cost time
_MAX_QUOTED = 60  # characters of a cell in an error sentence


def text(cell: Cell) -> str:
    """The cell as stripped text; empty when the value is missing."""
    if isinstance(cell, str):
        stripped = cell.strip()
        return "" if stripped in _MISSING else stripped
    if cell is None or isinstance(cell, Picture):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, tuple):
        return ", ".join(keywords(cell))
    if isinstance(cell, float) and math.isnan(cell):
        return ""
    # A column of whole numbers with one gap is read as floats: 83.0 is product 83.
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def keywords(cell: tuple[str, ...]) -> tuple[str, ...]:
    """The values of a list that are not missing, each once, in order."""
    return tuple(dict.fromkeys(filter(None, map(text, cell))))


def number(cell: Cell) -> float:
    """The cell as a finite number; a price may carry its currency and group its thousands.

    Raises:
        ValueError: It is none.
    """
    shown = text(cell)
    parsed = _parse(shown) if len(shown) <= _MAX_NUMBER else None
    if parsed is None:
        raise ValueError(f"{quoted(shown)} is not a number")
    if not math.isfinite(parsed):
        raise ValueError(f"{quoted(shown)} is not a finite number")
    return parsed


def boolean(cell: Cell) -> bool:
    """The cell as a claim that holds or not.

    Raises:
        ValueError: It is neither.
    """
    shown = text(cell)
    if (claim := _BOOLEANS.get(shown.lower())) is None:
        raise ValueError(f"{quoted(shown)} is neither true nor false (yes, no, 1, 0)")
    return claim


def split_name(cell: Cell) -> str | None:
    """The cell as "train", "val" or "test"; None when it is missing.

    Raises:
        ValueError: It is something else.
    """
    shown = text(cell)
    if shown and shown.lower() not in _SPLITS:
        raise ValueError(f"{quoted(shown)} is not train, val or test")
    return _SPLITS.get(shown.lower())


def value(cell: Cell, kind: FieldKind, separator: str = "") -> Value | None:
    """The cell as a field of this kind has it; None when it is missing.

    Args:
        cell: A list holds several keywords.
        kind: How it is compared.
        separator: What stands between several keywords in a text.

    Raises:
        ValueError: It does not fit; the message begins with the cell.
    """
    if isinstance(cell, tuple) and kind is FieldKind.KEYWORD:
        return keywords(cell) or None
    shown = text(cell)
    if not shown:
        return None
    match kind:
        case FieldKind.KEYWORD:
            if not separator:
                return shown
            whole = cell if isinstance(cell, str) else shown  # a separator may begin with a blank
            return keywords(tuple(whole.split(separator))) or None
        case FieldKind.NUMBER:
            return number(cell)
        case FieldKind.BOOLEAN:
            return boolean(cell)


def quoted(shown: str) -> str:
    """Text for an error sentence: in quotes, and cut where it is long."""
    return repr(shown if len(shown) <= _MAX_QUOTED else f"{shown[:_MAX_QUOTED]}…")


def _parse(shown: str) -> float | None:
    """The number, in the notation of programs or of price tags.

    A lone dot marks the decimals. A comma before exactly three digits groups thousands, and so
    does a dot beside a currency: "1,299" and "1.299 €" are the same price.
    """
    try:
        return float(shown) if "_" not in shown else None  # "1_2" is a code, not 12
    except ValueError:
        pass
    bare = _CURRENCY.sub("", shown)
    if grouped := _GROUPED.fullmatch(bare):
        whole = bare[: grouped.start(2)] if grouped[2] else bare
        digits = re.sub(r"[^\d+-]", "", whole)
        return float(digits + (grouped[2] or "").replace(",", "."))
    if _DECIMAL.fullmatch(bare):
        return float(bare.replace(",", "."))
    return None
