"""The whole path on one machine, with nothing but this package: what `goods demo` does.

catalog → fine-tuning → index → held-out scores → queries with filters → contact sheets
"""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goods.catalog import Catalog, open_catalog
from goods.errors import GoodsError
from goods.index import open_index
from goods.product import Product
from goods.progress import bar
from goods.sample import write_sample
from goods.sheet import save_sheet
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from model.evaluation.judge import judge
from model.splits import Place, write_splits
from model.training.progress import show_training
from model.training.report import comparison
from model.training.settings import TrainSettings
from model.training.train import train
from search.answer import Answer
from search.client import SearchClient
from search.filters import Filters
from search.grid import grid

HITS = 10
ANSWERS_PER_SHEET = 4

SAMPLE_QUERIES: tuple[tuple[str, ...], ...] = (
    ("red dress",),
    ("striped shirt", "price<60"),
    ("black boots",),
    ("blue jeans", "price=20..90"),
    ("white sneakers", "in_stock=true"),
    ("floral skirt",),
    ("green jacket", "price<100"),
    ("dotted dress", "colour!=red"),
    ("brown handbag",),
    ("yellow", "category=t-shirt"),
    ("checked shirt", "sleeve=long", "colour=blue,red"),
    ("floral dress under 150 not sleeveless",),
)
"""What a shopper might type, and the filters beside it."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What to show.

    Attributes:
        out: Folder that everything is written to.
        catalog: The user's own catalog; a sample is rendered when None.
        schema: TOML that says what its columns are for.
        base: What to fine-tune.
        products: Products in the rendered sample.
        seed: Of the sample and the training.
        epochs: Passes over the training products; the base's own default when None.
        command: How `goods` is called here, for what to type next.
    """

    out: Path
    catalog: str | None = None
    schema: Path | None = None
    base: str = "scratch:tiny"
    products: int = 6000
    seed: int = 0
    epochs: int | None = None
    command: str = "goods"


def run_demo(settings: DemoSettings, say: Callable[[str], None]) -> None:
    """Do it all, saying each step; everything stays in `settings.out`."""
    started = time.perf_counter()
    settings.out.mkdir(parents=True, exist_ok=True)
    catalog = _catalog(settings, say)
    _train(settings, catalog, say)
    _ingest(settings, catalog, say)
    _answer(settings, say)
    say(f"\nDone in {time.perf_counter() - started:.0f} s.")
    say(_what_next(settings))


def _catalog(settings: DemoSettings, say: Callable[[str], None]) -> Catalog:
    """The user's catalog, or a rendered one."""
    if settings.catalog is not None:
        return open_catalog(settings.catalog, settings.schema)
    folder = settings.out / "catalog"
    started = time.perf_counter()
    file = _drawn(folder, settings.products, settings.seed)
    say(f"1. {settings.products:,} products drawn in {_since(started)}: {file}")
    return open_catalog(file, settings.schema)


def _drawn(folder: Path, count: int, seed: int) -> Path:
    with bar("draw", count, "products") as drawn:
        return write_sample(folder, count, seed, told=drawn)


def _train(settings: DemoSettings, catalog: Catalog, say: Callable[[str], None]) -> None:
    """Fine-tune the base, and measure it on products that it has never seen."""
    started = time.perf_counter()
    wanted = TrainSettings(
        base=settings.base, seed=settings.seed, epochs=settings.epochs, resume=True
    )
    with show_training() as progress:
        report = train(wanted, catalog, settings.out / "model", progress)
    say(f"2. {settings.base} fine-tuned in {_since(started)}: {settings.out / 'model'}")
    for line in report.lines():
        say(f"   {line}")
    if settings.catalog is None:
        _judge_on_new_products(settings, say)


