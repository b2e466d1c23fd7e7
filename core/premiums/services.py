"""Services that enter, change and delete premiums (DOMAIN §9). Each change has a revision and an audit entry.

The premiums of a client never overlap. A service looks for overlaps under the lock of the country; PostgreSQL has an
exclusion constraint too, for rows that do not come from a service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import Conflict, Gone, Invalid, NotAllowed
from common.formats import format_amount, format_day
from core.changes import lock_countries
from core.data_versions import PREMIUMS, renew
from core.models import Client, Premium, PremiumRevision
from users import audit
from users.models import AuditAction, Country, User

CHANGEABLE = ("amount", "start", "end", "insured_count", "note")
# No premium is older. A year in a cell that should have a date is read as a day of 1905, and must not become one.
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2199, 12, 31)
MOST_AMOUNT = Decimal("999999999999.99")
MOST_INSURED = 10_000_000
LONGEST_NOTE = 2_000
_CENTS = Decimal("0.01")
# The premiums in the way that a sentence names.
_MOST_NAMED = 3
# What an import changes of a premium that is there.
_OF_A_FILE = ["amount", "insured_count", "file_name", "sheet", "row", "changed_at"]
_CONSTRAINT = "premium_without_overlap"


@dataclass(frozen=True)
class Origin:
    """Where an imported premium was read from. `row`: as a spreadsheet shows it; `sheet`: "" for CSV."""

    file_name: str
    sheet: str
    row: int


def may_manage(actor: User, country_id: int) -> bool:
    """Whether the account may change the premiums of this country (DOMAIN §1)."""
    if actor.is_superuser_role():
        return True
    return (actor.is_admin_territorial() or actor.is_chef_dept_tech()) and actor.working_country_id() == country_id


def create_premium(
    *,
    actor: User,
    client: Client,
    amount: Decimal,
    start: date,
    end: date,
    insured_count: int | None = None,
    note: str = "",
) -> Premium:
    """Enter a premium in the currency of the client's country; `start` and `end` are both included.

    Raises NotAllowed, Invalid with every problem, also when it overlaps another premium of the client.
    """
    with transaction.atomic():
        country = _locked(actor, client.country_id)
        if not Client.objects.filter(pk=client.pk).exists():
            raise Invalid({"client": [_("This client was deleted meanwhile.")]})
        premium = Premium(
            country=country,
            client_id=client.pk,
            currency=country.currency_code,
            author=actor,
            amount=amount,
            start=start,
            end=end,
            insured_count=insured_count,
            note=note.strip(),
        )
        _store(premium)
        _record(premium, actor=actor, action=AuditAction.CREATE, before=None)
    return premium


def change_premium(*, actor: User, premium: Premium, **values: Any) -> Premium:
    """Change the values that are named (CHANGEABLE). Without a difference, nothing is written.

    The client stays: a premium of another client is another premium. Raises NotAllowed, Invalid, Gone.
    """
    if unknown := values.keys() - set(CHANGEABLE):
        raise TypeError(f"a premium has no such value to change: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        _locked(actor, premium.country_id)
        now = _present(premium)
        before = as_values(now)
        for name, value in values.items():
            setattr(now, name, value.strip() if name == "note" else value)
        if as_values(now) != before:
            _store(now)
            _record(now, actor=actor, action=AuditAction.UPDATE, before=before)
    return now


def delete_premium(*, actor: User, premium: Premium) -> None:
    """Delete a premium; its history stays. Raises NotAllowed, Gone."""
    with transaction.atomic():
        _locked(actor, premium.country_id)
        now = _present(premium)
        _record(now, actor=actor, action=AuditAction.DELETE, before=as_values(now))
        now.delete()


def undo_change(*, actor: User, revision: PremiumRevision, dry_run: bool = False) -> Premium | None:
    """Undo the newest change of a premium; → the premium as it is then, None for one that was entered and goes again.

    The history stays, and has the undo as one more change. Raises NotAllowed, Gone, Conflict for a change that is not
    the newest, and Invalid when the earlier values cannot come back: another premium has their days now.
    """
    with transaction.atomic():
        _locked(actor, revision.country_id)
        revisions = list(PremiumRevision.objects.filter(premium_id=revision.premium_id).order_by("pk"))
        if revisions[-1] != revision:
            raise Conflict(_("This premium was changed again later. Undo the later change first."))
        if revision.after is None:
            premium, before = _deleted(revision, entered=revisions[0]), None
        else:
            premium = _present(Premium(pk=revision.premium_id))
            before = as_values(premium)
        if revision.before is None:
            if not dry_run:
                _record(premium, actor=actor, action=AuditAction.DELETE, before=before)
                premium.delete()
            return None
        _set_values(premium, revision.before)
        if dry_run:
            _check(premium)
            return premium
        _store(premium)
        action = AuditAction.CREATE if before is None else AuditAction.UPDATE
        _record(premium, actor=actor, action=action, before=before)
    return premium


def _deleted(revision: PremiumRevision, *, entered: PremiumRevision) -> Premium:
    """The deleted premium, not stored, with its number and the account that entered it."""
    client = Client.objects.filter(pk=revision.client_id, country_id=revision.country_id).first()
    if client is None:
        raise Invalid({"client": [_("This client was deleted meanwhile.")]})
    return Premium(
        pk=revision.premium_id, country_id=revision.country_id, client=client, author_id=entered.actor_id,
        currency=(revision.before or {})["currency"], created_at=entered.at, changed_at=entered.at,
    )  # fmt: skip


def _set_values(premium: Premium, values: Mapping[str, Any]) -> None:
    """Set what a change may change, from the values of the history."""
    premium.amount = Decimal(values["amount"])
    premium.start, premium.end = date.fromisoformat(values["start"]), date.fromisoformat(values["end"])
    for name in ("insured_count", "note", "file_name", "sheet", "row"):
        setattr(premium, name, values[name])


def problems_of(*, amount: Decimal | None, start: date, end: date, insured_count: int | None) -> dict[str, list[str]]:
    """Field → what is wrong with its value, over all fields."""
    found: dict[str, list[str]] = {}
    if amount is not None and amount <= 0:
        found["amount"] = [_("The amount must be more than 0.")]
    elif amount is not None and amount > MOST_AMOUNT:
        found["amount"] = [_("The amount is too large.")]
    for name, day in (("start", start), ("end", end)):
        if not FIRST_DAY <= day <= LAST_DAY:
            limits = {"first": format_day(FIRST_DAY), "last": format_day(LAST_DAY)}
            found[name] = [_("The date must lie between %(first)s and %(last)s.") % limits]
    if end < start:
        found.setdefault("end", []).append(
            _("The end (%(end)s) is before the start (%(start)s).")
            % {"end": format_day(end), "start": format_day(start)}
        )
    if insured_count is not None and not 1 <= insured_count <= MOST_INSURED:
        found["insured_count"] = [
            _("The number of insured must lie between 1 and %(most)d, or be left empty.") % {"most": MOST_INSURED}
        ]
    return found


def overlap_sentence(premium: Premium) -> str:
    """That a premium is in the way, named by its days, amount and number."""
    return _(
        "It overlaps premium %(number)d of this client: %(amount)s from %(start)s to %(end)s. Premiums of one client do"
        " not overlap."
    ) % {
        "number": premium.pk,
        "amount": format_amount(premium.amount, premium.currency, with_currency=True),
        "start": format_day(premium.start),
        "end": format_day(premium.end),
    }


def as_values(premium: Premium) -> dict[str, Any]:
    """The values of a premium as its history has them."""
    return {
        "client": premium.client_id,
        "amount": str(premium.amount.quantize(_CENTS)),
        "currency": premium.currency,
        "start": premium.start.isoformat(),
        "end": premium.end.isoformat(),
        "insured_count": premium.insured_count,
        "note": premium.note,
        "file_name": premium.file_name,
        "sheet": premium.sheet,
        "row": premium.row,
    }


def revision_of(premium: Premium, *, actor: User, before: Mapping[str, Any] | None, is_deleted: bool = False) -> Any:
    """The unsaved revision of one change of a premium."""
    return PremiumRevision(
        country_id=premium.country_id,
        premium_id=premium.pk,
        client_id=premium.client_id,
        actor=actor,
        actor_label=actor.display_name(),
        before=before,
        after=None if is_deleted else as_values(premium),
    )


def write_imported(*, country: Country, actor: User, new: Iterable[Premium], changed: Iterable[Premium]) -> None:
    """Write the premiums of one file, in the caller's transaction, which has the country locked and has found no
    overlap. `changed`: stored premiums with their new values.

    Raises Invalid for "file" when PostgreSQL finds an overlap with a row that came from no service.
    """
    created, updated = list(new), list(changed)
    before = {one.pk: as_values(one) for one in Premium.objects.filter(pk__in=[one.pk for one in updated])}
    try:
        with transaction.atomic():
            Premium.objects.bulk_create(created)
    except IntegrityError as error:
        if not _is_overlap(error):
            raise
        sentence = _("Somebody entered premiums of these clients at this moment. Nothing was written: send it again.")
        raise Invalid({"file": [sentence]}) from error
    # `bulk_update` makes one case for each row and value, which takes a minute for 5,000 rows.
    Premium.objects.bulk_create(updated, update_conflicts=True, unique_fields=["id"], update_fields=_OF_A_FILE)
    PremiumRevision.objects.bulk_create(
        [revision_of(one, actor=actor, before=None) for one in created]
        + [revision_of(one, actor=actor, before=before[one.pk]) for one in updated]
    )
    if created or updated:
        renew(country.pk, [PREMIUMS])


def locked_country(*, actor: User, country_id: int) -> Country:
    """The country, locked until the end of the caller's transaction. Raises NotAllowed; Invalid when it is closed."""
    return _locked(actor, country_id)


