"""`make live-load`: many watchers of one session on this machine: memory of the ASGI process, delay, nothing lost.

Half of them hold a server-sent stream, half a WebSocket. The installation is a temporary one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import django
import psutil
from django.core.management import call_command
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from scripts.bench.memory import PeakMemory
from scripts.serve import port_is_free

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
LIMIT_MB = 200
# Watchers of one account: below the default of LIVE_ACCOUNT_WATCHERS.
OF_ACCOUNT = 10
START_SECONDS = 60
# Connections that are opened at the same time.
AT_ONCE = 25


@dataclass
class Watcher:
    """`seen`: sequence of an event → its arrival, in the order of arrival. `repeated`: events that came twice."""

    account: int
    kind: str
    seen: dict[int, float] = field(default_factory=dict)
    repeated: int = 0
    closed: float = 0.0

    def note(self, sequence: int) -> None:
        self.repeated += sequence in self.seen
        self.seen[sequence] = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20, help="for so long an event comes every second")
    options = parser.parse_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="concord-live-") as folder:
        # Whatever the environment names: these records must never reach real data.
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "DEBUG", "BEHIND_TLS", "ALLOWED_HOSTS"):
            os.environ.pop(name, None)
        os.environ |= {
            "DATA_DIR": folder,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        with served() as (port, process):
            return asyncio.run(measure(port, process, number=options.watchers, seconds=options.seconds))


@contextmanager
def served() -> Iterator[tuple[int, psutil.Process]]:
    """The ASGI process, started as by `make serve`; → its port, and the process."""
    port = next(port for port in range(8700, 8800) if port_is_free(host=HOST, port=port))
    process = subprocess.Popen(
        [sys.executable, "-m", "config.live_server"],
        cwd=BASE_DIR,
        env=os.environ | {"BIND": HOST, "LIVE_PORT": str(port)},
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while port_is_free(host=HOST, port=port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The ASGI process did not start.")
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


async def measure(port: int, process: psutil.Process, *, number: int, seconds: int) -> int:
    """Prints the figures; → 0, or 1 when the memory is above the limit or an event was lost or came twice."""
    # Models need Django, which is set up once the environment is.
    from importer import events

    session, tokens, deactivate = await asyncio.to_thread(make_records, -(-number // OF_ACCOUNT))
    idle = process.memory_full_info().pss / 2**20
    watchers = [Watcher(at // OF_ACCOUNT, ("stream", "socket")[at % 2]) for at in range(number)]
    with PeakMemory(process, every=0.5) as memory:
        began = time.monotonic()
        room = asyncio.Semaphore(AT_ONCE)
        opened = [asyncio.Event() for _ in watchers]
        tasks = [
            asyncio.create_task(watch(one, port, session, tokens[one.account], room, is_open))
            for one, is_open in zip(watchers, opened, strict=True)
        ]
        await asyncio.wait_for(asyncio.gather(*(one.wait() for one in opened)), START_SECONDS)
        connected = time.monotonic() - began
        used = process.cpu_times()
        written: dict[int, float] = {}
        for _ in range(seconds):
            event = await asyncio.to_thread(
                events.append, session, step="read", code="reading", progress=50, data={"pages": 1}
            )
            written[event.sequence] = time.monotonic()
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        after = process.cpu_times()
        processor = after.user + after.system - used.user - used.system
        ended = time.monotonic()
        await asyncio.to_thread(deactivate)
        cut = [one for one in watchers if one.account == 0]
        while not all(one.closed for one in cut) and time.monotonic() - ended < 40:
            await asyncio.sleep(0.1)
        resident = process.memory_info().rss / 2**20
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays = [max(one.seen.get(sequence, 1e9) for one in watchers) - at for sequence, at in written.items()]
    lost = sum(len(written.keys() - one.seen.keys()) for one in watchers)
    disordered = sum(list(one.seen) != sorted(one.seen) for one in watchers)
    repeated = sum(one.repeated for one in watchers)
    closing = max(one.closed for one in cut) - ended if all(one.closed for one in cut) else float("inf")
    wrongly_closed = sum(bool(one.closed) for one in watchers if one.account)
    print(f"watchers (streams / WebSockets)          {number} ({number - number // 2} / {number // 2})")
    print(f"peak memory of the process, PSS          {memory.peak_mb} MB (without watchers {idle:.0f} MB)")
    print(f"resident set, shared libraries included  {resident:.0f} MB")
    print(f"all connected after                      {connected:.1f} s")
    print(f"events                                   {len(written)}, one a second")
    print(f"event to last watcher, median / longest  {median(delays):.2f} s / {max(delays):.2f} s")
    print(f"lost / doubled / out of order            {lost} / {repeated} / {disordered}")
    print(f"processor time                           {100 * processor / (seconds + 2):.0f} % of one core")
    print(
        f"account deactivated: its {len(cut)} watchers closed within {closing:.1f} s; others closed: {wrongly_closed}"
    )
    good = memory.peak_mb < LIMIT_MB and not (lost or repeated or disordered or wrongly_closed) and closing < 30
    return 0 if good else 1


def make_records(accounts: int) -> tuple[int, list[str], Any]:
    """→ the id of a running session, a token of each account, and a function that deactivates the first account."""
    # Models need Django, which is set up once the environment is.
    from knox.models import AuthToken

    from file_handling.models import ImportSession, SessionStatus
    from users.accounts.services import set_active
    from users.models import Country, Role, User

    country = Country.objects.create(code="TG", name="Togo")
    admin = User.objects.create(username="admin", email="admin@load.invalid", role=Role.SUPERUSER)
    users = [
        User.objects.create(
            username=f"watcher-{at}", email=f"{at}@load.invalid", role=Role.CHEF_DEPT_TECH, country=country
        )
        for at in range(accounts)
    ]
    tokens = [AuthToken.objects.create(user=user)[1] for user in users]
    session = ImportSession.objects.create(country=country, status=SessionStatus.PROCESSING)

    def deactivate() -> None:
        set_active(actor=admin, account=users[0], is_active=False)

    return session.pk, tokens, deactivate


async def watch(
    one: Watcher, port: int, session: int, token: str, room: asyncio.Semaphore, is_open: asyncio.Event
) -> None:
    """Note the events of the session until the server closes the connection."""
    sequences = stream if one.kind == "stream" else socket
    await room.acquire()
    try:
        async for sequence in sequences(port, session, token):
            if not is_open.is_set():
                is_open.set()
                room.release()
            if sequence:
                one.note(sequence)
    finally:
        if not is_open.is_set():
            room.release()
    one.closed = time.monotonic()


async def stream(port: int, session: int, token: str) -> AsyncIterator[int]:
    """0 once it is open, then the sequences."""
    reader, writer = await asyncio.open_connection(HOST, port)
    request = f"GET /live/import-sessions/{session}/ HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Token {token}\r\n\r\n"
    try:
        writer.write(request.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise SystemExit(f"A stream was refused: {status.decode()}")
        yield 0
        while line := await reader.readline():
            if line.startswith(b"id: "):
                yield int(line[4:])
    finally:
        writer.close()


async def socket(port: int, session: int, token: str) -> AsyncIterator[int]:
    """0 once it is open, then the sequences."""
    address = f"ws://{HOST}:{port}/live/import-sessions/{session}/"
    headers = {"Authorization": f"Token {token}"}
    async with connect(address, additional_headers=headers, compression=None, ping_interval=None) as connection:
        yield 0
        try:
            async for text in connection:
                if '"id": ' in str(text):
                    yield int(str(text).partition('"id": ')[2].partition(",")[0])
        except ConnectionClosed:
            return


if __name__ == "__main__":
    sys.exit(main())
