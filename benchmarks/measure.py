"""Run a command and say how long it took and how much memory its largest process held.

python benchmarks/measure.py goods ingest --catalog shop.csv --model models/shop
"""

import resource
import subprocess
import sys
import time

started = time.perf_counter()
code = subprocess.run(sys.argv[1:], check=False).returncode
wall_s = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
print(
    f"wall {wall_s:.1f} s, cpu {used.ru_utime + used.ru_stime:.1f} s, "
    f"peak memory {used.ru_maxrss * unit / 2**20:,.0f} MiB, exit code {code}",
    file=sys.stderr,
)
sys.exit(code)
