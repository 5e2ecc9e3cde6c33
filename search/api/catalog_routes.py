"""What the shop has: its fields, its products, and how to go on typing."""

from dataclasses import asdict
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from goods.index import AnyOf, HasId, Not
from goods.index.contract import GROUP, product_of
from goods.product import Product, point_id
from search.api.errors import RefusedError
from search.api.examples import PRODUCT, SCHEMA, SUGGESTIONS, UNDERSTANDING, example
from search.api.home import Served
from search.api.search_routes import service_of
from search.api.service import Service
from search.api.views import (
    ErrorView,
    ProductView,
    SchemaView,
    SuggestionsView,
    UnderstandingView,
    product_view,
)
from search.api.wire import MAX_TEXT, IndexName

VARIANTS = 200

Typed = Annotated[str, Query(max_length=MAX_TEXT, examples=["red dr"])]
WhichIndex = Annotated[IndexName, Query(description="Which index to ask.")]


def catalog_routes() -> APIRouter:
    """The routes that tell what the shop has."""
    router = APIRouter(tags=["catalog"])

    @router.get(
        "/products/{product_id:path}",
        summary="One product",
        responses={200: {"model": ProductView, **example(PRODUCT)}, 404: {"model": ErrorView}},
    )
    async def get_product(
        request: Request, product_id: str, index: WhichIndex = "main"
    ) -> Response:
        view = await service_of(request).run(index, lambda served: _product(served, product_id))
        return JSONResponse(view)

    @router.get(
        "/suggest",
        summary="Go on typing",
        responses={200: {"model": SuggestionsView, **example(SUGGESTIONS)}},
    )
    async def get_suggestions(
        request: Request,
        q: Typed = "",
        limit: Annotated[int, Query(ge=1, le=50)] = 8,
        index: WhichIndex = "main",
    ) -> Response:
        with service_of(request).lease(index) as served:
            known = served.suggestions.of(q, limit) if served.suggestions else []
        return JSONResponse({"suggestions": [asdict(suggestion) for suggestion in known]})

    @router.get(
        "/understand",
        summary="What a text asks for",
        responses={200: {"model": UnderstandingView, **example(UNDERSTANDING)}},
    )
    async def get_understanding(
        request: Request, q: Typed = "", index: WhichIndex = "main"
    ) -> Response:
        understood = await service_of(request).run(index, lambda s: s.client.understand(q))
        return JSONResponse(understood.to_json())

    @router.get(
        "/schema",
        summary="The shop and its fields",
        responses={200: {"model": SchemaView, **example(SCHEMA)}},
    )
    async def get_schema(request: Request) -> Response:
        return JSONResponse(await _schema(service_of(request)))

    return router


def find(served: Served, product_id: str) -> Product:
    """The product with this id.

    Raises:
        RefusedError: There is none.
    """
    records = served.client.index.fetch([point_id(product_id)])
    if not records:
        raise RefusedError(404, "there is no such product")
    return product_of(records[0].payload, served.client.schema)


def _product(served: Served, product_id: str) -> dict[str, Any]:
    product = find(served, product_id)
    client = served.client
    variants: list[Product] = []
    if product.group is not None:
        others = (AnyOf(GROUP, (product.group,)), Not(HasId((product.point_id,))))
        records = client.index.listed(VARIANTS, conditions=others)
        variants = [product_of(record.payload, client.schema) for record in records]
    return product_view(product, variants)


async def _schema(service: Service) -> dict[str, Any]:
    models = {name: await service.run(name, _model_name) for name in service.homes}

    def work(served: Served) -> dict[str, Any]:
        contract = served.client.contract
        return {
            "name": service.settings.name,
            "products": served.client.index.count(),
            "model": models["main"],
            "fields": [
                {"name": field.name, "kind": str(field.kind)} for field in contract.schema.fields
            ],
            "group": contract.schema.group is not None,
            "currency": service.settings.currency,
            "indexes": list(service.homes),
            "models": models,
        }

    return await service.run("main", work)


def _model_name(served: Served) -> str:
    """The model's name on the hub, or its folder's name without where that is."""
    model = served.client.contract.model
    is_folder = PurePath(model).is_absolute() or model.startswith(".") or "\\" in model
    return PurePath(model).name if is_folder else model
