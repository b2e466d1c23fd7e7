"""`make bench`: PostgreSQL, SQLite, and ten times the claims, one after the other; the last line is one JSON object.

From the environment: ONLY (postgresql, sqlite or tenfold), CLAIMS (40000), RUNS (3), BENCH_DATABASE_URL and
BENCH_REDIS_URL (used when they answer), DATA_DIR (keeps the sample pairs).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.bench.installation import BASE_DIR, BenchError
from scripts.services import unanswered

PARTS = ("postgresql", "sqlite", "tenfold")
PAGES, TENFOLD_PAGES = 12, 24
DATABASE_URL, REDIS_URL = "postgresql://127.0.0.1:5432/concord", "redis://127.0.0.1:6379/14"
GIGABYTE = 1024**3
# A file ten times as large as any that an installation would take, and its reader, must be let through.
TENFOLD_LIMITS = {
    "MAX_FILE_BYTES": GIGABYTE,
    "MAX_POST_BYTES": 2 * GIGABYTE,
    "MAX_INFLATED_BYTES": 8 * GIGABYTE,
    "READER_MEMORY_BYTES": 8 * GIGABYTE,
    "READER_CPU_SECONDS": 1800,
    "READER_WALL_SECONDS": 1800,
}


def say(text: str = "") -> None:
    print(text, flush=True)


def services() -> tuple[str, str]:
    """The database server and the Redis that answer; empty where none does."""
    database_url = os.environ.get("BENCH_DATABASE_URL") or DATABASE_URL
    redis_url = os.environ.get("BENCH_REDIS_URL") or REDIS_URL
    for problem in unanswered(database_url=database_url, redis_url=""):
        say(f"{problem}\nWithout it, the part of PostgreSQL is left out, and ten times the claims go to SQLite.")
        database_url = ""
    for problem in unanswered(database_url="", redis_url=redis_url):
        say(f"{problem}\nThe embedded queue stands in for it.")
        redis_url = ""
    return database_url, redis_url


def jobs(*, only: str, claims: int, runs: int) -> dict[str, dict[str, Any] | None]:
    """What each part is to do; None for one that cannot be done here."""
    database_url, redis_url = services()
    server = {"server_url": database_url, "redis_url": redis_url if database_url else "", "limits": {}}
    size = {"claims": claims, "pages": PAGES, "runs": runs}
    tenfold = {"claims": 10 * claims, "pages": TENFOLD_PAGES, "runs": 1}
    limits = {name: str(value) for name, value in TENFOLD_LIMITS.items()}
    every: dict[str, dict[str, Any] | None] = {
        "postgresql": server | size if database_url else None,
        "sqlite": {"server_url": "", "redis_url": "", "limits": {}} | size,
        "tenfold": server | tenfold | {"limits": limits},
    }
    return {name: every[name] for name in PARTS if only in ("", name)}


def carried_out(name: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The figures of one part, measured by a process of its own, since each has settings of its own."""
    answer = folder / f"{name}.json"
    answer.unlink(missing_ok=True)
    told = job | {"name": name, "folder": str(folder), "answer": str(answer)}
    subprocess.run([sys.executable, "-m", "scripts.bench.part", json.dumps(told)], cwd=BASE_DIR, check=True)
    figures: dict[str, Any] = json.loads(answer.read_text())
    return figures


def main() -> int:
    only = os.environ.get("ONLY", "")
    if only not in ("", *PARTS):
        raise BenchError(f"ONLY is one of {', '.join(PARTS)}.")
    folder = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve() / "bench"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    todo = jobs(only=only, claims=int(os.environ.get("CLAIMS") or 40_000), runs=int(os.environ.get("RUNS") or 3))
    figures: dict[str, dict[str, Any] | None] = dict.fromkeys(PARTS)
    for name, job in todo.items():
        if job is not None:
            figures[name] = carried_out(name, job, folder)
    of_ten, of_one = figures["tenfold"], figures["postgresql"] or figures["sqlite"]
    if of_ten and of_one:
        of_ten["times"] = round(of_ten["seconds"] / of_one["seconds"], 2)
        say(f"Ten times the claims took {of_ten['times']} times as long.")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    try:
        status = main()
    except (BenchError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        status = 1
    raise SystemExit(status)
