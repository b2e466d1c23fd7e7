import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from scripts.bench.memory import PeakMemory

BASE_DIR = Path(__file__).resolve().parent.parent.parent
MEASURED = {"seconds", "floor", "ratio", "lines_per_second", "peak_mb", "again_seconds", "rows_again"}


def test_peak_memory_includes_memory_that_a_grandchild_has_freed_again():
    takes = "x = bytearray(200 << 20); import time; time.sleep(0.5); del x; time.sleep(0.3)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {takes!r}])"
    process = subprocess.Popen([sys.executable, "-c", starts])
    with PeakMemory(psutil.Process(process.pid)) as memory:
        process.wait()
    assert 200 <= memory.largest_mb < 260
    assert memory.largest_mb <= memory.peak_mb < 300


def test_a_small_benchmark_ends_with_its_figures_as_one_json_object(tmp_path):
    services = {"BENCH_DATABASE_URL", "BENCH_REDIS_URL", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in services}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench"],
        cwd=BASE_DIR,
        env=environment | {"DATA_DIR": str(tmp_path), "ONLY": "sqlite", "CLAIMS": "60", "RUNS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["postgresql"] is None
    assert figures["tenfold"] is None
    assert set(figures["sqlite"]) == MEASURED
    assert figures["sqlite"]["rows_again"] == 0
    assert 0 < figures["sqlite"]["floor"] < figures["sqlite"]["seconds"] < time.monotonic() - began
    assert not list(tmp_path.rglob("*.sqlite3"))
