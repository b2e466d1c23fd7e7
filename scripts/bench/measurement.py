"""One part of the benchmark: `python -m scripts.bench.measurement JOB`, a JSON object of `scripts.bench.__main__`.

Import and floor alternate, so that a change in the speed of the machine affects both.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import django
import psutil
from django.db import connection

from samples import make_pair
from scripts.api_client import Client
from scripts.bench import comparison, server
from scripts.bench.databases import RUN, BenchError, Databases, PostgresDatabases, SqliteDatabases
from scripts.bench.floor import LOADED, Floor, count_records, loading_seconds, reading_seconds
from scripts.bench.imports import Import, Step, run_import
from scripts.bench.memory import LARGE_SAMPLE_SECONDS, SAMPLE_SECONDS, PeakMemory

WARM_CLAIMS, WARM_PAGES = 200, 2
# A base, and an addition for each claim.
MAX_SECONDS, MAX_SECONDS_PER_CLAIM = 120, 0.02


@dataclass(frozen=True)
class Round:
    """One import into a new database, a second import of the same pair, and the floor."""

    first: Import
    again: Import
    rows_again: int
    floor: Floor


@dataclass(frozen=True)
class Memory:
    """The worker with all its processes at their peak: their sum, and the largest process."""

    peak_mb: int
    largest_mb: int


def say(text: str = "") -> None:
    print(text, flush=True)


def sample_pair(folder: Path, *, claims: int, pages: int) -> tuple[Path, list[Path]]:
    """The stat file and recap pages of a size. The first run makes them, later runs use them again."""
    pair = folder / f"pair-{claims}-{pages}"
    # The generator writes this file last: without it, an earlier run was interrupted.
    if not (pair / "expected.json").exists():
        say(f"Making a sample pair of {claims} claims …")
        make_pair(pair, claims=claims, pages=pages)
    return next(pair.glob("stat.*")), sorted(pair.glob("recap_*"))


class Measurement:
    def __init__(self, job: dict[str, Any]) -> None:
        self.name, self.claims, self.redis_url = job["name"], job["claims"], job["redis_url"]
        self.folder = Path(job["folder"]) / self.name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.databases: Databases = (
            PostgresDatabases(job["server_url"]) if job["server_url"] else SqliteDatabases(self.folder)
        )
        server.set_environment(
            folder=self.folder,
            database_url=self.databases.url(RUN),
            redis_url=self.redis_url,
            limits=job["limits"],
        )
        pairs = Path(job["folder"])
        self.stat, self.recaps = sample_pair(pairs, claims=self.claims, pages=job["pages"])
        self.warm = sample_pair(pairs, claims=WARM_CLAIMS, pages=WARM_PAGES)
        self.is_large = bool(job["limits"])

    def measure(self, runs: int) -> dict[str, Any]:
        """The figures of the part; steps and comparisons are printed."""
        kind = "SQLite" if isinstance(self.databases, SqliteDatabases) else "PostgreSQL"
        queue = "Redis" if self.redis_url else "embedded queue"
        say(f"\n{self.name}: {self.claims} claims, {len(self.recaps)} recap pages, on {kind} and {queue}; {machine()}")
        self.databases.make_empty()
        try:
            rounds = [self.round(number) for number in range(1, runs + 1)]
            # Ten times the claims would take the obvious tools many minutes.
            obvious = None if self.is_large else self.compare(rounds)
            self.peaks = self.memory()
        finally:
            self.databases.drop()
        return self.figures(rounds, obvious)

    @contextmanager
    def served_client(self) -> Iterator[tuple[Client, psutil.Process]]:
        """A new database, with a web server and a worker that have done imports before; → a client that is signed in to
        a country without imports, and the worker."""
        # Creating the database again ends all connections to it.
        connection.close()
        self.databases.renew(RUN)
        passwords = server.make_accounts(["BW", "BX"])
        connection.close()
        try:
            with server.served(self.folder) as (client, worker):
                for _each in range(2):
                    # Once for each of the two processes of the pool, to load modules, caches and connections.
                    self._login(client, "BW", passwords)
                    run_import(client, stat=self.warm[0], recaps=self.warm[1], max_seconds=self.max_seconds)
                self._login(client, "BX", passwords)
                yield client, worker
        finally:
            server.empty_queue(self.redis_url)

    @contextmanager
    def served(self) -> Iterator[tuple[Callable[[], Import], psutil.Process]]:
        """Likewise; → a function that imports the pair, and the worker."""
        with self.served_client() as (client, worker):
            yield (
                partial(run_import, client, stat=self.stat, recaps=self.recaps, max_seconds=self.max_seconds),
                worker,
            )

    @property
    def max_seconds(self) -> float:
        """An import that has not ended after so long fails."""
        return MAX_SECONDS + MAX_SECONDS_PER_CLAIM * self.claims

    def memory(self) -> Memory:
        """Of the first and the second import of the pair. Sampling takes time, so these imports are not timed."""
        with self.served() as (import_pair, worker):
            every = LARGE_SAMPLE_SECONDS if self.is_large else SAMPLE_SECONDS
            with PeakMemory(worker, every=every) as first:
                import_pair()
            with PeakMemory(worker, every=every) as again:
                import_pair()
        return Memory(max(first.peak_mb, again.peak_mb), max(first.largest_mb, again.largest_mb))

    def round(self, number: int) -> Round:
        with self.served() as (import_pair, _worker):
            first = import_pair()
            before = count_records(self.databases)
            again = import_pair()
            rows_again = sum(abs(count - before[t]) for t, count in count_records(self.databases).items())
        ways = reading_seconds([self.stat, *self.recaps], **({"ways": ["iter_rows"]} if self.is_large else {}))
        load, rows = loading_seconds(self.databases)
        floor = Floor(min(ways.values()), load, rows)
        tried = ", ".join(f"{way} {seconds:.2f}" for way, seconds in ways.items())
        say(
            f"  {number}. import {first.seconds:6.2f} s (by its own times {first.own_seconds:.2f}), "
            f"upload {first.upload:.2f} s, again {again.seconds:.2f} s and {rows_again} rows\n"
            f"     floor {floor.seconds:6.2f} s ({tried}; load {load:.2f} for {rows} rows)"
        )
        return Round(first, again, rows_again, floor)

    @staticmethod
    def _login(client: Client, code: str, passwords: dict[str, str]) -> None:
        client.headers.pop("Authorization", None)
        client.login(username=f"{server.USERNAME}-{code}", password=passwords[code])

    def compare(self, rounds: list[Round]) -> float:
        """Seconds of the obvious tools for the same work: the files, and the rows of the last round."""
        read = comparison.openpyxl_seconds([self.stat, *self.recaps])
        write, rows = comparison.bulk_create_seconds(LOADED)
        steps = [each.first.steps for each in rounds]
        ours = median(time_of(each, "read") for each in steps)
        written = median(time_of(each, "write") for each in steps)
        say(f"  pandas and openpyxl read all files in {read:.1f} s; here read, checked and typed: {ours:.1f} s")
        say(f"  bulk_create of {rows} records and findings: {write:.1f} s; here: {written:.1f} s")
        return read + write

    def figures(self, rounds: list[Round], obvious: float | None) -> dict[str, Any]:
        middle = sorted(rounds, key=lambda each: each.first.seconds)[len(rounds) // 2]
        print_steps("The steps of the middle run", middle.first)
        print_steps("The steps of the same pair again", middle.again)
        seconds = median(each.first.seconds for each in rounds)
        floor = median(each.floor.seconds for each in rounds)
        figures = {
            "seconds": round(seconds, 2),
            "floor": round(floor, 2),
            "ratio": round(seconds / floor, 2),
            "lines_per_second": round(middle.first.lines / seconds),
            "peak_mb": self.peaks.peak_mb,
            "again_seconds": round(median(each.again.seconds for each in rounds), 2),
            "rows_again": max(each.rows_again for each in rounds),
            "obvious_seconds": obvious and round(obvious, 2),
            "times_faster": obvious and round(obvious / seconds, 1),
        }
        say("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))
        say(f"  largest process {self.peaks.largest_mb} MB")
        return figures


def time_of(steps: list[Step], name: str) -> float:
    """Seconds from the first event of a step to its last event."""
    times = [step.seconds for step in steps if step.name == name]
    return times[-1] - times[0] if times else 0.0


def print_steps(title: str, run: Import) -> None:
    say(f"  {title}, in seconds since the creation of the session:")
    before = 0.0
    for step in run.steps:
        parts = "".join(f" {name} {seconds:.2f} s." for name, seconds in step.parts.items())
        message = step.message.splitlines()[0] + parts
        say(f"    {step.seconds:7.2f}  {step.seconds - before:+7.2f}  {step.name:<10} {message}")
        before = step.seconds
    say(f"    {run.own_seconds:7.2f}  {run.own_seconds - before:+7.2f}  {'end':<10} Report and log stored.")


def machine() -> str:
    load = os.getloadavg()[0]
    memory = psutil.virtual_memory().total / 1024**3
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, load {load:.1f}"


def run(kind: type[Measurement], text: str) -> int:
    """Measure what the job `text` says, and write the figures where it says; → the exit status."""
    job = json.loads(text)
    try:
        measurement = kind(job)
        django.setup()
        figures = measurement.measure(job["runs"])
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    Path(job["answer"]).write_text(json.dumps(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(run(Measurement, sys.argv[1]))
