"""Small pictures that can stand inside a page."""

from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import ImageOps

from goods.errors import PictureError
from goods.pictures import PictureLoader
from goods.product import Product

SIDE = 128  # pixels: sharp at 96 on most screens, and 3 to 5 kB
_QUALITY = 72
_AT_ONCE = 8  # pictures may be on the network


def thumbnails(products: Iterable[Product], loader: PictureLoader) -> dict[str, str]:
    """By product id a JPEG of at most `SIDE` pixels as `data:` URI; without what cannot be read."""
    distinct = list({product.id: product for product in products}.values())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda product: _thumbnail(product, loader), distinct)
        return {
            product.id: uri for product, uri in zip(distinct, found, strict=True) if uri is not None
        }


def _thumbnail(product: Product, loader: PictureLoader) -> str | None:
    try:
        image = loader.load(product.picture, at_least=SIDE)
    except PictureError:  # the page shows that it is missing
        return None
    buffer = BytesIO()
    small = ImageOps.contain(image, (SIDE, SIDE)) if max(image.size) > SIDE else image
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()
