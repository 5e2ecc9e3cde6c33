"""Help in sections: a command with many options is read by what one wants, not from A to Z."""

from collections.abc import Mapping, Sequence

import click


class Sectioned(click.Command):
    """A command whose help shows its options under headings.

    Args:
        sections: For each heading the names of its parameters, in order; all others come last,
            under "Help".
    """

    def __init__(
        self,
        *args: object,
        sections: Mapping[str, Sequence[str]],
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # click's own, passed on
        self._sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        records = {
            str(param.name): record
            for param in self.get_params(ctx)
            if (record := param.get_help_record(ctx))
        }
        for heading, names in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Help"):
            formatter.write_dl(list(records.values()))
