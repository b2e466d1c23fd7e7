"""A separate installation for tests of faults: data folder, database, queue and real worker processes.

Nothing is simulated: workers are `celery -A config worker`, signals kill and stop them, and the state of a session is
read from the database of the installation.
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

import psutil
import psycopg
import redis

from file_handling import wording
from samples.spoiling import SpoiledPair
from tests.support.spoiled_pairs import corrections_of

ROOT = Path(__file__).resolve().parent.parent.parent
# Short times, so that a test does not wait a minute for the end of a lease.
LEASE = {"LEASE_SECONDS": "3", "HEARTBEAT_SECONDS": "1", "SWEEP_SECONDS": "1", "RING_AGAIN_SECONDS": "2"}
SECRET = secrets.token_urlsafe(50)
UNFINISHED = ("PENDING", "PROCESSING")
# Number of claims whose write lasts long enough for a test to act in the middle, on a busy machine too.
LONG_WRITE_CLAIMS = 6000


class WaitTimeout(AssertionError):
    """A condition did not become true in time."""


def until(condition: Callable[[], Any], *, seconds: float = 30, every: float = 0.05, name: str = "") -> Any:
    """Wait until `condition` returns something true; → that."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise WaitTimeout(f"{name or condition} did not come within {seconds} s")
        time.sleep(every)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------------------------------------------ processes


def process_status(pid: int) -> str:
    """Status as psutil names it (`psutil.STATUS_STOPPED` …), empty when there is no such process."""
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return ""


def is_alive(pid: int) -> bool:
    return process_status(pid) not in ("", psutil.STATUS_ZOMBIE)


def children(pid: int, *, recursive: bool = False) -> list[int]:
    """Child processes without zombies."""
    try:
        found = psutil.Process(pid).children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []
    return sorted(child.pid for child in found if is_alive(child.pid))


