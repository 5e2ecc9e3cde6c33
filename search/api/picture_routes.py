"""Pictures of products: small, and with what a text means in them in colour."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from PIL import Image
from starlette.responses import Response

from goods.errors import PictureError
from goods.product import Picture
from search.api.catalog_routes import Typed, WhichIndex, find
from search.api.errors import RefusedError, log
from search.api.home import Served
from search.api.search_routes import service_of
from search.api.service import Service
from search.api.thumbnails import Thumbnail
from search.api.views import ErrorView
from search.query import Query as Asked

_AGE_S = 3600
_HEAT = ".heat"

Size = Annotated[int, Query(ge=64, le=1024, description="Pixels of the longest side.")]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "A JPEG."},
    304: {"description": "It is as it was."},
    404: {"model": ErrorView},
}


def picture_routes() -> APIRouter:
    """The routes that show pictures."""
    router = APIRouter(tags=["catalog"])

    @router.get(
        "/pictures/{product_id:path}.heat.jpg",
        summary="Where in a product's picture a text is",
        response_class=Response,
        responses=_ANSWERS,
    )
    async def get_heat(
        request: Request,
        product_id: str,
        q: Typed = "",
        size: Size = 360,
        index: WhichIndex = "main",
    ) -> Response:
        if not q.strip():  # an id may end in .heat
            return await _shown(request, product_id + _HEAT, size, index)
        return await _shown(request, product_id, size, index, q)

    @router.get(
        "/pictures/{product_id:path}.jpg",
        summary="A product's picture, small",
        response_class=Response,
        responses=_ANSWERS,
    )
    async def get_picture(
        request: Request, product_id: str, size: Size = 360, index: WhichIndex = "main"
    ) -> Response:
        return await _shown(request, product_id, size, index)

    return router


async def _shown(
    request: Request, product_id: str, size: int, index: str, heat: str = ""
) -> Response:
    service = service_of(request)

    def thumbnail() -> Thumbnail:
        with service.lease(index) as served:
            picture = find(served, product_id).picture
            try:
                return _made(service, served, picture, size, heat)
            except PictureError:
                other = service.elsewhere.find(product_id, served.client.schema)
                if other is None or other == picture:
                    raise
                return _made(service, served, other, size, heat)

    try:
        made = await service.run_picture(thumbnail)
    except PictureError as error:
        log.info("no picture of product %r: %s", product_id, error)
        raise RefusedError(
            404, f"the picture of this product cannot be shown: {error.fault}"
        ) from error
    headers = {"ETag": made.etag, "Cache-Control": f"private, max-age={_AGE_S}"}
    if made.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(made.jpeg, media_type="image/jpeg", headers=headers)


def _made(service: Service, served: Served, picture: Picture, size: int, heat: str) -> Thumbnail:
    if not heat:
        return service.thumbnails.get(picture, size)
    painted = f"{served.client.contract.stamp} {heat}"
    return service.thumbnails.get(picture, size, _heating(served, heat), painted)


def _heating(served: Served, text: str) -> Callable[[Image.Image], Image.Image]:
    def paint(image: Image.Image) -> Image.Image:  # embeds the text once it is needed
        return served.client.heat(Asked(text))(image)

    return paint
