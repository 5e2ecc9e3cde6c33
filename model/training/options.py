"""The options of `goods train` by what they decide: the recipe, the machine, the guard."""

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

import click

from goods.options import device_options
from model.training.recipe import DEFAULT_BASE, RECIPES, TOWERS, recipe_for

F = TypeVar("F", bound=Callable[..., Any])

_SCRATCH = ("scratch:small", "scratch:tiny")


def _usual(name: str) -> str:
    """What a setting is unless chosen, for the help."""
    values = {base: attrgetter(name)(recipe_for(base)) for base in (DEFAULT_BASE, *_SCRATCH)}
    if len(set(values.values())) == 1:
        return f"[default: {values[DEFAULT_BASE]:g}]"
    own = ", ".join(f"{values[base]:g} for {base}" for base in _SCRATCH)
    return f"[default: {values[DEFAULT_BASE]:g}, {own}]"


def _usual_words() -> str:
    """Which captions a product has unless chosen, for the help."""
    if recipe_for(DEFAULT_BASE).captions.is_both:
        return "[default: both at once]"
    return _usual("captions.phrase_share")


_RECIPE = (
    click.option(
        "--recipe",
        "recipe_name",
        type=click.Choice(RECIPES),
        default=RECIPES[0],
        show_default=True,
        help="Where the settings below come from, unless given; plain: each picture with its title "
        "alone, as it is usually done.",
    ),
    click.option("--epochs", type=int, help=f"Passes over the products.  {_usual('epochs')}"),
    click.option("--batch-size", type=int, help=f"Pairs per step.  {_usual('batch_size')}"),
    click.option("--lr", type=float, help=f"Peak learning rate.  {_usual('lr')}"),
    click.option(
        "--warmup",
        "warmup_share",
        type=float,
        metavar="SHARE",
        help=f"Of the steps, until the peak is reached.  {_usual('warmup_share')}",
    ),
    click.option(
        "--weight-decay",
        type=float,
        help=f"Of matrices; norms and biases have none.  {_usual('weight_decay')}",
    ),
    click.option(
        "--layer-decay",
        type=float,
        help="Each layer further from the vectors learns by this factor slower: below 1 keeps more "
        f"of the base.  {_usual('layer_decay')}",
    ),
    click.option(
        "--freeze", type=click.Choice(TOWERS), help="A tower that stays as it is.  [default: none]"
    ),
    click.option(
        "--lora",
        "lora_rank",
        type=click.IntRange(1),
        metavar="RANK",
        help="Learn small matrices beside the large ones (LoRA), ten times as fast unless --lr is "
        "given: less memory; needs the extra 'lora'. 16 is usual.",
    ),
    click.option(
        "--blend/--no-blend",
        "is_blended",
        default=None,
        help="Keep the best blend of base and tuned weights, chosen by validation products.  "
        "[default: for bases that have learned something]",
    ),
    click.option(
        "--phrase-share",
        type=float,
        metavar="SHARE",
        help="How often a product is called by its attributes ('red dress'), not by its name.  "
        f"{_usual_words()}",
    ),
    click.option(
        "--cluster",
        type=int,
        metavar="N",
        help="Hard batches: so many neighbours share a category and differ in colour; 1 for none.  "
        f"{_usual('cluster')}",
    ),
    click.option(
        "--mirror/--no-mirror",
        default=None,
        help="Show half of the pictures the other way round.  [default: for scratch bases]",
    ),
)

_MACHINE = (
    device_options,
    click.option(
        "--nproc",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processes on this machine that share each batch, one per GPU. For several machines: "
        "torchrun ... --no-python goods train ...",
    ),
    click.option(
        "--micro-batch-size",
        type=int,
        metavar="N",
        help="Hold activations of so many pictures at a time: any --batch-size then fits into "
        "memory, with the same gradients, for a third more time.  [default: the whole batch]",
    ),
    click.option(
        "--gradient-checkpointing",
        is_flag=True,
        help="Compute activations again instead of keeping them: a fraction of the memory, for a "
        "third more time.",
    ),
    click.option(
        "--compile",
        is_flag=True,
        help="Let torch.compile make the layers faster: pays on GPUs from some thousand steps on.",
    ),
)

_GUARD = (
    click.option(
        "--guard/--no-guard",
        default=None,
        help="Keep only as much of the training (WiSE-FT) as the base can bear: the best for the "
        "shop that loses no more than --max-forgetting.  [default: with --general]",
    ),
    click.option(
        "--general",
        type=click.Path(exists=True, path_type=Path),
        metavar="CATALOG",
        help="Another catalog that the model shall still be good at. Without one, --guard compares "
        "how base and model see the shop's pictures in everyday words.",
    ),
    click.option(
        "--general-schema",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="What the columns of --general are for.  [default: inferred]",
    ),
    click.option(
        "--general-splits",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="CSV (id, split) for --general: val chooses, test judges.  [default: its own column, "
        "else half each]",
    ),
    click.option(
        "--max-forgetting",
        "max_loss",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.05,
        show_default=True,
        metavar="SHARE",
        help="What the guard lets go of the base's general score.",
    ),
    click.option(
        "--replay",
        type=click.FloatRange(0),
        metavar="SHARE",
        help="Learn so many pairs of --general's train split beside each of the shop's: the surest "
        "way to forget little, for as much more time. 1 is as many.  [default: 0]",
    ),
)


def recipe_options(command: F) -> F:
    """Add what decides what is learned."""
    return _with(_RECIPE, command)


def machine_options(command: F) -> F:
    """Add what decides where and how it is computed."""
    return _with(_MACHINE, command)


def guard_options(command: F) -> F:
    """Add what decides how much may be forgotten."""
    return _with(_GUARD, command)


def _with(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command
