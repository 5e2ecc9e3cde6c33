"""`goods train`: a catalog into a better model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goods.options import (
    allow_private_option,
    catalog_option,
    json_option,
    schema_option,
    splits_option,
)
from goods.sections import Sectioned
from model.training.options import guard_options, machine_options, recipe_options
from model.training.recipe import DEFAULT_BASE

if TYPE_CHECKING:  # heavy, or importing what is
    from goods.catalog import Catalog
    from model.training.events import Event
    from model.training.report import TrainReport
    from model.training.settings import TrainSettings

_SECTIONS = {
    "Products": ("catalog", "schema", "splits", "limit", "allow_private"),
    "Model": ("base", "out", "resume", "save_every_min", "seed"),
    "Recipe": (
        *("recipe_name", "epochs", "batch_size", "lr", "warmup_share", "weight_decay"),
        *("layer_decay", "freeze", "lora_rank", "is_blended"),
    ),
    "What is said and seen": ("phrase_share", "cluster", "mirror"),
    "Machine": (
        *("device", "dtype", "nproc", "micro_batch_size", "gradient_checkpointing", "compile"),
    ),
    "What the base knew": (
        *("guard", "general", "general_schema", "general_splits", "max_loss", "replay"),
    ),
    "What to look at": ("show_captions", "tensorboard", "as_json"),
}


@click.command(
    cls=Sectioned,
    sections=_SECTIONS,
    epilog="Example: goods train --catalog shop.csv --out models/shop",
)
@catalog_option
@schema_option
@splits_option
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
@allow_private_option
@click.option(
    "--base",
    default=DEFAULT_BASE,
    show_default=True,
    help="What to start from: a checkpoint's folder, a name on the Hugging Face hub, or "
    "scratch:small or scratch:tiny, which need no download.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the checkpoint; an earlier one is replaced.  [required]",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where an interrupted training of the same products and settings stopped; begin "
    "where there is none.",
)
@click.option(
    "--save-every",
    "save_every_min",
    type=float,
    default=10.0,
    show_default=True,
    metavar="MINUTES",
    help="Save the state for --resume this often, besides after each epoch.",
)
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@recipe_options
@machine_options
@guard_options
@click.option(
    "--show-captions",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=10,
    metavar="[N]",
    help="Only print what so many products will be called, and how varied it is; train nothing.",
)
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Also write the course for TensorBoard; needs the extra 'tensorboard'.",
)
@json_option
def train(
    catalog: str,
    schema: Path | None,
    out: Path | None,
    show_captions: int | None,
    tensorboard: Path | None,
    nproc: int,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Fine-tune a model on a catalog and show that it beats its base.

    A part of the products is held out, whole groups of variants and twins together: the scores are
    of products that the model has never seen. Nothing but --catalog and --out is needed.
    """
    import json

    from goods.catalog import open_catalog
    from model.training.settings import TrainSettings

    settings = TrainSettings(**chosen)  # the other options are its fields, by the same names
    products = open_catalog(catalog, schema)
    if show_captions:
        from model.training.preview import preview_captions

        preview = preview_captions(products, settings, show_captions)
        click.echo(
            json.dumps(preview.to_json(), indent=2) if as_json else "\n".join(preview.lines())
        )
        return
    if out is None:
        raise click.UsageError("Missing option '--out'.")

    if nproc == 1:
        report = _shown(settings, products, out, tensorboard)
    else:
        from model.training.launch import launch

        report = launch(nproc, _shown, settings, products, out, tensorboard)
    if report is None:
        return  # another process, of those that torchrun started, tells it
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(report.lines()))


def _shown(
    settings: "TrainSettings", catalog: "Catalog", out: Path, tensorboard: Path | None
) -> "TrainReport | None":
    """Train and show it; None in a process that only assists."""
    from model.training.board import show_on_board
    from model.training.progress import show_training
    from model.training.ranks import joined
    from model.training.train import assist, train

    with joined(settings.device) as ranks:
        if not ranks.is_first:
            assist(settings, catalog, out, ranks)
            return None
        with show_training() as show, show_on_board(tensorboard) as draw:

            def tell(event: "Event") -> None:
                show(event)
                draw(event)

            return train(settings, catalog, out, tell, ranks)
