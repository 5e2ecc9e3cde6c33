"""An index that changes while it is served: taken up as a whole, without losing a request."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.errors import IndexLockedError, IndexMissingError, IndexStoreError
from goods.index import Point, open_index
from goods.product import point_id
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from picture_host import Answer, picture_host
from search.api.copies import CopyingFolder, Watched
from search.api.counters import Counters
from search.api.encoders import Encoders
from search.api.home import Home
from search.api.settings import ServiceSettings
from search.api.suggest import Suggestions
from served import ingest_shop, make_home, served, until
from shop import make_shop, picture


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"), count=8)


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A shop of eight products of one's own, with its index and a folder for copies."""
    (tmp_path / "copies").mkdir()
    return Path(shutil.copytree(made, tmp_path / "home"))


def settings(home: Path, **more: object) -> ServiceSettings:
    return ServiceSettings(
        str(home / "index"),
        device="cpu",
        refresh_s=0.1,
        timeout_s=120,  # however busy the machine is
        copies=home.parent / "copies",
        **more,  # type: ignore[arg-type] # each as the settings have it
    )


def total(client: httpx.Client) -> int:
    count: int = client.get("/search").raise_for_status().json()["total"]
    return count


def copies(home: Path) -> list[Path]:
    return sorted((home.parent / "copies").glob("goods-serve-*/*/CURRENT"))


def test_what_ingest_brings_is_served_without_losing_a_request(home: Path) -> None:
    statuses: list[int] = []
    is_over = threading.Event()

    def ask(address: httpx.URL) -> None:
        with httpx.Client(base_url=address, timeout=60) as client:
            while not is_over.is_set():
                statuses.append(client.get("/search?q=red+dress").status_code)

    with served(settings(home)) as client:
        asking = threading.Thread(target=ask, args=(client.base_url,))
        asking.start()
        assert total(client) == 8
        make_shop(home / "shop", count=12)
        ingest_shop(home)  # as another process would, it gets the folder
        until(lambda: total(client) == 12)
        is_over.set()
        asking.join()
        assert set(statuses) == {200}
        until(lambda: len(copies(home)) == 1)  # the old one is removed
    assert copies(home) == []


def test_an_index_in_use_is_served_as_it_was(home: Path) -> None:
    with served(settings(home)) as client:
        with closing(open_index(str(home / "index"))) as index:
            index.delete([point_id("P-3")])  # half of something longer
            time.sleep(0.5)
            assert total(client) == 8
            assert client.get("/products/P-3").status_code == 200
        until(lambda: total(client) == 7)
        assert client.get("/products/P-3").status_code == 404


def test_a_service_that_is_first_waits_for_the_index(home: Path) -> None:
    shutil.rmtree(home / "index")
    with served(settings(home), is_ready=False) as client:
        for path in ("/readyz", "/search", "/suggest?q=red", "/schema"):
            told = client.get(path)
            assert told.status_code == 503, path
            assert str(home) not in told.text
            assert "not there yet" in told.json()["error"]["message"]
        assert client.get("/healthz").status_code == 200
        ingest_shop(home)
        until(lambda: client.get("/readyz").status_code == 200)
        assert total(client) == 8


def test_a_picture_that_changed_is_shown_anew_with_the_index(home: Path) -> None:
    with served(settings(home)) as client:
        before = client.get("/pictures/P-3.jpg").content
        picture(100).save(home / "shop/images/P-3.jpg")
        assert client.get("/pictures/P-3.jpg").content == before
        ingest_shop(home)
        until(lambda: client.get("/pictures/P-3.jpg").content != before)


def test_a_picture_that_moved_is_found_in_the_catalog_of_a_later_night(home: Path) -> None:
    moved = home / "moved"
    shutil.copytree(home / "shop", moved)
    with served(settings(home, catalog=str(moved / "products.csv"))) as client:
        (home / "shop/images/P-1.jpg").unlink()
        assert client.get("/pictures/P-1.jpg").status_code == 200
        make_shop(home / "shop", count=9)
        ingest_shop(home)
        make_shop(moved, count=9)
        (home / "shop/images/P-8.jpg").unlink()
        until(lambda: client.get("/pictures/P-8.jpg").status_code == 200)


