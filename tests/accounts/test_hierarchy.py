"""Which accounts an account may create, change, move and deactivate (DOMAIN §1)."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import NotAllowed
from tests.support.cast import PASSWORD, Cast
from users.accounts.services import move_account, set_active
from users.models import AuditEntry, Country, Role, User

USERS = "/api/v1/users/"
ROLES = [role.value for role in Role]
# Account → the roles that it may create.
MAY_CREATE = {
    "superuser": {"ADMIN_GLOBAL", "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "RESP_OPERATEUR"},
    "global_admin": {"ADMIN_TERRITORIAL"},
    "togo_admin": {"CHEF_DEPT_TECH", "RESP_OPERATEUR"},
    "togo_head": set(),
    "togo_operator": set(),
    "homeless_admin": set(),
    "closed_admin": set(),
}


def make(cast: Cast, actor: str, **fields: Any) -> Any:
    return cast.client(actor).post(
        USERS, {"email": "new@example.org", "first_name": "Afi", "last_name": "Lawson"} | fields
    )


@pytest.mark.parametrize("actor", MAY_CREATE)
def test_each_role_creates_only_the_roles_that_are_theirs_to_give(actor: str, cast: Cast) -> None:
    created = set()
    for role in ROLES:
        fields: dict[str, Any] = {"role": role, "email": f"new-{role.lower()}@example.org"}
        if actor in ("superuser", "global_admin") and role in ("ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "RESP_OPERATEUR"):
            fields["country"] = cast.togo.pk
        response = make(cast, actor, **fields)
        assert response.status_code in (201, 403), response.content
        if response.status_code == 201:
            created.add(role)
    assert created == MAY_CREATE[actor]
    assert set(User.objects.filter(email__startswith="new-").values_list("role", flat=True)) == created


def test_an_account_that_a_territorial_admin_creates_inherits_the_country(cast: Cast) -> None:
    response = make(cast, "togo_admin", role="CHEF_DEPT_TECH")
    assert response.json()["country"]["code"] == "TG"
    assert (
        make(cast, "togo_admin", role="CHEF_DEPT_TECH", email="b@example.org", country=cast.togo.pk).status_code == 201
    )


def test_a_territorial_admin_cannot_create_an_account_in_another_country_nor_learn_which_exist(cast: Cast) -> None:
    existing = make(cast, "togo_admin", role="CHEF_DEPT_TECH", country=cast.benin.pk)
    none = make(cast, "togo_admin", role="CHEF_DEPT_TECH", country=987654)
    assert existing.status_code == none.status_code == 400
    assert existing.json() == none.json()
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_new_account_has_no_password_and_its_address_is_its_name(cast: Cast) -> None:
    body = make(cast, "togo_admin", role="RESP_OPERATEUR", email="New@Example.org").json()
    account = User.objects.get(pk=body["id"])
    assert (account.username, account.email, account.has_usable_password()) == (
        "new@example.org",
        "New@Example.org",
        False,
    )
    assert "password" not in body


def test_no_field_of_a_form_sets_password_flags_or_staff(cast: Cast) -> None:
    body = make(
        cast,
        "togo_admin",
        role="RESP_OPERATEUR",
        password="Baobab-1",
        is_superuser=True,
        is_staff=True,
        is_active=False,
    ).json()
    account = User.objects.get(pk=body["id"])
    assert (account.is_superuser, account.is_staff, account.is_active) == (False, False, True)
    assert not account.has_usable_password()


def test_staff_follows_the_role(cast: Cast) -> None:
    body = make(cast, "global_admin", role="ADMIN_TERRITORIAL", country=cast.togo.pk).json()
    assert User.objects.get(pk=body["id"]).is_staff
    response = cast.client("superuser").patch(f"{USERS}{body['id']}/", {"role": "RESP_OPERATEUR"})
    assert response.status_code == 200
    assert not User.objects.get(pk=body["id"]).is_staff


def test_all_errors_of_a_new_account_are_returned_at_once(cast: Cast) -> None:
    response = make(
        cast,
        "superuser",
        role="CHEF_DEPT_TECH",
        email="nobody",
        first_name="http://evil.example",
        language="fr",
        username="a b",
    )
    assert response.status_code == 400
    assert set(response.json()) == {"email", "first_name", "username", "country"}


@pytest.mark.parametrize("taken", ["benin_head@example.org", "BENIN_HEAD@Example.org", "togo_head@example.org"])
def test_a_used_address_is_refused_with_the_same_sentence_in_every_country(taken: str, cast: Cast) -> None:
    response = make(cast, "togo_admin", role="CHEF_DEPT_TECH", email=taken)
    assert response.status_code == 400
    assert response.json() == {"email": ["This is already used by another account."]}


def test_a_user_name_cannot_be_the_address_of_another_account(cast: Cast) -> None:
    response = make(cast, "togo_admin", role="CHEF_DEPT_TECH", username="other@example.org")
    assert set(response.json()) == {"username"}


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (
            "superuser",
            {"superuser", "global_admin", "togo_admin", "benin_head", "closed_head", "homeless_admin", "inactive"},
        ),
        ("global_admin", {"superuser", "togo_admin", "togo_head", "benin_head", "inactive"}),
        ("togo_admin", {"togo_admin", "togo_head", "rival_head", "togo_operator"}),
    ],
)
def test_a_list_shows_the_accounts_that_one_may_see(actor: str, sees: set[str], cast: Cast) -> None:
    body = cast.client(actor).get(f"{USERS}?page_size=200").json()
    names = {row["username"] for row in body["results"]}
    assert sees <= names
    if actor == "togo_admin":
        assert names == sees
        assert body["count"] == len(sees)


def test_a_list_is_narrowed_by_role_country_activity_and_words(cast: Cast) -> None:
    client = cast.client("global_admin")

    def names(query: str) -> set[str]:
        return {row["username"] for row in client.get(f"{USERS}?{query}").json()["results"]}

    assert names(f"role=CHEF_DEPT_TECH&country={cast.togo.pk}") == {"togo_head", "rival_head"}
    assert names("is_active=false") == {"inactive"}
    assert names("search=BENIN+admin") == {"benin_admin"}
    assert client.get(f"{USERS}?rolle=x").status_code == 400
    hidden = cast.client("togo_admin").get(f"{USERS}?country={cast.benin.pk}").json()
    assert hidden["count"] == 0


def test_the_queries_of_a_list_do_not_grow_with_it(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(60):
        User.objects.create(
            username=f"u{number}", email=f"u{number}@example.org", country=cast.togo, role="RESP_OPERATEUR"
        )
    client = cast.client("global_admin")
    with django_assert_max_num_queries(7):
        assert len(client.get(f"{USERS}?page_size=200").json()["results"]) > 60


@pytest.mark.parametrize("method", ["get", "patch", "activate", "deactivate", "password-link"])
def test_another_countrys_account_is_access_denied_and_none_is_not_found(method: str, cast: Cast) -> None:
    client = cast.client("togo_admin")

    def ask(pk: int) -> Any:
        if method in ("get", "patch"):
            return getattr(client, method)(f"{USERS}{pk}/")
        return client.post(f"{USERS}{pk}/{method}/")

    assert (ask(cast.benin_head.pk).status_code, ask(999999).status_code) == (403, 404)
    assert ask(cast.benin_head.pk).json() == {"detail": "Access denied"}
    # Accounts of the same or a higher role are refused in the same way.
    assert ask(cast.superuser.pk).status_code == 403


@pytest.mark.parametrize(
    ("actor", "target", "role", "status"),
    [
        ("togo_admin", "togo_head", "RESP_OPERATEUR", 200),
        ("togo_admin", "togo_head", "ADMIN_TERRITORIAL", 403),
        ("togo_admin", "togo_head", "SUPERUSER", 403),
        ("togo_admin", "togo_admin", "ADMIN_GLOBAL", 403),
        ("global_admin", "togo_admin", "ADMIN_GLOBAL", 403),
        ("global_admin", "togo_head", "ADMIN_TERRITORIAL", 403),
        ("global_admin", "global_admin", "SUPERUSER", 403),
        ("superuser", "togo_head", "ADMIN_TERRITORIAL", 200),
        ("superuser", "togo_head", "SUPERUSER", 403),
        ("superuser", "superuser", "RESP_OPERATEUR", 403),
    ],
)
def test_no_account_gives_its_own_role_or_a_higher_one_or_changes_its_own_role(
    actor: str, target: str, role: str, status: int, cast: Cast
) -> None:
    before = cast.users[target].role
    response = cast.client(actor).patch(f"{USERS}{cast.users[target].pk}/", {"role": role})
    assert response.status_code == status
    cast.users[target].refresh_from_db()
    assert cast.users[target].role == (role if status == 200 else before)


def test_an_account_that_gets_a_global_role_loses_its_country(cast: Cast) -> None:
    body = cast.client("superuser").patch(f"{USERS}{cast.togo_admin.pk}/", {"role": "ADMIN_GLOBAL"}).json()
    assert body["country"] is None


def test_a_global_admin_assigns_moves_and_removes_the_country_of_territorial_admins(cast: Cast) -> None:
    client = cast.client("global_admin")
    address = f"{USERS}{cast.homeless_admin.pk}/country/"
    assert client.post(address, {"country": cast.togo.pk}).json()["country"]["code"] == "TG"
    assert client.post(address, {"country": cast.benin.pk}).json()["country"]["code"] == "BJ"
    assert client.post(address, {"country": cast.closed.pk}).status_code == 400
    assert client.delete(address).json()["country"] is None
    assert client.post(f"{USERS}{cast.togo_head.pk}/country/", {"country": cast.benin.pk}).status_code == 403
    moves = AuditEntry.objects.filter(action="move", object_id=cast.homeless_admin.pk).order_by("id")
    assert moves[0].country_id == cast.togo.pk
    assert {entry.country_id for entry in moves} == {cast.togo.pk, cast.benin.pk}


def test_a_territorial_admin_moves_no_account_and_no_account_moves_itself(cast: Cast) -> None:
    for actor, target in [("togo_admin", "togo_head"), ("togo_admin", "togo_admin"), ("global_admin", "global_admin")]:
        client = cast.client(actor)
        address = f"{USERS}{cast.users[target].pk}/country/"
        assert client.post(address, {"country": cast.benin.pk}).status_code == 403
        assert client.delete(address).status_code == 403
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.country == cast.togo


def test_the_service_that_moves_accounts_checks_the_actor_itself(cast: Cast) -> None:
    for actor, target in [("togo_admin", "togo_head"), ("togo_head", "togo_operator"), ("superuser", "superuser")]:
        with pytest.raises(NotAllowed):
            move_account(actor=cast.users[actor], account=cast.users[target], country=cast.benin)


def test_an_account_cannot_deactivate_itself(cast: Cast) -> None:
    for name in ("superuser", "togo_admin"):
        assert cast.client(name).post(f"{USERS}{cast.users[name].pk}/deactivate/").status_code == 403


def test_the_last_active_superuser_cannot_be_deactivated(cast: Cast) -> None:
    second = User.objects.create_superuser("second", "second@example.org", PASSWORD)
    assert cast.client("superuser").post(f"{USERS}{second.pk}/deactivate/").status_code == 200
    # Two superusers deactivate each other at the same moment: the second one acts with an inactive account.
    with pytest.raises(NotAllowed):
        set_active(actor=second, account=cast.superuser, is_active=False)
    cast.superuser.refresh_from_db()
    assert cast.superuser.is_active


def test_people_change_their_own_name_and_language_and_nothing_else(cast: Cast) -> None:
    client = cast.client("togo_operator")
    response = client.patch(
        "/api/v1/users/me/",
        {
            "first_name": "Yawa",
            "language": "en",
            "role": "SUPERUSER",
            "country": cast.benin.pk,
            "email": "x@example.org",
        },
    )
    assert response.status_code == 200
    cast.togo_operator.refresh_from_db()
    me = cast.togo_operator
    assert (me.first_name, me.language) == ("Yawa", "en")
    assert (me.role, me.country, me.email) == ("RESP_OPERATEUR", cast.togo, "togo_operator@example.org")


def test_every_change_has_an_audit_entry_with_the_actor_and_the_fields(cast: Cast) -> None:
    pk = make(cast, "togo_admin", role="CHEF_DEPT_TECH").json()["id"]
    client = cast.client("togo_admin")
    client.patch(f"{USERS}{pk}/", {"first_name": "Kossi", "role": "RESP_OPERATEUR"})
    client.post(f"{USERS}{pk}/deactivate/")
    client.post(f"{USERS}{pk}/activate/")
    entries = AuditEntry.objects.filter(object_type="users.user", object_id=pk).order_by("id")
    assert [entry.action for entry in entries] == ["create", "link", "update", "deactivate", "activate"]
    assert {entry.actor for entry in entries} == {cast.togo_admin}
    assert {entry.country for entry in entries} == {cast.togo}
    assert entries[2].data["fields"] == ["first_name", "role"]
    assert "Kossi" not in str(entries[2].data)


def test_an_address_that_is_the_user_name_stays_so(cast: Cast) -> None:
    pk = make(cast, "togo_admin", role="CHEF_DEPT_TECH").json()["id"]
    body = cast.client("togo_admin").patch(f"{USERS}{pk}/", {"email": "moved@example.org"}).json()
    assert (body["email"], body["username"]) == ("moved@example.org", "moved@example.org")


def test_countries_are_managed_by_global_roles(cast: Cast) -> None:
    client = cast.client("global_admin")
    made = client.post("/api/v1/countries/", {"name": "Niger", "code": "ne", "tolerance": "2.50"})
    assert made.status_code == 201
    assert (made.json()["code"], made.json()["tolerance"], made.json()["is_active"]) == ("NE", "2.50", True)
    changed = client.patch(f"/api/v1/countries/{made.json()['id']}/", {"currency_code": "xaf"})
    assert changed.json()["currency_code"] == "XAF"
    assert AuditEntry.objects.filter(object_type="users.country", actor=cast.global_admin).count() == 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "togo", "code": "XX"}, {"name"}),
        ({"name": "Bénin ", "code": "BJ"}, {"name", "code"}),
        ({"name": "Niger", "code": "N1"}, {"code"}),
        ({"name": "Niger", "code": "NE", "tolerance": "0"}, {"tolerance"}),
        ({"name": "Niger", "code": "NE", "currency_code": "F"}, {"currency_code"}),
        ({"name": " ", "code": ""}, {"name", "code"}),
    ],
)
def test_an_invalid_country_is_refused_with_the_errors_of_each_field(
    fields: dict[str, str], wrong: set[str], cast: Cast
) -> None:
    response = cast.client("superuser").post("/api/v1/countries/", fields)
    assert (response.status_code, set(response.json())) == (400, wrong)
    assert Country.objects.count() == 3


def test_an_account_bound_to_a_country_sees_only_that_country(cast: Cast) -> None:
    client = cast.client("togo_operator")
    assert [row["code"] for row in client.get("/api/v1/countries/").json()["results"]] == ["TG"]
    assert client.get(f"/api/v1/countries/{cast.benin.pk}/").status_code == 403
    assert client.patch(f"/api/v1/countries/{cast.togo.pk}/", {"tolerance": "100"}).status_code == 403
