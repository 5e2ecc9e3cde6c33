"""Kill an ingest at random moments, and look at what is left each time.

    python benchmarks/kill.py --catalog shop.parquet --model models/shop --times 10

Each run is killed with SIGKILL between 0 and --within seconds after its index exists. What an index
held after one kill has to be there after the next; the last run is left alone and has to finish.
"""

import argparse
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from goods.index import open_index

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--catalog", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--times", type=int, default=10)
parser.add_argument("--within", type=float, default=10, metavar="SECONDS")
args = parser.parse_args()


def ids(folder: Path) -> set[str]:
    """The shop ids that an index holds."""
    index = open_index(str(folder))
    try:
        return {record.payload["id"] for record in index.scan()}
    finally:
        index.close()


chance = random.Random(0)
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "index"
    command = ["goods", "ingest", "--catalog", args.catalog, "--model", args.model]
    command += ["--index", str(folder), "--refused", str(Path(temporary) / "refused.jsonl")]
    command += ["--journal", str(Path(temporary) / "journal.db")]
    before: set[str] = set()
    for kill in range(1, args.times + 1):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(5)  # for the libraries to load
        while not (folder / "CURRENT").exists():
            time.sleep(0.05)
        pause_s = args.within * chance.random()
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = ids(folder)
        lost = len(before - after)
        print(
            f"kill {kill:>2} after {pause_s:4.1f} s: {len(after):>7,} products, {lost} lost",
            flush=True,
        )
        before = after
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"{len(ids(folder)):,} products in the end, {len(before - ids(folder))} lost")
