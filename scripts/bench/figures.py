"""How long the dashboard, the lists and the pages take: one table for one database.

`python -m scripts.bench.figures JSON` with `claims`, `answer`, a file for the figures, and `accounts`, where not both
are wanted (territorial, global). The environment names the database, which is empty, and the data folder. Each address
is requested without a kept answer (cold) and with one.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from core.models import Act, Claim, Client, Insured, Partner  # noqa: E402
from dashboard.columns import load as load_columns  # noqa: E402
from file_handling.models import File, ImportSession  # noqa: E402
from scripts.bench.records import COUNTRIES, load  # noqa: E402
from users.models import Country, Role, User  # noqa: E402

API = "/api/v1/"
COLD_RUNS, CACHED_RUNS = 3, 5
BY = ("client", "policy", "partner", "insured", "family", "operator", "act", "act_category")
RULES = (
    "same_act_twice", "invoice_of_two_families", "two_partners_on_one_day", "dear_partner",
    "above_coverage_rate", "incident_after_settlement", "round_amounts", "many_lines",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Milliseconds, each the least of several; `rows`: of the answer's longest list, or of the tables of a page."""

    address: str
    account: str
    cold: float
    cached: float
    rows: int
    statements: int
    bytes: int


def measure(client: APIClient, address: str, account: str) -> Measured:
    cold = min(_timed(client, address, is_cold=True)[0] for _ in range(COLD_RUNS))
    cached = min(_timed(client, address, is_cold=False)[0] for _ in range(CACHED_RUNS))
    cache.clear()
    with CaptureQueriesContext(connection) as statements:
        response = client.get(_path(address))
    if response.status_code != 200:
        raise SystemExit(f"{address}: {response.status_code} {response.content[:300]!r}")
    content = response.content
    rows = content.count(b"<tr") if address.startswith("/") else _rows(json.loads(content))
    return Measured(address, account, round(cold, 1), round(cached, 1), rows, len(statements), len(content))


def _path(address: str) -> str:
    """An address below the API, or a page, which begins with a slash."""
    return address if address.startswith("/") else API + address


def _timed(client: APIClient, address: str, *, is_cold: bool) -> tuple[float, Any]:
    if is_cold:
        cache.clear()
    began = time.perf_counter()
    response = client.get(_path(address))
    return (time.perf_counter() - began) * 1000, response


def _rows(value: Any) -> int:
    """The length of the longest list in an answer."""
    if isinstance(value, dict):
        return max(map(_rows, value.values()), default=0)
    if isinstance(value, list):
        return max(len(value), max(map(_rows, value), default=0))
    return 0


def figure_addresses() -> list[str]:
    plain = (
        "period",
        "portfolio",
        "frequency",
        "concentration",
        "delay",
        "triangle",
        "loss-ratio",
        "prices",
        "left-out",
        "watch-list",
    )
    year = "start=2023-01-01&end=2023-12-31"
    of_scopes = [
        f"portfolio/?client={_first(Client)}", f"portfolio/?partner={_first(Partner)}",
        f"portfolio/?insured={_first(Insured)}", f"portfolio/?act={Act.objects.order_by('pk')[0].pk}",
    ]  # fmt: skip
    return [
        f"dashboard/{tail}"
        for tail in (
            *(f"{name}/" for name in plain),
            f"portfolio/?{year}",
            "series/?indicator=claims&indicator=reimbursed&indicator=insured_who_consumed&indicator=known_insured",
            *(f"rankings/?by={by}" for by in BY),
            f"rankings/?by=partner&{year}",
            "loss-ratio/?by=country",
            f"loss-ratio/?client={_first(Client)}",
            f"loss-ratio/?{year}",
            "series/?indicator=premium_in_force,loss_ratio,clients_without_premium",
            f"renewal/?client={_first(Client)}",
            "quality/?by=operator",
            "quality/?by=month",
            "left-out/claims/",
            *(f"watch-list/?rule={rule}" for rule in RULES),
            *of_scopes,
            "files/",
            "import-sessions/",
            "definitions/",
        )
    ]


