"""`goods tune`: measure an index on itself, and keep with it what follows."""

from typing import Any

import click

from goods.options import (
    api_key_option,
    device_options,
    index_option,
    json_option,
    query_model_option,
)


@click.command(epilog="Example: goods tune --index index/ --quantization auto")
@index_option
@api_key_option
@query_model_option
@device_options
@click.option(
    "--queries",
    type=click.IntRange(2, 1000),
    default=100,
    show_default=True,
    help="Queries under each filter: half of them pictures, half titles.",
)
@click.option(
    "--quantization",
    type=click.Choice(["auto", "none", "int8", "turbo4", "turbo2", "turbo1", "binary"]),
    help="Build the graph anew over vectors of this form; auto tries all on a sample and takes the "
    "smallest that reaches --recall. An index has int8 until this says otherwise.",
)
@click.option(
    "--recall",
    type=click.FloatRange(0.5, 1),
    default=0.99,
    show_default=True,
    help="Share of the best ten that --quantization auto has to find under every filter.",
)
@click.option(
    "--sample",
    type=click.IntRange(20_000),
    default=20_000,
    show_default=True,
    help="Products that --quantization auto tries on, in a temporary folder.",
)
@json_option
def tune(
    index: str,
    api_key: str | None,
    model: str | None,
    device: str,
    dtype: str,
    queries: int,
    quantization: str | None,
    recall: float,
    sample: int,
    as_json: bool,
) -> None:
    """Measure how to search an index, and from when on a match is a good one.

    Every field and share of the catalog is tried as a filter, exact and on the graph; settings
    that find 99 % of the best ten are kept with the index. Run it again after large changes.

    With --quantization the graph is first built anew over smaller or larger vectors. The old one
    serves until the new one is there.
    """
    import json
    from dataclasses import asdict

    from goods.index import Quantization
    from goods.progress import bar
    from search.client import SearchClient
    from search.relevance import FewKindsError, RelevanceReport, measure_relevance
    from search.tune.planner import tune_planner
    from search.tune.quantizations import quantize, try_quantizations
    from search.tune.sample import sample_queries
    from search.tune.trials import demands

    with SearchClient(index, model, api_key=api_key, device=device, dtype=dtype) as client:
        probes = sample_queries(client.index, client.encoder, queries)
        tried = None
        if quantization == "auto":
            with bar("try", len(client.index.quantizations), "quantizations") as progress:
                tried = try_quantizations(client.index, probes, recall, sample, progress)
            if tried.chosen:
                quantize(client.index, tried.chosen.quantization, tried.chosen.ef)
        elif quantization:
            quantize(client.index, Quantization(quantization))
        filters = list(demands(client.index))
        with bar("tune", len(filters), "filters") as progress:
            planner = tune_planner(client.index, probes, filters, progress)
        found: RelevanceReport | None = None
        try:
            found = measure_relevance(client.index, client.encoder)
            judged = found.lines()
        except FewKindsError as error:  # a shop of one thing is tuned all the same
            judged = [f"no match is called a good one or none: {error}"]
    if as_json:
        measured: dict[str, Any] = {"quantization": asdict(tried)} if tried else {}
        relevance = asdict(found) if found else None
        measured |= {"tuning": asdict(planner.tuning), "relevance": relevance}
        click.echo(json.dumps(measured))
        return
    for line in (*(tried.lines() if tried else ()), *planner.lines(), *judged):
        click.echo(line)
