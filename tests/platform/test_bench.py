"""The benchmark: its measure of memory, and a small run of the whole."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from scripts.bench.memory import PeakMemory
from tests.support.installation import until

BASE_DIR = Path(__file__).resolve().parent.parent.parent
MEASURED = {
    "seconds", "floor", "ratio", "lines_per_second", "peak_mb", "again_seconds", "rows_again", "obvious_seconds",
    "times_faster",
}  # fmt: skip


def test_peak_memory_includes_memory_that_a_grandchild_has_freed_again():
    # Each step of the grandchild waits for a line, so that the time between two looks does not matter.
    steps = "input(); taken = bytearray(200 << 20); input(); del taken; input()"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {steps!r}])"
    with subprocess.Popen([sys.executable, "-c", starts], stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None

        def go_on() -> None:
            process.stdin.write("\n")
            process.stdin.flush()

        root = psutil.Process(process.pid)
        (grandchild,) = until(lambda: root.children(), name="the grandchild")
        with PeakMemory(root) as before:
            until(lambda: before.largest_mb)
        with PeakMemory(root) as memory:
            go_on()
            until(lambda: memory.largest_mb >= 200, name="200 MB")
            go_on()
            until(lambda: grandchild.memory_info().rss < 200 << 20, name="the end of the 200 MB")
        go_on()
    # An idle interpreter takes some memory itself, and it is there twice.
    assert 200 <= memory.largest_mb <= 200 + before.peak_mb + 20
    assert memory.largest_mb <= memory.peak_mb <= 200 + 2 * before.peak_mb + 20


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
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["postgresql"] is None
    assert figures["tenfold"] is None
    assert set(figures["sqlite"]) == MEASURED
    assert figures["sqlite"]["rows_again"] == 0
    assert figures["sqlite"]["obvious_seconds"] > 0
    assert 0 < figures["sqlite"]["floor"] < figures["sqlite"]["seconds"] < time.monotonic() - began
    assert not list(tmp_path.rglob("*.sqlite3"))