def command_line(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def processes_mentioning(text: str) -> list[int]:
    """Living processes with `text` in their command line or environment. The folder of an installation finds its own.

    Read from /proc directly: tests poll this to meet processes that live for half a second.
    """
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            content = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in content and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def _reads_files(pid: int) -> bool:
    command = command_line(pid)
    if "reading.fork_server" not in command:
        return "reading.child" in command
    with contextlib.suppress(psutil.Error):
        return "reading.fork_server" in command_line(psutil.Process(pid).ppid())
    return False


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Worker:
    """A Celery worker and its pool, in a process group of its own."""

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

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """`kill -9` for the worker and all its children."""
        for pid in [self.pid, *children(self.pid, recursive=True)]:
            kill(pid)
        self.process.wait()

    def kill_parent(self) -> None:
        """Kill the main process of the worker only."""
        kill(self.pid)
        self.process.wait()

    def stop(self) -> None:
        """Stop the worker as an administrator does: running tasks may end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


# ------------------------------------------------------------------------------------------------ the installation


class Installation:
    """`database`: a PostgreSQL URL, or empty for SQLite. `redis_url`: empty for the spool folder."""

    def __init__(
        self, folder: Path, *, data: Path | None = None, database: str = "", redis_url: str = "", **settings: str
    ) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.data = data or folder / "data"
        self._temporary = self.data.with_name(f"{self.data.name}-temporary")
        for one in (self.data, self._temporary):
            one.mkdir(parents=True, exist_ok=True)
        self.database = database or f"sqlite:///{folder / 'db.sqlite3'}"
        self.settings = settings
        self._commands: subprocess.Popen[str] | None = None
        self.workers: list[Worker] = []
        self._countries = 0

    @property
    def on_postgresql(self) -> bool:
        return self.database.startswith("postgres")

    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
        return inherited | LEASE | {
            "DATA_DIR": str(self.data), "DATABASE_URL": self.database, "REDIS_URL": self.redis_url,
            "KEY_PREFIX": f"faults-{self.folder.name}", "SECRET_KEY": SECRET, "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2", "THROTTLE_UPLOAD": "10000/hour",
            # The fork server of reading has few variables of its caller; by this one it belongs to the installation.
            "TMPDIR": str(self._temporary),
        } | self.settings  # fmt: skip

    # -------------------------------------------------------------------------------------------- actions

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a command of `remote_commands` in a process of this installation; → its result."""
        if self._commands is None:
            with (self.folder / "commands.log").open("ab") as log:
                self._commands = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.remote_commands"],
                    cwd=ROOT, env=self.environment(), text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                )  # fmt: skip
        assert self._commands.stdin is not None
        assert self._commands.stdout is not None
        self._commands.stdin.write(json.dumps({"command": name, **arguments}) + "\n")
        self._commands.stdin.flush()
        answer = json.loads(self._commands.stdout.readline() or '{"error": "the process ended"}')
        if "error" in answer:
            raise AssertionError(f"{name}: {answer['error']}")
        return answer["result"]

    def start_session(self, folder: Path, country: str = "TG", **options: Any) -> int:
        """Create a session from the pair in `folder`; → its id."""
        return int(self.command("start_session", folder=str(folder), country=country, **options)["id"])

    def correct(self, session_id: int, spoiled: SpoiledPair) -> int:
        """Start the session in which all that was spoiled is put right; → its id."""
        body = corrections_of(spoiled, **self.command("files_of", session=session_id))
        return int(self.command("correct", session=session_id, body=body))

    def new_country(self) -> str:
        """The code of a country without records."""
        self._countries += 1
        return f"C{self._countries}"

    def running_worker(self, processes: int = 2) -> Worker:
        """A worker that is running already, or a new one."""
        living = [worker for worker in self.workers if worker.process.poll() is None]
        return living[-1] if living else self.start_worker(processes)

    def start_worker(self, processes: int = 1, *, wait: bool = True) -> Worker:
        worker = Worker(self, processes=processes)
        self.workers.append(worker)
        if wait:
            until(lambda: self.pool_processes(worker), seconds=30, name="the worker's pool")
        return worker

    def pool_processes(self, worker: Worker) -> list[int]:
        """The processes that run the tasks of the worker."""
        return [pid for pid in children(worker.pid) if "celery" in command_line(pid)]

    def processes_connected_to(self, worker: Worker, port: int) -> list[int]:
        """Those of them that have a connection to a port of this machine."""
        connected = []
        for pid in self.pool_processes(worker):
            with contextlib.suppress(psutil.NoSuchProcess):
                connections = psutil.Process(pid).net_connections()
                connected += [pid for connection in connections if connection.raddr and connection.raddr.port == port]
        return connected

    def reader_processes(self) -> list[int]:
        """The processes of this installation that read files: started anew, or forked by the fork server."""
        return [pid for pid in processes_mentioning(str(self.data)) if _reads_files(pid)]

    def sweeper_processes(self) -> list[int]:
        """The sweepers, one for each worker."""
        return [pid for pid in processes_mentioning(str(self.data)) if "manage.py sweep" in command_line(pid)]

    def end_commands(self) -> None:
        """End the process that runs the commands."""
        if self._commands is not None:
            self._commands.kill()
            self._commands.communicate()
            self._commands = None

    def close(self) -> None:
        """End all processes of this installation."""
        self.end_commands()
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        for pid in processes_mentioning(str(self.data)):
            kill(pid)

    # -------------------------------------------------------------------------------------------- state

    @contextlib.contextmanager
    def connection(self, *, lock_seconds: float = 10) -> Iterator[Any]:
        """A separate connection in autocommit mode. `lock_seconds`: how long it waits for a lock on SQLite."""
        if self.on_postgresql:
            with psycopg.connect(self.database, autocommit=True) as connection:
                yield connection
        else:
            with contextlib.closing(
                sqlite3.connect(self.database.removeprefix("sqlite:///"), isolation_level=None, timeout=lock_seconds)
            ) as connection:
                yield connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection() as connection:
            return list(connection.execute(query).fetchall())

    def row(self, query: str) -> tuple[Any, ...]:
        (row,) = self.rows(query)
        return row

    def session(self, session_id: int) -> dict[str, Any]:
        names = ("status", "message_parts", "attempts", "lease_token", "progress", "error_file", "log_file_path",
                 "written_at", "claims_created_count", "summary", "rung_at", "runner")  # fmt: skip
        found = dict(
            zip(
                names,
                self.row(f"SELECT {', '.join(names)} FROM file_handling_importsession WHERE id = {session_id}"),
                strict=True,
            )
        )
        for name in ("summary", "message_parts"):
            if isinstance(found[name], str):
                found[name] = json.loads(found[name])
        return found | {"message": wording.message(found["message_parts"])}

    def status(self, session_id: int) -> str:
        return str(self.session(session_id)["status"])

    def runner(self, session_id: int) -> int:
        """The process that runs the session, as noted when it claimed the session."""
        return int(self.session(session_id)["runner"].split("|")[1])

    def steps(self, session_id: int) -> list[str]:
        query = f"SELECT step FROM file_handling_sessionevent WHERE session_id = {session_id} ORDER BY sequence"
        return [step for (step,) in self.rows(query)]

    def is_processing(self, session_id: int) -> bool:
        return self.status(session_id) == "PROCESSING"

    def finished_session(self, session_id: int, *, seconds: float = 180) -> dict[str, Any]:
        """Wait until the session has ended; → its row."""
        until(lambda: self.status(session_id) not in UNFINISHED, seconds=seconds, name=f"the end of {session_id}")
        return self.session(session_id)

    def count_unfinished(self) -> int:
        return int(
            self.row("SELECT count(*) FROM file_handling_importsession WHERE status IN ('PENDING', 'PROCESSING')")[0]
        )

    def totals(self, country: str = "TG") -> dict[str, Any]:
        """Of one country: numbers of claims, of different claim numbers and of lines, and the sums of the claims."""
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

    def temporary_files(self) -> list[str]:
        """Names in the folder for temporary files, which runs empty when they end."""
        return sorted(path.name for path in (self.data / "tmp").iterdir())

    # -------------------------------------------------------------------------------------------- the write lock

    def is_writing(self, session_id: int) -> bool:
        """Whether a run of the session is in its write transaction now."""
        if self.on_postgresql:
            return bool(
                self.rows(
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                    f" AND application_name LIKE 'concord-write-{session_id}-%'"
                )
            )
        # The small writes of a run (events, heartbeats) end at once, the large one lasts.
        return "plan" in self.steps(session_id) and all(self._is_locked(wait) for wait in (0.0, 0.01, 0.02))

    def _is_locked(self, wait: float) -> bool:
        time.sleep(wait)
        with self.connection(lock_seconds=0) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False

    def stop_while_writing(self, session_id: int) -> int:
        """Stop the process of the run while it is in its write transaction; → its pid."""
        pid = 0

        def is_stopped_in_write() -> bool:
            nonlocal pid
            if not self.is_writing(session_id):
                assert self.status(session_id) in UNFINISHED, "the run was faster than the test"
                return False
            pid = self.runner(session_id)
            kill(pid, signal.SIGSTOP)
            until(lambda: process_status(pid) == psutil.STATUS_STOPPED)
            if self.is_writing(session_id):
                return True
            kill(pid, signal.SIGCONT)
            return False

        until(is_stopped_in_write, every=0.005, seconds=120, name="a run in its write transaction")
        return pid


