"""Real imports of two countries: nothing of one, not even how much there is of it, is in what the other one gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import resolve

from core import models as core
from file_handling.models import ImportSession
from importer import events
from tests.support import canary
from tests.support.api_user import API, SESSIONS, ApiUser
from tests.support.cast import SHUT_OUT, Cast
from tests.support.pages import OUTSIDE
from tests.support.pages import TABLE as PAGES
from tests.support.pairs import Cells, line, recap_csv, row, stat_csv
from tests.support.records import Records, make_converter, make_premium, make_webhook, mark_converted
from tests.support.routes import (
    CATALOGUE_PARTS,
    CATALOGUE_ROUTES,
    FIGURES,
    FOREIGN,
    GETS,
    MARKED_FIGURES,
    OF_GLOBAL_ROLES,
    RECORD_ROUTES,
    UPLOAD_FIGURES,
)
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "BENINCANARY"
# Their own country's people change these by looking at them.
GROWS_WHEN_READ = {"audit/", "audit/export/", "files/{file}/history/", "dashboard/files/"}


def marked_line(mark: str, number: int, **fields: str) -> Cells:
    """A stat line of which every word that is not of the shared catalogue has the mark."""
    words = {
        "employer": f"{mark} PORT",
        "card_number": f"C-{mark}",
        "beneficiary": f"{mark} AFI",
        "plan": f"{mark} A",
        "policy_number": f"45/{mark}",
        "main_insured": f"{mark} AFI",
        "partner": f"{mark} CLINIC",
        "payment_reference": f"P-{mark}",
        "note": f"{mark} note",
        "invoice_number": f"F-{mark}",
        "operator": f"{mark} OP",
    }
    return line(f"{mark}-{number}", **(words | fields))


def import_marked_pair(owner: User, mark: str) -> Records:
    """Two real imports: claims that agree, one that does not, what one side alone has; then one claim replaced."""
    api = ApiUser.for_user(owner)

    def pair(claimed: str) -> dict[str, Any]:
        stat = [
            marked_line(mark, 1, claimed_amount=claimed),
            # The same card under another spelling.
            marked_line(mark, 2, beneficiary=f"{mark} AFFI", incident_date="20/06/2024"),
            marked_line(mark, 3),
            marked_line(mark, 4),
        ]
        recap = [
            row(f"{mark}-1", claimed),
            row(f"{mark}-2"),
            row(f"{mark}-3", "9000", note=f"{mark} note"),
            row(f"{mark}-5", beneficiary=f"{mark} AFI"),
        ]
        return {
            "stat": stat_csv(stat, f"{mark}-stat.csv"),
            "recap": [recap_csv(recap, f"{mark}-recap.csv")],
        }

    endpoint = make_webhook(owner.country, mark)
    waiting = api.send(**pair("5000"))
    # What a run says of itself names nothing; the mark shows whose words an answer, or a log, brings.
    events.append(waiting, step="queued", code="sheet_chosen", data={"sheet": f"{mark} said"})
    first = api.run(waiting)
    assert first.status == "DONE_WITH_ERRORS", first.message
    cell = {"file": first.session["stat_file"]["id"], "row": 4, "field": "note", "value": f"{mark} corrected"}
    answer = api.client.post(f"{SESSIONS}{first.id}/corrections/", {"cells": [cell]}, format="json")
    corrected = api.run(answer.json()["id"])
    assert corrected.status == "REVIEW", corrected.message
    replaced = api.import_pair(**pair("7000"), on_conflict="update")
    assert replaced.numbers("amount_gap") == [f"{mark}-3"]
    session = ImportSession.objects.get(pk=first.id)
    mark_converted(session.stat_file, mark)  # type: ignore[arg-type]
    # What people keep beside imports.
    client = core.Client.objects.visible_to(owner).filter(name__contains=mark)[0]
    make_premium(client, owner=owner, note=f"{mark} note")
    pair_of_names = core.ReviewPair.objects.create(
        country=client.country, kind="client", one_key=f"{mark} A", other_key=f"{mark} B", one_id=client.pk, other_id=0,
        one_name=f"{mark} A", other_name=f"{mark} B",
    )  # fmt: skip
    change = core.Change.objects.create(
        country=client.country,
        kind=core.ChangeKind.INSURED_NAME,
        actor=owner,
        actor_label=mark,
        data={"name": mark, "before": f"{mark} A"},
    )
    rows = {}
    for name in [*RECORD_ROUTES, *CATALOGUE_ROUTES]:
        model = resolve(f"{API}{name}/").func.cls.model  # type: ignore[attr-defined]
        rows[name] = model.objects.visible_to(owner).first() or Nothing()
    rows["corrected"] = ImportSession.objects.get(pk=corrected.id)
    rows["corrections"] = rows["corrected"].corrections.get()
    rows |= {"webhooks": endpoint, "webhook-messages": endpoint.messages.get(session_number=first.id)}
    rows["converters"] = make_converter(mark, is_active=False)
    rows |= {"review-pairs": pair_of_names, "family-changes": change}
    rows |= dict.fromkeys(["catalogue-changes", "country-deactivations", "exchange-rates"], Nothing())
    return Records(
        mark=mark,
        file=session.stat_file,  # type: ignore[arg-type]
        recap=session.recap_file,  # type: ignore[arg-type]
        session=session,
        finding=session.findings.first(),  # type: ignore[arg-type]
        rows=rows,
    )


class Nothing:
    """What all countries share is kept by people: no import brought any."""

    pk = 987654321


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def addresses(path: str) -> list[str]:
    """The address of the table with each of the files that it gives."""
    found = [canary.with_query(path, query) for query in canary.formats(path)]
    return [*found, path.replace("type=log", "type=error")] if path.endswith("type=log") else found


def seen(cast: Cast, records: Records, pages: Client) -> dict[tuple[str, str], bytes]:
    """(account, address) → all that Benin's people are shown of their own, over the API and in the admin."""
    named = canary.ids(cast, records) | {"country": cast.benin.pk, "account": cast.benin_operator.pk}
    shown = {}
    for name in FOREIGN:
        client = cast.client(name)
        for path in GETS:
            # A correction workbook has the time at which it was made.
            if path not in GROWS_WHEN_READ | {"import-sessions/{session}/corrections/workbook/"}:
                # The files of an answer are made of it, for every role alike.
                for address in addresses(path)[: None if name == "benin_admin" else 1]:
                    answer = client.get(f"/api/v1/{address.format(**named)}")
                    assert not canary.contains_mark(answer), (name, address)
                    shown[name, address] = canary.body(answer)
    for model in admin.site._registry:
        if model._meta.model_name != "auditentry":
            address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            shown["benin_admin", address] = canary.page(pages.get(f"{address}?_facets=True")).encode()
    return shown


