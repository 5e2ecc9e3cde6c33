"""Several workers: the same index as from one, and what happens when a worker does not live."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from goods.catalog import open_catalog
from goods.cli import main
from goods.errors import GoodsError, ModelError
from goods.index import Record, open_index
from goods.limits import DEFAULT_LIMITS
from ingest.chunk import ChunkSettings, ChunkWorker, ModelSource, Reply
from ingest.plan import Planned, Work
from ingest.processes import shares
from ingest.report import IngestReport
from ingest.settings import IngestSettings
from ingest.tally import Standing
from ingest.worker import ingest
from model.encoder import Encoder
from shop import make_shop, read_rows, write_rows


@pytest.fixture
def worker(encoder: Encoder) -> Iterator[ChunkWorker]:
    with closing(ChunkWorker(share(encoder))) as worker:
        yield worker


def share(encoder: Encoder, batch_size: int | None = 16) -> ChunkSettings:
    return ChunkSettings(ModelSource.of(encoder, "cpu"), DEFAULT_LIMITS, 2, batch_size)


def run(
    shop: Path, encoder: Encoder, name: str = "index", told: object = None, **settings: object
) -> IngestReport:
    with closing(open_index(str(shop.parent / name))) as index:
        return ingest(
            open_catalog(shop),
            index,
            encoder,
            IngestSettings(
                refused=shop.parent / f"{name}.jsonl",
                journal=shop.parent / f"{name}.db",
                **settings,  # type: ignore[arg-type]  # as each test names them
            ),
            told,  # type: ignore[arg-type]  # likewise
        )


def records(folder: Path) -> dict[str, Record]:
    with closing(open_index(str(folder))) as index:
        return {record.payload["id"]: record for record in index.scan(with_vectors=True)}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.scatter.CHUNK", 8)


class Alone:
    """A crew of one, in this process, that notes what it is sent."""

    workers = 1

    def __init__(self, worker: ChunkWorker) -> None:
        self.worker = worker
        self.sent: list[Sequence[Planned]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def embed(self, chunks: Iterable[Sequence[Planned]]) -> Iterator[Reply]:
        for chunk in chunks:
            self.sent.append(chunk)
            yield self.worker.embed(chunk)


@pytest.fixture
def alone(worker: ChunkWorker, monkeypatch: pytest.MonkeyPatch) -> Alone:
    crew = Alone(worker)
    monkeypatch.setattr("ingest.worker.crew_for", lambda *_: crew)
    return crew


def test_a_worker_is_told_no_more_than_where_the_picture_is(
    shop: Path, encoder: Encoder, alone: Alone
) -> None:
    run(shop, encoder)
    [chunk] = alone.sent
    assert len(chunk) == 40
    product = chunk[7].product
    assert product.picture.location == str(shop.parent / "images/P-7.jpg")
    assert (product.title, product.attributes, product.picture.data) == ("", {}, None)


def test_pictures_whose_vector_is_known_never_leave_the_driver(
    shop: Path, encoder: Encoder, alone: Alone
) -> None:
    run(shop, encoder)
    alone.sent.clear()
    rows = read_rows(shop)
    rows[5]["price"] = "99.00"
    rows.append({**rows[6], "id": "P-6-again"})
    write_rows(shop, rows)
    report = run(shop, encoder)
    assert report.works == {Work.NONE: 39, Work.PAYLOAD: 1, Work.NEW: 1}
    assert [item for chunk in alone.sent for item in chunk] == []
    assert (report.embedded, report.written) == (0, 2)


def test_a_picture_that_is_in_a_chunk_twice_is_embedded_once(
    shop: Path, encoder: Encoder, alone: Alone
) -> None:
    rows = read_rows(shop)
    write_rows(shop, [{**row, "image": rows[n % 5]["image"]} for n, row in enumerate(rows)])
    report = run(shop, encoder)
    assert (report.embedded, report.written) == (5, 40)


def test_a_picture_that_cannot_be_used_is_explained_by_the_driver(
    shop: Path, encoder: Encoder, alone: Alone
) -> None:
    (shop.parent / "images/P-3.jpg").write_text("<html>not here</html>")
    (shop.parent / "images/P-4.jpg").unlink()
    report = run(shop, encoder)
    assert (report.refused_total, report.points) == (2, 38)
    told = (shop.parent / "index.jsonl").read_text()
    assert "P-3.jpg" in told
    assert "P-4.jpg" in told


def test_a_worker_without_memory_halves_its_batches_or_says_so(
    shop: Path, encoder: Encoder, worker: ChunkWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 5
    embed = Encoder.embed_pixels

    def embed_pixels(self: Encoder, pixels: torch.Tensor) -> np.ndarray:
        if len(pixels) > room:
            raise torch.OutOfMemoryError("no room")
        return embed(self, pixels)

    monkeypatch.setattr(Encoder, "embed_pixels", embed_pixels)
    products = [row for row in open_catalog(shop).products() if not hasattr(row, "reason")]
    chunk = [Planned(product, Work.NEW, "", None) for product in products]  # type: ignore[arg-type] # no refused rows
    reply = worker.embed(chunk)
    assert (len(reply.embedded), reply.batch_size) == (40, 4)
    room = 0
    error = worker.answer(chunk)
    assert isinstance(error, ModelError)
    assert "too little memory for one picture" in str(error)


@pytest.mark.usefixtures("small_chunks")
def test_processes_make_the_same_index_as_one(tmp_path: Path, encoder: Encoder) -> None:
    shop = make_shop(tmp_path / "shop", count=100)
    (shop.parent / "images/P-31.jpg").write_bytes(b"")
    whole = run(shop, encoder, "one", batch_size=4)
    report = run(shop, encoder, "several", batch_size=4, nproc=2)
    assert report.works == whole.works
    assert report.refused == whole.refused
    assert report.embedded == report.written == report.points == 99
    assert [stage.stage for stage in report.stages] == [stage.stage for stage in whole.stages]
    expected, found = records(shop.parent / "one"), records(shop.parent / "several")
    assert list(found) == list(expected)
    for product, record in expected.items():
        assert found[product].payload == record.payload
        assert record.vector is not None
        np.testing.assert_allclose(found[product].vector, record.vector, atol=1e-5)


def test_a_worker_that_finds_another_model_says_so(encoder: Encoder) -> None:
    settings = share(encoder)
    other = replace(settings, source=replace(settings.source, made_by="another float32"))
    with pytest.raises(ModelError, match=r"another model as .*not another float32.*the same files"):
        ChunkWorker(other)


@pytest.mark.usefixtures("small_chunks")
def test_a_worker_that_is_killed_ends_the_run_and_the_next_one_finishes(
    tmp_path: Path, encoder: Encoder
) -> None:
    shop = make_shop(tmp_path / "shop", count=200)

    def kill_one(now: Standing) -> None:
        if now.written:
            for process in multiprocessing.active_children()[:1]:
                os.kill(process.pid or 0, signal.SIGKILL)

    with pytest.raises(GoodsError, match=r"worker \d of 2 ended \(SIGKILL\).*[Rr]un again"):
        run(shop, encoder, told=kill_one, nproc=2)
    assert multiprocessing.active_children() == []
    kept = len(records(shop.parent / "index"))
    assert kept
    report = run(shop, encoder)
    assert report.works == {Work.NONE: kept, Work.NEW: 200 - kept}
    assert report.points == 200


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(
    shop: Path, tmp_path: Path, model: Path, end: signal.Signals
) -> None:
    command = [sys.executable, "-c", "from goods.cli import main; main()", "ingest"]
    files = ("--journal", tmp_path / "journal.db", "--refused", tmp_path / "refused.jsonl")
    options = ("--catalog", shop, "--model", model, "--index", tmp_path / "index", *files)
    process = subprocess.Popen(
        [*command, *map(str, options), "--nproc", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    give_up = time.monotonic() + 60
    while not (tmp_path / "index/CURRENT").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    process.send_signal(end)
    # It ends when nobody has the pipes any more: the workers have them, too.
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0, err
    assert "Traceback" not in err


def test_a_backend_that_uses_all_cores_itself_is_not_shared_out(encoder: Encoder) -> None:
    other = encoder.with_picture_tower(encoder.embed_pixels, "openvino")
    with pytest.raises(ModelError, match=r"openvino embeds in one process.*--nproc"):
        shares(IngestSettings(nproc=2), other, DEFAULT_LIMITS)


def test_a_cluster_and_processes_exclude_each_other(
    tmp_path: Path, model: Path, shop: Path
) -> None:
    args = ("ingest", "--catalog", shop, "--model", model, "--index", tmp_path / "index")
    result = CliRunner().invoke(main, [*map(str, args), "--ray", "auto", "--nproc", "2"])
    assert result.exit_code == 1
    assert "choose one" in result.stderr
