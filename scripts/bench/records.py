"""Many records straight into the tables, as imports would leave them: countries, people, claims and lines.

Everything is drawn from a seeded generator, so that two runs measure the same. PostgreSQL takes the rows by COPY.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from django.db import connection, models, transaction

from core import models as core
from core.data_versions import MEMBERSHIPS, PREMIUMS, claims_of, findings_of, renew
from core.rates import recompute
from file_handling.models import (
    Correction,
    CorrectionOrigin,
    File,
    FileType,
    Finding,
    ImportSession,
    SessionStatus,
)
from importer.sql import is_postgresql
from importer.writer import insert_rows
from users.models import Country, User

YEAR = 365
FIRST_DAY, DAYS = date(2021, 1, 1), 4 * YEAR
COUNTRIES = (("Togo", "TG", "XOF", 0.6), ("Bénin", "BJ", "XOF", 0.25), ("Guinée", "GN", "GNF", 0.15))
LINES_PER_CLAIM = 2.5
LEFT_OUT_SHARE = 0.05
# The parameters of the observations of every category that is made here.
DETAILS = json.dumps(
    {
        "currency": "XOF", "tolerance": 500, "stat_claimed": 500000, "stat_reimbursed": 400000,
        "recap_claimed": 500000, "recap_reimbursed": 300000, "rows": [], "values": {},
    }
)  # fmt: skip


def load(claims: int, *, owner: User, seed: int = 7, premiums: int = 5000, corrections: int = 10_000) -> dict[str, int]:
    """Fill an empty database with `claims` settled claims in three countries; → how many rows of each kind.

    `premiums`: of how many years of clients one is known. There are more clients than claims have, as there are
    contracts without a claim. `corrections`: how many persons have another name by hand, and how many cells of the
    files are corrected.
    """
    random = np.random.default_rng(seed)
    counts: dict[str, int] = {"claims": 0, "lines": 0, "findings": 0}
    indexes = _drop_indexes()
    categories = [core.ActCategory.objects.create(name=f"CATEGORY {n}", key=f"CATEGORY {n}") for n in range(12)]
    acts = [core.Act.objects.create(name=f"ACT {n}", key=f"ACT {n}", category=categories[n % 12]) for n in range(80)]
    for name, code, currency, share in COUNTRIES:
        country, _ = Country.objects.get_or_create(code=code, defaults={"name": name, "currency_code": currency})
        with transaction.atomic():
            added = _country(random, country, round(claims * share), acts, owner)
        for kind, count in added.items():
            counts[kind] += count
        counts["premiums"] = counts.get("premiums", 0) + _premiums(random, country, round(premiums * share))
        counts["corrections"] = counts.get("corrections", 0) + _corrections(country, round(corrections * share), owner)
    with connection.cursor() as cursor:
        for definition in indexes:
            cursor.execute(definition)
    _analyse()
    return counts


def _drop_indexes() -> list[str]:
    """Drop the indexes of the claims and lines that no constraint needs; → the statements that make them again.

    PostgreSQL makes an index of ten million rows in seconds, and takes minutes to add the rows to it one by one.
    """
    if not is_postgresql():
        return []
    tables = [core.Claim._meta.db_table, core.ClaimLine._meta.db_table]
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(
            "SELECT x.indexname, x.indexdef FROM pg_indexes x WHERE x.tablename = ANY(%s)"
            " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = x.indexname)",
            [tables],
        )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]


def _country(random: Any, country: Country, claims: int, acts: list[core.Act], owner: User) -> dict[str, int]:
    sessions = [_session(country, year, owner) for year in range(FIRST_DAY.year, FIRST_DAY.year + DAYS // YEAR)]
    session = sessions[0]
    origin = {"import_session_id": session.pk}
    clients = _named(core.Client, country, "CLIENT", max(3, claims // 4000), origin)
    policies = _numbered(core.Policy, country, "POL", max(5, claims // 1500), origin)
    partners = _named(core.Partner, country, "CLINIQUE", max(12, min(600, claims // 800)), origin)
    operators = _named(core.Operator, country, "AGENT", 40, origin)
    people = max(20, claims // 8)
    insured = _ids(core.Insured, people)
    policy_of = random.choice(policies, people)
    client_of = np.array(clients)[policy_of % len(clients)]
    head = np.arange(people) // 3 * 3
    roles = np.array(["primary", "spouse", "child"])[np.arange(people) % 3]
    # Dependants follow their principal's policy and client.
    policy_of, client_of = policy_of[head], client_of[head]
    surnames = random.integers(0, 5000, people)
    insert_rows(
        core.Insured,
        pl.DataFrame({"id": insured}).with_columns(
            name=pl.Series([f"NOM{n} PRENOM{at}" for at, n in enumerate(surnames)]),
            name_key=pl.Series([f"NOM{n} PRENOM{at}" for at, n in enumerate(surnames)]),
            card_number=pl.Series([f"C{country.code}{at}" for at in range(people)]),
            card_key=pl.Series([f"C{country.code}{at}" for at in range(people)]),
            is_deduced=pl.lit(False), country_id=pl.lit(country.pk), import_session_id=pl.lit(session.pk),
        ),
    )  # fmt: skip
    memberships = _ids(core.Membership, people)

    day = np.sort(random.integers(0, DAYS, claims))
    # Each year was an import of its own.
    of_claim = pl.DataFrame(
        {
            "import_session_id": [one.pk for one in sessions],
            "file_id": [one.stat_file_id for one in sessions],
            "recap_file_id": [one.recap_file_id for one in sessions],
        }
    )[day // YEAR]
    who = (random.pareto(1.5, claims) * people / 12).astype(np.int64) % people
    settled = pl.Series([FIRST_DAY]).dt.offset_by("0d").cast(pl.Int32)[0] + pl.Series(day, dtype=pl.Int32)
    incident = settled - pl.Series(random.gamma(1.5, 18, claims).astype(np.int32) - 1)
    lines_of = 1 + random.poisson(LINES_PER_CLAIM - 1, claims)
    claim_ids = _ids(core.Claim, claims)
    line_claim = np.repeat(np.arange(claims), lines_of)
    lines = len(line_claim)
    amount = (np.exp(random.normal(8.6, 0.9, lines)) // 50 * 50 * 100).astype(np.int64) + 50_00
    # Most lines have the coverage rate.
    paid = (amount * random.choice([0.7, 0.8, 0.9], lines, p=[0.03, 0.94, 0.03])).astype(np.int64) // 100 * 100
    partner = np.array(partners)[(random.pareto(1.2, claims) * len(partners) / 20).astype(np.int64) % len(partners)]
    first = (
        pl.DataFrame({"who": who, "settled": settled})
        .group_by("who")
        .agg(first=pl.col("settled").min(), last=pl.col("settled").max())
    )
    spans = pl.DataFrame({"who": np.arange(people)}).join(first, on="who", how="left", maintain_order="left")
    insert_rows(
        core.Membership,
        pl.DataFrame(
            {
                "id": memberships, "insured_id": insured, "policy_id": policy_of, "client_id": client_of, "role": roles,
                "principal_id": pl.Series(np.array(insured)[head]).scatter(
                    np.flatnonzero(head == np.arange(people)), None
                ),
                "first_settlement_date": spans["first"].cast(pl.Date),
                "last_settlement_date": spans["last"].cast(pl.Date),
            }
        ).with_columns(import_session_id=pl.lit(session.pk)),
    )  # fmt: skip
    sums = (
        pl.DataFrame({"claim": line_claim, "claimed": amount, "paid": paid})
        .group_by("claim", maintain_order=True)
        .agg(pl.col("claimed", "paid").sum())
    )
    insert_rows(
        core.Claim,
        pl.DataFrame(
            {
                "id": claim_ids,
                "number": [f"{country.code}{2_000_000 + n:09d}" for n in range(claims)],
                "membership_id": np.array(memberships)[who],
                "insured_id": np.array(insured)[who],
                "policy_id": policy_of[who],
                "client_id": client_of[who],
                "partner_id": partner,
                "settlement_date": settled.cast(pl.Date),
                "incident_date": incident.cast(pl.Date),
                "claimed_amount": sums["claimed"] / 100,
                "reimbursed_amount": sums["paid"] / 100,
                "line_count": lines_of,
                "recap_row": np.arange(claims) + 2,
            }
        ).with_columns(
            *of_claim, status=pl.lit("settled"), currency=pl.lit(country.currency_code),
            fingerprint=pl.lit("0" * 32), country_id=pl.lit(country.pk), recap_sheet=pl.lit("Feuil1"),
        ),
    )  # fmt: skip
    act = random.integers(0, len(acts), lines)
    position = np.arange(lines) - np.repeat(np.cumsum(lines_of) - lines_of, lines_of) + 1
    insert_rows(
        core.ClaimLine,
        pl.DataFrame(
            {
                "claim_id": np.array(claim_ids)[line_claim],
                "position": position,
                "act_id": np.array([one.pk for one in acts])[act],
                "category_id": np.array([one.category_id for one in acts])[act],
                "operator_id": random.choice(operators, lines),
                "settlement_date": settled.gather(line_claim).cast(pl.Date),
                "incident_date": incident.gather(line_claim).cast(pl.Date),
                "claimed_amount": amount / 100,
                "reimbursed_amount": paid / 100,
                "row": np.arange(lines) + 2,
            }
        ).with_columns(
            *of_claim[line_claim].drop("recap_file_id"), status=pl.lit("settled"), guarantee=pl.lit(""),
            note=pl.lit(""), sheet=pl.lit("Feuil1"),
        ),
    )  # fmt: skip
    findings = _findings(random, country, session, round(claims * LEFT_OUT_SHARE), operators, partners)
    months = {claims_of(FIRST_DAY + timedelta(days=int(at))) for at in np.unique(day)}
    recompute(policies)
    renew(country.pk, [*months, MEMBERSHIPS, findings_of(session.pk)])
    return {"claims": claims, "lines": lines, "findings": findings}


def _premiums(random: Any, country: Country, count: int) -> int:
    """A premium for each year of the data, from a day of the year that differs between clients, for as many clients as
    it takes; two thirds of them have a headcount."""
    years = DAYS // YEAR
    clients = list(core.Client.objects.filter(country=country).order_by("pk").values_list("pk", flat=True))
    clients += _named(core.Client, country, "CONTRACT", max(0, -(-count // years) - len(clients)), {})
    rows = []
    for at, client in enumerate(clients):
        start = FIRST_DAY + timedelta(days=int(random.integers(0, YEAR)) if at % 2 else 0)
        for _year in range(years):
            end = start + timedelta(days=YEAR - 1)
            rows.append(
                core.Premium(
                    country=country,
                    client_id=client,
                    amount=int(random.integers(1_000_000, 90_000_000)),
                    currency=country.currency_code,
                    start=start,
                    end=end,
                    insured_count=int(random.integers(5, 900)) if at % 3 else None,
                )
            )
            start = end + timedelta(days=1)
    rows = rows[:count]
    core.Premium.objects.bulk_create(rows, batch_size=500)
    renew(country.pk, [PREMIUMS])
    return len(rows)


def _corrections(country: Country, count: int, owner: User) -> int:
    """Names that people chose for persons, and as many cells of files that they corrected."""
    persons = core.Insured.objects.filter(country=country).order_by("pk")[:count]
    changes = core.Change.objects.bulk_create(
        [
            core.Change(
                country=country,
                kind=core.ChangeKind.INSURED_NAME,
                actor=owner,
                actor_label=owner.email,
                data={"name": one.name, "before": f"{one.name} X"},
            )
            for one in persons
        ],
        batch_size=500,
    )
    label = core.Insured._meta.label_lower
    core.ChangeSubject.objects.bulk_create(
        [
            core.ChangeSubject(change=change, model=label, row_id=one.pk)
            for change, one in zip(changes, persons, strict=True)
        ],
        batch_size=500,
    )
    session = ImportSession.objects.filter(country=country).latest("pk")
    Correction.objects.bulk_create(
        [
            Correction(
                country=country, sha256=f"{at % 20:064x}", file_name=f"stat-{at % 20}.xlsx", row=at + 2, field="note",
                was="x", value="y", claim_number=f"{country.code}{at}", origin=CorrectionOrigin.WORKBOOK,
                session=session, author=owner, author_name=owner.email,
            )
            for at in range(count)
        ],
        batch_size=500,
    )  # fmt: skip
    return len(changes)


def _session(country: Country, year: int, owner: User) -> ImportSession:
    stat, recap = (
        File.objects.create(
            user=owner,
            country=country,
            file_type=kind,
            name=f"{kind}-{year}.xlsx",
            file=f"{country.code}/{kind}-{year}",
        )
        for kind in (FileType.STAT, FileType.RECAP)
    )
    return ImportSession.objects.create(
        user=owner, country=country, status=SessionStatus.DONE_WITH_ERRORS, currency=country.currency_code,
        stat_file=stat, recap_file=recap,
    )  # fmt: skip


def _findings(
    random: Any, country: Country, session: ImportSession, count: int, operators: list[int], partners: list[int]
) -> int:
    categories = random.choice(["amount_gap", "missing_in_recap", "unreadable", "inconsistent"], count)
    days = random.integers(0, DAYS, count)
    texts = [
        f'[{{"side": "stat", "file": "stat.xlsx", "row": {n + 2}, "operator": "AGENT {n % 40}", '
        f'"partner": "CLINIQUE {n % len(partners)}", "settlement_date": "{FIRST_DAY + timedelta(days=int(day))}"}}]'
        for n, day in enumerate(days)
    ]
    insert_rows(
        Finding,
        pl.DataFrame(
            {
                "sequence": np.arange(count) + 1,
                "category": categories,
                "claim_number": [f"{country.code}X{n:09d}" for n in range(count)],
                "stat_reimbursed": random.integers(1000, 90000, count) * 1.0,
                "lines": texts,
                "search_key": [f"CLINIQUE {n % len(partners)}" for n in range(count)],
            }
        ).with_columns(code=pl.lit(""), details=pl.lit(DETAILS), locations=pl.lit("[]"), session_id=pl.lit(session.pk)),
    )
    return count


def _named(model: type[models.Model], country: Country, word: str, count: int, origin: dict[str, int]) -> list[int]:
    rows = [model(country=country, name=f"{word} {n}", key=f"{word} {n}", **origin) for n in range(count)]
    return [row.pk for row in model._default_manager.bulk_create(rows)]


def _numbered(model: type[models.Model], country: Country, word: str, count: int, origin: dict[str, int]) -> list[int]:
    rows = [model(country=country, number=f"{word}/{n}", key=f"{word}{n}", **origin) for n in range(count)]
    return [row.pk for row in model._default_manager.bulk_create(rows)]


def _ids(model: type[models.Model], count: int) -> list[int]:
    """Ids that nobody else uses: the database is this loader's alone."""
    last = model._default_manager.aggregate(last=models.Max("pk"))["last"] or 0
    return list(range(last + 1, last + 1 + count))


def _analyse() -> None:
    with connection.cursor() as cursor:
        # As autovacuum leaves tables that grew by so much.
        cursor.execute("VACUUM (ANALYZE)" if is_postgresql() else "ANALYZE")
