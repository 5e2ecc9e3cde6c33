"""`goods understand`: what a text asks for, and nothing searched."""

from pathlib import Path

import click

from goods.options import api_key_option, index_option, json_option, synonyms_option


@click.command(
    epilog="Example: goods understand 'red dress under 50 not sleeveless' --index index/"
)
@click.argument("text")
@index_option
@api_key_option
@synonyms_option
@json_option
def understand(
    text: str, index: str, api_key: str | None, synonyms: Path | None, as_json: bool
) -> None:
    """Say what TEXT asks for in the words of an index: filters, and the text that is left."""
    import json

    from goods.index import open_index
    from search.live import LiveCatalog
    from search.understand import understand as read

    store = open_index(index, api_key=api_key)
    try:
        understanding = read(text, LiveCatalog(store, synonyms).vocabulary())
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(understanding.to_json(), indent=2, ensure_ascii=False))
        return
    for line in understanding.lines():
        click.echo(line)
    click.echo(f"text: {understanding.text}")
