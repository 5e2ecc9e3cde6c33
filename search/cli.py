"""`goods search`: ask an index."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goods.options import (
    allow_private_option,
    api_key_option,
    device_options,
    index_option,
    json_option,
    query_model_option,
    synonyms_option,
    text_backend_options,
)

if TYPE_CHECKING:
    from search.answer import Answer
    from search.options import Understand


@click.command(
    epilog="Example: goods search 'red dress' --filter colour=Red --filter 'price<40' "
    "--grid hits.png"
)
@click.argument("text", required=False)
@click.option(
    "--image", "images", multiple=True, metavar="FILE|URL", help="A picture to look like."
)
@click.option(
    "--similar-to", "products", multiple=True, metavar="ID", help="A product to look like."
)
@click.option("--minus", multiple=True, metavar="TEXT", help="What is not wanted.")
@click.option(
    "--minus-image",
    "minus_images",
    multiple=True,
    metavar="FILE|URL",
    help="The same by a picture.",
)
@index_option
@api_key_option
@query_model_option
@device_options
@text_backend_options
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="EXPRESSION",
    help="colour=Red  colour=Red,Blue  colour!=Red  price<40  price=10..40  size=*  size!=*; "
    "repeat it: values of one field are alternatives, all else has to hold.",
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
@click.option("--cursor", help="The next page, as the page before names it.")
@click.option("--group", "by_group", is_flag=True, help="Show each group of variants once.")
@click.option(
    "--with-variants", is_flag=True, help="Let --similar-to find variants of the product."
)
@click.option("--sort", metavar="[-]FIELD", help="By a number field; -price is highest first.")
@click.option(
    "--hybrid/--no-hybrid",
    default=True,
    show_default=True,
    help="Go by the words of titles, texts and ids, too.",
)
@click.option(
    "--words-weight",
    type=click.FloatRange(0, 1),
    help="Share of the words in a hybrid score.  [default: 0.6]",
)
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="How unlike each other the hits should be.",
)
@click.option(
    "--understand",
    type=click.Choice(["filter", "boost", "off"]),
    default="filter",
    show_default=True,
    help="Let what TEXT asks for filter products, only move them up, or leave it to the model.",
)
@synonyms_option
@click.option("--facets", metavar="FIELD,FIELD", help="Count the values of these fields, or 'all'.")
@click.option(
    "--facet-limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Values to count of each field.",
)
@click.option(
    "--widen-facets", is_flag=True, help="Count each field under the filters on the others alone."
)
@click.option(
    "--grid",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the hits as a contact sheet: .png or .jpg.",
)
@click.option(
    "--heat", is_flag=True, help="Show on the sheet which part of each picture is like the query."
)
@allow_private_option
@json_option
def search(
    text: str | None,
    images: tuple[str, ...],
    products: tuple[str, ...],
    minus: tuple[str, ...],
    minus_images: tuple[str, ...],
    index: str,
    api_key: str | None,
    model: str | None,
    device: str,
    dtype: str,
    backend: str,
    backend_cache: Path,
    filters: tuple[str, ...],
    limit: int,
    offset: int,
    cursor: str | None,
    by_group: bool,
    with_variants: bool,
    sort: str | None,
    hybrid: bool,
    words_weight: float | None,
    diversity: float,
    understand: "Understand",
    synonyms: Path | None,
    facets: str | None,
    facet_limit: int,
    widen_facets: bool,
    grid: Path | None,
    heat: bool,
    allow_private: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find products by TEXT, pictures and products: one of them or several together.

    "like this, but in green" is TEXT green with --image; --minus is what is not wanted, also alone.
    Without any of them, all products under the filters are shown. The number of a product says how
    like its picture is (cosine); the order goes by words, too.
    """
    from search.client import SearchClient
    from search.embed import SOON
    from search.filters import Filters
    from search.options import SearchOptions
    from search.query import Query
    from search.ranking import WORDS_WEIGHT

    query = Query(() if text is None else (text,), images, products, minus, minus_images)
    if query.is_empty and not (filters or sort):
        raise click.UsageError("say what to look for: a TEXT, --image, --similar-to or --filter")
    if heat and (grid is None or not query.is_aimed):
        raise click.UsageError("--heat is drawn on the sheet of --grid, and needs a query")
    if grid is not None:
        from goods.sheet import check_place, save_sheet

        check_place(grid)
    weight = WORDS_WEIGHT if words_weight is None else words_weight
    wanted, limits = Filters.parse(filters), replace(SOON, allow_private=allow_private)
    with SearchClient(
        index,
        model,
        api_key=api_key,
        device=device,
        dtype=dtype,
        backend=backend,
        backend_cache=backend_cache,
        synonyms=synonyms,
        limits=limits,
    ) as client:
        names = client.countable if facets == "all" else (facets or "").split(",")
        options = SearchOptions(
            limit=limit,
            offset=offset,
            cursor=cursor,
            by_group=by_group,
            include_variants=with_variants,
            words_weight=weight if hybrid else 0,
            sort=sort,
            diversity=diversity,
            understand=understand,
            facets=[name.strip() for name in names if name.strip()],
            facet_limit=facet_limit,
            widen_facets=widen_facets,
        )
        answer = client.search(query, wanted, options)
        if client.agreement is not None:
            click.echo(f"{backend} {client.agreement}", err=True)
        _print(answer, offset, as_json)
        if grid is not None:
            from search.grid import grid as draw

            minuses = (f"minus {name}" for name in (*minus, *minus_images))
            parts = [text, *images, *(f"similar to {p}" for p in products), *minuses, *filters]
            heading = "   ".join(filter(None, parts))
            paint = client.heat(query) if heat else None
            save_sheet(draw([(heading, answer)], limits=limits, paint=paint), grid)
            click.echo(f"contact sheet: {grid}", err=True)


def _print(answer: "Answer", offset: int, as_json: bool) -> None:
    import json

    from search.lines import lines_of

    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=2, ensure_ascii=False))
        return
    for line in lines_of(answer, offset):
        click.echo(line)
    if answer.next:
        click.echo(f"next page: --cursor {answer.next}", err=True)
