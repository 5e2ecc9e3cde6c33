"""`goods ingest`: catalog into index."""

from pathlib import Path

import click

from goods.options import (
    api_key_option,
    catalog_option,
    device_options,
    index_option,
    model_option,
    schema_option,
)


@click.command(epilog="Example: goods ingest --catalog shop.csv --model models/shop --index index/")
@catalog_option
@schema_option
@model_option
@index_option
@api_key_option
@device_options
@click.option("--batch-size", default=64, show_default=True, help="Pictures embedded at a time.")
@click.option("--threads", default=4, show_default=True, help="Threads that load pictures.")
@click.option("--sync", is_flag=True, help="Delete products that the catalog no longer has.")
@click.option(
    "--max-gone",
    type=click.FloatRange(0, 100),
    default=50,
    show_default=True,
    metavar="PERCENT",
    help="With --sync: delete nothing when more of the index than this is gone.",
)
@click.option("--rebuild", is_flag=True, help="Embed all anew, then replace the index in one step.")
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("refused.jsonl"),
    show_default=True,
    help="Where products that cannot be taken are explained.",
)
@click.option(
    "--max-refused",
    type=click.FloatRange(0, 100),
    default=1,
    show_default=True,
    metavar="PERCENT",
    help="Exit with code 3 when more of the catalog than this is refused.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def ingest(
    catalog: str,
    schema: Path | None,
    model: str,
    index: str,
    api_key: str | None,
    device: str,
    dtype: str,
    batch_size: int,
    threads: int,
    sync: bool,
    max_gone: float,
    rebuild: bool,
    limit: int | None,
    refused_file: Path,
    max_refused: float,
    as_json: bool,
) -> None:
    """Embed a catalog and write it to an index.

    Only what is new or changed is embedded: run it every night, and again after a crash.
    """
    import json
    import os

    # torch's threads otherwise spin while they wait for each other, on cores that the threads which
    # load pictures need: 214 pictures/s instead of 61 beside one busy process, on 2 cores; none
    # lost on idle ones. It is read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from goods.catalog import open_catalog
    from goods.index import open_index
    from goods.progress import bar
    from ingest.worker import IngestSettings
    from ingest.worker import ingest as run
    from model.encoder import Encoder

    settings = IngestSettings(
        batch_size=batch_size,
        threads=threads,
        sync=sync,
        max_gone=max_gone / 100,
        rebuild=rebuild,
        limit=limit,
    )
    products = open_catalog(catalog, schema)
    store = open_index(index, api_key=api_key)
    try:
        encoder = Encoder.load(model, device, dtype)
        with bar("ingest", limit or products.count_estimate(), "products") as progress:
            report = run(products, store, encoder, settings, refused_file, progress)
    finally:
        store.close()
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(report.lines()))
    if report.refused_share * 100 > max_refused:
        click.echo(
            f"{report.refused_total:,} of {report.products:,} products were refused, "
            f"more than {max_refused:g} %: see {refused_file}",
            err=True,
        )
        raise SystemExit(3)