def _judge_on_new_products(settings: DemoSettings, say: Callable[[str], None]) -> None:
    """Score the model on half as many products again, drawn anew.

    The test split of so small a catalog has too few products of any one colour and category.
    """
    folder = settings.out / "new-products"
    catalog = open_catalog(_drawn(folder, settings.products // 2, settings.seed + 1))
    products = [row for row in catalog.products() if isinstance(row, Product)]
    splits = folder / "splits.csv"
    write_splits(splits, {p.id: Place("test", p.group or p.id) for p in products})
    scores = judge(Encoder.load(str(settings.out / "model")), catalog, "test", splits)
    say(f"   on {scores.products:,} products drawn anew:")
    for line in comparison(scores, None):
        say(f"   {line}")
    say("   drawings are easier to tell apart than photographs; --catalog measures your own")


def _ingest(settings: DemoSettings, catalog: Catalog, say: Callable[[str], None]) -> None:
    """Embed the catalog into an index beside it."""
    encoder = Encoder.load(str(settings.out / "model"))
    index = open_index(str(settings.out / "index"))
    try:
        with bar("ingest", catalog.count_estimate(), "products") as progress:
            # a second demo has trained another model
            options = IngestSettings(
                refused=settings.out / "refused.jsonl", sync=True, max_gone=1, rebuild=True
            )
            report = ingest(catalog, index, encoder, options, lambda now: progress(now.done))
    finally:
        index.close()
    say(f"3. catalog ingested: {settings.out / 'index'}")
    for line in report.lines():
        say(f"   {line}")


def _answer(settings: DemoSettings, say: Callable[[str], None]) -> None:
    """Ask a dozen questions, and show what they find."""
    with SearchClient(settings.out / "index") as client:
        queries = SAMPLE_QUERIES if settings.catalog is None else _queries_for(client)
        answers = [(query, _ask(client, query)) for query in queries]
    say("4. queries:")
    for query, answer in answers:
        best = answer.hits[0].product.title if answer.hits else "nothing"
        say(f"   {_written(query):<45} {answer.total:>6,} match; best: {best}")
    for number, part in enumerate(_parts(answers), start=1):
        file = settings.out / f"queries-{number}.png"
        save_sheet(grid([(_written(query), answer) for query, answer in part]), file)
        say(f"   look at {file}")


def _ask(client: SearchClient, query: Sequence[str]) -> Answer:
    text, *filters = query
    return client.by_text(text, Filters.parse(filters), limit=HITS, understand="filter")


def _queries_for(client: SearchClient) -> Iterator[tuple[str, ...]]:
    """Phrases of the catalog's own most frequent values, every other one with a filter."""
    phrase = client.schema.phrase
    if not phrase:
        raise GoodsError(
            "the catalog has no field that reads as a noun; name it as phrase in --schema"
        )
    *others, noun = phrase
    for number, thing in enumerate(client.facets([noun], limit=12).values[noun]):
        kept = Filters(any_of={noun: [thing.value]})
        words = [
            str(c.value)
            for name in others
            for c in client.facets([name], kept, limit=1).values[name]
        ]
        text = " ".join([*words, str(thing.value)])
        yield (text, f'{noun}="{thing.value}"') if number % 2 else (text,)


def _written(query: Sequence[str]) -> str:
    return "   ".join(query)


def _parts(
    answers: Sequence[tuple[tuple[str, ...], Answer]],
) -> Iterator[Sequence[tuple[tuple[str, ...], Answer]]]:
    for first in range(0, len(answers), ANSWERS_PER_SHEET):
        yield answers[first : first + ANSWERS_PER_SHEET]


def _since(started: float) -> str:
    return f"{time.perf_counter() - started:.0f} s"


def _what_next(settings: DemoSettings) -> str:
    """What to type now."""
    goods, index = shlex.quote(settings.command), shlex.quote(str(settings.out / "index"))
    return "\n".join(
        [
            "Now try:",
            f"  {goods} serve --index {index}    # the shop's page: http://127.0.0.1:8000/",
            f"  {goods} search 'striped shirt under 60' --index {index} --grid hits.png",
            f"  {goods} search 'blue' --index {index} --facets all",
            "and with your own catalog:",
            f"  {goods} demo --catalog shop.csv --base openai/clip-vit-base-patch32 --out shop",
        ]
    )
