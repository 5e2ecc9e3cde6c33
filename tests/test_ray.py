"""Ingest on a local Ray of two workers; slow, because a cluster has to come up: some 20 s."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from checkpoints import tiny_clip
from goods.index import open_index
from model.encoder import Encoder
from shop import make_shop, picture

pytest.importorskip("ray", reason="Ray is not installed: pip install 'clip-for-goods[ray]'")


def run_on_a_cluster(
    home: Path, shop: Path, workers: int = 2, **env: str
) -> "subprocess.CompletedProcess[str]":
    """The real command, on a cluster that lives as long as it does."""
    model = tiny_clip(home / "model")
    command = [sys.executable, "-c", "from goods.cli import main; main()", "ingest", "--json"]
    files = ("--journal", home / "journal.db", "--refused", home / "refused.jsonl")
    options = ("--catalog", shop, "--model", model, "--index", home / "index", *files)
    cluster = ("--ray", "local", "--ray-workers", str(workers), "--max-refused", "5%")
    return subprocess.run(
        [*command, *map(str, options), *cluster],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | env,
    )


def test_a_cluster_makes_the_index_and_keeps_stdout_for_results(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", count=20)
    (shop.parent / "images/P-3.jpg").write_bytes(b"")
    # bit by bit the same when it is decoded
    picture(7).save(shop.parent / "images/P-7.jpg", format="PNG")
    process = run_on_a_cluster(tmp_path, shop)
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert (report["embedded"], report["points"]) == (19, 19)
    assert list(report["refused"].values()) == [1]
    expected = Encoder.load(str(tmp_path / "model"), "cpu").images([picture(7)])[0]
    with closing(open_index(str(tmp_path / "index"))) as index:
        found = {r.payload["id"]: r.vector for r in index.scan(with_vectors=True)}
    np.testing.assert_allclose(found["P-7"], expected, atol=1e-5)


_DEADLY = """
import os, sys
def watch(event, details):
    if event == "open" and str(details[0]).endswith("P-3.jpg") and "default_worker" in sys.argv[0]:
        os._exit(9)
sys.addaudithook(watch)
"""


def test_a_picture_that_kills_every_worker_ends_the_run(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", count=20)
    (tmp_path / "sitecustomize.py").write_text(_DEADLY)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = run_on_a_cluster(tmp_path, shop, workers=1, PYTHONPATH=path)
    assert process.returncode == 1
    assert "the Ray cluster cannot go on" in process.stderr
    assert "Traceback" not in process.stderr