def test_what_one_country_sees_does_not_change_by_a_byte_when_another_country_imports(cast: Cast) -> None:
    benin = import_marked_pair(cast.benin_head, OTHER)
    # Signing in is shown to the others of their country.
    pages = browser(cast.benin_admin)
    before = seen(cast, benin, pages)
    import_marked_pair(cast.togo_head, canary.MARK)
    after = seen(cast, benin, pages)
    assert {key for key in before if before[key] != after[key]} == set()
    # Or all of it would be refusals, and empty lists.
    reached = {address for (name, address), body in before.items() if name == "benin_admin" and OTHER.encode() in body}
    assert {f"{name}/" for name in RECORD_ROUTES} <= reached
    assert {"import-sessions/{session}/download/?type=error", "import-sessions/{session}/download/?type=log"} <= reached
    assert {"import-sessions/{session}/findings/", "import-sessions/{session}/events/"} <= reached
    assert {"files/{file}/preview/", "files/{file}/converted/"} <= reached
    assert "/admin/core/claim/" in reached


def test_no_byte_of_one_country_s_import_reaches_another(cast: Cast) -> None:
    import_marked_pair(cast.benin_head, OTHER)
    togo = import_marked_pair(cast.togo_head, canary.MARK)
    canary.mark_people(cast)
    named = canary.ids(cast, togo)
    own = cast.client("togo_admin")
    others = {name: cast.client(name) for name in [*FOREIGN, *SHUT_OUT, "anonymous"]}
    # The figures of files name those that are read most.
    own.get(f"/api/v1/files/{togo.file.pk}/")
    unmarked = set()
    marked_figures = {*MARKED_FIGURES, "left-out/claims/", "watch-list/?rule=incident_after_settlement"}
    # Countries have no mark here.
    marked_figures -= {"loss-ratio/?by=country"}
    figures = [f"dashboard/{name}" for name in [*FIGURES, *UPLOAD_FIGURES] if name not in marked_figures]
    of_global_roles = [path for path in GETS if path.startswith(OF_GLOBAL_ROLES)]
    catalogue = [f"{name}/{tail}" for name in CATALOGUE_ROUTES for tail in ("", f"{{{name}}}/", "export/")]
    for path in GETS:
        for at, address in enumerate(addresses(path)):
            first = own.get(f"/api/v1/{address.format(**named)}")
            if not canary.contains_mark(first):
                unmarked.add(address)
            for name, client in others.items():
                # An account that may sign in nowhere is refused before its format is looked at.
                if at and name not in FOREIGN:
                    continue
                answer = client.get(f"/api/v1/{address.format(**named)}", headers=canary.conditional_headers(first))
                assert not canary.contains_mark(answer), (name, address)
                if "{session}" in address or "{file}" in address:
                    assert answer.status_code in (401, 403), (name, address)
    assert unmarked == {
        *(
            address
            for path in [*catalogue, *CATALOGUE_PARTS, *figures, *of_global_roles]
            for address in addresses(path)
        ),
        *(f"dashboard/files/?format={kind}" for kind in ("csv", "xlsx", "parquet")),
        "countries/",
        "countries/{country}/",
        "users/me/",
        "webhooks/{webhooks}/messages/",
    }


