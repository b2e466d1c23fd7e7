"""Converters from registration to lineage: real imports of files that a real HTTP service converts."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.conf import settings as configured
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from common.sealed import unseal
from file_handling.models import Converter, File, ImportSession
from importer.sweeper import sweep
from tests.support.api_user import API, ApiUser, Outcome
from tests.support.cast import Cast
from tests.support.converter import ConverterService, recap_pipe, running_converter, stat_pipe
from tests.support.installation import until
from tests.support.pairs import RECAP_HEADERS, line, matching_pair, recap_csv, row
from tests.support.responses import content_of
from users.models import AuditEntry, Role, User

pytestmark = pytest.mark.django_db(transaction=True)

CONVERTERS = f"{API}converters/"


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


LINES, ROWS = matching_pair(line("A1"), line("A2"))


@pytest.fixture(autouse=True)
def _short_times(settings: Any, own_storage: Path) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.CONVERTERS = settings.CONVERTERS | {"FIRST_WAIT_SECONDS": 0.05, "LONGEST_WAIT_SECONDS": 0.2}


@pytest.fixture
def service() -> Iterator[ConverterService]:
    with running_converter() as service:
        yield service


@pytest.fixture
def superuser() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user(username="root", email="root@example.org", role=Role.SUPERUSER))
    return client


def register(client: APIClient, service: ConverterService, **fields: Any) -> dict[str, Any]:
    """Register the service for `.pipe`, and give it its secret."""
    form = {"name": "Tables", "extensions": [".PIPE"], "url": service.url, "megabytes": 1, "seconds": 2} | fields
    answer = client.post(CONVERTERS, form)
    assert answer.status_code == 201, answer.content
    service.secret = answer.json()["secret"]
    return dict(answer.json())


def codes(api: ApiUser, session: int) -> list[str]:
    return [event.code for event in ImportSession.objects.get(pk=session).events.all()]


def failed(outcome: Outcome) -> str:
    assert outcome.status == "ERROR", outcome.session
    return outcome.message


# ------------------------------------------------------------------------------------------------ a whole import


def test_files_are_converted_before_they_are_read_and_every_record_leads_to_the_original(
    service: ConverterService, superuser: APIClient
) -> None:
    register(superuser, service)
    api = ApiUser()
    stat = stat_pipe(LINES)
    original = stat.read()
    stat.seek(0)
    outcome = api.import_pair(stat, [recap_csv(ROWS[:1]), recap_pipe(ROWS[1:], "page 2.pipe")])
    assert outcome.status == "DONE", outcome.message
    assert [request.facts["kind"] for request in service.converted] == ["stat", "recap"]
    assert service.converted[0].facts["extension"] == "pipe"
    assert service.converted[0].body == original
    assert {"converting", "converted"} <= set(codes(api, outcome.id))

    claim = api.claim("A2")
    assert claim["lines"][0]["file"] == {
        "id": File.objects.get(name="stat.pipe").pk,
        "name": "stat.pipe",
        "converted_by": "Pipes 1.0",
    }
    assert claim["lines"][0]["row"] == 3
    page = File.objects.get(name="page 2.pipe")
    assert (page.converter_name, page.converter_version, page.first_page_id is None) == ("Pipes", "1.0", False)
    shown = api.get(f"files/{page.pk}/")["conversion"]
    assert (shown["converter"], shown["version"], shown["name"]) == ("Pipes", "1.0", "page 2.pipe.csv")
    assert content_of(api.client.get(shown["download"])) == recap_csv(ROWS[1:]).read()
    assert b"|" in content_of(api.client.get(f"{API}files/{page.pk}/download/"))
    assert api.get(f"files/{page.pk}/preview/")["rows"][0][0] == "A2"

    browser = Client()
    browser.force_login(api.user)
    for path in (f"/claims/{claim['id']}/", f"/files/{page.pk}/", f"/files/{page.pk}/preview/?row=2"):
        assert "Pipes 1.0" in browser.get(path).content.decode(), path
    with translation.override("fr"):
        events = ImportSession.objects.get(pk=outcome.id).events.filter(code__startswith="convert")
        assert [event.message for event in events] == [
            "Conversion de 2 fichiers par «\u00a0Tables\u00a0».",
            "Fichiers convertis par Pipes 1.0.",
        ]


def test_a_file_for_a_converter_is_stored_unread_with_its_kind_and_others_are_refused_as_before(
    service: ConverterService, superuser: APIClient
) -> None:
    api = ApiUser()

    def send(name: str, **form: Any) -> tuple[int, Any]:
        answer = api.client.post(f"{API}files/", {"file": stat_pipe(LINES, name), **form}, format="multipart")
        return answer.status_code, answer.json()

    before = send("stat.pipe", file_type="stat")
    assert before[0] == 400
    converter = register(superuser, service)
    other = send("stat.odd", file_type="stat")
    words = before[1]["errors"][0]["message"].replace("stat.pipe", "stat.odd")
    assert other[1]["errors"][0]["message"].replace(", .pipe", "").replace(", pipe", "") == words

    status, stored = send("stat.pipe", file_type="stat")
    assert (status, stored["converter"], stored["conversion"]) == (201, "Tables", None)
    assert (stored["recognised_as"], stored["problems"]) == ("stat", [])
    assert api.client.get(stored["preview"]).status_code == 400
    status, refused = send("stat.pipe")
    assert status == 400
    assert "file_type" in refused["errors"][0]["message"]
    empty = {"file": SimpleUploadedFile("e.pipe", b""), "file_type": "stat"}
    assert api.client.post(f"{API}files/", empty, format="multipart").status_code == 400
    assert service.converted == []

    browser = Client()
    browser.force_login(api.user)
    assert 'accept=".xlsx,.xls,.csv,.pipe"' in browser.get("/imports/new/").content.decode()
    waiting = browser.get("/imports/new/waiting/").json()["files"]
    assert [file["converter"] for file in waiting] == ["Tables"]
    superuser.patch(f"{CONVERTERS}{converter['id']}/", {"is_active": False})
    assert send("stat.pipe", file_type="stat")[0] == 400
    outcome = api.run(
        api.client.post(
            f"{API}import-sessions/", {"stat_file_id": stored["id"], "recap_file": recap_csv(ROWS)}, format="multipart"
        ).json()["id"]
    )
    assert "“stat.pipe” must be converted" in failed(outcome)


# ------------------------------------------------------------------------------------------------ failures


def test_a_session_waits_for_a_converter_that_is_away_and_goes_on_when_it_is_back(
    service: ConverterService, superuser: APIClient, settings: Any
) -> None:
    register(superuser, service)
    api = ApiUser()
    settings.CONVERTERS = settings.CONVERTERS | {"FIRST_WAIT_SECONDS": 3600, "LONGEST_WAIT_SECONDS": 3600}
    service.manner = "fail"
    session = api.send(stat_pipe(LINES), ROWS)
    assert api.run(session).status == "PENDING"
    row = ImportSession.objects.get(pk=session)
    assert row.not_before is not None
    assert session not in sweep()
    assert api.run(session).status == "PENDING"
    assert len(service.converted) == 1
    (event,) = row.events.filter(code="converter_waiting")
    assert "“Tables” does not convert at the moment" in event.message
    assert "It is asked again in 60 minutes." in event.message
    browser = Client()
    browser.force_login(api.user)
    assert "Un convertisseur ne répond pas. Nouvel essai à" in browser.get(f"/imports/{session}/").content.decode()

    service.manner = "convert"
    ImportSession.objects.filter(pk=session).update(not_before=row.created_at)
    assert session in sweep()
    assert api.run(session).status == "DONE"
    assert ImportSession.objects.get(pk=session).not_before is None


def test_after_the_last_attempt_the_session_ends_with_a_message_that_names_the_converter(
    service: ConverterService, superuser: APIClient
) -> None:
    converter = register(superuser, service, seconds=1)
    api = ApiUser()
    session = api.send(stat_pipe(LINES), ROWS)
    for manner in ("hang", "close", "fail"):
        service.manner = manner
        assert ImportSession.objects.get(pk=session).status == "PENDING"
        asked = len(service.converted)
        # Each wait is some hundredths of a second.
        until(lambda asked=asked: api.run(session) and len(service.converted) > asked)
    message = failed(api.outcome(session))
    assert message.startswith("The converter “Tables” was asked 3 times for “stat.pipe”")
    assert "status 503" in message
    with translation.override("fr"):
        assert "«\u00a0Tables\u00a0»" in ImportSession.objects.get(pk=session).message
    # By hand, once it works again.
    service.manner = "convert"
    assert api.steer(session, "retry").status_code == 200
    assert api.run(session).status == "DONE"
    assert Converter.objects.get(pk=converter["id"]).version == "1.0"


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("refuse", "It says: “Il n’y a pas de tableau.” Correct the file"),
        ("page", "neither an Excel workbook nor CSV"),
        ("large", "larger than 1 MB"),
        ("damaged", "“stat.pipe.xlsx”"),
        ("unnamed", "does not say its name and version"),
        ("redirect", "answered with another address"),
    ],
)
def test_a_wrong_answer_ends_the_session_at_once_and_says_what_to_do(
    manner: str, words: str, service: ConverterService, superuser: APIClient
) -> None:
    register(superuser, service)
    service.manner = manner
    api = ApiUser()
    outcome = api.import_pair(stat_pipe(LINES), ROWS)
    message = failed(outcome)
    assert message.startswith("The converter “Tables” could not convert “stat.pipe”; nothing was written.")
    assert words in message
    assert len(service.converted) == 1
    assert not File.objects.get(name="stat.pipe").converted


def test_a_converter_with_another_secret_or_at_a_private_address_gets_no_second_request(
    service: ConverterService, superuser: APIClient, settings: Any
) -> None:
    register(superuser, service)
    api = ApiUser()
    session = api.send(stat_pipe(LINES), ROWS)
    right, service.secret = service.secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert "does not accept the signature" in failed(api.run(session))
    service.secret = right
    settings.OUTGOING_ALLOWED_HOSTS = []
    assert api.steer(session, "retry").status_code == 200
    assert "https://" in failed(api.run(session))
    assert service.converted == []


def test_what_was_converted_is_not_asked_for_again_until_the_converter_has_another_version(
    service: ConverterService, superuser: APIClient
) -> None:
    converter = register(superuser, service)
    api = ApiUser()
    # No day in common, so the run fails after the conversion.
    session = api.send(stat_pipe(LINES), [row("A1", settlement_date="2031-01-01")])
    failed(api.run(session))
    first = File.objects.get(name="stat.pipe").converted.name
    api.steer(session, "retry")
    failed(api.run(session))
    assert len(service.converted) == 1

    service.version = "2.0"
    assert superuser.post(f"{CONVERTERS}{converter['id']}/check/").json()["version"] == "2.0"
    api.steer(session, "retry")
    failed(api.run(session))
    file = File.objects.get(name="stat.pipe")
    assert (len(service.converted), file.converter_version) == (2, "2.0")
    assert not default_storage.exists(first)
    assert api.client.delete(f"{API}files/{file.pk}/?force=true").status_code == 204
    assert not default_storage.exists(file.converted.name)
    assert not default_storage.exists(file.file.name)


def test_rows_that_claims_lead_to_stay_when_the_converter_changes(
    service: ConverterService, superuser: APIClient
) -> None:
    converter = register(superuser, service)
    api = ApiUser()
    outcome = api.import_pair(stat_pipe(LINES), ROWS)
    assert outcome.status == "DONE"
    file = File.objects.get(name="stat.pipe")
    service.version = "2.0"
    superuser.post(f"{CONVERTERS}{converter['id']}/check/")
    again = api.client.post(
        f"{API}import-sessions/", {"stat_file_id": file.pk, "recap_file": recap_csv(ROWS)}, format="multipart"
    )
    assert api.run(again.json()["id"]).status == "DONE"
    assert len(service.converted) == 1
    assert File.objects.get(pk=file.pk).converter_version == "1.0"


def test_pages_in_an_archive_are_converted_too(service: ConverterService, superuser: APIClient) -> None:
    register(superuser, service)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("1.pipe", recap_pipe(ROWS[:1]).read())
        archive.writestr("2.csv", recap_csv(ROWS[1:]).read())
    pages = SimpleUploadedFile("pages.zip", content.getvalue())
    assert ApiUser().import_pair(LINES, [pages]).status == "DONE"
    assert len(service.converted) == 1


# ------------------------------------------------------------------------------------------------ registration


def test_superusers_register_converters_and_the_secret_is_shown_once(
    cast: Cast, service: ConverterService, superuser: APIClient
) -> None:
    made = register(superuser, service)
    assert made["extensions"] == ["pipe"]
    stored = Converter.objects.get(pk=made["id"])
    assert unseal(stored.secret) == made["secret"]
    for answer in (superuser.get(CONVERTERS), superuser.get(f"{CONVERTERS}{stored.pk}/")):
        assert "whsec_" not in json.dumps(answer.json())
    new = superuser.post(f"{CONVERTERS}{stored.pk}/rotate/").json()["secret"]
    assert new != made["secret"]
    refused = superuser.post(f"{CONVERTERS}{stored.pk}/check/")
    assert (refused.status_code, "does not accept the signature" in refused.json()["detail"]) == (409, True)
    service.secret = new
    assert superuser.post(f"{CONVERTERS}{stored.pk}/check/").json()["version"] == "1.0"
    moved = superuser.patch(f"{CONVERTERS}{stored.pk}/", {"url": f"{service.url}/v2", "seconds": 9}).json()
    assert (moved["version"], moved["seconds"], moved["name"]) == ("", 9, "Tables")
    acts = AuditEntry.objects.filter(object_type="file_handling.converter").order_by("pk")
    assert list(acts.values_list("action", flat=True)) == ["create", "update", "update", "update"]
    for name in ("global_admin", "togo_admin"):
        assert cast.client(name).post(CONVERTERS, {}).status_code == 403
    assert superuser.delete(f"{CONVERTERS}{stored.pk}/").status_code == 204


def test_all_that_is_wrong_with_a_registration_is_said_at_once(
    service: ConverterService, superuser: APIClient, settings: Any
) -> None:
    register(superuser, service)
    settings.OUTGOING_ALLOWED_HOSTS = []
    form = {"name": "Tables", "extensions": ["pipe"], "url": "https://127.0.0.1/", "megabytes": 9999, "seconds": 9999}
    errors = superuser.post(CONVERTERS, form).json()
    assert set(errors) >= {"name", "extensions", "url", "megabytes", "seconds"}
    assert "Tables" in str(errors["extensions"])
    for extensions in (["xlsx"], ["zip"], [], ["../x"]):
        answer = superuser.post(CONVERTERS, form | {"extensions": extensions})
        assert "extensions" in answer.json(), extensions


def test_the_admin_registers_a_converter_and_shows_its_secret_once(service: ConverterService) -> None:
    user = User.objects.create_user(username="root", email="root@example.org", role=Role.SUPERUSER)
    browser = Client()
    browser.force_login(user)
    form = {
        "name": "Tables",
        "extensions": "pipe, .tbl",
        "url": service.url,
        "megabytes": 5,
        "seconds": 5,
        "is_active": "on",
    }
    page = browser.post("/admin/file_handling/converter/add/", form)
    converter = Converter.objects.get()
    secret = unseal(converter.secret)
    assert secret in page.content.decode()
    assert converter.extensions == ["pipe", "tbl"]
    address = f"/admin/file_handling/converter/{converter.pk}/"
    assert secret not in browser.get(f"{address}change/").content.decode()
    service.secret = secret
    checked = browser.post(f"{address}act/check/", follow=True)
    assert "Le convertisseur répond. Sa version\u00a0: 1.0" in checked.content.decode()
    renewed = browser.post(f"{address}act/rotate/").content.decode()
    converter.refresh_from_db()
    assert unseal(converter.secret) in renewed
    assert unseal(converter.secret) != secret
    wrong = browser.post(f"{address}change/", form | {"extensions": "xlsx"})
    assert "Concord lit lui-même ces fichiers\u00a0: xlsx." in wrong.content.decode()


def test_the_converter_that_the_document_shows_works(superuser: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (configured.BASE_DIR / "docs" / "converters.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) <= 40
    module: dict[str, Any] = {}
    exec(compile(code, "converters.md", "exec"), module)
    with make_server("127.0.0.1", 0, module["application"], handler_class=_SilentHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            form = {"name": "Lists", "extensions": ["json"], "url": f"http://127.0.0.1:{server.server_port}/"}
            made = superuser.post(CONVERTERS, form).json()
            monkeypatch.setenv("CONVERTER_SECRET", made["secret"])
            assert superuser.post(f"{CONVERTERS}{made['id']}/check/").json()["version"] == "1"
            rows = [{RECAP_HEADERS[field]: value for field, value in cells.items()} for cells in ROWS]
            api = ApiUser()
            good, bad = (SimpleUploadedFile("r.json", content) for content in (json.dumps(rows).encode(), b"[]"))
            outcome = api.import_pair(LINES, [good])
            assert outcome.status == "DONE", outcome.message
            assert "This is no list of JSON objects." in failed(api.import_pair(LINES, [bad]))
        finally:
            server.shutdown()
            thread.join()
