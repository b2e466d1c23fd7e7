"""Mails about imports: who chose them gets them, if the account may see the session, with counts and links only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from file_handling.models import SessionStatus
from notifications import summaries
from notifications.models import Ending
from notifications.outbox import session_ended
from tests.support.api_user import API, ApiUser
from tests.support.cast import Cast
from tests.support.mails import sent_mails
from tests.support.pairs import line, row
from tests.support.records import make_session, summary_of_one_claim
from users.models import Country, QueuedMail, User

pytestmark = pytest.mark.django_db(transaction=True)


def choose(cast: Cast, name: str, **choice: Any) -> None:
    answer = cast.client(name).patch(f"{API}users/me/", choice)
    assert answer.status_code == 200, answer.content
    assert {field: answer.json()[field] for field in choice} == choice


def everybody_chooses_all(cast: Cast) -> None:
    User.objects.update(mail_imports="all")


def recipients() -> list[str]:
    """The names of the accounts that got a mail since the last call."""
    found = sorted(message.to[0].removesuffix("@example.org") for message in sent_mails())
    mail.outbox.clear()
    return found


def ended(user: User, country: Country, ending: Ending = Ending.COMPLETED, **fields: Any) -> Any:
    session = make_session(user=user, country=country, **fields)
    session_ended(session.pk, ending)
    return session


def test_nobody_gets_a_mail_who_has_not_chosen_any(cast: Cast) -> None:
    ended(cast.togo_head, cast.togo)
    assert recipients() == []


def test_each_person_gets_mails_of_the_imports_that_the_person_chose(cast: Cast) -> None:
    choose(cast, "togo_head", mail_imports="own")
    choose(cast, "rival_head", mail_imports="all")
    choose(cast, "global_admin", mail_imports="all")
    choose(cast, "benin_admin", mail_imports="all")
    ended(cast.togo_head, cast.togo)
    assert recipients() == ["global_admin", "rival_head", "togo_head"]
    ended(cast.togo_admin, cast.togo)
    assert recipients() == ["global_admin", "rival_head"]
    ended(cast.benin_head, cast.benin)
    assert recipients() == ["benin_admin", "global_admin"]


def test_failures_only_is_a_choice_of_its_own(cast: Cast) -> None:
    choose(cast, "togo_head", mail_imports="own", mail_failures_only=True)
    for ending in Ending:
        ended(cast.togo_head, cast.togo, ending)
    (message,) = sent_mails()
    assert "échoué" in str(message.body)


def test_only_accounts_that_may_see_the_session_get_a_mail_of_it(cast: Cast) -> None:
    everybody_chooses_all(cast)
    ended(cast.togo_head, cast.togo)
    assert recipients() == ["global_admin", "rival_head", "superuser", "togo_admin", "togo_head"]
    ended(cast.closed_head, cast.closed)
    assert recipients() == ["global_admin", "superuser"]


def test_a_loss_of_access_between_the_end_and_the_mail_holds(cast: Cast) -> None:
    everybody_chooses_all(cast)
    ended(cast.togo_head, cast.togo)
    User.objects.filter(pk=cast.togo_head.pk).update(country=cast.benin)
    User.objects.filter(pk=cast.rival_head.pk).update(role="RESP_OPERATEUR")
    User.objects.filter(pk=cast.global_admin.pk).update(is_active=False)
    assert recipients() == ["superuser", "togo_admin"]
    assert not QueuedMail.objects.exists()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_mail_of_each_ending_has_counts_and_a_link_in_the_language_of_the_account(
    language: str, cast: Cast, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://concord.example"
    User.objects.filter(pk=cast.togo_head.pk).update(mail_imports="own", language=language)
    summary = summary_of_one_claim("SECRET")
    bodies = {}
    for ending, status in [
        (Ending.COMPLETED, SessionStatus.DONE),
        (Ending.FAILED, SessionStatus.ERROR),
        (Ending.REVIEW, SessionStatus.REVIEW),
        (Ending.REVERTED, SessionStatus.REVERTED),
        (Ending.SHEET, SessionStatus.AWAITING_SHEET),
    ]:
        session = make_session(
            user=cast.togo_head, country=cast.togo, status=status, summary=summary, claims_created_count=1234
        )
        counts = {"claims_removed": 5} if ending is Ending.REVERTED else None
        session_ended(session.pk, ending, counts=counts)
        (message,) = sent_mails()
        mail.outbox.clear()
        assert f"https://concord.example/imports/{session.pk}/" in str(message.body)
        assert "https://concord.example/account/" in str(message.body)
        assert str(session.pk) in message.subject
        bodies[ending] = f"{message.subject}\n{message.body}"
    words = {
        "en": ["has ended: done", "has failed", "commit or cancel", "Claims removed: 5", "Name the one"],
        "fr": ["est terminé", "a échoué", "validez-le", "Sinistres supprimés\N{NO-BREAK SPACE}: 5", "celle à importer"],
    }[language]
    for body, expected in zip(bodies.values(), words, strict=True):
        assert expected in body
        assert "{" not in body
        assert not re.search(r"SECRET|Togo|\n\n\n", body)
    assert re.search("1,234|1\\s234", bodies[Ending.COMPLETED])


def test_a_real_import_sends_no_name_of_a_person_or_a_file(cast: Cast) -> None:
    choose(cast, "togo_head", mail_imports="own", mail_daily=True)
    api = ApiUser.for_user(cast.togo_head)
    assert api.import_pair([line("A1"), line("A2")], [row("A1")]).status == "DONE_WITH_ERRORS"
    (message,) = sent_mails()
    stated = line("A1")
    texts = f"{message.subject} {message.body} {message.alternatives[0].content}"  # type: ignore[attr-defined]
    names = [stated[field] for field in ("beneficiary", "main_insured", "employer", "partner")]
    assert [name for name in names if name in texts] == []
    assert ".csv" not in texts
    assert "togo_head" not in texts


def test_an_import_that_waits_for_the_name_of_a_sheet_sends_a_mail_and_a_retry_after_a_failure_another(
    cast: Cast,
) -> None:
    choose(cast, "togo_admin", mail_imports="all", mail_failures_only=True)
    api = ApiUser.for_user(cast.togo_head)
    failed = api.import_pair([line("A1")], [row("A1", settlement_date="2031-01-01")])
    assert failed.status == "ERROR"
    assert api.steer(failed.id, "retry").status_code == 200
    api.run(failed.id)
    assert recipients() == ["togo_admin", "togo_admin"]


# ------------------------------------------------------------------------------------------------ the summary of a day


Sweep = Callable[[], int]


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """What the sweeper does at six in the morning; → the number of summaries that it queued."""

    def sweep() -> int:
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: datetime(2026, 3, 2, 6, 0, tzinfo=UTC))
            return summaries.queue_due()

    return sweep


def test_the_summary_of_yesterday_comes_once_each_morning_with_the_sessions_that_the_account_may_see(
    cast: Cast, sweep: Sweep
) -> None:
    for name in ("togo_admin", "global_admin", "togo_operator", "inactive", "closed_admin"):
        User.objects.filter(username=name).update(mail_daily=True, language="en")
    yesterday, before = datetime(2026, 3, 1, 23, 59, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    for user, country, at in [
        (cast.togo_head, cast.togo, yesterday),
        (cast.benin_head, cast.benin, yesterday),
        (cast.togo_head, cast.togo, before),
    ]:
        make_session(user=user, country=country, completed_at=at, claims_created_count=7)
    make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.REVIEW)
    assert sweep() == 4
    assert sweep() == 0
    bodies = {message.to[0].split("@")[0]: str(message.body) for message in sent_mails()}
    assert set(bodies) == {"togo_admin", "global_admin"}
    assert "ended on 01/03/2026 (UTC): 1\n- done: 1\nClaims imported: 7" in bodies["togo_admin"]
    assert "ended on 01/03/2026 (UTC): 2\n- done: 2\nClaims imported: 14" in bodies["global_admin"]
    assert "wait for a person now: 1" in bodies["togo_admin"]


def test_there_is_no_summary_of_a_day_without_imports_and_none_before_its_hour(
    cast: Cast, sweep: Sweep, settings: Any
) -> None:
    User.objects.filter(username="togo_admin").update(mail_daily=True)
    settings.SUMMARY_HOUR = 7
    assert sweep() == 0
    settings.SUMMARY_HOUR = 6
    assert sweep() == 1
    assert recipients() == []


# ------------------------------------------------------------------------------------------------ the choice


def test_nobody_chooses_the_mails_of_another_account(cast: Cast) -> None:
    client = cast.client("togo_admin")
    client.patch(f"{API}users/{cast.togo_head.pk}/", {"mail_imports": "all"})
    assert User.objects.get(pk=cast.togo_head.pk).mail_imports == "none"
    assert "mail_imports" not in client.get(f"{API}users/{cast.togo_head.pk}/").json()
    assert client.patch(f"{API}users/me/", {"mail_imports": "some"}).status_code == 400


def test_the_page_of_the_own_account_offers_the_choice_to_accounts_that_see_imports(cast: Cast, browser: Any) -> None:
    page = browser("togo_head")
    form = {"first_name": "", "last_name": "", "language": "en", "mail_imports": "all", "mail_daily": "on"}
    assert page.post("/account/", form).status_code == 302
    account = User.objects.get(pk=cast.togo_head.pk)
    assert (account.mail_imports, account.mail_failures_only, account.mail_daily) == ("all", False, True)
    shown = page.get("/account/").content.decode()
    assert '<option value="all" selected>' in shown
    operator = browser("togo_operator")
    assert "mail_imports" not in operator.get("/account/").content.decode()
    assert operator.post("/account/", {"language": "en"}).status_code == 302
