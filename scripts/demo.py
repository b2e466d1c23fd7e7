"""`make demo`: makes a sample pair, uploads it over the API, and shows step by step how it is reconciled and imported.

All its data is in data/demo. Environment: PORT, CLAIMS (number of claims of the sample), ONCE (end after the summary,
with an exit status), LANG (French or English).
"""

import io
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import gettext as _

from scripts.api_client import Client, RefusedError
from scripts.serve import port_is_free

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_DIR = BASE_DIR / "data" / "demo"
HOST = "127.0.0.1"
SUCCESS = ("DONE", "DONE_WITH_ERRORS")
START_SECONDS = 90
# The demo fails after so long without an event of the import: a base, and an addition for each claim of the sample.
RUN_SECONDS, RUN_SECONDS_PER_CLAIM = 120, 0.02
SEED = 7
# The demo shows one finding of each of these categories.
SHOWN_CATEGORIES = ("amount_gap", "inconsistent", "missing_in_recap", "unreadable")


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def stop_by_signal(*_signal: Any) -> None:
    raise KeyboardInterrupt


def language() -> str:
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "fr" if chosen.lower().startswith("fr") else "en"


def set_environment(*, port: int) -> None:
    """An installation of its own, whatever the environment names: the demo must never touch real data."""
    DEMO_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = DEMO_DIR / "secret_key"
    if not key.exists():
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "DEBUG", "BEHIND_TLS", "ALLOWED_HOSTS", "KEY_PREFIX"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(DEMO_DIR),
        "SECRET_KEY": key.read_text(),
        "BIND": HOST,
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def prepare() -> list[dict[str, str]]:
    """Sets up Django and the database; → the demo accounts, with new passwords."""
    django.setup()
    translation.activate(language())
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    output = io.StringIO()
    call_command("demo_accounts", json=True, stdout=output)
    accounts: list[dict[str, str]] = json.loads(output.getvalue())
    return accounts


def sample_pair(*, claims: int) -> tuple[Path, list[Path]]:
    """The stat file and the recap pages. The first run makes them, later runs use them again."""
    folder = DEMO_DIR / f"sample-{claims}"
    # The generator writes this file last: without it, an earlier run was interrupted.
    if not (folder / "expected.json").exists():
        call_command("make_pair", str(folder), claims=claims, seed=SEED, pages=3, stdout=io.StringIO())
    stat = sorted(folder.glob("stat.*"))
    recaps = sorted(folder.glob("recap_*"))
    return stat[0], recaps


class Server:
    """Web server and worker, in a process group of their own: on Ctrl-C the demo stops them once and in order."""

    def __init__(self) -> None:
        self.log = DEMO_DIR / "server.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "scripts" / "serve.py")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_healthy(self, client: Client) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not client.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise DemoError(_("The server did not start. Its log: %(log)s") % {"log": self.log})
            time.sleep(0.2)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def say(text: str = "") -> None:
    print(text, flush=True)


def follow(client: Client, session_id: int, *, seconds: float) -> None:
    try:
        for event in client.events(session_id, seconds=seconds):
            say(f"  {event['progress']:>3} %  {event['step']:<12} {event['message']}")
    except TimeoutError as error:
        raise DemoError(
            _("The import has said nothing for %(seconds)d seconds. The server log: %(log)s")
            % {"seconds": seconds, "log": DEMO_DIR / "server.log"}
        ) from error


def show_findings(client: Client, session_id: int) -> None:
    findings = [finding for each in SHOWN_CATEGORIES for finding in client.findings(session_id, category=each, rows=1)]
    if findings:
        say(_("Some of what was not imported, and why:"))
    for finding in findings:
        places = "; ".join(
            " ".join(str(place[part]) for part in ("file", "sheet", "row") if place.get(part))
            for place in finding["locations"][:3]
        )
        say(f"  {finding['claim_number']}  {finding['observation']}")
        say(f"      {places}")
    say()


