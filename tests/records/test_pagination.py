"""Pages of lists: following `next` reads every row once, in every order, whatever is added meanwhile."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from common import pagination
from core import models as core
from file_handling.models import File, Finding, ImportSession, SessionEvent
from tests.support.canary import orderings
from tests.support.cast import Cast
from tests.support.records import Records, make_claim, make_line, make_premium
from tests.support.routes import CATALOGUE_ROUTES, RECORD_ROUTES
from users.models import AuditEntry, User

API = "/api/v1/"
LISTS = [
    *(f"{name}/" for name in [*RECORD_ROUTES, *CATALOGUE_ROUTES]),
    "files/",
    "import-sessions/",
    "users/",
    "countries/",
    "import-sessions/{session}/findings/",
    "import-sessions/{session}/events/",
]
LIMIT = 20


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """Lists are counted up to a limit that a test can exceed with few rows."""
    monkeypatch.setattr(pagination, "COUNT_LIMIT", LIMIT)
    return LIMIT


@pytest.fixture
def many(cast: Cast, togo: Records) -> Records:
    """Several rows in each list, with equal and missing values in the fields by which lists are ordered."""
    rows = togo.rows
    for n in range(7):
        mark = f"N{n // 2}"
        core.Client.objects.create(country=cast.togo, name=mark, key=f"K{n}")
        core.Policy.objects.create(country=cast.togo, number=mark, key=f"K{n}")
        core.Plan.objects.create(policy=rows["policies"], name=mark, key=f"K{n}")
        person = core.Insured.objects.create(country=cast.togo, name=mark, name_key=mark, card_key=f"K{n}")
        core.InsuredSpelling.objects.create(insured=rows["insured"], name=mark, name_key=f"K{n}")
        core.Membership.objects.create(
            insured=person, policy=rows["policies"], role="primary",
            first_settlement_date=None if n % 3 == 0 else f"2024-01-0{1 + n // 2}",
        )  # fmt: skip
        core.Partner.objects.create(country=cast.togo, name=mark, key=f"K{n}")
        core.Operator.objects.create(country=cast.togo, name=mark, key=f"K{n}")
        core.Invoice.objects.create(partner=rows["partners"], number=mark, key=f"K{n}")
        core.Payment.objects.create(partner=rows["partners"], number=mark, key=f"K{n}")
        category = core.ActCategory.objects.create(name=mark, key=f"K{n}")
        act = core.Act.objects.create(name=mark, key=f"K{n}", category=category)
        core.ActAlias.objects.create(name=f"A{n}", key=f"A{n}", act=act)
        claim = make_claim(
            rows, cast.togo, mark + str(n), claimed_amount=Decimal(n // 3) - Decimal("0.10"),
            incident_date=None if n % 3 == 0 else datetime.date(2024, 1, 1 + n // 3),
        )  # fmt: skip
        make_line(rows, claim, 1)
        core.ClaimRevision.objects.create(country=cast.togo, claim=claim, number=mark, before={})
        days = {"start": datetime.date(2001 + n, 1, 1), "end": datetime.date(2001 + n, 12, 31)}
        make_premium(rows["clients"], owner=cast.togo_head, amount=Decimal(1 + n // 2), **days)
        File.objects.create(
            name=mark, file=f"f{n}", size=n // 2, sha256="0", file_type="stat", user=cast.togo_head, country=cast.togo
        )
        ImportSession.objects.create(
            user=cast.togo_head, country=cast.togo, status=("DONE", "ERROR")[n % 2], files_sha256=str(n),
            completed_at=None if n % 3 == 0 else datetime.datetime(2024, 1, 1 + n // 2, tzinfo=datetime.UTC),
        )  # fmt: skip
        Finding.objects.create(session=togo.session, sequence=n + 10, category="warning")
        SessionEvent.objects.create(session=togo.session, sequence=n + 10, step="s", code="m")
    return togo


def pages(cast: Cast, path: str, *, name: str = "togo_admin", after_each: Callable[[], object] | None = None) -> Any:
    """The answer of each page, from the first to the last, by following `next`."""
    address: str | None = f"{API}{path}"
    while address:
        response = cast.client(name).get(address)
        assert response.status_code == 200, response.content
        yield response.json()
        if after_each:
            after_each()
        address = response.json()["next"]


def key_of(row: dict[str, Any]) -> Any:
    return row.get("id", row.get("sequence"))


@pytest.mark.parametrize("path", LISTS)
def test_following_next_reads_every_row_once_in_every_order(path: str, cast: Cast, many: Records, limit: int) -> None:
    path = path.format(session=many.session.pk)
    name = "superuser" if path in ("users/", "countries/") else "togo_admin"
    for query in ["", *orderings(path)]:
        whole = [
            key_of(row) for page in pages(cast, f"{path}?page_size=200&{query}", name=name) for row in page["results"]
        ]
        parts = [
            key_of(row) for page in pages(cast, f"{path}?page_size=2&{query}", name=name) for row in page["results"]
        ]
        assert parts == whole, query
        assert len(set(whole)) == len(whole) >= 2
        if query:
            field = query.removeprefix("ordering=")
            values = [
                _value(row, field.lstrip("-"))
                for page in pages(cast, f"{path}?{query}", name=name)
                for row in page["results"]
            ]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=field.startswith("-")), query
            assert values == known + [None] * (len(values) - len(known)), query


def _value(row: dict[str, Any], field: str) -> Any:
    value = row.get(field)
    return Decimal(value) if field.endswith("amount") else value


def test_claims_of_each_country_are_all_read_by_an_account_that_sees_all(
    cast: Cast, many: Records, benin: Records, limit: int
) -> None:
    for query in (
        "ordering=-claimed_amount",
        "ordering=incident_date",
        "ordering=-incident_date,number",
        "ordering=-id",
    ):
        found = [
            row["id"]
            for page in pages(cast, f"claims/?page_size=3&{query}", name="superuser")
            for row in page["results"]
        ]
        assert sorted(found) == sorted(core.Claim.objects.values_list("pk", flat=True)), query


@pytest.mark.parametrize(
    "query", ["ordering=-id", "ordering=id", "ordering=-claimed_amount", "ordering=-incident_date"]
)
def test_rows_added_between_two_pages_neither_repeat_a_row_nor_hide_one(
    query: str, cast: Cast, many: Records, limit: int
) -> None:
    before = set(core.Claim.objects.values_list("pk", flat=True))
    numbers = iter(range(1000))

    def add() -> None:
        if len(added) < 12:
            for amount, day in ((Decimal(900), None), (Decimal("-900"), datetime.date(2024, 1, 1))):
                number = f"ADDED{next(numbers)}"
                added.append(make_claim(many.rows, cast.togo, number, claimed_amount=amount, incident_date=day).pk)

    added: list[int] = []
    found = [
        row["id"] for page in pages(cast, f"claims/?page_size=2&{query}", after_each=add) for row in page["results"]
    ]
    assert len(added) >= 8
    assert len(set(found)) == len(found)
    assert before <= set(found)


def test_a_row_deleted_between_two_pages_hides_no_other(cast: Cast, many: Records) -> None:
    client = cast.client("togo_admin")
    first = client.get(f"{API}operators/?page_size=3").json()
    last = first["results"][-1]["id"]
    core.Operator.objects.filter(pk=last).delete()
    second = client.get(first["next"]).json()
    rest = core.Operator.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
    assert [row["id"] for row in second["results"]] == list(rest[:3])


def test_a_short_list_is_counted_exactly_and_its_pages_have_numbers(cast: Cast, many: Records) -> None:
    client = cast.client("togo_admin")
    second = client.get(f"{API}clients/?page=2&page_size=3").json()
    assert (second["count"], second["count_is_exact"], len(second["results"])) == (8, True, 3)
    assert (
        client.get(second["previous"]).json()["results"] == client.get(f"{API}clients/?page_size=3").json()["results"]
    )
    last = client.get(second["next"]).json()
    assert (last["count"], last["next"], len(last["results"])) == (8, None, 2)
    assert client.get(last["previous"]).json()["results"] == second["results"]
    beyond = client.get(f"{API}clients/?page=4&page_size=3")
    assert (beyond.status_code, beyond.json()["detail"]) == (404, "There is no such page.")


def test_ten_thousand_rows_are_counted_exactly_and_one_more_is_more_than_ten_thousand(
    cast: Cast, togo: Records
) -> None:
    client = cast.client("togo_operator")
    core.Operator.objects.bulk_create(
        [core.Operator(country=cast.togo, name=f"N{n}", key=f"N{n}") for n in range(9_999)]
    )
    page = client.get(f"{API}operators/?page=50&page_size=200").json()
    assert (page["count"], page["count_is_exact"], page["next"], len(page["results"])) == (10_000, True, None, 200)
    core.Operator.objects.create(country=cast.togo, name="LAST", key="LAST")
    page = client.get(f"{API}operators/?page=50&page_size=200").json()
    assert (page["count"], page["count_is_exact"]) == (10_000, False)
    behind = client.get(page["next"]).json()
    assert ([row["name"] for row in behind["results"]], behind["next"]) == (["LAST"], None)
    refused = client.get(f"{API}operators/?page=51&page_size=200")
    assert refused.status_code == 400
    assert "Follow `next`" in refused.json()["page"][0]


def test_a_page_that_begins_before_the_limit_ends_behind_it(cast: Cast, many: Records, limit: int) -> None:
    for n in range(LIMIT):
        core.Client.objects.create(country=cast.togo, name=f"M{n}", key=f"M{n}")
    page = cast.client("togo_admin").get(f"{API}clients/?page=3&page_size=9").json()
    assert (page["count"], page["count_is_exact"], len(page["results"])) == (LIMIT, False, 9)


def text_of(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def cursor_of(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def given_cursor(cast: Cast, path: str) -> str:
    address = cast.client("togo_admin").get(f"{API}{path}").json()["next"]
    return str(address.split("cursor=")[1].split("&")[0])


@pytest.mark.parametrize(
    "ordering",
    ["id", "-claimed_amount", "incident_date", "number", "-settlement_date"],
)
def test_a_cursor_that_is_none_is_refused_in_words(ordering: str, cast: Cast, many: Records) -> None:
    client = cast.client("togo_admin")
    name, number, *values = text_of(given_cursor(cast, f"claims/?page_size=2&ordering={ordering}"))
    wrong: list[Any] = [
        [], {}, None, 7, "x", [name], [name, number], [name, number, *values, 1], ["core.client id", number, *values],
        [name, 0, *values], [name, True, *values], [name, 10**10, *values], [name, None, *values],
    ]  # fmt: skip
    bad_ids = [None, "1", 1.5, True, 2**63, -(2**70), [], {}]
    wrong += [[name, number, *values[:-1], one] for one in bad_ids]
    if len(values) > 1:
        bad = ["NaN", "Infinity", "1e999999", "1e-999999", "0.001", "9" * 40, 5, True, [], {}, "a\0b", "\ud800"]
        if ordering != "number":
            bad += ["", "x", "2024-13-01"]
        if ordering != "incident_date":
            bad.append(None)
        if ordering == "number":
            bad = [5, True, [], {}, "a\0b", "\ud800", None]
        wrong += [[name, number, one, *values[1:]] for one in bad]
    texts = [cursor_of(one) for one in wrong]
    texts += ["é", "x", "%00", "=", "AAAA", "[" * 3000, base64.urlsafe_b64encode(b"[" * 3000).decode(), "a b", "..."]
    for text in texts:
        response = client.get(f"{API}claims/", {"ordering": ordering, "cursor": text})
        assert response.status_code == 400, text
        assert response.json()["cursor"] == [
            "This cursor is not one of this list in this order. Start again from the first page."
        ], text


def test_a_cursor_of_another_list_or_order_is_refused(cast: Cast, many: Records) -> None:
    client = cast.client("togo_admin")
    cursor = given_cursor(cast, "claims/?page_size=2&ordering=-claimed_amount")
    assert client.get(f"{API}claims/?ordering=-claimed_amount&cursor={cursor}").status_code == 200
    for other in ("claims/?", "claims/?ordering=claimed_amount&", "claims/?ordering=-reimbursed_amount&", "clients/?"):
        assert client.get(f"{API}{other}cursor={cursor}").status_code == 400, other
    both = client.get(f"{API}claims/?ordering=-claimed_amount&page=2&cursor={cursor}")
    assert both.json() == {"cursor": ["Give a page or a cursor, not both."]}


def test_a_cursor_leads_to_no_row_that_the_caller_may_not_see(cast: Cast, many: Records, benin: Records) -> None:
    cursor = given_cursor(cast, "claims/?page_size=2")
    rows = cast.client("benin_admin").get(f"{API}claims/?cursor={cursor}").json()["results"]
    assert {row["id"] for row in rows} <= {benin.rows["claims"].pk}


def test_moments_equal_to_the_microsecond_are_told_apart_by_id(cast: Cast, togo: Records) -> None:
    at = datetime.datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=datetime.UTC)
    User.objects.update(date_joined=at)
    found = [
        row["id"]
        for page in pages(cast, "users/?page_size=1&ordering=-date_joined", name="superuser")
        for row in page["results"]
    ]
    assert len(found) == len(set(found)) == cast.client("superuser").get(f"{API}users/").json()["count"]


def test_the_history_of_a_file_and_the_trail_are_read_by_cursor(cast: Cast, togo: Records) -> None:
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(action="read", object_type="file_handling.file", object_id=togo.file.pk, country=cast.togo)
            for _ in range(7)
        ]
    )
    wanted = list(
        AuditEntry.objects.filter(object_id=togo.file.pk, object_type="file_handling.file")
        .order_by("-pk")
        .values_list("pk", flat=True)
    )
    history = [
        row["id"] for page in pages(cast, f"files/{togo.file.pk}/history/?page_size=2") for row in page["results"]
    ]
    assert [one for one in history if one in wanted] == wanted
    trail = [row["id"] for page in pages(cast, "audit/?page_size=2") for row in page["results"]]
    assert [one for one in trail if one in wanted] == wanted


@pytest.mark.parametrize(("typed", "rows"), [("", 50), ("page_size=20", 20), ("page_size=1000", 200)])
def test_a_page_has_50_rows_and_never_more_than_200(typed: str, rows: int, cast: Cast, togo: Records) -> None:
    core.Operator.objects.bulk_create([core.Operator(country=cast.togo, name=f"N{n}", key=f"N{n}") for n in range(250)])
    assert len(cast.client("togo_admin").get(f"{API}operators/?{typed}").json()["results"]) == rows


def test_the_schema_describes_the_cursor_and_the_limited_count(cast: Cast) -> None:
    schema = cast.client("superuser").get(f"{API}schema/?format=json").json()
    parameters = {one["name"]: one for one in schema["paths"]["/api/v1/claims/"]["get"]["parameters"]}
    assert {"page", "page_size", "cursor"} <= parameters.keys()
    answer = schema["components"]["schemas"]["PaginatedClaimList"]
    assert answer["required"] == ["count", "count_is_exact", "results"]
    assert answer["properties"]["count"]["maximum"] == 10_000
    assert "more than 10,000" in answer["properties"]["count_is_exact"]["description"]
