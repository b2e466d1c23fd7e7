"""An installation of its own to break things in: data folder, database, queue, and real worker processes.

Nothing here is a stand-in: workers are `celery -A config worker`, killed and stopped by signals, and what became of a
session is read from its database.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
# A lease that is over soon, so that a test need not wait a minute for it.
LEASE = {"LEASE_SECONDS": "3", "HEARTBEAT_SECONDS": "1", "SWEEP_SECONDS": "1", "RING_AGAIN_SECONDS": "2"}
SECRET = secrets.token_urlsafe(50)
UNFINISHED = ("PENDING", "PROCESSING")
# Claims of a pair whose write lasts long enough to be met in the middle, also by a test on a busy machine.
WRITTEN_FOR_LONG = 6000


class TooLong(AssertionError):
    """What was waited for did not come."""


def until(what: Callable[[], Any], *, seconds: float = 30, every: float = 0.05, name: str = "") -> Any:
    """What `what` returns, once that is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise TooLong(f"{name or what} did not come within {seconds} s")
        time.sleep(every)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------------------------------------------ processes


def process_state(pid: int) -> str:
    """One letter as in /proc (R, S, T, Z …), empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def alive(pid: int) -> bool:
    return process_state(pid) not in ("", "Z")


def children(pid: int) -> list[int]:
    """Its child processes, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[1] == str(pid) and fields[0] != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def descendants(pid: int) -> list[int]:
    return [one for child in children(pid) for one in (child, *descendants(child))]


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def processes_naming(text: str) -> list[int]:
    """Living processes whose command line or environment has `text` in it: those of one installation, by its folder."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in said and alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Worker:
    """A Celery worker with its pool, in a process group of its own."""

    def __init__(self, installation: Installation, *, processes: int) -> None:
        self.log = installation.folder / f"worker-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "--quiet", "--app", "config", "worker", "--loglevel", "INFO",
                 "--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency", str(processes)],
                cwd=ROOT, env=installation.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """As the kernel would, short of memory, and the same for all it started: `kill -9` of everything."""
        everyone = [self.pid, *descendants(self.pid)]
        for pid in everyone:
            kill(pid)
        self.process.wait()

    def kill_parent(self) -> None:
        """Kill the worker's own process alone."""
        kill(self.pid)
        self.process.wait()

    def stop(self) -> None:
        """As an administrator would: what is under way may end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


# ------------------------------------------------------------------------------------------------ the installation


class Installation:
    """One installation. `database`: a PostgreSQL URL, or empty for SQLite; `redis_url` empty: the spool folder."""

    def __init__(
        self, folder: Path, *, data: Path | None = None, database: str = "", redis_url: str = "", **settings: str
    ) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.data = data or folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.database = database or f"sqlite:///{folder / 'db.sqlite3'}"
        self.settings = settings
        self._inside: subprocess.Popen[str] | None = None
        self.workers: list[Worker] = []
        self._countries = 0

    @property
    def on_postgresql(self) -> bool:
        return self.database.startswith("postgres")

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
        return kept | LEASE | {
            "DATA_DIR": str(self.data), "DATABASE_URL": self.database, "REDIS_URL": self.redis_url,
            "KEY_PREFIX": f"faults-{self.folder.name}", "SECRET_KEY": SECRET, "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2", "THROTTLE_UPLOAD": "10000/hour",
        } | self.settings  # fmt: skip

    # -------------------------------------------------------------------------------------------- acting

    def do(self, what: str, **asked: Any) -> Any:
        """Have a process of this installation do one of the commands of `inside`."""
        if self._inside is None:
            with (self.folder / "inside.log").open("ab") as log:
                self._inside = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.remote_commands"],
                    cwd=ROOT, env=self.environment(), text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                )  # fmt: skip
        assert self._inside.stdin is not None
        assert self._inside.stdout is not None
        self._inside.stdin.write(json.dumps({"do": what, **asked}) + "\n")
        self._inside.stdin.flush()
        said = json.loads(self._inside.stdout.readline() or '{"error": "the process ended"}')
        if "error" in said:
            raise AssertionError(f"{what}: {said['error']}")
        return said["result"]

    def start(self, folder: Path, country: str = "TG", **asked: Any) -> int:
        """A session of the pair in `folder`; → its id."""
        return int(self.do("start", folder=str(folder), country=country, **asked)["id"])

    def new_country(self) -> str:
        """The code of a country that holds nothing yet."""
        self._countries += 1
        return f"C{self._countries}"

    def a_worker(self, processes: int = 2) -> Worker:
        """The worker that still lives, or a new one."""
        living = [worker for worker in self.workers if worker.process.poll() is None]
        return living[-1] if living else self.worker(processes)

    def worker(self, processes: int = 1, *, wait: bool = True) -> Worker:
        worker = Worker(self, processes=processes)
        self.workers.append(worker)
        if wait:
            until(lambda: self.pool(worker), seconds=30, name="the worker's pool")
        return worker

    def pool(self, worker: Worker) -> list[int]:
        """The processes in which the worker's tasks run."""
        return [pid for pid in children(worker.pid) if "celery" in command_line(pid)]

    def readers(self) -> list[int]:
        """The processes that read files for this installation."""
        return [pid for pid in processes_naming(str(self.data)) if "reading.child" in command_line(pid)]

    def sweepers(self) -> list[int]:
        """The processes that ring again, one for each worker."""
        return [pid for pid in processes_naming(str(self.data)) if "manage.py sweep" in command_line(pid)]

    def leave(self) -> None:
        """End the process that `do` speaks to."""
        if self._inside is not None:
            self._inside.kill()
            self._inside.communicate()
            self._inside = None

    def close(self) -> None:
        """End whatever this installation still runs."""
        self.leave()
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        for pid in processes_naming(str(self.data)):
            kill(pid)

    # -------------------------------------------------------------------------------------------- looking

    @contextlib.contextmanager
    def connection(self, *, patience: float = 10) -> Iterator[Any]:
        """A connection of the test's own, in autocommit; on SQLite it waits so many seconds for a lock."""
        if self.on_postgresql:
            import psycopg

            with psycopg.connect(self.database, autocommit=True) as connection:
                yield connection
        else:
            with contextlib.closing(
                sqlite3.connect(self.database.removeprefix("sqlite:///"), isolation_level=None, timeout=patience)
            ) as connection:
                yield connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection() as connection:
            return list(connection.execute(query).fetchall())

    def row(self, query: str) -> tuple[Any, ...]:
        (row,) = self.rows(query)
        return row

    def session(self, session_id: int) -> dict[str, Any]:
        names = ("status", "message", "attempts", "lease_token", "progress", "error_file", "log_file_path",
                 "written_at", "claims_created_count", "summary", "rung_at", "runner")  # fmt: skip
        found = dict(
            zip(
                names,
                self.row(f"SELECT {', '.join(names)} FROM file_handling_importsession WHERE id = {session_id}"),
                strict=True,
            )
        )
        if isinstance(found["summary"], str):
            found["summary"] = json.loads(found["summary"])
        return found

    def status(self, session_id: int) -> str:
        return str(self.session(session_id)["status"])

    def runner(self, session_id: int) -> int:
        """The process that holds the session, as it said when it claimed it."""
        return int(self.session(session_id)["runner"].split("|")[1])

    def steps(self, session_id: int) -> list[str]:
        query = f"SELECT step FROM file_handling_sessionevent WHERE session_id = {session_id} ORDER BY sequence"
        return [step for (step,) in self.rows(query)]

    def runs(self, session_id: int) -> bool:
        return self.status(session_id) == "PROCESSING"

    def reached(self, session_id: int, step: str) -> None:
        """Wait until the session tells of `step`."""
        until(lambda: step in self.steps(session_id), name=f"step {step}", every=0.01)

    def ended(self, session_id: int, *, seconds: float = 60) -> dict[str, Any]:
        """The session's row once it has ended."""
        until(lambda: self.status(session_id) not in UNFINISHED, seconds=seconds, name=f"the end of {session_id}")
        return self.session(session_id)

    def unfinished(self) -> int:
        return int(
            self.row("SELECT count(*) FROM file_handling_importsession WHERE status IN ('PENDING', 'PROCESSING')")[0]
        )

    def totals(self, country: str = "TG") -> dict[str, Any]:
        """What the country holds: claims, their lines and sums, and how many numbers they bear."""
        claims, numbers, claimed, reimbursed, lines = self.row(
            "SELECT count(*), count(DISTINCT number), coalesce(sum(claimed_amount), 0),"
            " coalesce(sum(reimbursed_amount), 0), (SELECT count(*) FROM core_claimline l"
            " JOIN core_claim k ON k.id = l.claim_id WHERE k.country_id = min(c.country_id))"
            f" FROM core_claim c WHERE country_id = (SELECT id FROM users_country WHERE code = '{country}')"
        )
        return {
            "claims": claims, "numbers": numbers, "lines": lines,
            "claimed": _money(claimed), "reimbursed": _money(reimbursed),
        }  # fmt: skip

    def claim_numbers(self, country: str) -> list[str]:
        query = (
            f"SELECT c.number FROM core_claim c JOIN users_country k ON k.id = c.country_id WHERE k.code = '{country}'"
        )
        return [number for (number,) in self.rows(query)]

    def leftovers(self) -> list[str]:
        """What runs left in the folder for temporary files."""
        return sorted(path.name for path in (self.data / "tmp").iterdir())

    # -------------------------------------------------------------------------------------------- the write lock

    def is_writing(self, session_id: int) -> bool:
        """Whether a run of the session is inside its write transaction at this moment."""
        if self.on_postgresql:
            return bool(
                self.rows(
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                    f" AND application_name LIKE 'concord-write-{session_id}-%'"
                )
            )
        # A run's small writes, of events and heartbeats, end at once; its large one stays.
        return "plan" in self.steps(session_id) and all(self._is_locked(wait) for wait in (0.0, 0.01, 0.02))

    def _is_locked(self, wait: float) -> bool:
        time.sleep(wait)
        with self.connection(patience=0) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False

    def stop_while_writing(self, session_id: int) -> int:
        """Stop the run's process while it is inside its write transaction, and see that it is; → its pid."""
        pid = 0

        def stopped_inside() -> bool:
            nonlocal pid
            if not self.is_writing(session_id):
                assert self.status(session_id) in UNFINISHED, "the run was faster than the test"
                return False
            pid = self.runner(session_id)
            kill(pid, signal.SIGSTOP)
            until(lambda: process_state(pid) == "T")
            if self.is_writing(session_id):
                return True
            kill(pid, signal.SIGCONT)
            return False

        until(stopped_inside, every=0.005, name="a run inside its write")
        return pid


