"""The pages: files of `search/web`."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from search.api.errors import RefusedError


def page_routes(web: Path) -> APIRouter:
    """The routes of the pages in this folder."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def get_page() -> Response:
        return _file(web / "index.html")

    @router.get("/compare")
    async def get_compare_page() -> Response:
        return _file(web / "compare.html")

    @router.get("/favicon.ico")
    async def get_icon() -> Response:
        return _file(web / "favicon.svg")

    return router


def _file(path: Path) -> Response:
    if not path.is_file():
        raise RefusedError(404, "there is no such page")
    return FileResponse(path, headers={"Cache-Control": "no-cache"})
