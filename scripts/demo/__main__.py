"""`make demo`: starts Concord, makes sample files of two countries, imports them over the API, and shows one import
step by step.

All its data is in data/demo; a second run finds it again. Environment: PORT, CLAIMS (number of claims of each year of
the first country), ONCE (end after the summary, with an exit status), LANG (French or English).
"""

import datetime as dt
import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scripts.api_client import Client, RefusedError
from scripts.demo import story
from scripts.demo.pairs import made
from scripts.demo.server import BASE_DIR, HOST, OF_THE_CALLER, NotStartedError, Server, environment
from scripts.demo.terminal import language, say
from scripts.serve import port_is_free

DEMO_DIR = BASE_DIR / "data" / "demo"
# The demo shows one finding of each of these categories.
SHOWN_CATEGORIES = ("amount_gap", "inconsistent", "missing_in_recap", "unreadable")


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def stop_by_signal(*_signal: Any) -> None:
    raise KeyboardInterrupt


def prepare(*, port: int) -> None:
    """Django with the data of the demo."""
    for name in OF_THE_CALLER:
        os.environ.pop(name, None)
    os.environ |= environment(folder=DEMO_DIR, port=port)
    django.setup()
    translation.activate(language())


def demo_accounts() -> list[dict[str, str]]:
    """The accounts of the demo, with new passwords. The server has made the tables before."""
    output = io.StringIO()
    call_command("demo_accounts", json=True, stdout=output)
    accounts: list[dict[str, str]] = json.loads(output.getvalue())
    return accounts


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


def show_accounts(accounts: list[dict[str, str]]) -> None:
    say(_("Sign in with one of these accounts (new passwords at every run):"))
    names = [f"{account['role_name']} {account['country']}".strip() for account in accounts]
    width = max(len(name) for name in names)
    for name, account in zip(names, accounts, strict=True):
        say(f"  {name:<{width}}  {account['username']:<18} {account['password']}")
    say()


def show_where_to_look(*, address: str, report: Path | None, log: Path) -> None:
    rows = [
        ("Concord", f"{address}/"),
        (_("API, to read and to try"), f"{address}/api/v1/docs/"),
        (_("Server log"), str(log)),
    ]
    if report:
        rows.insert(1, (_("Report of the import above"), str(report)))
    width = max(len(name) for name, _value in rows)
    for name, value in rows:
        say(f"  {name:<{width}}  {value}")
    say()


class Loaded:
    """The sessions of an earlier run, by the name of their step: a file in the folder of the demo."""

    def __init__(self, *, claims: int, today: dt.date) -> None:
        self.file = DEMO_DIR / f"loaded-{claims}-{today:%Y-%m}.json"

    def main_session(self, client: Client) -> dict[str, Any] | None:
        """The session that the demo shows, if an earlier run has imported everything and nobody deleted it."""
        if not self.file.exists():
            return None
        try:
            return client.session(json.loads(self.file.read_text(encoding="utf-8"))[story.MAIN])
        except RefusedError:
            return None

    def remember(self, sessions: dict[str, dict[str, Any]]) -> None:
        self.file.write_text(json.dumps({name: session["id"] for name, session in sessions.items()}), encoding="utf-8")


def import_samples(clients: dict[str, Client], *, claims: int, today: dt.date) -> dict[str, dict[str, Any]]:
    """Make the pairs and import them; the events of the main one are shown. → name of the step → session."""
    say(_("Making sample files of two countries and two years …"))
    pairs = made(DEMO_DIR / "samples", claims=claims, today=today)

    def show_upload(step: story.Step) -> None:
        pair = pairs[step.pair]
        pages = len(pair.recaps)
        say(
            ngettext(
                "Uploading %(stat)s and %(pages)d recap page …", "Uploading %(stat)s and %(pages)d recap pages …", pages
            )
            % {"stat": pair.stat.name, "pages": pages}
        )

    def show_event(step: story.Step, event: dict[str, Any]) -> None:
        if step.name == story.MAIN:
            say(f"  {event['progress']:>3} %  {event['step']:<12} {event['message']}")

    def show_end(step: story.Step, session: dict[str, Any]) -> None:
        values = {
            "number": session["id"],
            "country": session["country"]["name"],
            "status": session["status"],
            "message": session["message"],
        }
        say(_("Session %(number)d, %(country)s, %(status)s: %(message)s") % values)

    return story.run_all(
        clients=clients, pairs=pairs, show_upload=show_upload, show_event=show_event, show_end=show_end
    )


def run(*, port: int, once: bool, claims: int) -> int:
    """The exit status: 0 when every import ended as it must and the main one had claims."""
    prepare(port=port)
    if not port_is_free(host=HOST, port=port):
        raise DemoError(_("Port %(port)d is taken. Choose another one: make demo PORT=8001") % {"port": port})
    # Imports models, for which `prepare` sets Django up.
    from scripts.demo.summary import summary_lines

    today = dt.datetime.now(tz=dt.UTC).date()
    server = Server(folder=DEMO_DIR, port=port)
    say(_("Concord starts at %(address)s") % {"address": f"{server.address}/"})
    try:
        server.wait_until_healthy()
        accounts = demo_accounts()
        show_accounts(accounts)
        clients = {}
        for account in accounts:
            client = clients[account["role"]] = Client(base_url=server.address, language=language())
            client.login(username=account["username"], password=account["password"])
        client = clients[story.TERRITORIAL]
        loaded = Loaded(claims=claims, today=today)
        session = loaded.main_session(client)
        if session:
            say(_("The samples of an earlier run are still there."))
        else:
            sessions = import_samples(clients, claims=claims, today=today)
            loaded.remember(sessions)
            session = sessions[story.MAIN]
        say()
        for line in summary_lines(session, is_written=True):
            say(line)
        say()
        show_findings(client, session["id"])
        report = None
        if session.get("error_file"):
            report = DEMO_DIR / "report.xlsx"
            client.save_report(session["id"], target=report)
        show_where_to_look(address=server.address, report=report, log=server.log)
        if once:
            return 0 if session["summary"]["claims"]["total"] > 0 else 1
        say(_("The server stays up. Ctrl-C stops all of it."))
        while server.process.poll() is None:
            time.sleep(0.5)
        raise DemoError(_("The server has stopped. Its log: %(log)s") % {"log": server.log})
    except NotStartedError as error:
        raise DemoError(_("The server did not start. Its log: %(log)s") % {"log": error}) from error
    except RefusedError as error:
        raise DemoError(_("The API refused: %(reason)s") % {"reason": error}) from error
    except story.UnexpectedEndError as error:
        raise DemoError(_("An import did not end as it must: session %(reason)s") % {"reason": error}) from error
    except TimeoutError as error:
        raise DemoError(
            _("An import has said nothing for too long. The server log: %(log)s") % {"log": server.log}
        ) from error
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
