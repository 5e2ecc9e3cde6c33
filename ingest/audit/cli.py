"""`goods audit`: what is wrong with a catalog, with pictures."""

from pathlib import Path

import click

from goods.options import (
    allow_private_option,
    api_key_option,
    catalog_option,
    device_options,
    json_option,
    schema_option,
)


@click.command(epilog="Example: goods audit --catalog shop.csv --model models/shop --out audit/")
@catalog_option
@schema_option
@click.option(
    "--model",
    envvar="GOODS_MODEL",
    show_envvar=True,
    help="Checkpoint that compares labels with pictures: a folder, or a name on the Hugging Face "
    "hub. Without it (and without --index) that is left out.",
)
@click.option(
    "--index",
    help="Take the vectors of unchanged pictures from this index instead of embedding them again; "
    "its model has to be the same, and is the default.",
)
@api_key_option
@device_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("audit"),
    show_default=True,
    help="Folder for the page with pictures and findings.csv.",
)
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
@click.option(
    "--min-side",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Pixels that the longer side of a picture should have.",
)
@click.option(
    "--most-labels",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Doubtful labels to report per field, the surest first.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Pictures embedded at a time.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Threads that load pictures.",
)
@allow_private_option
@json_option
def audit(
    catalog: str,
    schema: Path | None,
    model: str | None,
    index: str | None,
    api_key: str | None,
    device: str,
    dtype: str,
    out: Path,
    limit: int | None,
    min_side: int,
    most_labels: int,
    batch_size: int,
    threads: int,
    allow_private: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find blank pictures, doubles, missing prices, wrong labels and typos in a catalog.

    Nothing is changed. Memory holds the vectors: 4 bytes times their length for each product.
    """
    import json
    import os

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in goods ingest

    from goods.catalog import open_catalog
    from goods.pictures import PictureLimits, PictureLoader
    from goods.progress import stages
    from ingest.audit.audit import Limits
    from ingest.audit.audit import audit as run
    from ingest.audit.gather import Gathering
    from ingest.audit.page import page
    from ingest.audit.reuse import vector_sources
    from ingest.audit.summary import TABLE, audit_json, lines, table
    from model.evaluation.outputs import PAGE, refuse_unwritable, write_whole

    for name in (PAGE, TABLE):
        refuse_unwritable(out / name)
    products = open_catalog(catalog, schema)
    with PictureLoader(PictureLimits(allow_private=allow_private)) as loader:
        with (
            vector_sources(model, index, api_key, device, dtype) as sources,
            stages() as progress,
        ):
            how = Gathering(sources.encoder, sources.index, batch_size, threads, limit)
            found = run(products, loader, how, Limits(min_side, most_labels), progress)
        write_whole(out / PAGE, page(found, loader))
    write_whole(out / TABLE, table(found))
    click.echo(json.dumps(audit_json(found), indent=2) if as_json else "\n".join(lines(found)))
    click.echo(f"\nlook at {out / PAGE}", err=as_json)
