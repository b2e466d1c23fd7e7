"""Commands in a process with the environment of one installation: each line is a command as JSON, and gets one answer.

`Installation.command` starts this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.files import File as Content  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.urls import get_resolver  # noqa: E402
from knox.models import AuthToken  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from common.errors import Conflict  # noqa: E402
from config import celery_app  # noqa: E402
from core.models import Client  # noqa: E402
from file_handling.converters import services as converters  # noqa: E402
from file_handling.models import File, ImportSession  # noqa: E402
from importer import dispatch, lifecycle  # noqa: E402
from notifications import services as webhooks  # noqa: E402
from notifications.models import EVENT_TYPES  # noqa: E402
from tests.support import live_commands  # noqa: E402
from users.models import Country, Role, User  # noqa: E402


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def start_session(folder: str, country: str = "TG", **options: Any) -> dict[str, Any]:
    """Create a session from the pair in `folder`; → its id, and the seconds that this took."""
    user = _admin(country)
    names = json.loads((Path(folder) / "expected.json").read_text())["files"]
    stat = _stored(user, Path(folder) / names["stat"], "stat")
    first: File | None = None
    for name in names["recaps"]:
        page = _stored(user, Path(folder) / name, "recap", first)
        first = first or page
    assert first is not None
    began = time.monotonic()
    session = lifecycle.create_session(user=user, country=user.country, stat_file=stat, recap_file=first, **options)  # type: ignore[arg-type]
    return {"id": session.pk, "seconds": time.monotonic() - began}


def upload(folder: str, country: str = "TG") -> dict[str, Any]:
    """Upload the pair in `folder` over the REST API; → status, answer and seconds."""
    # A server has loaded its routes, and all libraries with them, before the first request.
    _routes = get_resolver().url_patterns
    client = _client(_admin(country))
    names = json.loads((Path(folder) / "expected.json").read_text())["files"]

    def content(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (Path(folder) / name).read_bytes())

    form = {"stat_file": content(names["stat"]), "recap_file": [content(name) for name in names["recaps"]]}
    began = time.monotonic()
    answer = client.post("/api/v1/import-sessions/", form, format="multipart")
    return {"status": answer.status_code, "answer": answer.json(), "seconds": time.monotonic() - began}


def figures(country: str = "TG") -> dict[str, Any]:
    """Ask for the figures of a country over the REST API, twice; → the statuses and the longer time in seconds."""
    client = _client(_admin(country))
    statuses, seconds = [], 0.0
    for _ in range(2):
        began = time.monotonic()
        statuses.append(client.get("/api/v1/dashboard/portfolio/").status_code)
        seconds = max(seconds, time.monotonic() - began)
    return {"statuses": statuses, "seconds": seconds}


def export(rows: int, country: str = "TG") -> dict[str, Any]:
    """Export `rows` clients as a workbook over the REST API; → status, and either the size or the answer."""
    user = _admin(country)
    missing = range(Client.objects.filter(country=user.country).count(), rows)
    Client.objects.bulk_create(Client(country=user.country, name=token_hex(20), key=f"K{at}") for at in missing)
    answer = _client(user).get("/api/v1/clients/export/?format=xlsx")
    if answer.status_code != 200:
        return {"status": answer.status_code, "answer": answer.json()}
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    answer.close()
    return {"status": 200, "bytes": len(content)}


def steer(act: str, session: int) -> dict[str, Any]:
    """Do one act of `lifecycle` on a session; → the text of the refusal, empty if there is none."""
    row = ImportSession.objects.select_related("country", "stat_file", "recap_file", "user").get(pk=session)
    try:
        getattr(lifecycle, act)(session=row, actor=row.user)
    except Conflict as reason:
        return {"refusal": str(reason)}
    return {"refusal": ""}


def files_of(session: int) -> dict[str, Any]:
    """The ids of the stat file and of the recap's pages."""
    row = ImportSession.objects.select_related("stat_file", "recap_file").get(pk=session)
    assert row.stat_file is not None
    assert row.recap_file is not None
    return {"stat": row.stat_file.pk, "recap": [page.pk for page in row.recap_file.all_pages()]}


def correct(session: int, body: dict[str, Any]) -> int:
    """Correct the session over the REST API; → the id of the session that has the corrections."""
    user = ImportSession.objects.select_related("user").get(pk=session).user
    answer = _client(user).post(f"/api/v1/import-sessions/{session}/corrections/", body, format="json")
    assert answer.status_code == 202, answer.content.decode()
    return int(answer.json()["id"])


def register_webhook(country: str, url: str) -> str:
    """Register a webhook of the country for all event types; → its secret."""
    user = _admin(country)
    events = [event.value for event in EVENT_TYPES]
    _endpoint, secret = webhooks.register(actor=user, name="hook", url=url, events=events)
    return secret


def register_converter(url: str, extension: str) -> str:
    """Register a converter for files with this extension; → its secret."""
    root, _ = User.objects.get_or_create(username="root", email="root@example.org", role=Role.SUPERUSER)
    _converter, secret = converters.register(actor=root, name="converter", extensions=[extension], url=url, seconds=20)
    return secret


def send_message(session: int, times: int = 1) -> None:
    """Send the message of the session to the queue `times` times."""
    for _ in range(times):
        celery_app.send_task(dispatch.RUN_TASK, args=[session])


def ready() -> None:
    """Do nothing. An answer means that the process has started."""


def check_records() -> None:
    call_command("check_records")


def admin(country: str) -> str:
    """The administrator of a country; → the name of the account."""
    return _admin(country).username


def _client(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False, SERVER_NAME="localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")
    return client


def _admin(code: str) -> User:
    country, _ = Country.objects.get_or_create(code=code, defaults={"name": f"Country {code}"})
    user, _ = User.objects.get_or_create(
        username=f"admin-{code}",
        defaults={"email": f"{code}@example.org", "role": Role.ADMIN_TERRITORIAL, "country": country},
    )
    return user


def _stored(user: User, path: Path, file_type: str, first_page: File | None = None) -> File:
    digest = sha256(path.read_bytes()).hexdigest()
    file = File(
        user=user, country=user.country, name=path.name, file_type=file_type, first_page=first_page, sha256=digest
    )
    with path.open("rb") as content:
        file.file.save(path.name, Content(content), save=False)
    file.save()
    return file


COMMANDS: dict[str, Callable[..., Any]] = {
    command.__name__: command
    for command in (
        migrate,
        ready,
        start_session,
        upload,
        figures,
        export,
        steer,
        files_of,
        correct,
        register_webhook,
        register_converter,
        send_message,
        check_records,
        admin,
    )
} | live_commands.COMMANDS


def main() -> None:
    # Output that a command prints is not an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        arguments = json.loads(line)
        try:
            answer = {"result": COMMANDS[arguments.pop("command")](**arguments)}
        except Exception as error:  # noqa: BLE001  (the test judges the error)
            answer = {"error": f"{type(error).__name__}: {error}"}
        connection.close()
        print(json.dumps(answer, default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