def list_addresses(client: APIClient) -> list[str]:
    claim, session = _first(Claim), ImportSession.objects.order_by("pk")[0].pk
    return [
        "claims/", "claims/?page=100", f"claims/?cursor={_cursor(client)}", "claims/?ordering=-claimed_amount",
        "claims/?search=clinique", "claims/?category=1", "claim-lines/", "insured/?search=nom12 prenom",
        f"import-sessions/{session}/", f"files/{_first(File)}/", f"claims/{claim}/", f"insured/{_first(Insured)}/",
        "premiums/", "family-changes/", f"family-changes/?insured={_first(Insured)}", "corrections/",
    ]  # fmt: skip


def page_addresses() -> list[str]:
    claim, session = _first(Claim), ImportSession.objects.order_by("pk")[0].pk
    insured = Insured.objects.get(pk=_first(Insured))
    parts = (
        "trends",
        "categories",
        "rankings",
        "concentration",
        "delay",
        "triangle",
        "loss-ratio",
        "prices",
        "left-out",
        "quality",
    )
    lists = ("claims", "claim-lines", "insured", "memberships", "clients", "policies", "partners", "operators", "acts")
    return [
        "/", "/imports/", f"/imports/{session}/", f"/imports/{session}/findings/", "/files/",
        f"/files/{_first(File)}/", "/figures/",
        *(f"/figures/{part}/" for part in (*parts, "watch-list")), f"/figures/?client={_first(Client)}",
        *(f"/{name}/" for name in lists), "/claims/?ordering=-claimed_amount", f"/claims/{claim}/",
        f"/insured/{insured.pk}/", f"/clients/{_first(Client)}/",
        f"/clients/{_first(Client)}/renewal/", "/premiums/", "/families/", "/families/changes/", "/corrections/",
        f"/partners/{_first(Partner)}/",
        f"/acts/{Act.objects.order_by('pk')[0].pk}/", f"/search/?q={insured.name.split()[0]}",
        f"/search/?q={Claim.objects.get(pk=claim).number}", "/audit/",
    ]  # fmt: skip


def _first(model: Any) -> int:
    country = Country.objects.get(code=COUNTRIES[0][1])
    return int(model.objects.filter(country=country).order_by("pk").values_list("pk", flat=True)[0])


def _cursor(client: APIClient) -> str:
    """A cursor in the middle of the claims: that of the first page with another id."""
    following = urlsplit(client.get(f"{API}claims/").json()["next"])
    cursor = parse_qs(following.query)["cursor"][0]
    place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    place[-1] += Claim.objects.count() // 2
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def table(rows: Sequence[Measured]) -> str:
    lines = [f"{'address':<92} {'account':<12} {'cold ms':>8} {'cached':>7} {'rows':>6} {'SQL':>4} {'bytes':>8}"]
    lines += [
        f"{row.address:<92.92} {row.account:<12} {row.cold:8.0f} {row.cached:7.1f} {row.rows:6} {row.statements:4} "
        f"{row.bytes:8}"
        for row in rows
    ]
    return "\n".join(lines)


def main(arguments: dict[str, Any]) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    # Pages name their style sheets by hash.
    call_command("collectstatic", verbosity=0, interactive=False)
    owner = User.objects.create_user(username="global", email="g@example.org", role=Role.SUPERUSER)
    began = time.perf_counter()
    counts = load(arguments["claims"], owner=owner)
    print(f"{counts} loaded in {time.perf_counter() - began:.0f} s", flush=True)
    country = Country.objects.get(code=COUNTRIES[0][1])
    territorial = User.objects.create_user(
        username="territorial", email="t@example.org", role=Role.ADMIN_TERRITORIAL, country=country
    )
    columns: dict[str, float] = {}
    for one in Country.objects.order_by("pk"):
        began = time.perf_counter()
        claims = load_columns([one.pk]).claims.height
        columns[one.code] = round(time.perf_counter() - began, 1)
        print(f"columns of {one.name}, {claims} claims, made in {columns[one.code]} s", flush=True)
    rows = []
    for user in (territorial, owner):
        if user.username not in arguments.get("accounts", [user.username]):
            continue
        client = APIClient(SERVER_NAME="localhost")
        client.force_login(user)
        addresses = figure_addresses() + page_addresses() + (list_addresses(client) if user == territorial else [])
        rows += [measure(client, address, user.username) for address in addresses]
    print(table(rows), flush=True)
    figures = {"rows": counts, "columns_seconds": columns, "addresses": [asdict(row) for row in rows]}
    Path(arguments["answer"]).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
