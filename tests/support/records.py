"""One record of each kind for each of two countries, and functions that make single records."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from common.sealed import seal
from core import models as core
from core.premiums.services import revision_of
from file_handling.models import (
    Converter,
    Correction,
    EventLevel,
    File,
    FileType,
    Finding,
    ImportSession,
    SessionClaims,
    SessionEvent,
    SessionStatus,
)
from notifications.models import EVENT_TYPES, WebhookEndpoint, WebhookMessage
from tests.support.cast import Cast
from tests.support.pairs import STAT_HEADER, STAT_LINE
from users.models import Country, CountryDeactivation, DeactivationStatus, User


def make_file(*, user: User, country: Country, name: str, file_type: str = FileType.STAT, **more: Any) -> File:
    file = File(user=user, country=country, name=name, file_type=file_type, size=5, sha256="0" * 64, **more)
    file.file.save(name, ContentFile(f"{STAT_HEADER}\n{STAT_LINE}\n".encode()), save=True)
    return file


def mark_converted(file: File, mark: str) -> None:
    """As after an import for which a converter, whose name has the mark, made the same content once more."""
    with file.file.open("rb") as content:
        file.converted.save(f"{mark}.csv", ContentFile(content.read()), save=False)
    file.converter_name, file.converter_version, file.converted_at = f"{mark} service", "1.0", file.uploaded_at
    file.save()


def make_session(*, user: User, country: Country, status: str = SessionStatus.DONE, **more: Any) -> ImportSession:
    session = ImportSession.objects.create(
        user=user, country=country, status=status, started_at="2024-04-01T10:00:00Z", **more
    )
    SessionEvent.objects.create(
        session=session, sequence=1, level=EventLevel.INFO, step="reading", progress=10, code=f"from {country.code}"
    )
    SessionEvent.objects.create(session=session, sequence=2, step="done", progress=100, code="end")
    return session


def make_finding(session: ImportSession, sequence: int, **more: Any) -> Finding:
    values: dict[str, Any] = {
        "category": "amount_gap",
        "claim_number": f"S-{sequence}",
        "details": {
            "currency": "XOF",
            "tolerance": 500,
            "stat_claimed": 500000,
            "stat_reimbursed": 400000,
            "recap_claimed": 400000,
            "recap_reimbursed": 400000,
        },
        "stat_claimed": Decimal(5000),
        "recap_claimed": Decimal(4000),
        "locations": [{"side": "stat", "file": "stat.csv", "sheet": "", "row": 2}],
        "lines": [
            {
                "side": "stat",
                "file": "stat.csv",
                "file_id": session.stat_file_id,
                "sheet": "",
                "row": 2,
                "claim_number": f"S-{sequence}",
                "beneficiary": "SECRET",
            }
        ],
    }
    return Finding.objects.create(session=session, sequence=sequence, **(values | more))


def make_webhook(country: Country | None, mark: str = "") -> WebhookEndpoint:
    """A webhook for all event types. Nothing is sent to it: there is no host of this name."""
    return WebhookEndpoint.objects.create(
        country=country,
        name=f"{mark} hook",
        url=f"https://{mark or 'some'}.invalid/hook",
        events=[event.value for event in EVENT_TYPES],
        secret=seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )


def make_converter(mark: str = "", **fields: Any) -> Converter:
    """A converter for `.odd`. There is no host of its name."""
    values = {
        "name": f"{mark} converter",
        "extensions": ["odd"],
        "url": "https://converter.invalid/",
        "secret": seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    }
    return Converter.objects.create(**(values | fields))


def make_rate() -> core.ExchangeRate:
    """One that all countries share."""
    day = datetime.date(2024, 1, 1)
    return core.ExchangeRate.objects.get_or_create(
        base="EUR", currency="GNF", start=day, defaults={"rate": Decimal(9300)}
    )[0]


def make_reporting_currency() -> core.ReportingCurrency:
    return core.ReportingCurrency.objects.get_or_create(
        pk=core.ReportingCurrency.THE_ONE, defaults={"currency": "EUR", "token": "t"}
    )[0]


def make_deactivation(country: Country, mark: str) -> CountryDeactivation:
    """A request that was withdrawn."""
    now = timezone.now()
    return CountryDeactivation.objects.create(
        country=country,
        reason=f"{mark} was sold",
        status=DeactivationStatus.WITHDRAWN,
        asked_by_label=mark,
        expires_at=now + datetime.timedelta(days=7),
        voters=2,
        needed=2,
        decided_at=now,
    )


def make_message(endpoint: WebhookEndpoint, uid: str) -> WebhookMessage:
    """A message that was delivered at the second attempt."""
    message = WebhookMessage.objects.create(
        endpoint=endpoint, uid=uid, event="import_session.completed", body="{}", state="delivered"
    )
    message.log.create(result="refused", status=500)
    message.log.create(result="accepted", status=200)
    return message


def summary_of_one_claim(mark: str) -> dict[str, Any]:
    """The summary of an import of one claim, as a run writes it, with the mark in it."""
    return {
        "tolerance": "5.00",
        "period": ["2024-03-10", "2024-03-10"],
        "stat": {"lines": 1, "unreadable_lines": 0},
        "recap": {"rows_after_dedup": 1, "duplicate_rows_removed": 0, "unpaid": 0},
        "claims": {"total": 1, "by_category": {"conform": 1}, "recap_only": 0, "mark": mark},
        "out_of_period": {"lines": 0, "claims": 0},
        "importable": {"claims": 1, "lines": 1, "claimed": "5000.00", "reimbursed": "4000.00"},
        "entities": {},
    }


@dataclass
class Records:
    """One of each record of a country; every name contains the mark of the country, which no other country may see."""

    mark: str
    file: File
    recap: File
    session: ImportSession
    finding: Finding
    rows: dict[str, Any] = field(default_factory=dict)


def make_claim(rows: dict[str, Any], country: Country, number: str, **more: Any) -> core.Claim:
    values: dict[str, Any] = {
        "status": core.ClaimStatus.SETTLED,
        "insured": rows["insured"],
        "membership": rows["memberships"],
        "policy": rows["policies"],
        "client": rows["clients"],
        "partner": rows["partners"],
        "settlement_date": datetime.date(2024, 3, 10),
        "claimed_amount": Decimal("5000.00"),
        "reimbursed_amount": Decimal("4000.00"),
        "currency": "XOF",
        "line_count": 1,
        "fingerprint": "f",
    }
    return core.Claim.objects.create(country=country, number=number, **(values | more))


def make_line(rows: dict[str, Any], claim: core.Claim, position: int, **more: Any) -> core.ClaimLine:
    return core.ClaimLine.objects.create(
        claim=claim,
        position=position,
        status=core.ClaimStatus.SETTLED,
        act=rows["acts"],
        category=rows["act-categories"],
        operator=rows["operators"],
        invoice=rows["invoices"],
        payment=rows["payments"],
        settlement_date=datetime.date(2024, 3, 10),
        claimed_amount=Decimal("5000.00"),
        reimbursed_amount=Decimal("4000.00"),
        sheet="Feuil1",
        row=position + 1,
        **more,
    )


def make_premium(client: core.Client, *, owner: User, **more: Any) -> core.Premium:
    """The premium of 2024, with its revision, as if it was imported."""
    values: dict[str, Any] = {"amount": Decimal("1200000.00"), "insured_count": 40}
    days = {"start": datetime.date(2024, 1, 1), "end": datetime.date(2024, 12, 31)}
    premium = core.Premium.objects.create(
        country=client.country, client=client, currency="XOF", author=owner, **(values | days | more)
    )
    revision_of(premium, actor=owner, before=None).save()
    return premium


def make_records(*, country: Country, owner: User, mark: str) -> Records:
    file = make_file(user=owner, country=country, name=f"{mark}-stat.csv")
    recap = make_file(user=owner, country=country, name=f"{mark}-recap.csv", file_type=FileType.RECAP)
    session = make_session(
        user=owner,
        country=country,
        stat_file=file,
        recap_file=recap,
        message_parts=[{"code": mark}],
        summary=summary_of_one_claim(mark),
    )
    finding = make_finding(session, 1, claim_number=f"{mark}-1", search_key=f"AFI {mark} CLINIC")
    origin: dict[str, Any] = {"file": file, "import_session": session}
    rows: dict[str, Any] = {}
    rows["clients"] = core.Client.objects.create(country=country, name=f"{mark} PORT", key=f"{mark} PORT", **origin)
    rows["policies"] = core.Policy.objects.create(country=country, number=f"45/{mark}", key=f"45{mark}", **origin)
    # A policy without subscriber, and a plan whose typed rate differs: both are to complete.
    rates = {"observed_rate": Decimal("0.80"), "typed_rate": Decimal("0.70")}
    rows["plans"] = core.Plan.objects.create(
        policy=rows["policies"], name=f"{mark} A", key=f"{mark} A", **rates, **origin
    )
    core.PolicyRateCount.objects.create(policy=rows["policies"], hundredths=80, lines=1)
    core.PlanRateCount.objects.create(plan=rows["plans"], hundredths=80, lines=1)
    rows["insured"] = core.Insured.objects.create(
        country=country,
        name=f"{mark} AFI",
        name_key=f"AFI {mark}",
        card_number=f"C-{mark}",
        card_key=f"C{mark}",
        **origin,
    )
    rows["memberships"] = core.Membership.objects.create(
        insured=rows["insured"], policy=rows["policies"], client=rows["clients"], role="primary", **origin
    )
    rows["partners"] = core.Partner.objects.create(
        country=country, name=f"{mark} CLINIC", key=f"{mark} CLINIC", **origin
    )
    rows["operators"] = core.Operator.objects.create(country=country, name=f"{mark} OP", key=f"{mark} OP", **origin)
    partner = {"partner": rows["partners"]}
    rows["invoices"] = core.Invoice.objects.create(**partner, number=f"F-{mark}", key=f"F{mark}", **origin)
    rows["payments"] = core.Payment.objects.create(**partner, number=f"P-{mark}", key=f"P{mark}", **origin)
    rows["act-categories"], _ = core.ActCategory.objects.get_or_create(key="PHARMACIE", defaults={"name": "PHARMACIE"})
    rows["acts"], _ = core.Act.objects.get_or_create(
        key="PARACETAMOL", defaults={"name": "PARACETAMOL", "category": rows["act-categories"]}
    )
    rows["claims"] = make_claim(
        rows, country, f"{mark}-1", recap_file=recap, recap_sheet="Page 1", recap_row=7, **origin
    )
    rows["claim-lines"] = make_line(rows, rows["claims"], 1, **origin)
    rows["claim-revisions"] = core.ClaimRevision.objects.create(
        country=country, claim=rows["claims"], number=f"{mark}-1", before={"number": f"{mark}-1", "lines": []}
    )
    rows["premiums"] = make_premium(rows["clients"], owner=owner, note=f"{mark} note")
    rows["insured-spellings"] = core.InsuredSpelling.objects.create(
        insured=rows["insured"], name=f"{mark} AFFI", name_key=f"AFFI {mark}", **origin
    )
    rows["family-changes"] = core.Change.objects.create(
        country=country,
        kind=core.ChangeKind.INSURED_NAME,
        actor=owner,
        actor_label=owner.display_name(),
        data={"insured": rows["insured"].pk, "name": f"{mark} AFI", "before": f"{mark} AFFI"},
    )
    rows["family-changes"].subjects.create(model="core.insured", row_id=rows["insured"].pk)
    rows["review-pairs"] = core.ReviewPair.objects.create(
        country=country,
        kind="client",
        one_key=f"{mark} PORT",
        other_key=f"{mark} PORTE",
        one_id=rows["clients"].pk,
        other_id=0,
        one_name=f"{mark} PORT",
        other_name=f"{mark} PORTE",
        import_session=session,
    )
    step = rows["family-changes"].steps.create(
        sequence=1, action="moved", model="core.claim", field="insured_id", after={"id": rows["insured"].pk}
    )
    step.moves.create(row_id=rows["claims"].pk, before=rows["insured"].pk)
    for alias in (core.ClientAlias, core.PartnerAlias, core.OperatorAlias):
        of = {alias.record_field: rows[f"{alias.record_field}s"]}
        alias.objects.create(country=country, name=f"{mark} ALIAS", key=f"{mark} ALIAS", **of)
    rows["corrections"] = Correction.objects.create(
        country=country,
        sha256=file.sha256,
        file_name=file.name,
        row=9,
        field="note",
        value=f"{mark} note",
        claim_number=f"{mark}-1",
        origin="cells",
        session=session,
        author=owner,
        author_name=owner.display_name(),
    )
    rows["act-aliases"], _ = core.ActAlias.objects.get_or_create(
        key="PARACETAMOL 500", defaults={"name": "PARACETAMOL 500", "act": rows["acts"]}
    )
    rows["catalogue-changes"] = core.Change.objects.create(
        kind=core.ChangeKind.ACT_ALIAS_ADD, actor_label="", data={"subject": rows["acts"].pk, "moved": {}}
    )
    mark_converted(file, mark)
    rows["converters"] = make_converter(mark, is_active=False)
    rows["exchange-rates"] = make_rate()
    rows["country-deactivations"] = make_deactivation(country, mark)
    rows["webhooks"] = make_webhook(country, mark)
    rows["webhook-messages"] = make_message(rows["webhooks"], f"msg_{mark}")
    return Records(mark=mark, file=file, recap=recap, session=session, finding=finding, rows=rows)


def as_named(file: File) -> dict[str, Any]:
    """A file as the API names it beside a record that came from it."""
    return {"id": file.pk, "name": file.name, "converted_by": file.converted_by()}


def add_corrected_session(records: Records) -> None:
    """A session in REVIEW that corrects the one of the records: `rows["corrected"]`."""
    session = records.session
    corrected = make_session(
        user=session.user,  # type: ignore[arg-type]
        country=session.country,
        status=SessionStatus.REVIEW,
        stat_file=session.stat_file,
        recap_file=session.recap_file,
        corrects=session,
        last_correction=records.rows["corrections"].pk,
    )
    for one, category in ((session, "amount_gap"), (corrected, "conform")):
        content = io.BytesIO()
        facts = {"category": category, "claimed": 500000, "reimbursed": 400000}
        # Not by Polars: the tests of missing access checks fork after this, and its threads do not exist in a fork.
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"claim_number": f"{records.mark}-1"} | facts]), content)
        SessionClaims.objects.create(session=one, content=content.getvalue())
    records.rows["corrected"] = corrected


@pytest.fixture
def togo(cast: Cast) -> Records:
    return make_records(country=cast.togo, owner=cast.togo_head, mark="TOGOCANARY")


@pytest.fixture
def benin(cast: Cast) -> Records:
    return make_records(country=cast.benin, owner=cast.benin_head, mark="BENINCANARY")
