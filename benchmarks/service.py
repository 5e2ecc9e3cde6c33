"""How long searches over HTTP take and how many there are, beside the same ones in Python.

    python benchmarks/service.py --index index/ --seconds 60 --clients 8

The index is copied, and `goods serve` runs as a process of its own. First the same texts are asked
by the Python client and over HTTP by one client, in turns, with the same options; then by several
clients at once, each without a pause. No text is asked twice, so that no vector is remembered.
"""

import argparse
import http.client
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from search import Query, SearchClient, SearchOptions

PORT = 8765
LIMIT = 24


def texts(client: SearchClient) -> Iterator[str]:
    """Phrases of the catalog's own values, each with a number that nobody asked for before."""
    values = [
        [str(count.value) for count in counts]
        for counts in client.facets(client.schema.phrase).values.values()
    ]
    chance = random.Random(0)
    for number in itertools.count(1000):
        yield f"{' '.join(chance.choice(known) for known in values)} design {number}"


class Caller:
    """One client over HTTP, whose connection stays open."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)

    def ask(self, text: str, **more: object) -> dict[str, object]:
        """The answer to a search."""
        asked = urlencode({"q": text, "limit": LIMIT, **more})
        self._connection.request("GET", f"/search?{asked}")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status} {body[:200]!r}")
        answer: dict[str, object] = json.loads(body)
        return answer


def wait_until_ready() -> None:
    """Return as soon as the service can search."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the service is not ready")


def memory_mib(process: int) -> float:
    """What a process holds in memory; Linux."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def show(name: str, seconds: list[float]) -> tuple[float, float]:
    """Print percentiles; p50 and p99 in ms."""
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1e3
    print(f"{name:34}{len(seconds):8,}{p50:8.2f}{p95:8.2f}{p99:8.2f}")
    return p50, p99


def alone(client: SearchClient, phrases: Iterator[str], count: int) -> None:
    """One caller, in turns with the Python client."""
    options = SearchOptions(limit=LIMIT, understand="filter", widen_facets=True)
    caller = Caller()
    python, served = [], []
    for number in range(count + 20):
        text = next(phrases)
        turns = [("python", python), ("http", served)]
        for kind, seconds in turns if number % 2 else turns[::-1]:
            started = time.perf_counter()
            if kind == "python":
                client.search(Query(text), options=options).to_json()
            else:
                caller.ask(text)
            if number >= 20:
                seconds.append(time.perf_counter() - started)
    print(f"{'ms':34}{'searches':>8}{'p50':>8}{'p95':>8}{'p99':>8}")
    p50, _ = show("Python client, one thread", python)
    http_p50, _ = show("HTTP, one client", served)
    print(f"HTTP costs {http_p50 - p50:.2f} ms more than Python (p50; at most 3 wanted)")


def together(phrases: Iterator[str], clients: int, seconds: float) -> None:
    """Several callers at once."""
    lock, taken, errors = threading.Lock(), [], []
    end = time.perf_counter() + seconds

    def call() -> None:
        caller, own = Caller(), []
        while time.perf_counter() < end:
            with lock:
                text = next(phrases)
            started = time.perf_counter()
            try:
                caller.ask(text)
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                errors.append(error)
                caller = Caller()
                continue
            own.append(time.perf_counter() - started)
        with lock:
            taken.extend(own)

    threads = [threading.Thread(target=call) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p99 = show(f"HTTP, {clients} clients for {seconds:g} s", taken)
    print(
        f"{len(errors)} errors, {len(taken) / seconds:.0f} requests/s, "
        f"p99 is {p99 / p50:.2f} x p50 (at most 3 wanted)"
    )
    for error in errors[:3]:
        print(f"  {error!r}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--alone", type=int, default=300, help="searches by one client")
    parser.add_argument("--threads", type=int, default=8, help="of the service")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        shutil.copytree(args.index, index)
        command = [sys.executable, "-c", "from goods.cli import main; main()", "serve"]
        options = ["--index", str(index), "--port", str(PORT), "--rate", "0"]
        more = ["--threads", str(args.threads)]
        with (Path(folder) / "log").open("w") as log:
            service = subprocess.Popen([*command, *options, *more], stderr=log)
            try:
                wait_until_ready()
                mine = Path(folder) / "mine"
                shutil.copytree(args.index, mine)
                with SearchClient(mine) as client:
                    phrases = texts(client)
                    print(f"{client.info().points:,} products, {LIMIT} hits a search")
                    alone(client, phrases, args.alone)
                    together(phrases, args.clients, min(5, args.seconds))  # warms it up
                    before = memory_mib(service.pid)
                    together(phrases, args.clients, args.seconds)
                    print(f"memory {before:.0f} MiB before, {memory_mib(service.pid):.0f} after")
            finally:
                service.terminate()
                service.wait()


if __name__ == "__main__":
    main()
