"""The rows of every model that each account sees, by `visible_to` itself (DOMAIN §1).

The tables of addresses do not replace this: a row may have two checks. An event is reached through its session, so a
missing check of the event alone would show at no address.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser

from core.models import (
    ActCategoryAlias,
    CatalogueDifference,
    Change,
    ChangeMove,
    ChangeStep,
    ChangeSubject,
    ReportingCurrency,
)
from dashboard.models import WatchMark
from file_handling import permissions
from file_handling.models import DroppedFolder, File, IdempotencyKey
from tests.support.cast import SHUT_OUT, Cast
from tests.support.records import Records, add_corrected_session
from users.models import AuditEntry, Country, Role, User

BOTH, TOGO, BENIN, NONE = {"TG", "BJ"}, {"TG"}, {"BJ"}, set[str]()
NOBODY = dict.fromkeys([*SHUT_OUT, "inactive", "anonymous"], NONE)
SEE_ALL = {"superuser": BOTH, "global_admin": BOTH}
ADMINS = SEE_ALL | {"togo_admin": TOGO, "benin_admin": BENIN} | NOBODY

RECORD = ADMINS | {
    "togo_head": TOGO,
    "rival_head": TOGO,
    "togo_operator": TOGO,
    "benin_head": BENIN,
    "benin_operator": BENIN,
}
SESSION = RECORD | {"togo_operator": NONE, "benin_operator": NONE}
FILE = SESSION | {"rival_head": NONE}
AUDIT = FILE | {"togo_head": NONE, "benin_head": NONE}
OF_A_COUNTRY = {
    "file_handling.File": FILE,
    "file_handling.ImportSession": SESSION,
    "file_handling.SessionEvent": SESSION,
    "file_handling.Finding": SESSION,
    "file_handling.SessionClaims": SESSION,
    "file_handling.Correction": SESSION,
    "file_handling.IdempotencyKey": RECORD,
    "file_handling.DroppedFolder": SESSION,
    "users.AuditEntry": AUDIT,
    "dashboard.WatchMark": RECORD,
    "core.ReviewPair": SESSION,
    "core.ClientAlias": RECORD,
    "core.PartnerAlias": RECORD,
    "core.OperatorAlias": RECORD,
    "notifications.WebhookEndpoint": AUDIT,
    "notifications.WebhookMessage": AUDIT,
    "notifications.WebhookAttempt": AUDIT,
    **{
        f"core.{name}": RECORD
        for name in [
            "Client",
            "Policy",
            "Plan",
            "Insured",
            "InsuredSpelling",
            "Membership",
            "Partner",
            "Operator",
            "Invoice",
            "Payment",
            "Premium",
            "PremiumRevision",
            "Claim",
            "ClaimLine",
            "ClaimRevision",
            "Change",
            "ChangeSubject",
            "ChangeStep",
            "ChangeMove",
            "PolicyRateCount",
            "PlanRateCount",
        ]
    },
}
SHARED = ["core.ActCategory", "core.Act", "core.ActAlias", "core.ActCategoryAlias", "core.CatalogueDifference"]
OF_SUPERUSERS = ["file_handling.Converter"]
OF_GLOBAL_ROLES = ["users.CountryDeactivation", "core.ExchangeRate", "core.ReportingCurrency"]
PEOPLE = ["users.User", "users.Country"]


def everybody(cast: Cast) -> dict[str, Any]:
    return {**cast.users, "anonymous": AnonymousUser()}


def test_the_tables_name_every_model_that_has_a_scope() -> None:
    found = {model._meta.label for model in apps.get_models() if hasattr(model._default_manager.all(), "visible_to")}
    assert found == {*OF_A_COUNTRY, *SHARED, *OF_SUPERUSERS, *OF_GLOBAL_ROLES, *PEOPLE}


@pytest.mark.parametrize("label", OF_GLOBAL_ROLES)
def test_only_global_roles_see_what_concerns_all_countries(label: str, cast: Cast, togo: Records) -> None:
    ReportingCurrency.objects.create(pk=ReportingCurrency.THE_ONE, currency="EUR", token="t")
    rows = apps.get_model(label)._default_manager
    seen = {name for name, user in everybody(cast).items() if rows.all().visible_to(user).exists()}
    assert seen == {"superuser", "global_admin"}


@pytest.mark.parametrize("label", OF_A_COUNTRY)
def test_an_account_sees_the_rows_of_the_countries_that_are_its_own(
    label: str, cast: Cast, togo: Records, benin: Records
) -> None:
    for records, country, owner in [(togo, cast.togo, cast.togo_head), (benin, cast.benin, cast.benin_head)]:
        AuditEntry.objects.create(actor=owner, country=country, action="read", object_type="x", object_id=1)
        add_corrected_session(records)
        DroppedFolder.objects.create(country=country, name="march", content_sha256="0" * 64, session=records.session)
        IdempotencyKey.objects.create(user=owner, key="k", request_sha256="0" * 64, session=records.session)
        change = Change.objects.create(country=country, kind="insured_merge", actor_label="")
        ChangeSubject.objects.create(change=change, model="core.insured", row_id=1)
        step = ChangeStep.objects.create(change=change, sequence=1, action="moved", model="core.claim")
        ChangeMove.objects.create(step=step, row_id=1)
        WatchMark.objects.create(country=country, rule="many_lines", key="insured=1", note="A chronic illness")
    model = apps.get_model(label)
    path = f"{model.country_path.removesuffix('_id')}__code"
    seen = {
        # A change of the catalogue has no country.
        name: set(model._default_manager.all().visible_to(user).values_list(path, flat=True)) - {None}
        for name, user in everybody(cast).items()
    }
    assert seen == OF_A_COUNTRY[label]


@pytest.mark.parametrize("label", SHARED)
def test_the_catalogue_is_seen_by_every_account_that_has_a_country_to_see(
    label: str, cast: Cast, togo: Records
) -> None:
    ActCategoryAlias.objects.create(name="DROGUES", category=togo.rows["act-categories"])
    CatalogueDifference.objects.create(kind="act", first_key="A", second_key="B", actor_label="")
    rows = apps.get_model(label)._default_manager.all()
    seen = {name for name, user in everybody(cast).items() if rows.visible_to(user).exists()}
    assert seen == {name for name, countries in RECORD.items() if countries}


@pytest.mark.parametrize("label", OF_SUPERUSERS)
def test_what_serves_all_countries_is_seen_by_superusers_alone(label: str, cast: Cast, togo: Records) -> None:
    rows = apps.get_model(label)._default_manager.all()
    assert {name for name, user in everybody(cast).items() if rows.visible_to(user).exists()} == {"superuser"}


def test_an_account_sees_the_countries_that_are_its_own(cast: Cast) -> None:
    seen = {
        name: set(Country.objects.visible_to(user).exclude(pk=cast.closed.pk).values_list("code", flat=True))
        for name, user in everybody(cast).items()
    }
    assert seen == RECORD
    for name, user in everybody(cast).items():
        assert Country.objects.visible_to(user).filter(pk=cast.closed.pk).exists() == (name in SEE_ALL), name


def test_an_account_sees_itself_and_an_admin_the_people_below_in_the_country(cast: Cast) -> None:
    below = {
        "togo_admin": {"togo_head", "rival_head", "togo_operator"},
        "benin_admin": {"benin_head", "benin_operator"},
    }
    for name, user in everybody(cast).items():
        if name in SEE_ALL:
            expected = set(cast.users)
        elif name in NOBODY:
            expected = set()
        else:
            expected = below.get(name, set()) | {name}
        assert set(User.objects.visible_to(user).values_list("username", flat=True)) == expected, name


def test_an_account_that_loses_the_role_of_department_head_loses_its_own_files_too(cast: Cast, togo: Records) -> None:
    for role, is_theirs in [(Role.CHEF_DEPT_TECH, True), (Role.RESP_OPERATEUR, False)]:
        cast.togo_head.role = role
        cast.togo_head.save()
        assert File.objects.visible_to(cast.togo_head).filter(pk=togo.file.pk).exists() == is_theirs
        assert permissions.may_delete_file(user=cast.togo_head, file=togo.file) == is_theirs
        assert permissions.may_steer(user=cast.togo_head, session=togo.session) == is_theirs
