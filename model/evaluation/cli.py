"""`goods evaluate`: how good a model is, and whether it is better than another."""

from pathlib import Path

import click

from goods.options import (
    allow_private_option,
    catalog_option,
    device_options,
    schema_option,
    splits_option,
)
from model.training.recipe import DEFAULT_BASE


@click.command(
    epilog="Example: goods evaluate --catalog shop.csv --model models/base --model models/shop "
    "--report scores"
)
@catalog_option
@schema_option
@click.option(
    "--model",
    "models",
    envvar="GOODS_MODEL",
    show_envvar=True,
    multiple=True,
    type=click.Path(path_type=str),
    metavar="TEXT",
    default=[DEFAULT_BASE],
    show_default=True,
    help="Checkpoint: a folder, or a name on the Hugging Face hub. May be repeated: the others are "
    "compared with the first.",
)
@splits_option
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train", "all"]),
    help="Which products are searched and asked for.  "
    "[default: test; all with --qrels and with --protocol marqo]",
)
@click.option(
    "--protocol",
    type=click.Choice(["catalog", "marqo"]),
    default="catalog",
    show_default=True,
    help="What is asked: all that the catalog has answers for, or as in Marqo's fashion benchmark.",
)
@click.option(
    "--qrels",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Ask the queries of a file instead: judgements of BEIR (TSV, JSON Lines), TREC, or JSON "
    "{query: {product: grade}}. May be repeated.",
)
@click.option(
    "--queries",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Texts of these queries: JSON Lines, TSV or JSON {query: text}. Without it the names of "
    "the queries in --qrels are their texts.",
)
@click.option(
    "--image-weight",
    type=click.FloatRange(0, 1),
    help="A product is searched by w * picture + (1 - w) * title; titles and pictures always ask "
    "among pictures.  [default: 1; 0.9 for what --protocol marqo asks by attribute]",
)
@click.option("--seed", default=0, show_default=True, help="Of the queries that marqo samples.")
@click.option(
    "--slices",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Name so many of the weakest values per task.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a page with plots and failures in pictures.",
)
@allow_private_option
@device_options
@click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=str),
    metavar="[FILE]",
    help="Write JSON for machines to a file; without one, or to -, it is printed instead of the "
    "table.",
)
def evaluate(
    catalog: str,
    schema: Path | None,
    models: tuple[str, ...],
    splits: Path | None,
    split: str | None,
    protocol: str,
    qrels: tuple[Path, ...],
    queries: Path | None,
    image_weight: float | None,
    seed: int,
    slices: int,
    report: Path | None,
    allow_private: tuple[str, ...],
    device: str,
    dtype: str,
    json_file: str | None,
) -> None:
    """Measure how well titles, attributes and pictures find products, and compare models.

    By default titles, attribute phrases and pictures ask for products that training held out.
    """
    import json

    from goods.catalog import open_catalog
    from goods.limits import PictureLimits
    from goods.progress import stages
    from model.evaluation.assess import AssessSettings, assess
    from model.evaluation.outputs import PAGE, refuse_unwritable, write_whole

    settings = AssessSettings(
        models=models,
        split=split,
        splits=splits,
        protocol=protocol,
        qrels=qrels,
        queries=queries,
        image_weight=image_weight,
        seed=seed,
        slices=slices,
        device=device,
        dtype=dtype,
        limits=PictureLimits(allow_private=allow_private),
    )
    file = Path(json_file) if json_file not in (None, "-") else None
    for path in (file, report / PAGE if report else None):
        if path:
            refuse_unwritable(path)
    products = open_catalog(catalog, schema)
    with stages() as progress:
        assessment = assess(settings, products, progress)
    found = json.dumps(assessment.to_json(), indent=2)
    click.echo(found if json_file == "-" else "\n".join(assessment.lines()))
    if file:
        write_whole(file, found + "\n")
    if report:
        page = assessment.write_page(report)
        click.echo(f"\nlook at {page}", err=json_file == "-")
