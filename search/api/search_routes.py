"""`/search`, `/similar/{id}`, `/facets`: what is asked most."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse, Response

import search.query as queries
from search.api.errors import RefusedError
from search.api.examples import ANSWER, FACETS, example
from search.api.home import Served
from search.api.service import Service
from search.api.views import AnswerView, ErrorView, FacetsView, answer_view
from search.api.wire import Counting, Likeness, Searching

_MAX_FIELDS = 300
_REPEATED = {
    name for name, field in Searching.model_fields.items() if "list" in str(field.annotation)
}
_FILES = ("image", "minus_image")


def service_of(request: Request) -> Service:
    """The service that a request was sent to."""
    service: Service = request.app.state.service
    return service


async def found(request: Request, asked: Likeness, query: queries.Query) -> Response:
    """The answer to a search."""

    def work(served: Served) -> dict[str, Any]:
        client = served.client
        options = asked.options(client.countable)
        return answer_view(client.search(query, asked.filters(), options))

    return JSONResponse(await service_of(request).run(asked.index, work))


def search_routes() -> APIRouter:
    """The routes that search."""
    router = APIRouter(tags=["search"])
    answered: dict[int | str, dict[str, Any]] = {200: {"model": AnswerView, **example(ANSWER)}}

    @router.get("/search", summary="Find products", responses=answered)
    async def get_search(request: Request, asked: Annotated[Searching, Query()]) -> Response:
        return await found(request, asked, asked.query(asked.similar))

    @router.post(
        "/search",
        summary="Find products, also by uploaded pictures",
        responses={**answered, 415: {"model": ErrorView}},
        openapi_extra={"requestBody": _body()},
    )
    async def post_search(request: Request) -> Response:
        asked, uploads, minus = await _posted(request)
        return await found(request, asked, asked.query(asked.similar, uploads, minus))

    @router.get(
        "/similar/{product_id:path}",
        summary="Find products like one",
        responses={**answered, 404: {"model": ErrorView}},
    )
    async def get_similar(
        request: Request, product_id: str, asked: Annotated[Likeness, Query()]
    ) -> Response:
        if not await service_of(request).run(asked.index, lambda served: has(served, product_id)):
            raise RefusedError(404, "there is no such product")
        return await found(request, asked, asked.query((product_id,)))

    @router.get(
        "/facets",
        summary="Count what products have",
        responses={200: {"model": FacetsView, **example(FACETS)}},
    )
    async def get_facets(request: Request, asked: Annotated[Counting, Query()]) -> Response:
        def work(served: Served) -> dict[str, Any]:
            options = Searching(
                limit=1,
                ignore=asked.ignore,
                facets=asked.facets,
                facet_limit=asked.facet_limit,
                widen=asked.widen,
            ).options(served.client.countable)
            query = queries.Query(asked.texts())
            plain = served.client.search(query, asked.filters(), options).to_json()
            return {name: plain[name] for name in ("facets", "numbers", "total")}

        return JSONResponse(await service_of(request).run(asked.index, work))

    return router


def has(served: Served, product_id: str) -> bool:
    """Whether the index has a product of this id."""
    from goods.product import point_id

    return bool(served.client.index.fetch([point_id(product_id)], keys=()))


async def _posted(request: Request) -> tuple[Searching, list[bytes], list[bytes]]:
    """What a body asks for, and the pictures that it brings."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Searching.model_validate_json(await request.body()), [], []
    if kind != "multipart/form-data":
        raise RefusedError(415, "send application/json or multipart/form-data")
    settings = service_of(request).settings
    try:
        form = await request.form(
            max_files=settings.max_uploads, max_fields=_MAX_FIELDS, max_part_size=64 << 10
        )
    except MultiPartException as error:
        raise RefusedError(400, f"the form cannot be read: {error.message}") from error
    try:
        limit = settings.pictures.max_bytes
        uploads, minus = [await _uploaded(form.getlist(name), limit) for name in _FILES]
        return Searching.model_validate(_fields(form)), uploads, minus
    finally:
        await form.close()


def _fields(form: FormData) -> dict[str, Any]:
    """The values of a form that are no files; unknown ones are left for the model to refuse."""
    fields: dict[str, Any] = {}
    for name in form:
        values = [value for value in form.getlist(name) if isinstance(value, str)]
        if name in _REPEATED:
            fields[name] = values
        elif len(values) == 1:
            fields[name] = values[0]
        elif name not in _FILES:
            fields[name] = values  # several, or a file: the model says that it takes none
    return fields


async def _uploaded(values: Sequence[UploadFile | str], max_bytes: int) -> list[bytes]:
    pictures = []
    for value in values:
        if isinstance(value, UploadFile):
            data = await value.read(max_bytes + 1)
            if len(data) > max_bytes:
                raise RefusedError(413, f"a picture has more than {max_bytes:,} bytes")
            pictures.append(data)
    return pictures


def _body() -> dict[str, Any]:
    """What may be posted, for the OpenAPI document."""
    plain = Searching.model_json_schema()
    form = {**plain, "properties": dict(plain["properties"])}
    file = {"type": "string", "format": "binary"}
    for name in _FILES:
        form["properties"][name] = {
            "type": "array",
            "items": {"anyOf": [file, {"type": "string", "format": "uri"}]},
            "maxItems": 8,
        }
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": plain,
                "example": {"q": "red dress", "filter": ["price<40"], "facets": ["all"]},
            },
            "multipart/form-data": {"schema": form},
        },
    }
