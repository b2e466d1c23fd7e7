"""Deactivating a country takes several global administrators, or one superuser (DOMAIN §14)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from common.errors import Conflict
from importer.management.commands.sweep import Command
from tests.support.browser import Browser
from tests.support.cast import PASSWORD, Cast
from tests.support.mails import sent_mails
from users.accounts import deactivations
from users.models import AuditEntry, CountryDeactivation, DeactivationStatus, Language, Role, User

API = "/api/v1/country-deactivations/"
ME = "/api/v1/users/me/"
REASON = "The branch was sold."


def admins(cast: Cast, count: int) -> list[str]:
    """Names of `count` active global administrators: the one of the cast and further ones."""
    names = ["global_admin", *(f"global_{number}" for number in range(2, count + 1))]
    for name in names[1:]:
        cast.users[name] = User.objects.create_user(
            username=name, email=f"{name}@example.org", password=PASSWORD, role=Role.ADMIN_GLOBAL
        )
    return names


def ask(cast: Cast, name: str = "global_admin") -> dict[str, Any]:
    answer = cast.client(name).post(API, {"country": cast.togo.pk, "reason": REASON})
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def vote(cast: Cast, name: str, number: int, choice: str = "approve") -> Any:
    return cast.client(name).post(f"{API}{number}/vote/", {"vote": choice})


def is_active(cast: Cast) -> bool:
    cast.togo.refresh_from_db()
    return bool(cast.togo.is_active)


# ------------------------------------------------------------------------------------------------ how many


@pytest.mark.parametrize(("active", "needed"), [(2, 2), (3, 2), (4, 3), (6, 3)])
def test_the_approvals_needed_depend_on_the_administrators_when_it_was_asked(
    active: int, needed: int, cast: Cast
) -> None:
    names = admins(cast, active)
    User.objects.create_user(username="gone", email="gone@example.org", role=Role.ADMIN_GLOBAL, is_active=False)
    request = ask(cast)
    assert (request["voters"], request["needed"], request["approvals"], request["status"]) == (
        active,
        needed,
        1,
        "PENDING",
    )
    # More administrators do not change what is needed.
    User.objects.create_user(username="new", email="new@example.org", role=Role.ADMIN_GLOBAL)
    User.objects.create_user(username="newer", email="newer@example.org", role=Role.ADMIN_GLOBAL)
    for name in names[1 : needed - 1]:
        assert vote(cast, name, request["id"]).json()["status"] == "PENDING"
        assert is_active(cast)
    assert vote(cast, names[needed - 1], request["id"]).json()["status"] == "APPROVED"
    assert not is_active(cast)


def test_an_approved_deactivation_freezes_the_country_and_one_administrator_activates_it_again(cast: Cast) -> None:
    admins(cast, 2)
    token, session = cast.client("togo_head"), Client()
    assert session.login(username="togo_admin", password=PASSWORD)
    request = ask(cast)
    assert token.get(ME).status_code == 200
    vote(cast, "global_2", request["id"])
    assert token.get(ME).status_code == 403
    assert session.get(ME).status_code == 401
    assert cast.client("benin_head").get(ME).status_code == 200
    answer = cast.client("global_2").post(f"/api/v1/countries/{cast.togo.pk}/activate/")
    assert answer.json()["is_active"] is True
    assert token.get(ME).status_code == 200


# ------------------------------------------------------------------------------------------------ endings


def test_a_request_is_rejected_as_soon_as_the_number_cannot_be_reached(cast: Cast) -> None:
    admins(cast, 3)
    request = ask(cast)
    assert vote(cast, "global_2", request["id"], "reject").json()["status"] == "PENDING"
    assert vote(cast, "global_3", request["id"], "reject").json()["status"] == "REJECTED"
    assert is_active(cast)
    assert vote(cast, "superuser", request["id"]).status_code == 409


def test_with_four_administrators_the_second_rejection_ends_it(cast: Cast) -> None:
    admins(cast, 4)
    request = ask(cast)
    assert vote(cast, "global_2", request["id"], "reject").json()["status"] == "PENDING"
    assert vote(cast, "global_3", request["id"], "reject").json()["status"] == "REJECTED"


def test_each_account_votes_once_and_asking_was_a_vote(cast: Cast) -> None:
    admins(cast, 4)
    request = ask(cast)
    assert vote(cast, "global_admin", request["id"]).status_code == 409
    assert vote(cast, "global_2", request["id"]).status_code == 200
    again = vote(cast, "global_2", request["id"], "reject")
    assert (again.status_code, again.json()["detail"]) == (409, "You have voted on this request already.")
    shown = cast.client("global_3").get(f"{API}{request['id']}/").json()
    assert (shown["approvals"], shown["may_vote"]) == (2, True)
    assert cast.client("global_2").get(f"{API}{request['id']}/").json()["may_vote"] is False


def test_a_request_expires_after_seven_days(cast: Cast) -> None:
    admins(cast, 2)
    request = ask(cast)
    row = CountryDeactivation.objects.get()
    assert row.expires_at - row.asked_at == timedelta(days=7)
    assert deactivations.expire_due(row.expires_at - timedelta(seconds=1)) == 0
    CountryDeactivation.objects.update(expires_at=timezone.now())
    late = vote(cast, "global_2", request["id"])
    assert (late.status_code, late.json()["status"]) == (409, "EXPIRED")
    assert is_active(cast)
    # Another may follow.
    assert ask(cast, "global_2")["status"] == "PENDING"


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_of_a_worker_ends_a_request_that_nobody_reads(cast: Cast) -> None:
    admins(cast, 2)
    ask(cast)
    CountryDeactivation.objects.update(expires_at=timezone.now())
    Command()._pass()
    row = CountryDeactivation.objects.get()
    assert (row.status, row.decided_by) == (DeactivationStatus.EXPIRED, None)
    assert deactivations.expire_due() == 0


def test_a_list_never_shows_a_request_as_pending_whose_time_has_passed(cast: Cast) -> None:
    ask(cast)
    CountryDeactivation.objects.update(expires_at=timezone.now())
    client = cast.client("global_admin")
    assert client.get(f"{API}?status=PENDING").json()["count"] == 0
    assert [one["status"] for one in client.get(API).json()["results"]] == ["EXPIRED"]


def test_only_the_asker_withdraws(cast: Cast) -> None:
    admins(cast, 2)
    request = ask(cast)
    for name in ("global_2", "superuser"):
        assert cast.client(name).post(f"{API}{request['id']}/withdraw/").status_code == 403
    withdrawn = cast.client("global_admin").post(f"{API}{request['id']}/withdraw/")
    assert withdrawn.json()["status"] == "WITHDRAWN"
    assert cast.client("global_admin").post(f"{API}{request['id']}/withdraw/").status_code == 409
    assert is_active(cast)


def test_one_request_for_each_country_is_pending(cast: Cast) -> None:
    admins(cast, 2)
    ask(cast)
    again = cast.client("global_2").post(API, {"country": cast.togo.pk, "reason": REASON})
    assert again.status_code == 409
    assert "pending" in again.json()["detail"]
    assert cast.client("global_2").post(API, {"country": cast.benin.pk, "reason": REASON}).status_code == 201
    first = CountryDeactivation.objects.filter(country=cast.togo).get()
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


@pytest.mark.parametrize(
    ("body", "field"), [({"reason": REASON}, "country"), ({"country": "TG"}, "reason"), ({"country": 0}, "country")]
)
def test_a_request_names_a_country_and_a_reason(body: dict[str, Any], field: str, cast: Cast) -> None:
    answer = cast.client("global_admin").post(API, body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"] if "errors" in answer.json() else field in str(answer.json())


def test_a_blank_or_endless_reason_is_refused_and_an_inactive_country_too(cast: Cast) -> None:
    client = cast.client("global_admin")
    for reason in (" \u00a0 ", "x" * 1001):
        assert client.post(API, {"country": cast.togo.pk, "reason": reason}).status_code == 400
    assert client.post(API, {"country": cast.closed.pk, "reason": REASON}).status_code == 409
    assert not CountryDeactivation.objects.exists()


# ------------------------------------------------------------------------------------------------ superusers


@pytest.mark.parametrize(("choice", "status"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_a_superuser_decides_alone(choice: str, status: str, cast: Cast) -> None:
    admins(cast, 5)
    request = ask(cast)
    decided = vote(cast, "superuser", request["id"], choice).json()
    assert (decided["status"], decided["decided_by_label"]) == (status, "superuser@example.org")
    assert is_active(cast) is (choice == "reject")


def test_a_request_of_a_superuser_is_approved_at_once(cast: Cast) -> None:
    admins(cast, 5)
    assert ask(cast, "superuser")["status"] == "APPROVED"
    assert not is_active(cast)


def test_a_superuser_who_deactivates_directly_ends_the_pending_request(cast: Cast) -> None:
    admins(cast, 5)
    request = ask(cast)
    assert cast.client("superuser").post(f"/api/v1/countries/{cast.togo.pk}/deactivate/").status_code == 200
    row = CountryDeactivation.objects.get(pk=request["id"])
    assert (row.status, row.decided_by) == (DeactivationStatus.APPROVED, cast.superuser)


def test_the_request_of_the_only_administrator_waits_for_a_superuser(cast: Cast) -> None:
    request = ask(cast)
    assert (request["voters"], request["needed"], request["status"]) == (1, 2, "PENDING")
    assert vote(cast, "superuser", request["id"]).json()["status"] == "APPROVED"


def test_a_global_administrator_no_longer_deactivates_alone_and_reads_what_to_do(cast: Cast) -> None:
    answer = cast.client("global_admin").post(f"/api/v1/countries/{cast.togo.pk}/deactivate/")
    assert answer.status_code == 403
    assert "Ask for it with a reason" in answer.json()["detail"]
    assert is_active(cast)


# ------------------------------------------------------------------------------------------------ voters who go


def lose_role(cast: Cast, name: str) -> None:
    body = {"role": "ADMIN_TERRITORIAL"}
    assert cast.client("superuser").patch(f"/api/v1/users/{cast.users[name].pk}/", body).status_code == 200


def deactivate(cast: Cast, name: str) -> None:
    assert cast.client("superuser").post(f"/api/v1/users/{cast.users[name].pk}/deactivate/").status_code == 200


@pytest.mark.parametrize("go", [lose_role, deactivate])
def test_the_vote_of_an_account_that_is_no_administrator_any_more_is_struck_for_good(
    go: Callable[[Cast, str], None], cast: Cast
) -> None:
    admins(cast, 5)
    request = ask(cast)
    vote(cast, "global_2", request["id"])
    go(cast, "global_2")
    shown = vote(cast, "global_3", request["id"]).json()
    assert (shown["status"], shown["approvals"]) == ("PENDING", 2)
    assert [one["counts"] for one in shown["votes"]] == [True, False, True]
    if go is deactivate:
        cast.client("superuser").post(f"/api/v1/users/{cast.global_2.pk}/activate/")
        assert cast.client("global_3").get(f"{API}{request['id']}/").json()["approvals"] == 2
        assert vote(cast, "global_2", request["id"]).status_code == 409
    assert vote(cast, "global_4", request["id"]).json()["status"] == "APPROVED"


@pytest.mark.django_db(transaction=True)
def test_a_request_is_rejected_when_too_few_voters_are_left(cast: Cast) -> None:
    admins(cast, 3)
    request = ask(cast)
    deactivate(cast, "global_2")
    assert cast.client("superuser").get(f"{API}{request['id']}/").json()["status"] == "PENDING"
    deactivate(cast, "global_3")
    assert cast.client("superuser").get(f"{API}{request['id']}/").json()["status"] == "REJECTED"


@pytest.mark.django_db(transaction=True)
def test_the_request_of_an_asker_who_was_deactivated_needs_two_others(cast: Cast) -> None:
    admins(cast, 3)
    request = ask(cast)
    deactivate(cast, "global_admin")
    assert vote(cast, "global_2", request["id"]).json()["status"] == "PENDING"
    assert vote(cast, "global_3", request["id"]).json()["status"] == "APPROVED"


# ------------------------------------------------------------------------------------------------ mails and audit


def test_the_others_get_a_mail_when_it_is_asked_and_all_when_it_ends(cast: Cast) -> None:
    admins(cast, 3)
    User.objects.filter(username="global_3").update(language=Language.ENGLISH)
    request = ask(cast)
    asked = {one.to[0]: str(one.body) for one in sent_mails()}
    assert set(asked) == {"global_2@example.org", "global_3@example.org", "superuser@example.org"}
    assert "Approvals: 1 of 2 needed" in asked["global_3@example.org"]
    assert "votre vote décide seul" in asked["superuser@example.org"]
    assert all(f"/countries/{cast.togo.pk}/" in body for body in asked.values())
    mail.outbox.clear()
    vote(cast, "global_2", request["id"])
    ended = {one.to[0]: one for one in sent_mails()}
    assert set(ended) == {*asked, "global_admin@example.org"}
    assert ended["global_3@example.org"].subject == "Togo was deactivated"
    assert ended["global_2@example.org"].subject == "Togo a été désactivé"
    for text in (*asked.values(), *(str(one.body) for one in ended.values())):
        assert REASON not in text
        assert "global_admin" not in text


def test_no_mail_asks_for_a_vote_when_the_request_has_ended_meanwhile(cast: Cast) -> None:
    admins(cast, 2)
    request = ask(cast)
    cast.client("global_admin").post(f"{API}{request['id']}/withdraw/")
    assert {one.subject for one in sent_mails()} == {"Togo reste actif\u00a0: la demande est close"}


def test_every_step_is_audited_with_counts_alone_and_hidden_from_the_country(cast: Cast) -> None:
    admins(cast, 2)
    request = ask(cast)
    vote(cast, "global_2", request["id"])
    entries = AuditEntry.objects.filter(object_type="users.countrydeactivation").exclude(action="read")
    facts = [one.data for one in entries.order_by("pk")]
    assert facts == [{"voters": 2, "needed": 2}, {"vote": "approve"}, {"status": "APPROVED"}]
    assert not entries.visible_to(cast.togo_admin).exists()
    assert entries.visible_to(cast.superuser).count() == 3


# ------------------------------------------------------------------------------------------------ at the same time


@pytest.mark.django_db(transaction=True)
def test_two_last_votes_at_once_have_one_outcome(cast: Cast) -> None:
    admins(cast, 4)
    number = ask(cast)["id"]
    vote(cast, "global_2", number)
    ready = Barrier(2)

    def cast_vote(name: str, choice: str) -> int:
        client: APIClient = clients[name]
        ready.wait(10)
        try:
            return int(client.post(f"{API}{number}/vote/", {"vote": choice}).status_code)
        finally:
            connection.close()

    clients = {name: cast.client(name) for name in ("global_3", "superuser")}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(cast_vote, clients, ("approve", "reject")))
    assert sorted(answers) == [200, 409]
    row = CountryDeactivation.objects.get(pk=number)
    assert row.status == ("APPROVED" if answers[0] == 200 else "REJECTED")
    assert is_active(cast) is (row.status == "REJECTED")
    assert row.votes.count() == 3
    ends = AuditEntry.objects.filter(object_type="users.countrydeactivation", data__has_key="status")
    assert ends.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_become_one(cast: Cast) -> None:
    admins(cast, 2)
    ready = Barrier(2)

    def ask_once(name: str) -> bool:
        ready.wait(10)
        try:
            deactivations.ask(actor=cast.users[name], country=cast.togo, reason=REASON)
            return True
        except Conflict:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(ask_once, ("global_admin", "global_2")))
    assert sorted(made) == [False, True]
    assert CountryDeactivation.objects.count() == 1


# ------------------------------------------------------------------------------------------------ pages and admin


def test_the_page_of_the_country_asks_votes_and_shows_the_history(cast: Cast, browser: Browser) -> None:
    admins(cast, 3)
    asker, second, third = (browser(name) for name in ("global_admin", "global_2", "global_3"))
    page = f"/countries/{cast.togo.pk}/"
    assert asker.post(page, {"reason": " "}).status_code == 400
    told = asker.post(page, {"reason": REASON}, follow=True).content.decode()
    assert "Withdraw the request" in told
    assert "Approve the deactivation" not in told
    shown = second.get(page).content.decode()
    assert REASON in shown
    assert "Approvals: 1 of 2 needed." in shown
    number = CountryDeactivation.objects.get().pk
    assert "Deactivation of Togo" in second.get("/").content.decode()
    assert "Deactivation of Togo" not in asker.get("/").content.decode()
    told = second.post(f"{page}reject/", {"request": number}, follow=True).content.decode()
    assert "waits for further votes" in told
    told = third.post(f"{page}approve/", {"request": number}, follow=True).content.decode()
    assert "its accounts can no longer sign in" in told
    assert not is_active(cast)
    assert "Earlier requests" in asker.get(page).content.decode()
    assert asker.post(f"{page}activate/").status_code == 302
    assert is_active(cast)


def test_a_form_of_an_older_request_votes_on_no_other(cast: Cast, browser: Browser) -> None:
    admins(cast, 2)
    first = ask(cast)["id"]
    cast.client("global_admin").post(f"{API}{first}/withdraw/")
    ask(cast)
    page = f"/countries/{cast.togo.pk}/"
    told = browser("global_2").post(f"{page}approve/", {"request": first}, follow=True).content.decode()
    assert "This request has ended" in told
    assert is_active(cast)
    told = browser("global_2").post(f"{page}approve/", {"request": "x"}, follow=True).content.decode()
    assert "no such request" in told


def test_the_administrator_of_the_country_sees_nothing_of_it(cast: Cast, browser: Browser) -> None:
    ask(cast)
    page = f"/countries/{cast.togo.pk}/"
    assert REASON not in browser("togo_admin").get(page).content.decode()
    assert browser("togo_admin").post(page, {"reason": REASON}).status_code == 403
    assert "Deactivation of Togo" not in browser("togo_admin").get("/").content.decode()


def test_the_admin_asks_votes_and_withdraws(cast: Cast, browser: Browser) -> None:
    admins(cast, 2)
    asker, second = browser("global_admin"), browser("global_2")
    country = f"/admin/users/country/{cast.togo.pk}/"
    assert "Deactivate the country" not in asker.get(f"{country}change/").content.decode()
    asker.post(f"{country}act/close/")
    assert is_active(cast)
    path = "/admin/users/countrydeactivation/"
    assert asker.post(f"{path}add/", {"country": cast.togo.pk, "reason": REASON}).status_code == 302
    first = CountryDeactivation.objects.get()
    asker.post(f"{path}{first.pk}/act/withdraw/")
    first.refresh_from_db()
    assert first.status == DeactivationStatus.WITHDRAWN
    asker.post(f"{path}add/", {"country": cast.togo.pk, "reason": REASON})
    row = CountryDeactivation.objects.first()
    assert row is not None
    assert REASON in second.get(f"{path}{row.pk}/change/").content.decode()
    assert second.post(f"{path}{row.pk}/change/", {"vote": "approve"}).status_code == 302
    assert not is_active(cast)
    assert second.get(f"{path}{row.pk}/change/").status_code == 200
    assert second.get(path).status_code == 200
