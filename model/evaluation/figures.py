"""Matplotlib without its global state, and its SVG made fit to stand in a page.

Only the object interface is used: nothing opens a window, and threads do not share a figure.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import StringIO
from threading import Lock

import matplotlib as mpl
from matplotlib.figure import Figure

INK, FAINT, RULE, PAPER = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b08"
MODEL_PAINT = ("#0a0b04", "#0a0b05", "#0a0b06", "#0a0b07")
_VARIABLES = {  # a colour that nobody would choose, and what stands for it in the page
    INK: "var(--ink, #1c2024)",
    FAINT: "var(--faint, #5d646b)",
    RULE: "var(--rule, #d9dcdf)",
    PAPER: "var(--paper, #ffffff)",
    MODEL_PAINT[0]: "var(--model-0, #2866b1)",
    MODEL_PAINT[1]: "var(--model-1, #b4501a)",
    MODEL_PAINT[2]: "var(--model-2, #177a5e)",
    MODEL_PAINT[3]: "var(--model-3, #7a4bb0)",
}
_CLUTTER = (
    r"(?s)^.*?(?=<svg)",  # the prolog
    r"(?s)<style.*?</style>",  # which would hold for the whole page
    r'(?<=<g) id="[^"]*"',
    r"(?<=>)\s+(?=<)",
)
_PX = 96  # of an inch, by the CSS standard
_settings = Lock()  # matplotlib reads some of them, while it draws, from one global place


@contextmanager
def matplotlib_settings() -> Iterator[None]:
    """Our settings of matplotlib, for as long as a figure is made and drawn."""
    settings = mpl.rc_context(
        {
            "svg.hashsalt": "clip-for-goods",  # ids of clip paths, else drawn at random
            "svg.fonttype": "none",  # text stays text: small, and read aloud
            "text.parse_math": False,  # a dollar sign is a dollar sign
        }
    )
    with _settings, settings:
        yield


def svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an `<svg>` element, transparent, in colours that the page can set.

    Args:
        figure: Drawn in the colours above.
        name: What ids within the SVG begin with: each of a page has its own.
        label: What is read aloud.
    """
    page = StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(page, format="svg", transparent=True, metadata=nothing)
    text = page.getvalue()
    for clutter in _CLUTTER:
        text = re.sub(clutter, "", text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r'font-family: [^;"]*', "font-family: system-ui, sans-serif", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    width, height = (round(_PX * inches) for inches in figure.get_size_inches())
    opening = f'<svg role="img" aria-label="{escape(label)}" width="{width}" height="{height}" '
    return opening + text[text.index("viewBox") :]