MakeInstallation = Callable[..., Installation]
Pair = tuple[Path, dict[str, Any]]
Pairs = Callable[..., Pair]


def _money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def expected_totals(expected: dict[str, Any]) -> dict[str, Any]:
    """What a country must hold when nothing but this pair was imported into it."""
    due = expected["importable"]
    return {
        "claims": due["claims"], "numbers": due["claims"], "lines": due["lines"],
        "claimed": _money(due["claimed"]), "reimbursed": _money(due["reimbursed"]),
    }  # fmt: skip


NOTHING = {"claims": 0, "numbers": 0, "lines": 0, "claimed": _money(0), "reimbursed": _money(0)}


def expected_summary(expected: dict[str, Any]) -> dict[str, Any]:
    """`expected.json` as a session's summary shows it: amounts compare as numbers."""
    return _plain({name: value for name, value in expected.items() if name not in ("category_of", "files")})


def told_summary(session: dict[str, Any]) -> dict[str, Any]:
    return _plain(session["summary"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    with contextlib.suppress(ArithmeticError):
        return Decimal(str(value)) + 0
    return value


# ------------------------------------------------------------------------------------------------ databases


@contextlib.contextmanager
def own_database(*, server: str, template: str = "") -> Iterator[str]:
    """A PostgreSQL database that goes again; `server`: URL of any database of the server. → its URL."""
    import psycopg

    name = f"faults_{os.getpid()}_{time.monotonic_ns() % 10**9}"
    base = server.rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        try:
            yield f"{base}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Redis:
    """A Redis of the tests' own, which may be stopped, paused and emptied."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_there() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> Redis:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self.answers, name="Redis")
        return self

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pause(self) -> None:
        """It takes connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def empty(self) -> None:
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class PostgreSQL:
    """A PostgreSQL of the tests' own, which may be restarted."""

    def __init__(self) -> None:
        # A folder that the account it runs as can reach.
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="faults-pg-")), free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @staticmethod
    def programs() -> Path | None:
        """Where the server's programs are; None where there is no server to start."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
        if found:
            return found[-1].parent
        path = shutil.which("pg_ctl")
        return Path(path).parent if path else None

    def _run(self, program: str, *arguments: str) -> None:
        programs = self.programs()
        assert programs is not None
        # The server refuses to run as root.
        who = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*who, str(programs / program), "-D", str(self.folder / "pg"), *arguments],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip

    def start(self) -> PostgreSQL:
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        return self

    def restart_at_once(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-l", str(self.folder / "log"), "restart")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """`folder` on a disk of that size. Raises PermissionError where this account may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "concord-faults", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        raise PermissionError("this account may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full_disk(folder: Path, *, leaving: int = 0) -> Iterator[None]:
    """The small disk at `folder` filled up, but for `leaving` bytes."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    with filler.open("wb") as target, contextlib.suppress(OSError):
        target.write(b"\0" * max(0, free - leaving))
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)
