"""`goods tune`: measure an index on itself, and keep with it what follows."""

import click

from goods.options import api_key_option, device_options, index_option, json_option


@click.command(epilog="Example: goods tune --index index/")
@index_option
@api_key_option
@click.option(
    "--model",
    envvar="GOODS_MODEL",
    show_envvar=True,
    help="Checkpoint for the texts; otherwise the one that the index names.",
)
@device_options
@click.option(
    "--queries",
    type=click.IntRange(2, 1000),
    default=40,
    show_default=True,
    help="Queries under each filter: half of them pictures, half titles.",
)
@json_option
def tune(
    index: str,
    api_key: str | None,
    model: str | None,
    device: str,
    dtype: str,
    queries: int,
    as_json: bool,
) -> None:
    """Measure how to search an index, and from when on a match is a good one.

    Every field and share of the catalog is tried as a filter, exact and on the graph; settings
    that find 99 % of the best ten are kept with the index. Run it again after large changes.
    """
    import json
    from dataclasses import asdict

    from goods.progress import bar
    from search.client import SearchClient
    from search.relevance import measure_relevance
    from search.tune.planner import tune_planner
    from search.tune.sample import sample_queries
    from search.tune.trials import demands

    with SearchClient(index, model, api_key=api_key, device=device, dtype=dtype) as client:
        total = sum(1 for _ in demands(client.index))
        with bar("tune", total, "filters") as progress:
            vectors = sample_queries(client.index, client.encoder, queries)
            planner = tune_planner(client.index, vectors, progress)
        found = measure_relevance(client.index, client.encoder)
    if as_json:
        click.echo(json.dumps({"tuning": asdict(planner.tuning), "relevance": asdict(found)}))
        return
    for line in (*planner.lines(), *found.lines()):
        click.echo(line)
