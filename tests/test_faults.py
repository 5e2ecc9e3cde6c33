"""The real command, in processes of its own, on bad days: nothing lost, doubled or unexplained."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from qdrant_stub import Fault, Request, Stub, serve

from goods.index import Record, open_index
from goods.index.disk import MIN_FREE_BYTES
from picture_host import Answer, picture_host
from shop import make_shop, read_rows, write_rows
from small_disks import small_disk_at

PRODUCTS, KILLS, BATCH = 3000, 20, 64

_COUNTED = """
import sys
from model.encoder import Encoder
counts = sys.argv.pop(1)
embed = Encoder.embed_pixels
def counted(self, pixels):
    with open(counts, "a") as file:
        file.write(f"{len(pixels)}\\n")
    return embed(self, pixels)
Encoder.embed_pixels = counted
from goods.cli import main
main()
"""


class Nights:
    """Runs of `goods ingest` on one catalog, and how many pictures they embedded in all."""

    def __init__(self, catalog: Path, model: Path, home: Path, index: str = "") -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.index = index or str(home / "index")
        self.home = home
        self.count = home.parent / f"{home.name}.embedded"
        self.command = [
            *(sys.executable, "-c", _COUNTED, str(self.count), "ingest"),
            *("--catalog", str(catalog), "--model", str(model), "--index", self.index),
            *("--refused", str(home / "refused.jsonl"), "--journal", str(home / "journal.db")),
            *("--batch-size", str(BATCH), "--json"),
        ]  # fmt: skip

    def begin(self, *options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self.command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def run(self, *options: str) -> tuple[int, dict[str, object], str]:
        process = self.begin(*options)
        out, err = process.communicate(timeout=300)
        return process.returncode, json.loads(out) if out else {}, err

    @property
    def embedded(self) -> int:
        """Pictures that went through the model, also in runs that were killed."""
        return sum(map(int, self.count.read_text().split())) if self.count.exists() else 0

    @property
    def refused(self) -> list[dict[str, str]]:
        lines = (self.home / "refused.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def records(self) -> dict[str, Record]:
        index = open_index(self.index)
        try:
            return {r.payload["id"]: r for r in index.scan(with_vectors=True)}
        finally:
            index.close()


def assert_equal(found: dict[str, Record], expected: dict[str, Record]) -> None:
    assert found.keys() == expected.keys()
    for product_id, record in expected.items():
        assert found[product_id].payload == record.payload
    vectors = [np.stack([r[i].vector for i in expected]) for r in (found, expected)]
    np.testing.assert_allclose(*vectors, atol=1e-5)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"), PRODUCTS)


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_loses_nothing_and_embeds_hardly_anything_twice(
    shop: Path, model: Path, tmp_path: Path, seed: int
) -> None:
    """Twenty moments in all, each a little after the run has begun to embed."""
    moment = random.Random(seed)
    nights = Nights(shop, model, tmp_path / "home")
    for _ in range(KILLS // 4):
        before = nights.embedded
        process = nights.begin()
        while nights.embedded == before and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.3 * moment.random())
        process.send_signal(signal.SIGKILL)
        process.communicate()
    code, report, err = nights.run()
    assert code == 0, err
    assert nights.embedded <= PRODUCTS + BATCH * KILLS // 4
    assert report["points"] == PRODUCTS
    whole = Nights(shop, model, tmp_path / "whole")
    assert whole.run()[0] == 0
    assert_equal(nights.records(), whole.records())


def test_a_full_disk_loses_nothing_and_the_run_after_it_finishes(
    tmp_path: Path, model: Path
) -> None:
    catalog = make_shop(tmp_path / "shop", 600)
    whole = Nights(catalog, model, tmp_path / "whole")
    assert whole.run()[0] == 0
    with small_disk_at(tmp_path / "disk", MIN_FREE_BYTES + (96 << 20)) as disk:
        nights = Nights(catalog, model, disk / "home")
        code, _, err = nights.run("--limit", "100")
        assert code == 0, err
        filler = disk / "filler"
        filler.write_bytes(bytes(90 << 20))
        code, _, err = nights.run()
        assert code == 1
        assert "make room" in err
        assert "Traceback" not in err
        filler.unlink()
        code, report, err = nights.run()
        assert code == 0, err
        assert report["points"] == 600
        assert nights.embedded <= 600 + 2 * BATCH
        assert_equal(nights.records(), whole.records())


def test_a_server_that_fails_a_tenth_of_all_requests_gets_everything_once(
    tmp_path: Path, model: Path
) -> None:
    chance = random.Random(5)
    faults = (
        *(Fault(status=s) for s in (500, 502, 503, 504)),
        *(Fault(status=429, retry_after_s=0), Fault(), Fault(is_done=True)),
    )

    def chaos(_: Request) -> Fault | None:
        return chance.choice(faults) if chance.random() < 0.1 else None

    catalog = make_shop(tmp_path / "shop", 600)
    with serve(Stub(chaos=chaos)) as stub:
        nights = Nights(catalog, model, tmp_path / "home", f"http://127.0.0.1:{stub.port}/shop")
        code, report, err = nights.run()
        assert code == 0, err
        assert (report["written"], report["points"], report["refused"]) == (600, 600, {})
        [points] = stub.points.values()
        assert {p["payload"]["id"] for p in points.values()} == {f"P-{n}" for n in range(600)}
    assert nights.embedded == 600


def test_a_server_that_takes_too_long_is_asked_again_and_gets_everything_once(
    tmp_path: Path, model: Path
) -> None:
    catalog = make_shop(tmp_path / "shop", 300)
    upserts = itertools.count()

    def slow(request: Request) -> Fault | None:
        is_upsert = request.method == "PUT" and request.path.endswith("/points")
        return Fault(is_done=True, after_s=1.5) if is_upsert and next(upserts) in (1, 3) else None

    with serve(Stub(chaos=slow)) as stub:
        nights = Nights(catalog, model, tmp_path / "home", f"http://127.0.0.1:{stub.port}/shop")
        code, report, err = nights.run("--index-timeout", "1")
        assert code == 0, err
        assert (report["written"], report["points"], report["refused"]) == (300, 300, {})
    assert next(upserts) > 4  # the late ones were sent once more
    assert nights.embedded == 300


def test_a_server_that_goes_away_ends_the_run_and_costs_no_second_embedding(
    tmp_path: Path, model: Path
) -> None:
    catalog = make_shop(tmp_path / "shop", 300)
    upserts = itertools.count()

    def dies(request: Request) -> Fault | None:
        is_upsert = request.method == "PUT" and request.path.endswith("/points")
        return Fault() if is_upsert and next(upserts) >= 2 else None

    with serve(Stub(chaos=dies)) as stub:
        nights = Nights(catalog, model, tmp_path / "home", f"http://127.0.0.1:{stub.port}/shop")
        code, _, err = nights.run()
        assert code == 1
        assert "does not answer" in err
        assert "Traceback" not in err
        [points] = stub.points.values()
        assert 0 < len(points) < 300
        stub.chaos = None
        code, report, err = nights.run()
        assert code == 0, err
        assert report["points"] == 300
    assert nights.embedded == 300


def test_bad_pictures_and_bad_hosts_are_each_explained_and_the_rest_goes_in(
    tmp_path: Path, model: Path
) -> None:
    catalog = make_shop(tmp_path / "shop", 200)
    images, rows = catalog.parent / "images", read_rows(catalog)
    for number in range(0, 200, 20):  # 5 %
        file = images / f"P-{number}.jpg"
        file.write_bytes(file.read_bytes()[: 200 + number])
    good = (images / "P-1.jpg").read_bytes()
    with picture_host() as host:

        def busy_twice(answer: Answer) -> None:
            answer.send(200, good) if answer.attempt > 2 else answer.send(503)

        def lies(answer: Answer) -> None:
            answer.send(200, good, Content_Length=str(2 * len(good)))
            answer.close_connection = True

        def drips(answer: Answer) -> None:
            answer.send_response(200)
            answer.send_header("Content-Length", str(len(good)))
            answer.end_headers()
            for part in range(10):
                answer.wfile.write(good[part * len(good) // 10 : (part + 1) * len(good) // 10])
                answer.wfile.flush()
                time.sleep(0.05)

        loop = "/loop.jpg"
        bad = {
            "busy": ("/busy.jpg", busy_twice),
            "drip": ("/drip.jpg", drips),
            "gone": ("/gone.jpg", lambda answer: answer.send(404)),
            "html": ("/html.jpg", lambda answer: answer.send(200, b"<html>sold out</html>")),
            "loop": (loop, lambda answer: answer.send(302, Location=loop)),
            "liar": ("/liar.jpg", lies),
        }
        for name, (path, answer) in bad.items():
            rows.append(rows[1] | {"id": name, "image": host.url(path, answer)})
        rows.append(rows[1] | {"id": "private", "image": "http://127.0.0.2:1/x.jpg"})
        write_rows(catalog, rows)
        nights = Nights(catalog, model, tmp_path / "home")
        code, report, err = nights.run("--allow-private-hosts", "127.0.0.1", "--max-refused", "10%")
    assert code == 0, err
    assert report["points"] == 192
    causes = {refused["product"]: refused["cause"] for refused in nights.refused}
    assert causes == {
        **{f"P-{number}": "broken" for number in range(0, 200, 20)},
        "gone": "source gone",
        "html": "not a picture",
        "loop": "source gone",
        "liar": "broken",
        "private": "refused",
    }
    assert all(refused["message"] and refused["when"] for refused in nights.refused)
