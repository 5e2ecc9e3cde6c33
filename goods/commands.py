"""`goods demo`, `goods schema` and `goods info`: verbs that belong to no single stage."""

from pathlib import Path

import click

from goods.options import api_key_option, index_option, json_option, schema_option


@click.command(epilog="Example: goods schema shop.csv > schema.toml")
@click.argument("catalog")
@schema_option
def schema(catalog: str, schema: Path | None) -> None:
    """Say what each column of CATALOG is for, as a TOML that --schema reads back.

    CATALOG is a file, a folder, a URL or - for JSON Lines on standard input, as for --catalog of
    the other commands: psql shop -Atc "select row_to_json(p) from products p" | goods schema -
    """
    from goods.catalog import open_catalog
    from goods.schema import to_toml

    found = open_catalog(catalog, schema)
    click.echo(to_toml(found.schema, found.columns), nl=False)


@click.command(epilog="Example: goods demo --out demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the catalog, model, index and contact sheets.",
)
@click.option("--catalog", help="Your own catalog, instead of a rendered sample.")
@schema_option
@click.option(
    "--base",
    default="scratch:tiny",
    show_default=True,
    help="Checkpoint to fine-tune, a folder or a hub name; scratch:tiny and scratch:small "
    "start from nothing and need no network.",
)
@click.option(
    "--products",
    type=click.IntRange(100),  # fewer leave no batch to train on
    default=6000,
    show_default=True,
    help="Products in the sample.",
)
@click.option("--seed", default=0, show_default=True, help="Of the sample and the training.")
def demo(
    out: Path, catalog: str | None, schema: Path | None, base: str, products: int, seed: int
) -> None:
    """Do the whole path: catalog, fine-tuning, index, evaluation, queries with pictures."""
    import shutil
    import sys

    from goods.demo import DemoSettings, run_demo

    run_demo(
        DemoSettings(
            out=out,
            catalog=catalog,
            schema=schema,
            base=base,
            products=products,
            seed=seed,
            command="goods" if shutil.which("goods") else sys.argv[0],
        ),
        click.echo,
    )


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
                    "quantization": state.quantization,
                    "tuned": state.tuned,
                    "contract": contract,
                },
                indent=2,
            )
        )
        return
    click.echo(f"{state.address}: {state.points:,} products, {state.indexed:,} in the graph")
    click.echo(f"engine {state.engine}, generation {state.generation}")
    click.echo(
        f"quantization {state.quantization}{'' if state.indexed else ', once it has a graph'}"
    )
    tuned = "not tuned" if state.tuned is None else f"tuned at {state.tuned:,} products"
    advice = f"; goods tune --index {index} measures how to search it"
    click.echo(f"{tuned}{advice if state.is_out_of_tune else ''}")
    click.echo(f"model {state.contract.model} (stamp {state.contract.stamp})")
    for field in state.contract.schema.fields:
        click.echo(f"  {field.name}: {field.kind}")
