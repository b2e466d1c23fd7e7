"""Premiums by API: entered, changed, deleted, with history; never two of a client on one day (DOMAIN §9)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from core.models import Client, DataVersion, Premium
from tests.support.cast import Cast
from tests.support.premium_sheets import PREMIUMS, make_client
from tests.support.responses import content_of
from users.models import AuditEntry

YEAR = {"amount": "1200000", "start": "2024-01-01", "end": "2024-12-31"}


@pytest.fixture
def port(cast: Cast) -> Client:
    return make_client(cast.togo, "PORT DU GOLFE")


def enter(cast: Cast, client: Client, actor: str = "togo_admin", **values: Any) -> Any:
    return cast.client(actor).post(PREMIUMS, {"client": client.pk, **YEAR, **values}, format="json")


def entered(cast: Cast, client: Client, **values: Any) -> dict[str, Any]:
    response = enter(cast, client, **values)
    assert response.status_code == 201, response.content.decode()
    return dict(response.json())


def token(cast: Cast) -> str:
    found = DataVersion.objects.filter(country=cast.togo, part="premiums").first()
    return "" if found is None else found.token


def test_a_premium_is_entered_in_the_currency_of_the_country(cast: Cast, port: Client) -> None:
    body = entered(cast, port, insured_count=40, note="  Avenant 2  ")
    values = ("amount", "currency", "start", "end", "insured_count", "note", "country", "file_name")
    assert [body[name] for name in values] == [
        "1200000.00", "XOF", "2024-01-01", "2024-12-31", 40, "Avenant 2", cast.togo.pk, "",
    ]  # fmt: skip
    assert body["client"] == {"id": port.pk, "name": "PORT DU GOLFE"}
    assert body["author"]["username"] == "togo_admin"
    assert cast.client("togo_operator").get(f"{PREMIUMS}{body['id']}/").json() == body


@pytest.mark.parametrize(
    ("actor", "status"),
    [
        ("superuser", 201),
        ("togo_head", 201),
        ("global_admin", 403),
        ("togo_operator", 403),
        ("benin_admin", 403),
        ("closed_admin", 403),
        ("homeless_head", 403),
    ],
)
def test_premiums_are_entered_by_those_who_may(actor: str, status: int, cast: Cast, port: Client) -> None:
    assert enter(cast, port, actor).status_code == status
    assert Premium.objects.count() == (status == 201)


def test_everything_that_is_wrong_is_said_at_once(cast: Cast, port: Client) -> None:
    response = enter(cast, port, amount="0", start="2024-12-31", end="1905-07-15", note="n" * 2001)
    assert response.status_code == 400
    assert set(response.json()) == {"note"}
    response = enter(cast, port, amount="-1", start="2024-12-31", end="1905-07-15")
    assert {field: len(reasons) for field, reasons in response.json().items()} == {"amount": 1, "end": 2}
    unknown = cast.client("togo_admin").post(PREMIUMS, {"client": 987654321, **YEAR}, format="json")
    assert unknown.json() == {"client": ["There is no such client."]}
    for field in ("client", "amount", "start", "end"):
        assert field in cast.client("togo_admin").post(PREMIUMS, {}, format="json").json()
    assert not Premium.objects.exists()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-12-31", "2025-12-30"),
        ("2023-06-01", "2024-01-01"),
        ("2024-03-01", "2024-03-01"),
        ("2020-01-01", "2030-01-01"),
    ],
)
def test_a_premium_with_a_day_of_another_one_is_refused_and_the_other_one_named(
    start: str, end: str, cast: Cast, port: Client
) -> None:
    there = entered(cast, port)
    response = enter(cast, port, start=start, end=end)
    assert response.status_code == 400
    (reason,) = response.json()["start"]
    assert f"premium {there['id']} of this client" in reason
    assert "1,200,000\xa0F\xa0CFA from 01/01/2024 to 31/12/2024" in reason
    assert Premium.objects.count() == 1


def test_premiums_back_to_back_and_those_of_other_clients_are_accepted(cast: Cast, port: Client) -> None:
    entered(cast, port)
    entered(cast, port, start="2025-01-01", end="2025-12-31")
    entered(cast, port, start="2023-01-01", end="2023-12-31")
    entered(cast, make_client(cast.togo, "DOUANES"))
    assert enter(cast, make_client(cast.benin, "PORT DU GOLFE"), "benin_head").status_code == 201


def test_a_change_is_checked_as_a_new_premium_is_and_may_keep_its_own_days(cast: Cast, port: Client) -> None:
    first = entered(cast, port)
    second = entered(cast, port, start="2025-01-01", end="2025-12-31")
    api, address = cast.client("togo_head"), f"{PREMIUMS}{second['id']}/"
    moved = api.patch(address, {"start": "2024-12-31"}, format="json")
    assert (moved.status_code, f"premium {first['id']}" in moved.json()["start"][0]) == (400, True)
    assert api.patch(address, {"end": "2024-12-31"}, format="json").status_code == 400
    changed = api.patch(address, {"amount": "90.50", "end": "2025-06-30", "insured_count": None}, format="json")
    assert (changed.status_code, changed.json()["amount"], changed.json()["end"]) == (200, "90.50", "2025-06-30")
    other = make_client(cast.togo, "DOUANES")
    assert "client" in api.patch(address, {"client": other.pk}, format="json").json()
    assert Premium.objects.get(pk=second["id"]).client == port


def test_every_change_has_its_place_in_the_history_which_stays_after_a_deletion(cast: Cast, port: Client) -> None:
    premium = entered(cast, port)
    address = f"{PREMIUMS}{premium['id']}/"
    api = cast.client("togo_head")
    api.patch(address, {"amount": "1300000"}, format="json")
    api.patch(address, {"amount": "1300000.00"}, format="json")
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    rows = cast.client("togo_operator").get(f"{address}history/").json()["results"]
    seen = [
        (row["actor_label"], row["before"] and row["before"]["amount"], row["after"] and row["after"]["amount"])
        for row in rows
    ]
    head, admin = cast.togo_head.display_name(), cast.togo_admin.display_name()
    assert seen == [
        (head, "1300000.00", None),
        (head, "1200000.00", "1300000.00"),
        (admin, None, "1200000.00"),
    ]
    assert cast.client("benin_admin").get(f"{address}history/").status_code == 403
    assert cast.client("togo_admin").get(f"{PREMIUMS}987654321/history/").status_code == 404
    kinds = AuditEntry.objects.filter(object_type="core.premium", object_id=premium["id"]).order_by("pk")
    assert list(kinds.values_list("action", flat=True)) == ["create", "update", "delete", "read"]


def test_every_change_makes_the_figures_from_premiums_outdated_and_a_refusal_does_not(cast: Cast, port: Client) -> None:
    seen = [token(cast)]
    premium = entered(cast, port)
    seen.append(token(cast))
    api, address = cast.client("togo_admin"), f"{PREMIUMS}{premium['id']}/"
    api.patch(address, {"amount": "5"}, format="json")
    seen.append(token(cast))
    assert enter(cast, port).status_code == 400
    api.patch(address, {"amount": "5.00"}, format="json")
    assert token(cast) == seen[-1]
    api.delete(address)
    seen.append(token(cast))
    assert len(set(seen)) == len(seen)
    assert not DataVersion.objects.filter(country=cast.benin).exists()


def test_the_premiums_of_a_closed_country_do_not_change(cast: Cast, port: Client) -> None:
    premium = entered(cast, port)
    cast.togo.is_active = False
    cast.togo.save()
    api = cast.client("superuser")
    assert enter(cast, port, "superuser", start="2025-01-01", end="2025-12-31").status_code == 400
    assert api.patch(f"{PREMIUMS}{premium['id']}/", {"amount": "5"}, format="json").status_code == 400
    assert api.delete(f"{PREMIUMS}{premium['id']}/").status_code == 400
    assert Premium.objects.get().amount == 1200000


def test_the_list_is_filtered_and_its_export_has_the_same_rows(cast: Cast, port: Client) -> None:
    customs = make_client(cast.togo, "DIRECTION DES DOUANES")
    old = entered(cast, port, start="2023-01-01", end="2023-12-31")["id"]
    new = entered(cast, port)["id"]
    other = enter(cast, customs, "togo_head", start="2024-07-01", end="2025-06-30").json()["id"]
    abroad = enter(cast, make_client(cast.benin, "SONEB"), "benin_head").json()["id"]
    cast.benin.currency_code = "EUR"
    reader = cast.client("togo_operator")

    def found(query: str) -> set[int]:
        rows = reader.get(f"{PREMIUMS}?{query}").json()["results"]
        content = content_of(reader.get(f"{PREMIUMS}export/?{query}")).decode("utf-8-sig")
        exported = {int(row["Id"]) for row in csv.DictReader(io.StringIO(content), delimiter=";")}
        assert exported == {row["id"] for row in rows}
        return exported

    assert found("") == {old, new, other}
    assert found(f"client={port.pk}") == {old, new}
    assert found("search=douane direction") == {other}
    assert found("start_after=2024-01-01&start_before=2024-06-30") == {new}
    assert found("end_after=2025-01-01") == {other}
    assert found("covers=2024-12-31") == {new, other}
    assert found("covers=2024-06-30") == {new}
    assert found("covers=2023-12-31") == {old}
    assert found(f"author={cast.togo_head.pk}") == {other}
    assert found("currency=xof&country=" + str(cast.togo.pk)) == {old, new, other}
    assert found("currency=EUR") == set()
    assert found(f"country={cast.benin.pk}") == set()
    assert reader.get(f"{PREMIUMS}?covers=yesterday").status_code == 400
    assert reader.get(f"{PREMIUMS}?clientt=1").status_code == 400
    ordered = reader.get(f"{PREMIUMS}?ordering=-amount,start").json()["results"]
    assert [row["id"] for row in ordered] == [old, new, other]
    everywhere = cast.client("global_admin").get(PREMIUMS).json()["results"]
    assert {row["id"] for row in everywhere} == {old, new, other, abroad}
