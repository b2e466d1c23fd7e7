"""Undo: removes what a session created and nothing later relies on (DOMAIN §6), inside the caller's transaction.

`undo_session` removes, `preview` only counts. Both ask the same questions (`_Undo`) about the rows that stay
(`_Left`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.expressions import RawSQL

from core import models as core
from core import rates
from core.catalogue.history import categories_to_return_to
from core.data_versions import MEMBERSHIPS, claims_of, renew
from core.other_names import forget_followers
from file_handling.models import ImportSession, SessionStatus
from importer.sql import INTEGER, values_table

# A statement with more ids takes longer than one with the query that finds them.
MOST_IDS = 1_000
MOST_SESSIONS = 20
ZERO = Decimal("0.00")
# Kind of record → its model, and the references that keep a record: (model, field).
REFERENCES: dict[str, tuple[type[Model], tuple[tuple[type[Model], str], ...]]] = {
    "invoices": (core.Invoice, ((core.ClaimLine, "invoice"),)),
    "payments": (core.Payment, ((core.ClaimLine, "payment"),)),
    "operators": (core.Operator, ((core.ClaimLine, "operator"), (core.OperatorAlias, "operator"))),
    "insured": (
        core.Insured,
        ((core.Membership, "insured"), (core.Membership, "principal"), (core.Claim, "insured")),
    ),
    "plans": (core.Plan, ((core.Membership, "plan"),)),
    "policies": (core.Policy, ((core.Membership, "policy"), (core.Claim, "policy"), (core.Plan, "policy"))),
    "clients": (
        core.Client,
        (
            (core.Membership, "client"),
            (core.Claim, "client"),
            (core.Premium, "client"),
            # Somebody merged another client into it.
            (core.ClientAlias, "client"),
        ),
    ),
    "partners": (
        core.Partner,
        (
            (core.Claim, "partner"),
            (core.Invoice, "partner"),
            (core.Payment, "partner"),
            (core.PartnerAlias, "partner"),
        ),
    ),
    "acts": (core.Act, ((core.ClaimLine, "act"), (core.ActAlias, "act"))),
    "act_categories": (
        core.ActCategory,
        ((core.ClaimLine, "category"), (core.Act, "category"), (core.ActCategoryAlias, "category")),
    ),
}
# In the order in which they are removed: a record goes after those that refer to it.
BEFORE_PERSONS, AFTER_PERSONS = ("invoices", "payments", "operators"), ("plans", "policies", "clients", "partners")
CATALOGUE = ("acts", "act_categories")
# What a person typed on a record keeps it, as a record that refers to it would (DOMAIN §10).
TYPED: dict[str, Q] = {
    "policies": Q(typed_rate__isnull=False) | ~Q(typed_subscriber=""),
    "plans": Q(typed_rate__isnull=False),
}
# So many go, and so long is the query that finds them, that a preview finds them once and names them by their ids.
FOUND_ONCE = ("invoices", "payments")


@dataclass(frozen=True)
class Preview:
    """What a revert would do, computed without writing anything.

    `removed`: as `undo_session` returns it. `stays`: kind → how many records that the session created stay, because
    others rely on them; kinds without any are left out. `claimed`, `reimbursed`: the sums of the claims that go, in the
    currency of the session; `stays_claimed`, `stays_reimbursed`: of its claims that stay. `later_sessions`: ids of
    other sessions of the country whose claims rely on what stays, MOST_SESSIONS at most.
    """

    removed: dict[str, int]
    stays: dict[str, int]
    claimed: Decimal
    reimbursed: Decimal
    stays_claimed: Decimal
    stays_reimbursed: Decimal
    later_sessions: list[int]


class _Left:
    """The rows that stay. Rows that are only counted, and not removed, are named here as gone."""

    def __init__(self) -> None:
        self._gone: dict[type[Model], Q] = {}

    def without(self, model: type[Model], gone: Q) -> None:
        self._gone[model] = gone

    def rows(self, model: type[Model]) -> QuerySet[Any]:
        rows = model._default_manager.all()
        return rows.exclude(self._gone[model]) if model in self._gone else rows


class _Undo:
    """The rows that the undo of a session removes."""

    def __init__(self, *, session_id: int, country_id: int) -> None:
        self.session_id, self.country_id = session_id, country_id
        reverted = ImportSession.objects.filter(country_id=country_id, status=SessionStatus.REVERTED)
        self.sessions = sorted({session_id, *reverted.values_list("pk", flat=True)})
        self.created = core.Claim.objects.filter(import_session_id__in=self.sessions)
        self.lines_of_others = Exists(
            core.ClaimLine.objects.filter(claim=OuterRef("pk")).exclude(import_session_id__in=self.sessions)
        )
        # Claims whose lines a later session replaced are few or none: then the others are found without their lines.
        values = ("pk", "import_session_id", "claimed_amount", "reimbursed_amount")
        others = self.created.filter(self.lines_of_others).values_list(*values)[: MOST_IDS + 1]
        self.few_relied_on = {pk: facts for pk, *facts in others}
        if len(self.few_relied_on) > MOST_IDS:
            self.claims = self.created.filter(~self.lines_of_others)
        elif self.few_relied_on:
            self.claims = self.created.exclude(pk__in=self.few_relied_on)
        else:
            self.claims = self.created
        self.lines = core.ClaimLine.objects.filter(claim__in=self.claims)

    def relied_on(self) -> tuple[int, Decimal, Decimal]:
        """Claims of this session whose lines a later session replaced: their number, claimed and reimbursed."""
        if len(self.few_relied_on) > MOST_IDS:
            return _sums(self.created.filter(self.lines_of_others, import_session_id=self.session_id))
        own = [amounts for session, *amounts in self.few_relied_on.values() if session == self.session_id]
        return len(own), sum((one for one, _ in own), ZERO), sum((one for _, one in own), ZERO)

    def kept_claims(self) -> QuerySet[core.ClaimRevision]:
        """One revision for each claim of another session whose lines this session replaced."""
        revisions = core.ClaimRevision.objects.filter(replaced_by_session_id=self.session_id, claim__isnull=False)
        return revisions.exclude(claim__in=self.claims)

    def unused(self, kind: str, left: _Left) -> QuerySet[Any]:
        """The records of a kind to which nothing refers that stays, and on which nothing is typed."""
        model, references = REFERENCES[kind]
        unused = model._default_manager.filter(import_session_id__in=self.sessions)
        if kind in TYPED:
            unused = unused.exclude(TYPED[kind])
        for referrer, field in references:
            rows = left.rows(referrer).filter(**{field: OuterRef("pk")})
            if (referrer, field) == (core.Membership, "insured"):
                # Two indexes have the insured: one of memberships with a client, one of those without.
                unused = unused.filter(~Exists(rows.filter(client__isnull=True)))
                rows = rows.filter(client__isnull=False)
            unused = unused.filter(~Exists(rows))
        if kind in CATALOGUE:
            # A change of the catalogue that can still be undone relies on its acts and categories.
            changes = core.ChangeSubject.objects.filter(model=model._meta.label_lower, change__undone_at__isnull=True)
            unused = unused.filter(~Exists(changes.filter(row_id=OuterRef("pk"))))
        if kind == "act_categories":
            unused = unused.exclude(pk__in=categories_to_return_to())
        return unused

    def memberships(self, left: _Left) -> QuerySet[core.Membership]:
        """Memberships without claims and without dependants: principals follow once their dependants are gone."""
        dependants = left.rows(core.Membership).filter(policy=OuterRef("policy"), principal=OuterRef("insured"))
        return self.without_claims(left).filter(
            ~Exists(dependants.filter(client=OuterRef("client"))),
            ~(Q(client__isnull=True) & Exists(dependants.filter(client__isnull=True))),
        )

    def without_claims(self, left: _Left) -> QuerySet[core.Membership]:
        return core.Membership.objects.filter(
            ~Exists(left.rows(core.Claim).filter(membership=OuterRef("pk"))), import_session_id__in=self.sessions
        )

    def insured_spellings(self, left: _Left) -> QuerySet[core.InsuredSpelling]:
        """Spellings by which no later session can have found its people."""
        later_claims = left.rows(core.Claim).filter(
            insured=OuterRef("insured"), import_session_id__gt=OuterRef("import_session_id")
        )
        return core.InsuredSpelling.objects.filter(~Exists(later_claims), import_session_id__in=self.sessions)

    def policies(self) -> set[int]:
        """The policies whose memberships or persons may change."""
        memberships = core.Membership.objects.filter(import_session_id__in=self.sessions)
        return set(memberships.order_by().values_list("policy_id", flat=True).distinct())

    def later_sessions(self) -> list[int]:
        """Other sessions of the country with a claim that uses a record of this one, or with lines in its claims."""
        uses = Q()
        for record in ("membership", "insured", "policy", "client", "partner"):
            uses |= Q(**{f"{record}__import_session_id": self.session_id})
        claims = core.Claim.objects.filter(uses, import_session_id=OuterRef("pk"))
        lines = core.ClaimLine.objects.filter(
            import_session_id=OuterRef("pk"), claim__import_session_id=self.session_id
        )
        others = ImportSession.objects.filter(country_id=self.country_id, written_at__isnull=False)
        found = others.exclude(pk__in=self.sessions).filter(Exists(claims) | Exists(lines)).order_by("pk")
        return list(found.values_list("pk", flat=True)[:MOST_SESSIONS])


def undo_session(*, session_id: int, country_id: int) -> dict[str, int]:
    """Remove the session's claims with their lines, then its records that nothing refers to; → how many of each.

    Records that sessions reverted earlier had to leave, because others relied on them, are removed once nothing does.
    `kept_claims`: claims of other sessions whose lines this session replaced; they keep their present lines.
    `relied_on`: claims of this session whose lines a later session replaced; they stay as that session wrote them.
    """
    undo = _Undo(session_id=session_id, country_id=country_id)
    # Figures are kept by month: those of the months that lose claims are outdated.
    renew(country_id, [MEMBERSHIPS, *map(claims_of, undo.claims.dates("settlement_date", "month"))])
    removed = {"relied_on": undo.relied_on()[0], "kept_claims": undo.kept_claims().count()}
    policies = undo.policies()
    rates.apply(rates.RateCounts().minus(rates.counted(undo.claims)))
    removed["claim_lines"] = _delete(undo.lines)
    core.ClaimRevision.objects.filter(claim__in=undo.claims).update(claim=None)
    touched = list(core.Membership.objects.filter(claims__in=undo.claims).values_list("pk", flat=True).distinct())
    removed["claims"] = _delete(undo.claims)
    left = _Left()

    def remove(kinds: Iterable[str]) -> None:
        for kind in kinds:
            removed[kind] = _delete(undo.unused(kind, left))

    remove(BEFORE_PERSONS)
    removed["memberships"] = 0
    while count := _delete(undo.memberships(left)):
        removed["memberships"] += count
    removed["insured_spellings"] = _delete(undo.insured_spellings(left))
    core.InsuredSpelling.objects.filter(insured__in=undo.unused("insured", left))._raw_delete(using=connection.alias)
    remove(("insured", *AFTER_PERSONS))
    rates.deduce_subscribers(policies)
    _lock_catalogue(undo.sessions)
    remove(CATALOGUE)
    _renew_settlement_dates(touched)
    forget_followers(country_id, [session_id])
    return removed


def preview(session: ImportSession) -> Preview:
    """What a revert of the session would remove now, and what would stay. Writes nothing and locks nothing."""
    undo = _Undo(session_id=session.pk, country_id=session.country_id)
    (claims, claimed, reimbursed), (relied_on, stays_claimed, stays_reimbursed) = _sums(undo.claims), undo.relied_on()
    left = _Left()
    left.without(core.Claim, Q(pk__in=undo.claims.values("pk")))
    left.without(core.ClaimLine, Q(claim__in=undo.claims.values("pk")))
    going: dict[str, QuerySet[Any]] = {}
    # Kind → session → how many of its records go. Of sessions reverted earlier, more may go than this one created.
    by_session: dict[str, Counter[int]] = {}

    def found(kind: str, model: type[Model], ids: dict[int, int]) -> None:
        by_session[kind] = Counter(ids.values())
        left.without(model, _among(list(ids)))

    def count_on(kinds: Iterable[str]) -> None:
        for kind in kinds:
            model, rows = REFERENCES[kind][0], undo.unused(kind, left)
            if kind in FOUND_ONCE:
                found(kind, model, dict(rows.values_list("pk", "import_session_id")))
            else:
                going[kind] = rows
                left.without(model, Q(pk__in=rows.values("pk")))

    count_on(BEFORE_PERSONS)
    found("memberships", core.Membership, _all_rounds(undo, left))
    going["insured_spellings"] = undo.insured_spellings(left)
    count_on(("insured", *AFTER_PERSONS, *CATALOGUE))
    going |= {"claim_lines": undo.lines, "kept_claims": undo.kept_claims()}
    # The spellings of a person go with the person, and lines with their claim.
    models = {"memberships": core.Membership} | {kind: model for kind, (model, _references) in REFERENCES.items()}
    created = {
        f"created_{kind}": model._default_manager.filter(import_session_id=session.pk) for kind, model in models.items()
    }
    counts = _counts_by_session(going | created)
    by_session |= {kind: counts[kind] for kind in going}
    stays = {"claims": relied_on} | {
        kind: counts[f"created_{kind}"].total() - by_session[kind][session.pk] for kind in models
    }
    return Preview(
        removed={kind: numbers.total() for kind, numbers in by_session.items()}
        | {"claims": claims, "relied_on": relied_on},
        stays={kind: count for kind, count in stays.items() if count},
        claimed=claimed,
        reimbursed=reimbursed,
        stays_claimed=stays_claimed,
        stays_reimbursed=stays_reimbursed,
        later_sessions=undo.later_sessions() if any(stays.values()) else [],
    )


def _all_rounds(undo: _Undo, left: _Left) -> dict[int, int]:
    """The memberships that go, id → session: dependants and then principals, by the rule of `_Undo.memberships`.

    In memory: in the database each round would read what the rounds before it found.
    """
    links = ("policy_id", "principal_id", "client_id")
    rows = list(undo.without_claims(left).values_list("pk", "import_session_id", "insured_id", *links))
    session_of = {pk: session for pk, session, *_links in rows}
    candidates = {
        pk: ((policy, insured, client), (policy, principal, client))
        for pk, _session, insured, policy, principal, client in rows
    }
    policies = core.Membership.objects.filter(import_session_id__in=undo.sessions).values("policy_id")
    dependants = core.Membership.objects.filter(principal__isnull=False, policy__in=policies)
    # Person on a policy → how many dependants that stay name them as principal.
    relying = Counter(dependants.values_list(*links))
    gone: dict[int, int] = {}
    while going := [pk for pk, (person, _principal) in candidates.items() if not relying[person]]:
        for pk in going:
            gone[pk] = session_of[pk]
            _person, principal = candidates.pop(pk)
            relying[principal] -= 1
    return gone


def _among(ids: list[int]) -> Q:
    source, parameters = values_table("picked", {"id": (INTEGER, ids)})
    return Q(pk__in=RawSQL(f"SELECT picked.id FROM {source}", parameters))  # noqa: S611


def _sums(claims: QuerySet[core.Claim]) -> tuple[int, Decimal, Decimal]:
    """Number, claimed and reimbursed of claims. In whole hundredths: SQLite adds decimals as floats."""
    sums = claims.aggregate(count=Count("pk"), claimed=Sum("claimed_amount"), reimbursed=Sum("reimbursed_amount"))
    claimed, reimbursed = ((sums[name] or ZERO).quantize(ZERO) for name in ("claimed", "reimbursed"))
    return sums["count"], claimed, reimbursed


def _counts_by_session(rows: dict[str, QuerySet[Any]]) -> dict[str, Counter[int]]:
    """How many rows each query finds of each session, in one statement."""
    queries = []
    for name, found in rows.items():
        session = "replaced_by_session_id" if found.model is core.ClaimRevision else "import_session_id"
        by_session = found.order_by().annotate(kind=Value(name)).values("kind", session)
        queries.append(by_session.annotate(number=Count("*")).values_list("kind", session, "number"))
    counts: dict[str, Counter[int]] = {name: Counter() for name in rows}
    for kind, session, number in queries[0].union(*queries[1:], all=True):
        counts[kind][session] = number
    return counts


def _lock_catalogue(sessions: list[int]) -> None:
    """Lock the acts: imports of other countries that are about to use them end first, and their acts count as used."""
    for model in (core.Act, core.ActCategory):
        list(model.objects.filter(import_session_id__in=sessions).select_for_update().order_by("pk").values_list("pk"))


def _delete(rows: Any) -> int:
    # What could refer to these rows was removed or excluded before, so no cascade must be collected row by row.
    return int(rows._raw_delete(using=connection.alias))


def _renew_settlement_dates(memberships: list[int]) -> None:
    """Set first and last settlement dates of memberships that lost claims, from their remaining claims."""
    if not memberships:
        return
    source, parameters = values_table("touched", {"id": (INTEGER, memberships)})
    claims, table = core.Claim._meta.db_table, core.Membership._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET "
            f"first_settlement_date = (SELECT min(settlement_date) FROM {claims} WHERE membership_id = {table}.id), "
            f"last_settlement_date = (SELECT max(settlement_date) FROM {claims} WHERE membership_id = {table}.id) "
            f"WHERE id IN (SELECT touched.id FROM {source})",
            parameters,
        )
