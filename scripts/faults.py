"""`make faults`: injects faults into large imports and prints the outcome as figures (docs/reliability.md).

Runs on SQLite and the spool folder; also on PostgreSQL and a Redis of its own where TEST_DATABASE_URL is set and
redis-server is installed. The tests in tests/faults inject the same faults one by one, with small files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from samples import make_pair
from samples.spoiling import SpoiledPair
from tests.support.hostile import hostile_pairs
from tests.support.installation import (
    NO_CLAIMS,
    Installation,
    PostgreSQL,
    Redis,
    WaitTimeout,
    expected_summary,
    expected_totals,
    free_port,
    is_alive,
    kill,
    processes_mentioning,
    stored_summary,
    temporary_database,
    until,
)
from tests.support.numbered_pairs import make_numbered_pair
from tests.support.receiver import running_receiver
from tests.support.spoiled_pairs import make_spoiled_pair

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 600
# A hostile file that occupies a worker for longer is printed.
SLOW_SECONDS = 15
Figures = dict[str, Any]


class Tally:
    """The sessions of one fault, compared with the expected outcome of their pair."""

    def __init__(self) -> None:
        self.figures: Figures = {
            "injected": 0, "sessions": 0, "ended": 0, "claims_lost": 0, "claims_doubled": 0, "sums_wrong": 0,
            "summaries_wrong": 0, "most_attempts": 0,
        }  # fmt: skip

    def count_injection(self) -> None:
        self.figures["injected"] += 1

    def add(self, installation: Installation, session: int, country: str, expected: dict[str, Any]) -> None:
        ended = installation.finished_session(session, seconds=LONGEST_SECONDS)
        self.compare(ended, found=installation.totals(country), due=expected_totals(expected))
        summary = stored_summary(ended) or {}
        self.figures["summaries_wrong"] += summary.get("claims") != expected_summary(expected)["claims"]

    def compare(self, ended: dict[str, Any], *, found: dict[str, Any], due: dict[str, Any]) -> None:
        """Count a session that has ended. `found`, `due`: the totals of its country, and those that it should have."""
        figures = self.figures
        figures["sessions"] += 1
        figures["ended"] += ended["status"] == "DONE_WITH_ERRORS"
        figures["claims_lost"] += max(0, due["claims"] - found["numbers"])
        figures["claims_doubled"] += found["claims"] - found["numbers"]
        figures["sums_wrong"] += found != due
        figures["most_attempts"] = max(figures["most_attempts"], ended["attempts"])


def killed_at_many_points(
    installation: Installation, folder: Path, expected: dict[str, Any], *, points: int
) -> Figures:
    """F1: kill the process of the run, or the whole worker, at moments spread evenly over an import."""
    tally, inside = Tally(), 0
    installation.running_worker(1)
    began = time.monotonic()
    country = installation.new_country()
    undisturbed = installation.start_session(folder, country)
    tally.add(installation, undisturbed, country, expected)
    length = time.monotonic() - began
    for point in range(points):
        worker, country = installation.running_worker(1), installation.new_country()
        session = installation.start_session(folder, country)
        until(partial(installation.is_processing, session), every=0.01, seconds=LONGEST_SECONDS)
        time.sleep(length * (point + 0.5) / points)
        if installation.status(session) == "PROCESSING":
            tally.count_injection()
            inside += installation.is_writing(session)
            if point % 2:
                worker.kill()
            else:
                kill(installation.runner(session))
        installation.running_worker(1)
        tally.add(installation, session, country, expected)
    return tally.figures | {"inside_the_write": inside, "undisturbed_seconds": round(length, 1)}


def killed_while_correcting(installation: Installation, folder: Path, spoiled: SpoiledPair, *, points: int) -> Figures:
    """CO: kill the run that applies corrections and the one that writes them, at moments spread over a run of each.

    The claims must be those of the unspoiled pair.
    """
    tally = Tally()
    installation.running_worker(1)
    unspoiled = installation.new_country()
    began = time.monotonic()
    installation.finished_session(installation.start_session(folder / "clean", unspoiled), seconds=LONGEST_SECONDS)
    length, due = time.monotonic() - began, installation.totals(unspoiled)
    for point in range(points):
        country = installation.new_country()
        first = installation.start_session(folder / "spoiled", country, dry_run=True)
        installation.finished_session(first, seconds=LONGEST_SECONDS)
        corrected = installation.correct(first, spoiled)
        for act in ("", "request_commit"):
            if act:
                installation.command("steer", act=act, session=corrected)
            until(partial(installation.is_processing, corrected), every=0.01, seconds=LONGEST_SECONDS)
            time.sleep(length * (point + 0.5) / points)
            if installation.is_processing(corrected):
                tally.count_injection()
                kill(installation.runner(corrected))
            ended = installation.finished_session(corrected, seconds=LONGEST_SECONDS)
        tally.compare(ended, found=installation.totals(country), due=due)
    return tally.figures


def power_cut(installation: Installation, folder: Path, expected: dict[str, Any]) -> Figures:
    """F3: kill every process of `make serve` while four sessions are unfinished, then start it again."""
    tally = Tally()
    for worker in installation.workers:
        worker.stop()
    environment = installation.environment() | {"PORT": str(free_port())}

    def serve() -> subprocess.Popen[bytes]:
        with (installation.folder / "serve.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "scripts/serve.py"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    first = serve()
    countries = [installation.new_country() for _ in range(4)]
    sessions = [installation.start_session(folder, country) for country in countries]
    until(lambda: installation.reader_processes(), every=0.01)
    installation.end_commands()
    for pid in processes_mentioning(str(installation.data)):
        kill(pid)
    first.wait()
    until(lambda: not processes_mentioning(str(installation.data)), name="the end of all processes")
    tally.count_injection()
    second = serve()
    for session, country in zip(sessions, countries, strict=True):
        tally.add(installation, session, country, expected)
    second.terminate()
    second.wait()
    return tally.figures


def messages_lost(installation: Installation, redis: Redis | None, folder: Path, *, waiting: int) -> Figures:
    """F6, F7: empty the broker while sessions wait, and measure how long until all of them are queued again."""
    for worker in installation.workers:
        worker.stop()
    sessions = [installation.start_session(folder, installation.new_country()) for _ in range(waiting)]
    queued_at = dict(installation.rows("SELECT id, rung_at FROM file_handling_importsession WHERE status = 'PENDING'"))
    if redis is not None:
        redis.empty()
    else:
        for message in (installation.data / "broker").glob("*.msg"):
            message.unlink()
    began = time.monotonic()
    # The intervals of a real installation, not the short ones of these trials.
    installation.settings |= {"SWEEP_SECONDS": "10", "RING_AGAIN_SECONDS": "30"}
    installation.start_worker(2)

    def all_queued_again() -> bool:
        now = dict(installation.rows("SELECT id, rung_at FROM file_handling_importsession"))
        return all(now[session] != queued_at[session] for session in sessions)

    until(all_queued_again, seconds=LONGEST_SECONDS)
    seconds = time.monotonic() - began
    ended = [installation.finished_session(session, seconds=LONGEST_SECONDS)["status"] for session in sessions]
    del installation.settings["SWEEP_SECONDS"], installation.settings["RING_AGAIN_SECONDS"]
    installation.workers[-1].stop()
    return {
        "waiting": waiting, "queued_again_within_seconds": round(seconds, 1),
        "ended": sum(status == "DONE" for status in ended),
    }  # fmt: skip


def killed_in_deliveries(installation: Installation, folder: Path, *, deliveries: int) -> Figures:
    """WH: kill a process of the worker in the middle of each delivery of a webhook, then let the receiver accept."""
    for worker in installation.workers:
        worker.stop()
    installation.settings |= {"OUTGOING_ALLOWED_HOSTS": "127.0.0.1"} | {
        f"WEBHOOK_{name}_SECONDS": seconds
        for name, seconds in {"READ": "2", "WHOLE": "2", "CLAIM": "4", "FIRST_WAIT": "0.1", "LONGEST_WAIT": "1"}.items()
    }
    # The process of the commands must know the settings, too.
    installation.end_commands()
    country, killed = installation.new_country(), 0
    waiting = "SELECT count(*) FROM notifications_webhookmessage WHERE state = 'pending'"
    with running_receiver() as receiver:
        installation.command("register_webhook", country=country, url=receiver.url)
        receiver.manner = "hang"
        worker = installation.start_worker(2)
        sessions = [installation.start_session(folder, country) for _ in range(deliveries)]
        for session in sessions:
            installation.finished_session(session, seconds=LONGEST_SECONDS)
            installation.command("steer", act="revert", session=session)
        while killed < deliveries:
            # Only the process that delivers: an idle one may hold a lock of the pool.
            delivering = until(
                lambda: installation.processes_connected_to(worker, receiver.port), every=0.02, seconds=LONGEST_SECONDS
            )
            kill(delivering[0])
            until(partial(has_ended, delivering[0]))
            killed += 1
        receiver.manner = "accept"
        until(lambda: installation.row(waiting)[0] == 0, seconds=LONGEST_SECONDS)
        first = [request.message["data"] for request in {one.uid: one for one in receiver.accepted()}.values()]
    told = {session: [data["status"] for data in first if data["import_session"] == session] for session in sessions}
    return {
        "injected": killed, "sessions": len(sessions), "ended": sum(len(statuses) == 2 for statuses in told.values()),
        "messages_lost": 2 * len(sessions) - len(first),
        "out_of_order": sum(statuses != sorted(statuses) for statuses in told.values()),
    }  # fmt: skip


def has_ended(pid: int) -> bool:
    return not is_alive(pid)


def overlapping(installation: Installation, folder: Path, *, pairs: int) -> Figures:
    """F10: pairs of sessions that share half of their claims, imported by two workers at once, in two countries."""
    countries = [installation.new_country(), installation.new_country()]
    sessions = []
    for number in range(pairs):
        for half in (0, 10):
            claims = range(20 * number + half, 20 * number + half + 20)
            made = make_numbered_pair(folder / f"{number}-{half}", claims=claims)
            sessions.append(installation.start_session(made, countries[number % 2]))
    installation.start_worker(1)
    installation.start_worker(1)
    statuses = [installation.finished_session(session, seconds=LONGEST_SECONDS) for session in sessions]
    lost = doubled = 0
    for parity, country in enumerate(countries):
        due = {f"NB{n:06d}" for number in range(parity, pairs, 2) for n in range(20 * number, 20 * number + 30)}
        found = installation.claim_numbers(country)
        lost += len(due - set(found))
        doubled += len(found) - len(set(found))
    installation.command("check_records")
    return {
        "pairs": pairs, "sessions": len(sessions), "ended": sum(one["status"] == "DONE" for one in statuses),
        "claims_lost": lost, "claims_doubled": doubled, "most_attempts": max(one["attempts"] for one in statuses),
    }  # fmt: skip


def stopped_inside_the_write(installation: Installation, folder: Path, expected: dict[str, Any]) -> Figures:
    """F11: stop a run inside its write until its lease expires and another run ends the session; then continue it."""
    tally, country = Tally(), installation.new_country()
    installation.running_worker(2)
    session = installation.start_session(folder, country)
    run = installation.stop_while_writing(session)
    tally.count_injection()
    tally.add(installation, session, country, expected)
    kill(run, signal.SIGCONT)
    until(lambda: not is_alive(run) or not installation.temporary_files(), seconds=LONGEST_SECONDS)
    tally.add(installation, session, country, expected)
    return tally.figures


def hostile(
    installation: Installation, folder: Path, honest: Path, expected: dict[str, Any], *, harmed: int
) -> Figures:
    """HF: harmful files in place of the stat file and of a recap page, uploaded over the API. Files that it refuses are
    stored without its checks, so that a worker reads every file. A good pair follows.
    """
    figures: Figures = dict.fromkeys(
        ("files", "refused_at_upload", "unanswered", "ended_in_error", "ended_otherwise", "hung", "slowest_seconds",
         "worker_deaths"), 0,
    )  # fmt: skip
    worker, country = installation.running_worker(2), installation.new_country()
    for kind, pair in hostile_pairs(folder, honest, expected["files"], harmed=harmed):
        figures["files"] += 1
        answer = installation.command("upload", folder=str(pair), country=country)
        if answer["status"] not in (202, 400, 413):
            figures["unanswered"] += 1
            print(f"     {kind} {pair.name}: {answer['status']}", flush=True)
            continue
        refused = answer["status"] != 202
        figures["refused_at_upload"] += refused
        began = time.monotonic()
        session = installation.start_session(pair, country) if refused else answer["answer"]["id"]
        try:
            ended = installation.finished_session(session, seconds=120)
        except WaitTimeout:
            figures["hung"] += 1
            print(f"     {kind} {pair.name}: not ended", flush=True)
            continue
        seconds = round(time.monotonic() - began, 1)
        figures["slowest_seconds"] = max(figures["slowest_seconds"], seconds)
        figures["ended_in_error" if ended["status"] == "ERROR" else "ended_otherwise"] += 1
        if ended["attempts"] > 1 or seconds > SLOW_SECONDS or not ended["message"]:
            details = f"{ended['attempts']} attempts, {seconds} s, {ended['message'][:80]!r}"
            print(f"     {kind} {pair.name}: {details}", flush=True)
        shutil.rmtree(pair)
    # A process ends by itself after fifty tasks, without a log line; the worker logs a process that dies.
    figures["worker_deaths"] = worker.log_text().count("exited with") + (not is_alive(worker.pid))
    tally, country = Tally(), installation.new_country()
    tally.add(installation, installation.start_session(honest, country), country, expected)
    return figures | {name: tally.figures[name] for name in ("sessions", "ended", "claims_lost", "claims_doubled")}


def database_restarts(folder: Path, expected: dict[str, Any], redis: Redis, where: Path, *, times: int) -> Figures:
    """F8: `pg_ctl restart -m immediate` at several moments of an import."""
    server, tally, partly = PostgreSQL(), Tally(), 0
    try:
        server.start()
        installation = Installation(where, database=server.url, redis_url=redis.url)
        try:
            installation.command("migrate")
            for point in range(times):
                country, _ = installation.new_country(), installation.running_worker(1)
                session = installation.start_session(folder, country)
                until(partial(installation.is_processing, session), every=0.01)
                if point % 2:
                    run = installation.stop_while_writing(session)
                    server.restart_immediately()
                    partly += installation.totals(country) not in (NO_CLAIMS, expected_totals(expected))
                    kill(run, signal.SIGCONT)
                else:
                    time.sleep(0.5 * point)
                    server.restart_immediately()
                    partly += installation.totals(country) not in (NO_CLAIMS, expected_totals(expected))
                tally.count_injection()
                tally.add(installation, session, country, expected)
        finally:
            installation.close()
    finally:
        server.stop()
    return tally.figures | {"partly_written": partly}


@contextlib.contextmanager
def migrated_installation(folder: Path, *, database: str, redis: Redis | None) -> Iterator[Installation]:
    installation = Installation(folder, database=database, redis_url=redis.url if redis else "")
    try:
        installation.command("migrate")
        yield installation
    finally:
        installation.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--claims", type=int, default=40_000, help="claims of the large pair (40,000: 105,000 lines)")
    options.add_argument("--points", type=int, default=20, help="moments at which the run is killed (F1)")
    options.add_argument("--pairs", type=int, default=50, help="overlapping pairs (F10)")
    options.add_argument("--waiting", type=int, default=20, help="sessions that wait while the broker is emptied (F6)")
    options.add_argument("--deliveries", type=int, default=10, help="deliveries in which a worker is killed (WH)")
    options.add_argument("--harmed", type=int, default=25, help="damaged copies of each good file (HF, harmful files)")
    options.add_argument("--only", default="", help="faults to inject, such as F1,F3")
    arguments = options.parse_args()
    only = set(filter(None, arguments.only.split(",")))
    results: dict[str, Figures] = {}

    def trial(fault: str, place: str, run: Callable[[], Figures]) -> None:
        if only and fault not in only:
            return
        began = time.monotonic()
        figures = run()
        results[f"{fault} {place}"] = figures
        line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
        print(f"{fault:<4} {place:<11} {line}  ({time.monotonic() - began:.0f} s)", flush=True)

    with tempfile.TemporaryDirectory(prefix="concord-faults-") as base, contextlib.ExitStack() as opened:
        work = Path(base)
        work.chmod(0o755)
        large, small = work / "large", work / "small"
        expected = make_pair(large, claims=arguments.claims, seed=11, pages=12 if arguments.claims > 5000 else 2)
        few = make_pair(small, claims=2000, seed=12, pages=2)
        tiny = make_numbered_pair(work / "tiny", claims=range(10))
        spoiled = make_spoiled_pair(work / "corrected", claims=6000, cells=200, rows=20)
        places: list[tuple[str, str, Redis | None]] = [("sqlite", "", None)]
        server = os.environ.get("TEST_DATABASE_URL", "")
        redis: Redis | None = None
        if server.startswith("postgres") and Redis.is_installed():
            (work / "redis").mkdir()
            redis = Redis(work / "redis").start()
            opened.callback(redis.stop)
            places.append(("postgresql", opened.enter_context(temporary_database(server=server)), redis))
        for place, database, broker in places:
            folder = work / place
            folder.mkdir()
            with migrated_installation(folder, database=database, redis=broker) as installation:
                trial(
                    "F1", place, partial(killed_at_many_points, installation, large, expected, points=arguments.points)
                )
                trial(
                    "CO", place, partial(killed_while_correcting, installation, work / "corrected", spoiled, points=6)
                )
                trial("F3", place, partial(power_cut, installation, small, few))
                trial("F6", place, partial(messages_lost, installation, broker, tiny, waiting=arguments.waiting))
                trial("WH", place, partial(killed_in_deliveries, installation, tiny, deliveries=arguments.deliveries))
                trial("F11", place, partial(stopped_inside_the_write, installation, small, few))
                trial(
                    "HF", place, partial(hostile, installation, folder / "hostile", small, few, harmed=arguments.harmed)
                )
                trial("F10", place, partial(overlapping, installation, work / f"{place}-pairs", pairs=arguments.pairs))
        if redis is not None and PostgreSQL.programs() is not None:
            (work / "f8").mkdir()
            trial("F8", "postgresql", partial(database_restarts, small, few, redis, work / "f8", times=6))
    print(json.dumps(results))
    bad = (
        "claims_lost", "claims_doubled", "sums_wrong", "summaries_wrong", "partly_written",
        "unanswered", "hung", "worker_deaths", "messages_lost", "out_of_order",
    )  # fmt: skip
    if any(figures.get(name) for figures in results.values() for name in bad) or any(
        figures["ended"] != figures.get("sessions", figures.get("waiting")) for figures in results.values()
    ):
        sys.exit("Something was lost, doubled or did not end.")


if __name__ == "__main__":
    main()
