"""The service as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from search.api.catalog_routes import catalog_routes
from search.api.errors import tell_errors
from search.api.guard import Guard
from search.api.heads import Heads
from search.api.operator_routes import operator_routes
from search.api.page_routes import page_routes
from search.api.picture_routes import picture_routes
from search.api.search_routes import search_routes
from search.api.service import Service
from search.api.settings import ServiceSettings
from search.api.views import ErrorView
from search.api.watched import WatchedRequests

WEB = Path(__file__).parents[1] / "web"

_FAILURES: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorView, "description": "It cannot be answered as it was asked."},
    401: {"model": ErrorView, "description": "A key is needed."},
    413: {"model": ErrorView, "description": "It is too large."},
    421: {"model": ErrorView, "description": "It was sent to another host name."},
    422: {"model": ErrorView, "description": "A parameter or a picture cannot be used."},
    429: {"model": ErrorView, "description": "Too many requests."},
    503: {"model": ErrorView, "description": "Not ready, or too busy."},
}


def create_app(settings: ServiceSettings) -> FastAPI:
    """The service with these settings; its indexes are opened when it is started."""
    service = Service(settings)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="goods",
        summary="Semantic product search for fashion shops.",
        version="1",
        docs_url=None,  # its page comes from other hosts
        redoc_url=None,
        lifespan=life,
        responses=_FAILURES,
    )
    app.state.service = service
    tell_errors(app)
    app.add_middleware(Heads)
    app.add_middleware(Guard, settings=settings, keys=service.keys)
    is_shared = bool(settings.origins)
    if is_shared:  # outside the guard: a browser asks first, without a key
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-Api-Key"],
            expose_headers=["X-Request-Id", "Retry-After"],
        )
    app.add_middleware(WatchedRequests, counters=service.counters, is_shared=is_shared)
    for routes in (search_routes(), catalog_routes(), picture_routes(), operator_routes()):
        app.include_router(routes)
    app.include_router(page_routes(WEB))
    app.mount("/static", StaticFiles(directory=WEB), name="static")
    return app
