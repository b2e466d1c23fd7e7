"""`make bench`: imports, ten times the claims, a correction, and the dashboard; the last line is JSON.

Environment: ONLY (one of PARTS), CLAIMS (40000), FIGURE_CLAIMS (1000000, of the dashboard), RUNS (3),
BENCH_DATABASE_URL and BENCH_REDIS_URL (used when they answer), DATA_DIR (folder of the sample pairs).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.bench.databases import BASE_DIR, FIGURES, BenchError, PostgresDatabases
from scripts.services import unanswered

PARTS = ("postgresql", "sqlite", "tenfold", "corrections", "dashboard")
PAGES, TENFOLD_PAGES = 12, 24
# What the dashboard is measured with. SQLite serves one machine, so it has a tenth.
FIGURE_CLAIMS, SQLITE_SHARE = 1_000_000, 10
DATABASE_URL, REDIS_URL = "postgresql://127.0.0.1:5432/concord", "redis://127.0.0.1:6379/14"
GIGABYTE = 1024**3
# Raised limits: the tenfold file is ten times as large as any that an installation would accept.
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
    """The URLs of the database server and of Redis; empty for one that does not answer."""
    database_url = os.environ.get("BENCH_DATABASE_URL") or DATABASE_URL
    redis_url = os.environ.get("BENCH_REDIS_URL") or REDIS_URL
    for problem in unanswered(database_url=database_url, redis_url=""):
        say(f"{problem}\nSo the PostgreSQL part is left out, and the tenfold part runs on SQLite.")
        database_url = ""
    for problem in unanswered(database_url="", redis_url=redis_url):
        say(f"{problem}\nSo the embedded queue is used instead.")
        redis_url = ""
    return database_url, redis_url


def jobs(*, only: str, claims: int, runs: int) -> dict[str, dict[str, Any] | None]:
    """The job of each part; None for a part that cannot run here."""
    database_url, redis_url = services()
    server = {"server_url": database_url, "redis_url": redis_url if database_url else "", "limits": {}}
    size = {"claims": claims, "pages": PAGES, "runs": runs}
    tenfold = {"claims": 10 * claims, "pages": TENFOLD_PAGES, "runs": 1}
    limits = {name: str(value) for name, value in TENFOLD_LIMITS.items()}
    every: dict[str, dict[str, Any] | None] = {
        "postgresql": server | size if database_url else None,
        "sqlite": {"server_url": "", "redis_url": "", "limits": {}} | size,
        "tenfold": server | tenfold | {"limits": limits},
        "corrections": server | size,
    }
    return {name: every[name] for name in PARTS if name in every and only in ("", name)}


def run_part(name: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The figures of one part, measured in another process: the parts have different settings."""
    answer = folder / f"{name}.json"
    answer.unlink(missing_ok=True)
    arguments = job | {"name": name, "folder": str(folder), "answer": str(answer)}
    module = "scripts.bench.corrections" if name == "corrections" else "scripts.bench.measurement"
    subprocess.run([sys.executable, "-m", module, json.dumps(arguments)], cwd=BASE_DIR, check=True)
    figures: dict[str, Any] = json.loads(answer.read_text())
    return figures


def run_figures(claims: int, folder: Path) -> dict[str, Any]:
    """The tables of the dashboard and the lists, on PostgreSQL where it answers and on SQLite."""
    database_url, _redis_url = services()
    figures: dict[str, Any] = {}
    for name, url, count in (("postgresql", database_url, claims), ("sqlite", "", claims // SQLITE_SHARE)):
        if name == "postgresql" and not url:
            continue
        say(f"The dashboard with {count} claims on {name}")
        data = folder / f"figures-{name}"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        environment = os.environ | {"DATA_DIR": str(data), "SECRET_KEY": "x" * 50, "LOG_LEVEL": "ERROR"}
        database = PostgresDatabases(url) if url else None
        if database:
            environment["DATABASE_URL"] = database.make_blank(FIGURES)
        # Kept: `scripts.bench.growth` compares those of several sizes.
        answer = folder / f"figures-{name}-{count}.json"
        arguments = {"claims": count, "answer": str(answer)}
        try:
            command = [sys.executable, "-m", "scripts.bench.figures", json.dumps(arguments)]
            subprocess.run(command, cwd=BASE_DIR, env=environment, check=True)
            figures[name] = json.loads(answer.read_text())
        finally:
            if database:
                database.drop_one(FIGURES)
            shutil.rmtree(data, ignore_errors=True)
    return figures


def main() -> int:
    only = os.environ.get("ONLY", "")
    if only not in ("", *PARTS):
        raise BenchError(f"ONLY is one of {', '.join(PARTS)}.")
    folder = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve() / "bench"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    planned = jobs(only=only, claims=int(os.environ.get("CLAIMS") or 40_000), runs=int(os.environ.get("RUNS") or 3))
    figures: dict[str, dict[str, Any] | None] = dict.fromkeys(PARTS)
    for name, job in planned.items():
        if job is not None:
            figures[name] = run_part(name, job, folder)
    if only in ("", "dashboard"):
        claims = int(os.environ.get("FIGURE_CLAIMS") or FIGURE_CLAIMS)
        figures["dashboard"] = run_figures(claims, folder)
    tenfold, single = figures["tenfold"], figures["postgresql"] or figures["sqlite"]
    if tenfold and single:
        tenfold["times"] = round(tenfold["seconds"] / single["seconds"], 2)
        say(f"Ten times the claims took {tenfold['times']} times as long.")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    try:
        status = main()
    except (BenchError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        status = 1
    raise SystemExit(status)
