"""What `goods evaluate` does: questions, models, numbers, and a page to look at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goods.catalog import Catalog
from goods.errors import QueryError
from goods.pictures import DEFAULT_LIMITS, PictureLimits, PictureLoader
from goods.progress import Told
from goods.schema import CatalogSchema
from model.evaluation import marqo
from model.evaluation.catalog_tasks import catalog_tasks
from model.evaluation.compare import Searched, compare
from model.evaluation.evaluate import ALL
from model.evaluation.judged_task import judged_task
from model.evaluation.judgements import read_judgements, read_queries
from model.evaluation.published import Beside, PublishedTable, published_beside
from model.evaluation.results import ModelResult
from model.evaluation.summarise import summarise
from model.evaluation.summary import Summary
from model.evaluation.table import published_lines, table_lines
from model.evaluation.tasks import CATALOG, FILES, MARQO, Corpus, Task


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """What to ask of which models.

    Attributes:
        models: Folders or hub names; the later ones are compared with the first.
        split: "test", "val", "train" or "all"; None is "test" for the catalog's own questions
            and "all" for others: public benchmarks search everything.
        splits: A CSV that assigns products to splits; by default a checkpoint's own.
        protocol: "catalog" or "marqo".
        qrels: Files of judgements, each a task; they go before the protocol's questions.
        queries: The texts of their queries; None where their names are their texts.
        image_weight: Of pictures against titles in the documents; None is the protocol's own.
        seed: Of sampled queries.
        slices: How many of the weakest slices of each task are named.
        device: "auto" or a torch device.
        dtype: "auto" or a number format.
        limits: What a picture may cost, and where it may come from.
    """

    models: Sequence[str]
    split: str | None = None
    splits: Path | None = None
    protocol: str = CATALOG
    qrels: Sequence[Path] = ()
    queries: Path | None = None
    image_weight: float | None = None
    seed: int = 0
    slices: int = 3
    device: str = "auto"
    dtype: str = "auto"
    limits: PictureLimits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if self.queries and not self.qrels:
            raise QueryError("queries need judgements of what answers them; pass --qrels as well")
        if len(set(self.models)) < len(self.models):
            raise QueryError("a model is named twice; name each once")
        names = [path.stem for path in self.qrels]
        if len(set(names)) < len(names):
            raise QueryError(
                f"tasks are called by their files, and two of {names} are alike; rename one"
            )

    @property
    def searched_split(self) -> str:
        """The split, or what is usual."""
        is_own = self.protocol == CATALOG and not self.qrels
        return self.split or ("test" if is_own else ALL)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found.

    Attributes:
        results: Of each model.
        summary: In few numbers.
        beside: What others published under this protocol; None where it is none of theirs.
        limits: Of the pictures that the page shows.
    """

    results: Sequence[ModelResult]
    summary: Summary
    beside: Beside | None
    limits: PictureLimits = DEFAULT_LIMITS

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        yield from table_lines(self.summary)
        if self.beside:
            yield from published_lines(self.beside)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return self.summary.to_json()

    def write_page(self, folder: Path) -> Path:
        """For people to look at: the path of the page.

        Raises:
            GoodsError: It cannot be written.
        """
        from model.evaluation.report_page import write_report  # with the plots, a second to import

        with PictureLoader(self.limits) as loader:
            return write_report(self.results, self.summary, folder, loader, self.beside)


def assess(
    settings: AssessSettings,
    catalog: Catalog,
    progress: Told = lambda *_: None,
) -> Assessment:
    """Ask every model the same, and weigh the answers.

    Raises:
        GoodsError: A file cannot be read, a model not be loaded, or nothing be asked.
    """
    searched = Searched(
        catalog,
        settings.searched_split,
        settings.splits,
        settings.device,
        settings.dtype,
        settings.limits,
    )
    ask = _questions(settings, catalog.schema)
    results = compare(settings.models, searched, ask, progress)
    protocol = FILES if settings.qrels else settings.protocol
    summary = summarise(results, catalog.name, searched.split, protocol, settings.slices)
    return Assessment(results, summary, _beside(settings, results), settings.limits)


def _questions(
    settings: AssessSettings, schema: CatalogSchema
) -> Callable[[Corpus], Sequence[Task]]:
    """What makes the tasks once the products are known; files are read at once."""
    weight = settings.image_weight
    if settings.qrels:
        texts = read_queries(settings.queries) if settings.queries else None
        judged = {path.stem: read_judgements(path) for path in settings.qrels}
        whole = 1.0 if weight is None else weight
        return lambda corpus: [
            judged_task(name, judgements, texts, corpus, whole)
            for name, judgements in judged.items()
        ]
    if settings.protocol == MARQO:
        usual = marqo.IMAGE_WEIGHT if weight is None else weight
        return lambda corpus: marqo.marqo_tasks(corpus, schema, settings.seed, usual)
    return lambda corpus: catalog_tasks(corpus, schema, 1.0 if weight is None else weight)


def _beside(settings: AssessSettings, results: Sequence[ModelResult]) -> Beside | None:
    """What was published of the tasks that were asked, with the same documents."""
    if settings.protocol != MARQO:
        return None
    is_trained_on_it = any(result.trained_on for result in results)
    beside = published_beside(MARQO, results[0].corpus, is_trained_on_it)
    asked = {task.task for task in results[0].tasks}
    tables = tuple(table for table in beside.tables if _is_same(table, settings, asked))
    if beside.tables and not tables:
        note = f"published results are not shown: none is of {', '.join(sorted(asked))}"
        return Beside((), note, beside.url)
    return replace(beside, tables=tables)


def _is_same(table: PublishedTable, settings: AssessSettings, asked: set[str]) -> bool:
    """Whether we asked the same as a table, among the same documents."""
    theirs = 1.0 if table.documents == "image" else marqo.IMAGE_WEIGHT
    weight = settings.image_weight
    if settings.qrels:
        is_among_the_same = (1.0 if weight is None else weight) == theirs
    else:  # the protocol's titles always ask among pictures
        is_among_the_same = theirs == 1 or weight in (None, theirs)
    return is_among_the_same and bool(asked & set(table.ours))
