"""Options that several commands share, each with the environment variable of a deployment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

BACKEND_CACHE = Path.home() / ".cache" / "clip-for-goods"
"""Folder that keeps exported models, where nobody names another."""

catalog_option = click.option(
    "--catalog",
    envvar="GOODS_CATALOG",
    show_envvar=True,
    required=True,
    help="CSV, TSV, JSON Lines or Parquet file, also at https://, s3:// or gs://; "
    "'shards/*.parquet'; a folder of pictures; hub:owner/name[:config][@split]; "
    "or - for JSON Lines on standard input.",
)
schema_option = click.option(
    "--schema",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GOODS_SCHEMA",
    show_envvar=True,
    help="TOML that says what the columns are for (see goods schema); inferred otherwise.",
)
model_option = click.option(
    "--model",
    envvar="GOODS_MODEL",
    show_envvar=True,
    default="openai/clip-vit-base-patch32",
    show_default=True,
    help="Checkpoint: a folder, or a name on the Hugging Face hub.",
)
query_model_option = click.option(
    "--model",
    envvar="GOODS_MODEL",
    show_envvar=True,
    help="Checkpoint for queries; otherwise the one that the index names.",
)
index_option = click.option(
    "--index",
    envvar="GOODS_INDEX",
    show_envvar=True,
    default="index",
    show_default=True,
    help="Folder of an embedded index, or http(s)://host:6333/collection of a Qdrant server.",
)
api_key_option = click.option(
    "--api-key",
    envvar="GOODS_QDRANT_API_KEY",
    show_envvar=True,
    help="API key of the Qdrant server.",
)
synonyms_option = click.option(
    "--synonyms",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GOODS_SYNONYMS",
    show_envvar=True,
    help="TOML with the shop's own words, beside the shipped ones (docs/understanding.md).",
)


def _hosts(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(host.strip() for host in value.split(",") if host.strip())


allow_private_option = click.option(
    "--allow-private-hosts",
    "allow_private",
    envvar="GOODS_ALLOW_PRIVATE_HOSTS",
    show_envvar=True,
    default="",
    callback=_hosts,
    metavar="HOST[,HOST]",
    help="Load pictures from these hosts although their addresses are not public: names, "
    "addresses, networks like 10.0.0.0/8, or * for all.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def device_options(command: F) -> F:
    """Add --device and --dtype to a command."""
    device = click.option(
        "--device",
        envvar="GOODS_DEVICE",
        show_envvar=True,
        default="auto",
        show_default=True,
        help="auto, cpu, cuda, cuda:1, mps ...",
    )
    dtype = click.option(
        "--dtype",
        type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
        default="auto",
        show_default=True,
        help="Number format of the model.",
    )
    return device(dtype(command))


def backend_options(command: F) -> F:
    """Add --backend and --backend-cache to a command that embeds pictures of a catalog."""
    return _backend_options(
        command,
        "What embeds pictures. openvino and openvino-int8 are faster on CPUs; how far they agree "
        "with torch is measured on the catalog and printed, and too little is refused.",
    )


def text_backend_options(command: F) -> F:
    """Add --backend and --backend-cache to a command that embeds texts to search for."""
    return _backend_options(
        command,
        "What embeds texts; pictures to search by stay with torch. openvino and openvino-int8 are "
        "faster on CPUs; how far they agree with torch is measured on the index and printed, and "
        "too little is refused.",
    )


def _backend_options(command: F, about: str) -> F:
    backend = click.option(
        "--backend",
        envvar="GOODS_BACKEND",
        show_envvar=True,
        type=click.Choice(["torch", "openvino", "openvino-int8"]),
        default="torch",
        show_default=True,
        help=about,
    )
    cache = click.option(
        "--backend-cache",
        envvar="GOODS_BACKEND_CACHE",
        show_envvar=True,
        type=click.Path(file_okay=False, path_type=Path),
        default=BACKEND_CACHE,
        show_default="~/.cache/clip-for-goods",
        help="Folder that keeps exported models, each exported once.",
    )
    return backend(cache(command))


splits_option = click.option(
    "--splits",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV (id, split, optionally dup_group) that assigns products to train, val and test.",
)
