"""`goods ingest`: catalog into index."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from goods.options import (
    allow_private_option,
    api_key_option,
    backend_options,
    catalog_option,
    device_options,
    index_option,
    json_option,
    model_option,
    schema_option,
)
from goods.sections import Sectioned
from ingest.options import Percent, crew_options, journal_option, watch_options

if TYPE_CHECKING:
    from ingest.preview import Preview
    from ingest.report import IngestReport
    from model.backends.agreement import Agreement

_SECTIONS = {
    "Products": ("catalog", "schema", "limit", "retry", "allow_private"),
    "Index": (*("index", "api_key", "index_timeout", "sync", "max_gone", "rebuild", "public_url"),),
    "Model": (*("model", "device", "dtype", "backend", "backend_cache", "batch_size", "threads"),),
    "More than one worker": ("nproc", "ray", "ray_workers", "part"),
    "What is known, and what goes wrong": (
        *("journal", "journal_size", "verify", "refused_file", "max_refused"),
    ),
    "What to look at": ("dry_run", "log", "report_file", "metrics", "as_json"),
}


@click.command(
    cls=Sectioned,
    sections=_SECTIONS,
    epilog="Example: goods ingest --catalog shop.csv --model models/shop --index index/",
)
@catalog_option
@schema_option
@model_option
@index_option
@api_key_option
@device_options
@backend_options
@allow_private_option
@click.option("--dry-run", is_flag=True, help="Say what a run would do, and do nothing.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    help="Pictures embedded at a time, by each process; found by trying otherwise.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Threads of each process that read, decode and resize pictures.",
)
@crew_options
@click.option(
    "--verify", is_flag=True, help="Look at every picture again, whatever its time, size or URL."
)
@click.option(
    "--index-timeout",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a Qdrant server may take over one request before it is asked again.",
)
@click.option("--sync", is_flag=True, help="Delete products that the catalog no longer has.")
@click.option(
    "--max-gone",
    type=Percent(),
    default="50%",
    show_default=True,
    help="With --sync: delete nothing, and with --rebuild replace nothing, when more of the index "
    "than this is gone.",
)
@click.option("--rebuild", is_flag=True, help="Embed all anew, then replace the index in one step.")
@click.option(
    "--public-url",
    envvar="GOODS_PUBLIC_URL",
    show_envvar=True,
    metavar="URL",
    help="Where browsers reach goods serve: Qdrant's console then shows pictures in files, too.",
)
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
@click.option(
    "--retry",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take only the products that this file of refused ones names.",
)
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("refused.jsonl"),
    show_default=True,
    help="Where products that cannot be taken are explained.",
)
@click.option(
    "--max-refused",
    type=Percent(),
    default="1%",
    show_default=True,
    help="Exit with code 3 when more of the catalog than this is refused; with --rebuild replace "
    "nothing then.",
)
@journal_option
@watch_options
@click.option(
    "--journal-size",
    type=click.FloatRange(0),
    default=4,
    show_default=True,
    metavar="GB",
    help="Size from which the journal forgets what is oldest.",
)
@json_option
def ingest(
    catalog: str,
    schema: Path | None,
    model: str,
    index: str,
    api_key: str | None,
    device: str,
    dtype: str,
    backend: str,
    backend_cache: Path,
    allow_private: tuple[str, ...],
    dry_run: bool,
    batch_size: int | None,
    threads: int,
    nproc: int,
    ray: str | None,
    ray_workers: int | None,
    part: str | None,
    verify: bool,
    index_timeout: float,
    sync: bool,
    max_gone: float,
    rebuild: bool,
    public_url: str | None,
    limit: int | None,
    retry: Path | None,
    refused_file: Path,
    max_refused: float,
    journal: Path,
    journal_size: float,
    report_file: Path | None,
    log: str,
    metrics: str | None,
    as_json: bool,
) -> None:
    """Embed a catalog and write it to an index.

    Only what is new or changed is embedded: run it every night, and again after a crash.
    """
    import os
    from dataclasses import replace

    # torch's threads otherwise spin while they wait for each other, on cores that the threads which
    # load pictures need: 214 pictures/s instead of 61 beside one busy process, on 2 cores; none
    # lost on idle ones. It is read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or a cluster of ours would phone home

    from goods.catalog import open_catalog
    from goods.index import open_index
    from goods.pictures import PictureLimits
    from ingest.preview import preview
    from ingest.report import save_report
    from ingest.rows import expected_rows
    from ingest.settings import WHOLE, IngestSettings, Part
    from ingest.watch import watching
    from ingest.worker import ingest as run
    from model.backends.accelerate import refuse_backend
    from model.backends.late import accelerated_late
    from model.backends.sample import sample_pixels
    from model.encoder import Encoder

    settings = IngestSettings(
        refused=refused_file,
        journal=journal,
        journal_bytes=int(journal_size * 1e9),
        batch_size=batch_size,
        threads=threads,
        verify=verify,
        sync=sync,
        max_gone=max_gone,
        rebuild=rebuild,
        max_refused=max_refused,
        limit=limit,
        retry=retry,
        part=Part.parse(part) if part else WHOLE,
        allow_private=allow_private,
        nproc=nproc,
        ray=ray,
        ray_workers=ray_workers,
    )
    refuse_backend(backend, device, dtype)
    products = open_catalog(catalog, schema)
    products = products.seen_at(public_url) if public_url else products
    store = open_index(index, api_key=api_key, timeout_s=index_timeout)
    try:
        encoder = Encoder.load(model, device, dtype)
        limits = PictureLimits(allow_private=allow_private)
        held: list[Agreement] = []
        late = accelerated_late(
            encoder,
            backend,
            lambda: sample_pixels(products.products(), encoder, limits),
            backend_cache,
            held.append,
        )
        if dry_run:
            _print(preview(products, store, late, settings), as_json)
            return
        total = expected_rows(products, settings)
        with watching(total, log, metrics) as tell:
            report = run(products, store, late, settings, tell)
    finally:
        store.close()
    for agreement in held:
        click.echo(f"{backend} {agreement}", err=True)
        report = replace(report, agreement=agreement)
    _print(report, as_json)
    if report_file is not None:
        save_report(report, report_file)
    if report.refused_share > max_refused:
        click.echo(
            f"{report.refused_total:,} of {report.products:,} products were refused, "
            f"more than {max_refused * 100:g} %: see {refused_file}; when they are mended, "
            f"--retry {refused_file} takes only those",
            err=True,
        )
        raise SystemExit(3)


def _print(result: "Preview | IngestReport", as_json: bool) -> None:
    import json

    click.echo(json.dumps(result.to_json(), indent=2) if as_json else "\n".join(result.lines()))
