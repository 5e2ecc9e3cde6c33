"""Hits as pictures in a notebook."""

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from goods.errors import PictureError
from goods.pictures import PictureLoader
from search.embed import SOON

if TYPE_CHECKING:
    from search.answer import Answer, Hit

_SIDE = 160  # pixels of a picture: five abreast in the usual width of a notebook

_NOTHING = "no picture"


def page(answer: "Answer") -> str:
    """HTML with the pictures inside, so that a notebook that is sent on still shows them.

    A picture that cannot be had leaves a gap that says why.
    """
    with PictureLoader(SOON) as loader:
        figures = "".join(_figure(hit, loader) for hit in answer.hits)
    understood = "".join(
        f"<div>{escape(line)}</div>"
        for line in (answer.understanding.lines() if answer.understanding else ())
    )
    return (
        f"{understood}<div>{len(answer.hits)} of {answer.total:,} products</div>"
        f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>'
    )


def _figure(hit: "Hit", loader: PictureLoader) -> str:
    product = hit.product
    name = product.title or product.id
    return (
        f'<figure style="width:{_SIDE}px;margin:0">{_picture(hit, loader)}'
        f"<figcaption>{escape(name)}<br><small>{escape(product.id)} &middot; {hit.score:.3f}"
        "</small></figcaption></figure>"
    )


def _picture(hit: "Hit", loader: PictureLoader) -> str:
    box = f"width:{_SIDE}px;height:{_SIDE}px;object-fit:contain"
    try:
        image = loader.load(hit.product.picture, at_least=2 * _SIDE)
    except PictureError as error:
        return f'<div style="{box}" title="{escape(str(error))}">{_NOTHING}</div>'
    image.thumbnail((2 * _SIDE, 2 * _SIDE))  # screens have two pixels where pages count one
    data = BytesIO()
    image.save(data, "JPEG", quality=85)
    encoded = base64.b64encode(data.getvalue()).decode()
    return f'<img style="{box}" src="data:image/jpeg;base64,{encoded}">'
