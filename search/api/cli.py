"""`goods serve`: search over HTTP, and the page."""

from pathlib import Path

import click

from goods.options import (
    allow_private_option,
    api_key_option,
    device_options,
    index_option,
    query_model_option,
    synonyms_option,
    text_backend_options,
)
from goods.sections import Sectioned
from goods.urls import is_url
from search.api.loopback import LOOPBACK, is_loopback

_SECTIONS = {
    "What is served": ("index", "compare", "api_key", "name", "currency", "synonyms", "catalog"),
    "Model": ("model", "device", "dtype", "backend", "backend_cache"),
    "Where": ("host", "port", "workers", "proxies", "host_names", "origins", "copies", "refresh_s"),
    "Who may ask": ("read_key", "admin_key", "is_open"),
    "How much": ("rate", "timeout_s", "threads", "max_body", "max_pixels", "allow_private"),
    "What to look at": ("log",),
}


@click.command(
    cls=Sectioned,
    sections=_SECTIONS,
    epilog="Example: goods serve --index index/ --port 8000, then open http://127.0.0.1:8000/",
)
@index_option
@api_key_option
@click.option(
    "--compare",
    envvar="GOODS_COMPARE",
    show_envvar=True,
    metavar="INDEX",
    help="Another index, to compare on /compare: another checkpoint.",
)
@click.option(
    "--name",
    envvar="GOODS_SHOP_NAME",
    show_envvar=True,
    default="goods",
    show_default=True,
    help="What the page calls the shop.",
)
@click.option(
    "--currency",
    envvar="GOODS_CURRENCY",
    show_envvar=True,
    help="What the page writes beside prices, such as €.",
)
@synonyms_option
@click.option(
    "--catalog",
    envvar="GOODS_CATALOG",
    show_envvar=True,
    help="Look up pictures here that the index's own references do not lead to; see goods ingest.",
)
@query_model_option
@device_options
@text_backend_options
@click.option(
    "--host",
    envvar="GOODS_HOST",
    show_envvar=True,
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; others than this machine's own need GOODS_READ_KEY.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="GOODS_PORT",
    show_envvar=True,
    default=8000,
    show_default=True,
    help="Port to listen on.",
)
@click.option(
    "--workers",
    envvar="GOODS_WORKERS",
    show_envvar=True,
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more than one with a Qdrant server alone.",
)
@click.option(
    "--proxy",
    "proxies",
    envvar="GOODS_PROXIES",
    show_envvar=True,
    multiple=True,
    metavar="ADDRESS",
    help="Believe this proxy who a caller is (X-Forwarded-For).",
)
@click.option(
    "--host-name",
    "host_names",
    envvar="GOODS_HOST_NAMES",
    show_envvar=True,
    multiple=True,
    metavar="NAME",
    help="Answer to this name only; on this machine's own address, to localhost as well.",
)
@click.option(
    "--allow-origin",
    "origins",
    envvar="GOODS_ORIGINS",
    show_envvar=True,
    multiple=True,
    metavar="ORIGIN",
    help="Let pages of this origin, such as https://shop.example, search from the browser (CORS).",
)
@click.option(
    "--copies",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GOODS_COPIES",
    show_envvar=True,
    help="Folder for private copies of an embedded index.  [default: the temporary folder]",
)
@click.option(
    "--refresh-s",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    help="Seconds after which the index is looked at for changes.",
)
@click.option(
    "--read-key",
    envvar="GOODS_READ_KEY",
    show_envvar=True,
    help="Key to search with. Set the variable; other users of the machine can see options.",
)
@click.option(
    "--admin-key",
    envvar="GOODS_ADMIN_KEY",
    show_envvar=True,
    help="Key to see /metrics with; it lets search, too.",
)
@click.option(
    "--open", "is_open", is_flag=True, help="Let everybody search who reaches --host, without key."
)
@click.option(
    "--rate",
    envvar="GOODS_RATE",
    show_envvar=True,
    type=click.FloatRange(0),
    default=100.0,
    show_default=True,
    help="Requests per second of one caller, in the long run; 0 for no limit.",
)
@click.option(
    "--timeout-s",
    envvar="GOODS_TIMEOUT_S",
    show_envvar=True,
    type=click.FloatRange(0.1),
    default=10.0,
    show_default=True,
    help="Seconds after which a caller is told that it takes too long.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Searches on their way at once.",
)
@click.option(
    "--max-body",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="MiB of a request.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Millions of pixels of a picture.",
)
@allow_private_option
@click.option(
    "--log",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="Lines on stderr, for people or for machines.",
)
def serve(
    index: str,
    api_key: str | None,
    compare: str | None,
    name: str,
    currency: str | None,
    synonyms: Path | None,
    catalog: str | None,
    model: str | None,
    device: str,
    dtype: str,
    backend: str,
    backend_cache: Path,
    host: str,
    port: int,
    workers: int,
    proxies: tuple[str, ...],
    host_names: tuple[str, ...],
    origins: tuple[str, ...],
    copies: Path | None,
    refresh_s: float,
    read_key: str | None,
    admin_key: str | None,
    is_open: bool,
    rate: float,
    timeout_s: float,
    threads: int,
    max_body: int,
    max_pixels: int,
    allow_private: tuple[str, ...],
    log: str,
) -> None:
    """Serve search over HTTP, and the page that shoppers see.

    An index in a folder is copied, and copied again whenever it changed: goods ingest can go on.
    One that is not there yet is waited for.
    """
    is_local = is_loopback(host)
    if not (is_local or read_key or is_open):
        raise click.UsageError(
            f"--host {host} can be reached from other machines: set GOODS_READ_KEY, "
            "or pass --open if everybody may search"
        )
    if workers > 1 and not all(is_url(address) for address in (index, compare or index)):
        raise click.UsageError(
            f"--workers {workers} needs an index on a Qdrant server: one in a folder has one "
            "process; use --threads, or put the catalog on a server (docs/service.md)"
        )
    from dataclasses import replace

    from model.backends.accelerate import refuse_backend
    from search.api.serve import run_service
    from search.api.settings import PICTURES, ServiceSettings
    from search.understand import read_thesaurus

    refuse_backend(backend, device, dtype)
    if synonyms is not None:
        read_thesaurus(synonyms)  # a file that cannot be read is said at once
    settings = ServiceSettings(
        index=index,
        compare=compare,
        model=model,
        qdrant_key=api_key,
        device=device,
        dtype=dtype,
        backend=backend,
        backend_cache=backend_cache,
        synonyms=synonyms,
        catalog=catalog,
        name=name,
        currency=currency,
        read_key=read_key or None,
        admin_key=admin_key or None,
        hosts=(*LOOPBACK, *host_names) if is_local else host_names,
        origins=origins,
        rate=rate,
        timeout_s=timeout_s,
        refresh_s=refresh_s,
        copies=copies,
        threads=threads,
        max_body=max_body << 20,
        pictures=replace(PICTURES, max_pixels=max_pixels * 1_000_000, allow_private=allow_private),
    )
    for folder in (index, compare or index):
        if not is_url(folder) and not Path(folder).is_dir():
            raise click.UsageError(
                f"there is no folder {folder}: name an index that goods ingest has made, "
                "or make the folder for one that it is going to make"
            )
    run_service(settings, host, port, workers=workers, proxies=proxies, as_json=log == "json")
