"""`goods search` and `goods info`: ask an index."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from goods.options import api_key_option, device_options, index_option, json_option

if TYPE_CHECKING:
    from search.answer import Answer


@click.command(
    epilog="Example: goods search 'red dress' --filter colour=Red --filter 'price<40' "
    "--grid hits.png"
)
@click.argument("text", required=False)
@click.option("--image", metavar="FILE|URL", help="Search by a picture instead of a text.")
@click.option("--similar-to", metavar="ID", help="Search by a product of the catalog.")
@index_option
@api_key_option
@click.option(
    "--model",
    envvar="GOODS_MODEL",
    show_envvar=True,
    help="Checkpoint for the query; otherwise the one that the index names.",
)
@device_options
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="EXPRESSION",
    help="colour=Red  colour=Red,Blue  colour!=Red  price<40  price=10..40  size=*  size!=*; "
    "repeat it, all have to hold.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Products to show.",
)
@click.option(
    "--offset",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Better ones to pass over: the next page.",
)
@click.option("--facets", metavar="FIELD,FIELD", help="Count the values of these fields, or 'all'.")
@click.option(
    "--grid",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the hits as a contact sheet: .png or .jpg.",
)
@json_option
def search(
    text: str | None,
    image: str | None,
    similar_to: str | None,
    index: str,
    api_key: str | None,
    model: str | None,
    device: str,
    dtype: str,
    filters: tuple[str, ...],
    limit: int,
    offset: int,
    facets: str | None,
    grid: Path | None,
    as_json: bool,
) -> None:
    """Find products by TEXT, by a picture, or by a product."""
    if sum(query is not None for query in (text, image, similar_to)) != 1:
        raise click.UsageError("say what to look for: a TEXT, --image or --similar-to, just one")
    from search.client import SearchClient
    from search.filters import Filters

    wanted = Filters.parse(filters)
    with SearchClient(index, model, api_key=api_key, device=device, dtype=dtype) as client:
        names = client.countable if facets == "all" else (facets or "").split(",")
        options = {"limit": limit, "offset": offset}
        counted = [name.strip() for name in names if name.strip()]
        if text is not None:
            answer = client.by_text(text, wanted, **options, facets=counted)
        elif image is not None:
            answer = client.by_image(image, wanted, **options, facets=counted)
        else:
            answer = client.similar_to(str(similar_to), wanted, **options, facets=counted)
    _print(answer, offset, as_json)
    if grid is not None:
        from goods.sheet import save_sheet
        from search.grid import grid as draw

        heading = "   ".join([text or image or f"similar to {similar_to}", *filters])
        save_sheet(draw([(heading, answer)]), grid)
        click.echo(f"contact sheet: {grid}", err=True)


@click.command(epilog="Example: goods info --index index/")
@index_option
@api_key_option
@json_option
def info(index: str, api_key: str | None, as_json: bool) -> None:
    """Say what an index holds and which model made it."""
    import json

    from goods.index import open_index

    store = open_index(index, api_key=api_key)
    try:
        state = store.info()
    finally:
        store.close()
    if as_json:
        contract = state.contract.to_json()
        click.echo(
            json.dumps(
                {
                    "address": state.address,
                    "engine": state.engine,
                    "generation": state.generation,
                    "points": state.points,
                    "indexed": state.indexed,
                    "contract": contract,
                },
                indent=2,
            )
        )
        return
    click.echo(f"{state.address}: {state.points:,} products, {state.indexed:,} in the graph")
    click.echo(f"engine {state.engine}, generation {state.generation}")
    click.echo(f"model {state.contract.model} (stamp {state.contract.stamp})")
    for field in state.contract.schema.fields:
        click.echo(f"  {field.name}: {field.kind}")


def _print(answer: "Answer", offset: int, as_json: bool) -> None:
    import json

    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=2, ensure_ascii=False))
        return
    for rank, hit in enumerate(answer.hits, start=offset + 1):
        product = hit.product
        values = (
            ", ".join(v) if isinstance(v, tuple) else str(v) for v in product.attributes.values()
        )
        click.echo(
            f"{rank:>4}  {hit.score:.3f}  {product.id}  {product.title}  [{'; '.join(values)}]"
        )
    for name, counts in answer.facets.items():
        click.echo(f"{name}: " + ", ".join(f"{c.value} ({c.count:,})" for c in counts))
    click.echo(
        f"{len(answer.hits)} of {answer.total:,} products, "
        f"{answer.encode_ms:.1f} ms to embed + {answer.index_ms:.1f} ms in the index"
    )
