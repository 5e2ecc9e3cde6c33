"""`goods train`: a catalog into a better model."""

from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goods.options import catalog_option, device_options, json_option, schema_option
from goods.sections import Sectioned
from model.training.recipe import DEFAULT_BASE, RECIPES, TOWERS, recipe_for

if TYPE_CHECKING:  # heavy, or importing what is
    from goods.catalog import Catalog
    from model.training.events import Event
    from model.training.report import TrainReport
    from model.training.settings import TrainSettings

_SECTIONS = {
    "Products": ("catalog", "schema", "splits", "limit"),
    "Model": ("base", "out", "resume", "save_every_min", "seed"),
    "Recipe": (
        *("recipe_name", "epochs", "batch_size", "lr", "warmup_share", "weight_decay"),
        *("layer_decay", "freeze", "lora_rank"),
    ),
    "What is said and seen": ("phrase_share", "cluster", "mirror"),
    "Machine": (
        *("device", "dtype", "nproc", "micro_batch_size", "gradient_checkpointing", "compile"),
    ),
    "What the base knew": (*("guard", "general", "general_schema", "general_splits", "max_loss"),),
    "What to look at": ("show_captions", "tensorboard", "as_json"),
}


def _usual(name: str) -> str:
    """What a setting is unless chosen, for the help."""
    values = {base: attrgetter(name)(recipe_for(base)) for base in (DEFAULT_BASE, *_SCRATCH)}
    if len(set(values.values())) == 1:
        return f"[default: {values[DEFAULT_BASE]:g}]"
    own = ", ".join(f"{values[base]:g} for {base}" for base in _SCRATCH)
    return f"[default: {values[DEFAULT_BASE]:g}, {own}]"


_SCRATCH = ("scratch:small", "scratch:tiny")


@click.command(
    cls=Sectioned,
    sections=_SECTIONS,
    epilog="Example: goods train --catalog shop.csv --out models/shop",
)
@catalog_option
@schema_option
@click.option(
    "--splits",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV (id, split, optionally dup_group) that assigns products to train, val and test.",
)
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
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
    help="Go on where an interrupted training stopped; begin where there is none. A nightly job "
    "may always pass it.",
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
@click.option(
    "--recipe",
    "recipe_name",
    type=click.Choice(RECIPES),
    default=RECIPES[0],
    show_default=True,
    help="Where the settings below come from, unless given; plain: each picture with its title "
    "alone, as it is usually done.",
)
@click.option("--epochs", type=int, help=f"Passes over the products.  {_usual('epochs')}")
@click.option("--batch-size", type=int, help=f"Pairs per step.  {_usual('batch_size')}")
@click.option("--lr", type=float, help=f"Peak learning rate.  {_usual('lr')}")
@click.option(
    "--warmup",
    "warmup_share",
    type=float,
    metavar="SHARE",
    help=f"Of the steps, until the peak is reached.  {_usual('warmup_share')}",
)
@click.option(
    "--weight-decay",
    type=float,
    help=f"Of matrices; norms and biases have none.  {_usual('weight_decay')}",
)
@click.option(
    "--layer-decay",
    type=float,
    help="Each layer further from the vectors learns by this factor slower: below 1 keeps more of "
    f"the base.  {_usual('layer_decay')}",
)
@click.option(
    "--freeze", type=click.Choice(TOWERS), help="A tower that stays as it is.  [default: none]"
)
@click.option(
    "--lora",
    "lora_rank",
    type=click.IntRange(1),
    metavar="RANK",
    help="Learn small matrices beside the large ones (LoRA), ten times as fast unless --lr is "
    "given: less memory; needs the extra 'lora'. 16 is usual.",
)
@click.option(
    "--phrase-share",
    type=float,
    metavar="SHARE",
    help="How often a product is called by its attributes ('red dress') instead of by its name.  "
    f"{_usual('captions.phrase_share')}",
)
@click.option(
    "--cluster",
    type=int,
    metavar="N",
    help="Hard batches: so many neighbours share a category and differ in colour; 1 for none.  "
    f"{_usual('cluster')}",
)
@click.option(
    "--mirror/--no-mirror",
    default=None,
    help="Show half of the pictures the other way round.  [default: for scratch bases]",
)
@device_options
@click.option(
    "--nproc",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes on this machine that share each batch, one per GPU. For several machines: "
    "torchrun ... --no-python goods train ...",
)
@click.option(
    "--micro-batch-size",
    type=int,
    metavar="N",
    help="Hold activations of so many pictures at a time: any --batch-size then fits into memory, "
    "with the same gradients, for a third more time.  [default: the whole batch]",
)
@click.option(
    "--gradient-checkpointing",
    is_flag=True,
    help="Compute activations again instead of keeping them: a fraction of the memory, for a third "
    "more time.",
)
@click.option(
    "--compile",
    is_flag=True,
    help="Let torch.compile make the layers faster: pays on GPUs from some thousand steps on.",
)
@click.option(
    "--guard/--no-guard",
    default=None,
    help="Keep only as much of the training (WiSE-FT) as the base can bear: the best for the shop "
    "that loses no more than --max-forgetting.  [default: with --general]",
)
@click.option(
    "--general",
    type=click.Path(exists=True, path_type=Path),
    metavar="CATALOG",
    help="Another catalog that the model shall still be good at. Without one, --guard compares how "
    "base and model see the shop's pictures in everyday words.",
)
@click.option(
    "--general-schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the columns of --general are for.  [default: inferred]",
)
@click.option(
    "--general-splits",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV (id, split) for --general: val chooses, test judges.  [default: its own column, else "
    "half each]",
)
@click.option(
    "--max-forgetting",
    "max_loss",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="What the guard lets go of the base's general score.",
)
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