MakeInstallation = Callable[..., Installation]
Pair = tuple[Path, dict[str, Any]]
Pairs = Callable[..., Pair]


def _money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def expected_totals(expected: dict[str, Any]) -> dict[str, Any]:
    """`Installation.totals` of a country into which only this pair was imported."""
    due = expected["importable"]
    return {
        "claims": due["claims"], "numbers": due["claims"], "lines": due["lines"],
        "claimed": _money(due["claimed"]), "reimbursed": _money(due["reimbursed"]),
    }  # fmt: skip


NO_CLAIMS = {"claims": 0, "numbers": 0, "lines": 0, "claimed": _money(0), "reimbursed": _money(0)}


def expected_summary(expected: dict[str, Any]) -> dict[str, Any]:
    """`expected.json` in the form of the summary of a session. Amounts compare as numbers."""
    return _plain({name: value for name, value in expected.items() if name not in ("category_of", "figures", "files")})


def stored_summary(session: dict[str, Any]) -> dict[str, Any]:
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
def temporary_database(*, server: str, template: str = "") -> Iterator[str]:
    """A PostgreSQL database, dropped at the end. `server`: URL of any database of the server. → its URL."""
    name = f"faults_{os.getpid()}_{time.monotonic_ns() % 10**9}"
    base = server.rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        try:
            yield f"{base}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Redis:
    """A Redis for tests alone, which they may stop, pause and empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> Redis:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self.is_listening, name="Redis")
        return self

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pause(self) -> None:
        """Redis accepts connections and does not answer."""
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
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class PostgreSQL:
    """A PostgreSQL for tests alone, which they may restart."""

    def __init__(self) -> None:
        # A folder that the account of the server can reach.
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="faults-pg-")), free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @staticmethod
    def programs() -> Path | None:
        """The folder with the programs of the server; None where PostgreSQL is not installed."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
        if found:
            return found[-1].parent
        path = shutil.which("pg_ctl")
        return Path(path).parent if path else None

    def _run(self, program: str, *arguments: str) -> None:
        programs = self.programs()
        assert programs is not None
        # The server refuses to run as root.
        as_account = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*as_account, str(programs / program), "-D", str(self.folder / "pg"), *arguments],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip

    def start(self) -> PostgreSQL:
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        return self

    def restart_immediately(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-l", str(self.folder / "log"), "restart")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """`folder` on a disk of that size. Raises PermissionError where the account may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "concord-faults", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        raise PermissionError("The account may not mount a small disk.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full_disk(folder: Path, *, leaving: int = 0) -> Iterator[None]:
    """The disk of `folder` is full except for `leaving` bytes."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    with filler.open("wb") as target, contextlib.suppress(OSError):
        target.write(b"\0" * max(0, free - leaving))
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)