def _locked(actor: User, country_id: int) -> Country:
    if not may_manage(actor, country_id):
        raise NotAllowed
    (country,) = lock_countries([country_id])
    if not country.is_active:
        raise Invalid({"country": [_("This country is not active.")]})
    return country


def _present(premium: Premium) -> Premium:
    """The premium as it is stored now."""
    now = Premium.objects.filter(pk=premium.pk).first()
    if now is None:
        raise Gone(_("This premium was deleted meanwhile."))
    found: Premium = now
    return found


def _check(premium: Premium) -> None:
    """Raises Invalid with every problem. The country is locked."""
    problems = problems_of(
        amount=premium.amount, start=premium.start, end=premium.end, insured_count=premium.insured_count
    )
    if len(premium.note) > LONGEST_NOTE:
        problems["note"] = [_("The note is too long: at most %(most)d characters.") % {"most": LONGEST_NOTE}]
    if not problems.keys() & {"start", "end"}:
        _refuse_overlaps(premium, problems)
    if problems:
        raise Invalid(problems)


def _store(premium: Premium) -> None:
    """Check and save. The country is locked. Raises Invalid."""
    _check(premium)
    problems: dict[str, list[str]] = {}
    try:
        with transaction.atomic():
            premium.save()
    except IntegrityError as error:
        if not _is_overlap(error):
            raise
        _refuse_overlaps(premium, problems)
        raise Invalid(
            problems or {"start": [_("Somebody entered a premium of this client at this moment. Try again.")]}
        ) from error


def _refuse_overlaps(premium: Premium, problems: dict[str, list[str]]) -> None:
    """Add a sentence for each premium of the client with a day in common."""
    others = Premium.objects.filter(client_id=premium.client_id, start__lte=premium.end, end__gte=premium.start)
    found = others.exclude(pk=premium.pk).order_by("start")[:_MOST_NAMED]
    if sentences := [overlap_sentence(one) for one in found]:
        problems.setdefault("start", []).extend(sentences)


def _is_overlap(error: IntegrityError) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == _CONSTRAINT


def _record(premium: Premium, *, actor: User, action: AuditAction, before: Mapping[str, Any] | None) -> None:
    """Write revision and audit entry, and make figures outdated that were computed from the premiums."""
    revision_of(premium, actor=actor, before=before, is_deleted=action == AuditAction.DELETE).save()
    audit.record(
        actor=actor, action=action, target=premium, country_id=premium.country_id, data={"client": premium.client_id}
    )
    renew(premium.country_id, [PREMIUMS])