def test_no_byte_of_one_country_s_import_reaches_the_admin_of_another(cast: Cast) -> None:
    import_marked_pair(cast.benin_head, OTHER)
    togo = import_marked_pair(cast.togo_head, canary.MARK)
    canary.mark_people(cast)
    named = canary.ids(cast, togo) | {"alias": 987654321, "entry": 1, "reporting": 1}
    own = browser(cast.togo_admin)
    others = {
        name: Client() if name == "anonymous" else browser(cast.users[name]) for name in ["benin_admin", *OUTSIDE]
    }
    marked = set()
    session = "file_handling/importsession/{session}/"
    for path in [*(path for method, path in PAGES if method == "GET"), f"{session}download/report/"]:
        first = own.get(f"/admin/{path.format(**named)}")
        marked |= {path} if canary.contains_mark(first) else set()
        for name, client in others.items():
            answer = client.get(f"/admin/{path.format(**named)}", headers=canary.conditional_headers(first))
            assert not canary.contains_mark(answer), (name, path)
    assert {f"{session}{page}" for page in ("events/", "findings/", "download/log/", "download/report/")} <= marked
    assert "file_handling/file/{file}/preview/" in marked


def test_files_that_another_country_has_too_are_treated_as_new(cast: Cast) -> None:
    def sent(user: User) -> dict[str, Any]:
        api = ApiUser.for_user(user)
        pair = stat_csv([marked_line("SAME", 1)]), [recap_csv([row("SAME-1")])]
        session: dict[str, Any] = api.import_pair(*pair).session
        return session

    def without_names(session: dict[str, Any]) -> set[str]:
        return {name for name, value in session.items() if value}

    togo, benin = sent(cast.togo_admin), sent(cast.benin_admin)
    assert (togo["status"], benin["status"]) == ("DONE", "DONE")
    assert togo["message"] == benin["message"]
    assert without_names(togo) == without_names(benin)