def test_a_bug_in_looking_for_changes_does_not_end_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(settings(home)) as client:
        with monkeypatch.context() as broken:
            broken.setattr(Watched, "copy", lambda *_: 1 / 0)
            time.sleep(0.3)
        make_shop(home / "shop", count=9)
        ingest_shop(home)
        until(lambda: total(client) == 9)


def test_an_index_of_another_model_comes_with_its_model(home: Path) -> None:
    with served(settings(home)) as client:
        before = client.get("/search?q=dress&words_weight=0&understand=off").json()["hits"]
        encoder = Encoder.load(str(tiny_clip(home / "other", seed=1)), device="cpu")
        with closing(open_index(str(home / "index"))) as index:
            rebuild = IngestSettings(home / "refused.jsonl", rebuild=True)
            ingest(open_catalog(home / "shop/products.csv"), index, encoder, rebuild)
        until(lambda: client.get("/schema").json()["model"] == "other")
        after = client.get("/search?q=dress&words_weight=0&understand=off").json()["hits"]
        assert [hit["score"] for hit in after] != [hit["score"] for hit in before]


def test_a_model_that_is_gone_keeps_the_old_state_served(home: Path) -> None:
    with served(settings(home)) as client:
        folder = tiny_clip(home / "other", seed=1)
        encoder = Encoder.load(str(folder), device="cpu")
        shutil.rmtree(folder)
        with closing(open_index(str(home / "index"))) as index:
            rebuild = IngestSettings(home / "refused.jsonl", rebuild=True)
            ingest(open_catalog(home / "shop/products.csv"), index, encoder, rebuild)
        failed = 'goods_index_refreshes_total{index="main",outcome="failed"}'
        until(lambda: failed in client.get("/metrics").text)
        assert total(client) == 8
        assert client.get("/readyz").status_code == 200
        tiny_clip(folder, seed=1)
        until(lambda: client.get("/schema").json()["model"] == "other")


def alone(settings: ServiceSettings, folder: CopyingFolder) -> tuple[Home, Encoders]:
    """An index without a service, to be refreshed by hand."""
    counters = Counters()
    encoders = Encoders(settings.query_model, counters)
    home = Home("main", settings.index, settings, encoders, counters, folder, lambda: None)
    return home, encoders


