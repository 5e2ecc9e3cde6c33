"""`goods export`: a picture tower for a faster backend, and how far it agrees with torch."""

from pathlib import Path

import click

from goods.options import (
    allow_private_option,
    backend_options,
    catalog_option,
    json_option,
    model_option,
    schema_option,
)


@click.command(
    epilog="Example: goods export --catalog shop.csv --model models/shop --backend openvino-int8"
)
@catalog_option
@schema_option
@model_option
@backend_options
@allow_private_option
@json_option
def export(
    catalog: str,
    schema: Path | None,
    model: str,
    backend: str,
    backend_cache: Path,
    allow_private: tuple[str, ...],
    as_json: bool,
) -> None:
    """Export a model for a backend, anew, and say how far it agrees with torch.

    It is calibrated and judged on a sample of the catalog's pictures, and kept: whatever runs with
    this model and backend uses it from then on.
    """
    if backend == "torch":
        raise click.UsageError("torch runs the checkpoint itself; pass --backend openvino-int8")

    import json

    from goods.catalog import open_catalog
    from goods.pictures import PictureLimits
    from model.backends.accelerate import accelerate, refuse_backend
    from model.backends.sample import sample_pixels
    from model.encoder import Encoder

    refuse_backend(backend, "cpu")
    products = open_catalog(catalog, schema).products()
    encoder = Encoder.load(model, "cpu")
    sample = sample_pixels(products, encoder, PictureLimits(allow_private=allow_private))
    held = accelerate(encoder, backend, sample, backend_cache, anew=True).agreement
    if as_json and held:
        click.echo(json.dumps(held.to_json(), indent=2))
    else:
        click.echo(f"{backend} {held}; kept in {backend_cache}")
