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


def test_a_cluster_makes_the_index_and_keeps_stdout_for_results(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", count=20)
    (shop.parent / "images/P-3.jpg").write_bytes(b"")
    # bit by bit the same when it is decoded
    picture(7).save(shop.parent / "images/P-7.jpg", format="PNG")
    model = tiny_clip(tmp_path / "model")
    command = [sys.executable, "-c", "from goods.cli import main; main()", "ingest", "--json"]
    files = ("--journal", tmp_path / "journal.db", "--refused", tmp_path / "refused.jsonl")
    options = ("--catalog", shop, "--model", model, "--index", tmp_path / "index", *files)
    cluster = ("--ray", "local", "--ray-workers", "2", "--max-refused", "5%")
    process = subprocess.run(
        [*command, *map(str, options), *cluster],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert (report["embedded"], report["points"]) == (19, 19)
    assert list(report["refused"].values()) == [1]
    expected = Encoder.load(str(model), "cpu").images([picture(7)])[0]
    with closing(open_index(str(tmp_path / "index"))) as index:
        found = {r.payload["id"]: r.vector for r in index.scan(with_vectors=True)}
    np.testing.assert_allclose(found["P-7"], expected, atol=1e-5)
