"""The `goods` command: flat verbs, each loaded only when it is called."""

import importlib
import sys

import click

from goods.errors import GoodsError

COMMANDS = {
    "demo": "goods.commands:demo",
    "schema": "goods.commands:schema",
    "train": "model.training.cli:train",
    "evaluate": "model.evaluation.cli:evaluate",
    "export": "model.backends.cli:export",
    "audit": "ingest.audit.cli:audit",
    "ingest": "ingest.cli:ingest",
    "delete": "ingest.delete_cli:delete",
    "journal": "ingest.journal_cli:journal",
    "search": "search.cli:search",
    "understand": "search.understand_cli:understand",
    "serve": "search.api.cli:serve",
    "tune": "search.tune.cli:tune",
    "info": "goods.commands:info",
}
"""Where each verb lives, in the order in which people meet them."""

GO_ON = {
    "train": "the epochs that are done are kept: the same command with --resume goes on from there",
    "ingest": "what was embedded is kept: the same command goes on from there",
}
"""What an interrupted verb leaves, and how to go on."""


class Verbs(click.Group):
    """Finds commands by name, and turns expected failures into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """The verbs."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click calls it so
        cmd_name: str,
    ) -> click.Command | None:
        """The verb with this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, and what it is given; one that is only misspelt is named."""
        from difflib import get_close_matches

        if args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, 1)):
            raise click.UsageError(f"No such command '{args[0]}'; did you mean {near[0]}?", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; a GoodsError becomes a click error, an interrupt says how to go on."""
        try:
            return super().invoke(ctx)
        except GoodsError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            if left := GO_ON.get(ctx.invoked_subcommand or ""):
                click.echo(f"\nstopped; {left}", err=True)
            raise


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clip-for-goods")
def main() -> None:
    """Semantic product search for fashion shops: fine-tune, ingest, search."""
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("huggingface_hub").propagate = False  # it writes to stderr by itself
