"""`goods journal`: what is kept of earlier runs."""

from pathlib import Path

import click

from goods.options import json_option
from ingest.options import journal_option


@click.command(epilog="Example: goods journal --forget-older 30")
@journal_option
@click.option("--forget", metavar="STAMP", help="Delete the vectors of this model.")
@click.option(
    "--forget-older",
    type=click.IntRange(0),
    metavar="DAYS",
    help="Delete what was written longer ago than this.",
)
@click.option("--forget-all", is_flag=True, help="Delete everything.")
@json_option
def journal(
    journal: Path,
    forget: str | None,
    forget_older: int | None,
    forget_all: bool,
    as_json: bool,
) -> None:
    """Show what the journal keeps, and delete what is not needed any more.

    It holds the vectors of pictures that were embedded, so that a run that was killed, a picture
    under another name or a new index costs no second embedding. Deleting any of it costs time only.
    """
    import json
    import time
    from datetime import UTC, datetime

    from goods.errors import GoodsError
    from ingest.journal import Journal

    if not journal.exists():
        raise GoodsError(f"there is no journal {journal} yet; goods ingest writes one")
    with Journal(journal) as kept:
        gone = 0
        named = [share.made_by for share in kept.shares() if share.made_by.split()[0] == forget]
        if forget is not None and not named:
            raise GoodsError(
                f"{journal} has no vectors of a model with the stamp {forget}; "
                "goods journal shows the stamps that it has"
            )
        for made_by in named:
            gone += kept.forget(made_by)
        if forget_older is not None:
            gone += kept.forget(before=time.time() - forget_older * 86400)
        if forget_all:
            gone += kept.forget()
        shares, size_bytes, pictures = kept.shares(), kept.size_bytes, kept.pictures
    if as_json:
        models = {share.made_by: share.vectors for share in shares}
        state = {"bytes": size_bytes, "pictures": pictures, "vectors": models, "deleted": gone}
        click.echo(json.dumps(state, indent=2))
        return
    if gone:
        click.echo(f"{gone:,} vectors deleted")
    click.echo(f"{journal}: {size_bytes / 1e6:,.1f} MB, {pictures:,} pictures recognised by state")
    for share in shares:
        day = datetime.fromtimestamp(share.written, UTC).date()
        click.echo(f"  {share.made_by}: {share.vectors:,} vectors, the last of {day}")
