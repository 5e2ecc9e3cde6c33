"""`goods delete`: products out of an index."""

from typing import TextIO

import click

from goods.options import api_key_option, index_option, json_option


@click.command(epilog="Example: goods delete 83-A 84-B --index index/")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option(
    "--from",
    "listed",
    type=click.File(encoding="utf-8-sig", errors="replace"),  # what is no text is not there
    metavar="FILE",
    help="File with more of them, one id a line; - for standard input.",
)
@index_option
@api_key_option
@json_option
def delete(
    ids: tuple[str, ...], listed: TextIO | None, index: str, api_key: str | None, as_json: bool
) -> None:
    """Delete products from an index by their IDs in the catalog.

    Those that the index does not have are named; when it has none of them, the exit code is 1.

    Take them out of the catalog, too: the next goods ingest of one that still has them writes them
    again, with the vectors that the journal keeps.
    """
    import json

    from goods.index import open_index
    from ingest.delete import delete_products

    given = (each.encode(errors="replace").decode().strip() for each in (*ids, *(listed or ())))
    wanted = list(filter(None, given))
    if not wanted:
        raise click.UsageError("there is no id; name products, or a file of ids with --from")
    store = open_index(index, api_key=api_key)
    try:
        done = delete_products(store, wanted)
    finally:
        store.close()
    if as_json:
        state = {"deleted": done.deleted, "missing": done.missing, "left": done.left}
        click.echo(json.dumps(state, indent=2))
    else:
        click.echo(f"{len(done.deleted):,} products deleted, {done.left:,} left in {index}")
        for each in done.missing:
            click.echo(f"not there: {each}", err=True)
    if not done.deleted:
        raise SystemExit(1)
