"""Options of `goods ingest` and `goods journal`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Percent(click.ParamType[float]):
    """`1%`, or `1`, as the share .01."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The share, 0 to 1."""
        if isinstance(value, float):
            return value
        try:
            share = float(str(value).removesuffix("%")) / 100
        except ValueError:
            self.fail(f"{value!r} is no percentage; write 1%", param, ctx)
        if not 0 <= share <= 1:
            self.fail(f"{value} is not between 0% and 100%", param, ctx)
        return share


journal_option = click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GOODS_JOURNAL",
    show_envvar=True,
    default=Path("journal.db"),
    show_default=True,
    help="File that keeps what was computed, so that nothing is computed twice. On a local disk.",
)


def watch_options(command: F) -> F:
    """Add the options of who watches a run."""
    report = click.option(
        "--report",
        "report_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the report to this JSON file, too.",
    )
    log = click.option(
        "--log",
        type=click.Choice(["auto", "plain", "json"]),
        default="auto",
        show_default=True,
        help="Progress on stderr: a bar on a terminal, else lines; or JSON lines.",
    )
    metrics = click.option(
        "--metrics-port",
        "metrics",
        metavar="[HOST:]PORT",
        envvar="GOODS_METRICS_PORT",
        show_envvar=True,
        help="Serve Prometheus metrics while it runs; on 127.0.0.1 unless a host is named.",
    )
    return report(log(metrics(command)))


def crew_options(command: F) -> F:
    """Add the options of who embeds."""
    nproc = click.option(
        "--nproc",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processes on this machine that load and embed pictures, one per GPU; without GPUs "
        "they share the cores.",
    )
    ray = click.option(
        "--ray",
        metavar="ADDRESS",
        envvar="GOODS_RAY",
        show_envvar=True,
        help="Load and embed on the Ray cluster there: auto, HOST:6379, ray://HOST:10001, or local "
        "for one that ends with the command; needs the extra 'ray'.",
    )
    ray_workers = click.option(
        "--ray-workers",
        type=click.IntRange(1),
        metavar="N",
        help="With --ray: how many load and embed.  [default: one per GPU, else one per node]",
    )
    part = click.option(
        "--part", metavar="N/M", help="Take only the Nth of M parts of the catalog."
    )
    return nproc(ray(ray_workers(part(command))))