def test_a_bad_file_of_synonyms_is_named_and_keeps_no_model(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = home / "synonyms.toml"
    file.write_text("what = [")
    with closing(CopyingFolder(home.parent / "copies")) as folder:
        refreshed, encoders = alone(settings(home, synonyms=file), folder)
        refreshed.refresh()
        assert "synonyms.toml" in caplog.text
        assert "was closed" not in caplog.text
        assert encoders._loaded == {}
        file.unlink()
        file.touch()
        refreshed.refresh()
        assert refreshed.reason is None
        refreshed.close()
    assert encoders._loaded == {}


def test_suggestions_that_cannot_be_collected_leave_nothing_behind_and_are_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Suggestions:
        raise IndexStoreError("the disk went away")

    with closing(CopyingFolder(home.parent / "copies")) as folder:
        refreshed, encoders = alone(settings(home), folder)
        refreshed.refresh()
        make_shop(home / "shop", count=9)
        ingest_shop(home)
        with monkeypatch.context() as broken:
            broken.setattr(Suggestions, "collect", fail)
            refreshed.refresh()
        assert len(copies(home)) == 1
        refreshed.refresh()
        with refreshed.lease() as now:
            assert now.client.index.count() == 9
        refreshed.close()
    assert encoders._loaded == {}


def test_an_index_that_was_only_read_is_not_copied_again(home: Path, tmp_path: Path) -> None:
    watched = Watched(home / "index")
    assert watched.copy(lambda: tmp_path / "first") is not None
    assert watched.copy(lambda: tmp_path / "second") is None
    with closing(open_index(str(home / "index"))) as index:
        assert index.count() == 8
    assert watched.copy(lambda: tmp_path / "third") is None


@pytest.mark.parametrize("change", ["upsert", "delete", "note"])
def test_every_kind_of_change_is_noticed(home: Path, tmp_path: Path, change: str) -> None:
    watched = Watched(home / "index")
    watched.copy(lambda: tmp_path / "first")
    with closing(open_index(str(home / "index"))) as index:
        if change == "delete":
            index.delete([point_id("P-1")])
        elif change == "note":
            index.write_note("tuning", {"threshold": 1})
        else:
            record = next(index.scan(with_vectors=True))
            assert record.vector is not None
            changed = {**record.payload, "title": "Another title"}
            index.upsert([Point(record.id, record.vector, changed)])
    copied = watched.copy(lambda: tmp_path / "second")
    assert copied is not None
    with closing(open_index(str(copied))) as index:
        titles = [r.payload["title"] for r in index.scan()]
        assert ("Another title" in titles) == (change == "upsert")
        assert len(titles) == (7 if change == "delete" else 8)


def test_a_copy_takes_no_more_room_than_what_is_written(home: Path, tmp_path: Path) -> None:
    def blocks(folder: Path) -> int:
        return sum(path.stat().st_blocks for path in folder.rglob("*") if path.is_file())

    copied = Watched(home / "index").copy(lambda: tmp_path / "copy")
    assert copied is not None
    assert blocks(copied) <= 2 * blocks(home / "index")


def test_an_index_that_is_open_elsewhere_is_not_waited_for(home: Path, tmp_path: Path) -> None:
    with closing(open_index(str(home / "index"))) as index:
        assert index.count() == 8
        with pytest.raises(IndexLockedError):
            Watched(home / "index").copy(lambda: tmp_path / "copy")
    with pytest.raises(IndexMissingError):
        Watched(home / "nothing").copy(lambda: tmp_path / "copy")


def test_what_a_killed_service_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = tmp_path / "goods-serve-dead", tmp_path / "goods-serve-alive"
    for folder in (dead, alive, tmp_path / "goods-serve-else", tmp_path / "mine"):
        (folder / "1").mkdir(parents=True)
    (dead / "OWNER").touch()
    with (alive / "OWNER").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        folder = CopyingFolder(tmp_path)
        made = folder.new()
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {"goods-serve-alive", "goods-serve-else", made.parent.name, "mine"}
    folder.close()
    assert not made.parent.exists()


@contextmanager
def process(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """`goods serve` in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from goods.cli import main; main()", "serve"]
    options = ["--index", str(home / "index"), "--port", str(port), "--log", "json"]
    places = ["--copies", str(home.parent / "copies"), "--device", "cpu"]
    log = (home / "log").open("w")  # a pipe that nobody reads would stop it
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [*command, *options, *places, *more]
    service = subprocess.Popen(arguments, stderr=log, text=True, env=environment)
    try:
        with log, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

            def is_ready() -> bool:
                assert service.poll() is None
                try:
                    return client.get("/readyz").status_code == 200
                except httpx.ConnectError:
                    return False

            until(is_ready, patience_s=120)
            yield service, client
    finally:
        service.kill()
        service.wait()


def test_a_service_that_is_told_to_stop_finishes_what_it_was_asked(home: Path) -> None:
    file = home / "slow.png"
    picture(3).save(file)
    asked, go_on = threading.Event(), threading.Event()

    def late(answer: Answer) -> None:
        asked.set()
        go_on.wait(30)
        answer.send(200, file.read_bytes())

    with (
        picture_host() as host,
        process(home, "--allow-private-hosts", "127.0.0.1") as (service, client),
    ):
        url = host.url("/slow.png", late)
        answers: list[httpx.Response] = []
        asking = threading.Thread(
            target=lambda: answers.append(client.get("/search", params={"image": url}))
        )
        asking.start()
        assert asked.wait(60)
        service.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # it is being stopped by now
        go_on.set()
        asking.join()
        service.wait(timeout=60)
    assert answers[0].status_code == 200
    assert answers[0].json()["hits"][0]["id"] == "P-3"
    assert "Traceback" not in (home / "log").read_text()
    assert list((home.parent / "copies").iterdir()) == []


def test_an_interrupt_is_how_people_stop_it_and_no_failure(home: Path) -> None:
    with process(home) as (service, _):
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=60) == 0
    log = (home / "log").read_text()
    assert "stopped" in log
    assert "Aborted" not in log