def show_where_to_look(*, base_url: str, session: dict[str, Any], report: Path | None, log: Path) -> None:
    rows = [
        (_("API, to read and to try"), f"{base_url}/api/v1/docs/"),
        (_("Administration"), f"{base_url}/admin/"),
        (_("This session"), f"{base_url}/api/v1/import-sessions/{session['id']}/"),
        (_("Server log"), str(log)),
    ]
    if report:
        rows.insert(3, (_("Its report"), str(report)))
    width = max(len(name) for name, _value in rows)
    for name, value in rows:
        say(f"  {name:<{width}}  {value}")
    say()


def show_accounts(accounts: list[dict[str, str]]) -> None:
    say(_("Demo accounts (new passwords at every run):"))
    names = [f"{account['role_name']} {account['country']}".strip() for account in accounts]
    width = max(len(name) for name in names)
    for name, account in zip(names, accounts, strict=True):
        say(f"  {name:<{width}}  {account['username']:<18} {account['password']}")
    say()


def import_sample(client: Client, *, claims: int) -> dict[str, Any]:
    """Upload the sample, follow its session to the end and return it."""
    say(_("Making a sample pair of %(claims)d claims …") % {"claims": claims})
    stat, recaps = sample_pair(claims=claims)
    say(_("Uploading %(stat)s and %(pages)d recap pages …") % {"stat": stat.name, "pages": len(recaps)})
    session = client.import_pair(stat=stat, recaps=recaps)
    say(_("Session %(number)d:") % {"number": session["id"]})
    follow(client, session["id"], seconds=RUN_SECONDS + claims * RUN_SECONDS_PER_CLAIM)
    return client.session(session["id"])


def run(*, port: int, once: bool, claims: int) -> int:
    """The exit status: 0 when the session ended well and its files had claims."""
    set_environment(port=port)
    accounts = prepare()
    # Imports models, for which `prepare` sets Django up.
    from scripts.demo_summary import summary_lines

    if not port_is_free(host=HOST, port=port):
        raise DemoError(_("Port %(port)d is taken. Choose another one: make demo PORT=8001") % {"port": port})
    say(_("Starting web and worker on port %(port)d …") % {"port": port})
    base_url = f"http://{HOST}:{port}"
    client = Client(base_url=base_url, language=language())
    server = Server()
    try:
        server.wait_until_healthy(client)
        importer = next(account for account in accounts if account["role"] == "ADMIN_TERRITORIAL")
        client.login(username=importer["username"], password=importer["password"])
        session = import_sample(client, claims=claims)
        say()
        is_imported = session["status"] in SUCCESS
        for line in summary_lines(session, is_written=is_imported):
            say(line)
        say()
        show_findings(client, session["id"])
        report = None
        if session.get("error_file"):
            report = DEMO_DIR / "report.xlsx"
            client.save_report(session["id"], target=report)
        show_where_to_look(base_url=base_url, session=session, report=report, log=server.log)
        good = is_imported and session["summary"]["claims"]["total"] > 0
        if once:
            return 0 if good else 1
        show_accounts(accounts)
        say(_("The server stays up. Ctrl-C stops all of it."))
        while server.process.poll() is None:
            time.sleep(0.5)
        raise DemoError(_("The server has stopped. Its log: %(log)s") % {"log": server.log})
    except RefusedError as error:
        raise DemoError(_("The API refused: %(reason)s") % {"reason": error}) from error
    finally:
        # A second Ctrl-C from here on would interrupt the stop and leave processes behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        server.stop()


def main() -> None:
    # Explicit, because a program that a shell starts in the background ignores Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_by_signal)
    os.chdir(BASE_DIR)
    once = os.environ.get("ONCE", "") not in ("", "0")
    try:
        status = run(port=int(os.environ.get("PORT") or 8000), once=once, claims=int(os.environ.get("CLAIMS") or 2000))
    except KeyboardInterrupt:
        status = 1 if once else 0
    except DemoError as error:
        print(error, file=sys.stderr)
        status = 1
    raise SystemExit(status)


if __name__ == "__main__":
    main()
