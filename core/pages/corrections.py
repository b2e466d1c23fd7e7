"""The pages on which persons and families are corrected (DOMAIN §12): a form, its preview, the own password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Conflict, Invalid, ServiceError
from common.filters import has_words
from common.keys import reference_key
from common.parsing import positive_int
from core.families import correcting, merging, naming, splitting, undoing
from core.families.rights import may_manage_families, preview
from core.families.texts import facts_of
from core.models import Change, Insured, Membership, MembershipRole
from users import audit
from users.access.pages import PageView
from users.access.viewsets import MayManageFamilies, MayReadRecords
from users.accounts.confirmation import ConfirmationThrottle, confirm
from users.models import AuditAction

MOST_CANDIDATES = 25
# Fields of a form that a preview does not hand on.
_NOT_KEPT = ("csrfmiddlewaretoken", "password")


class CorrectionPage(PageView):
    """GET: the form. POST without a password: what would move. POST with one's own password: it is done.

    `model`: the record that is corrected. `title`, `lead`, `button`: texts. `form`: the template of the fields.
    """

    permission: ClassVar[Any] = MayManageFamilies
    template_name = "core/correction.html"
    model: ClassVar[type[Model]]
    title: ClassVar[str | Promise] = ""
    lead: ClassVar[str | Promise] = ""
    button: ClassVar[str | Promise] = ""
    form: ClassVar[str] = ""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.subject(pk)
        audit.record(actor=self.user, action=AuditAction.READ, target=row)
        return self.form_page(row)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.subject(pk)
        try:
            service = self.service(row)
            if "password" not in request.POST:
                return self.preview_page(row, service)
            # The counter of the API: nobody may guess the password from an open session.
            if not ConfirmationThrottle().allow_request(request, None):  # type: ignore[arg-type]
                sentence = _("Too many passwords. Wait a minute, then try again.")
                return self.form_page(row, {"password": [sentence]}, status=429)
            confirm(actor=self.user, password=request.POST["password"])
            service()
        except Invalid as refused:
            if list(refused.errors) == ["password"]:
                return self.preview_page(row, service, refused.errors)
            return self.form_page(row, refused.errors, status=400)
        except ServiceError as refused:
            status = 409 if isinstance(refused, Conflict) else 403
            return self.form_page(row, {"": [str(refused) or _("Access denied")]}, status=status)
        messages.success(request, _("The correction was made. It can be undone under “Corrections of persons”."))
        return redirect(self.back(row))

    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all().visible_to(self.user)  # type: ignore[attr-defined]
        return rows

    def subject(self, pk: int) -> Any:
        row = self.row(self.rows(), pk)
        if not may_manage_families(self.user, self.country_of(row)):
            raise PermissionDenied
        return row

    def country_of(self, row: Any) -> int:
        return int(row.country_id)

    def service(self, row: Any) -> Callable[[], Change]:
        """The service with the values of the form. Raises Invalid."""
        raise NotImplementedError

    def choices(self, row: Any) -> dict[str, Any]:
        """What the fields of the form offer."""
        return {}

    def name_of(self, row: Any) -> str:
        return str(row)

    def back(self, row: Any) -> str:
        return reverse("page-insured", args=[row.pk])

    def form_page(self, row: Any, errors: dict[str, list[str]] | None = None, *, status: int = 200) -> HttpResponse:
        return self.page(
            status=status, errors=self._shown(errors), form=self.form, **self.choices(row), **self._texts(row)
        )

    def preview_page(
        self, row: Any, service: Callable[[], Change], errors: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        change = preview(service)
        audit.record(actor=self.user, action=AuditAction.PREVIEW, target=row, data={"kind": change.kind})
        sent = self.request.POST.lists()
        kept = [(name, value) for name, values in sent if name not in _NOT_KEPT for value in values]
        status = 400 if errors else 200
        return self.page(
            status=status, errors=self._shown(errors), facts=facts_of(change), kept=kept, **self._texts(row)
        )

    def _texts(self, row: Any) -> dict[str, Any]:
        return {
            "title": self.title,
            "lead": self.lead,
            "button": self.button,
            "name": self.name_of(row),
            "back": self.back(row),
            "record": row,
        }

    def _shown(self, errors: dict[str, list[str]] | None) -> dict[str, list[str]]:
        # Without the names that the API has for the fields.
        return {"__all__": [reason for reasons in (errors or {}).values() for reason in reasons]} if errors else {}

    def _number(self, field: str) -> int | None:
        return positive_int(self.request.POST.get(field, ""))


class MergePage(CorrectionPage):
    """Other records of the person are looked for among the people of the same policies, or of the whole country."""

    model = Insured
    title = gettext_lazy("Merge records of one person")
    lead = gettext_lazy(
        "Choose the other records of this person. Their claims, memberships and dependants move here, and their names"
        " become known spellings: later imports find this person by them."
    )
    button = gettext_lazy("Merge the records")
    form = "core/corrections/merge.html"

    def service(self, row: Insured) -> Callable[[], Change]:
        ids = [pk for value in self.request.POST.getlist("insured") if (pk := positive_int(value))]
        found = Insured.objects.visible_to(self.user).in_bulk(ids[: merging.MOST_AT_ONCE + 1])
        others = [found[pk] for pk in ids if pk in found]
        return lambda: merging.merge_people(actor=self.user, kept=row, absorbed=others)

    def choices(self, row: Insured) -> dict[str, Any]:
        typed = self.request.GET.get("q", "").strip()[:255]
        everywhere = self.request.GET.get("among") == "country"
        people = Insured.objects.visible_to(self.user).filter(country=row.country_id).exclude(pk=row.pk)
        if not everywhere:
            policies = row.memberships.values("policy")
            people = people.filter(pk__in=Membership.objects.filter(policy__in=policies).values("insured"))
        if typed:
            names = has_words(field="name_key", typed=typed) or Q(pk=None)
            spelled = has_words(field="spellings__name_key", typed=typed) or Q(pk=None)
            card = reference_key(typed)
            people = people.filter(names | spelled | (Q(card_key=card) if card else Q(pk=None))).distinct()
        elif everywhere:
            people = people.filter(name_key=row.name_key)
        found = list(people.order_by("name_key", "pk")[: MOST_CANDIDATES + 1])
        return {
            "candidates": found[:MOST_CANDIDATES],
            "has_more": len(found) > MOST_CANDIDATES,
            "typed": typed,
            "everywhere": everywhere,
        }


class NamePage(CorrectionPage):
    model = Insured
    title = gettext_lazy("Choose the name")
    lead = gettext_lazy("The other spellings stay known: imports find the person by each of them.")
    button = gettext_lazy("Choose this name")
    form = "core/corrections/name.html"

    def service(self, row: Insured) -> Callable[[], Change]:
        return lambda: naming.choose_name(actor=self.user, insured=row, name=self.request.POST.get("name", ""))

    def choices(self, row: Insured) -> dict[str, Any]:
        return {"spellings": list(row.spellings.order_by("id"))}


class SplitPage(CorrectionPage):
    model = Insured
    title = gettext_lazy("Split off a record")
    lead = gettext_lazy(
        "The record gets back its names, card number, memberships and dependants, with the claims that came into those"
        " memberships. Later claims in a membership that both had stay with this person."
    )
    button = gettext_lazy("Split it off")
    form = "core/corrections/split.html"

    def service(self, row: Insured) -> Callable[[], Change]:
        absorbed = self._number("insured")
        return lambda: splitting.split_person(actor=self.user, kept=row, absorbed=absorbed)

    def choices(self, row: Insured) -> dict[str, Any]:
        return {"joined": splitting.joined_records(row)}


class _MembershipPage(CorrectionPage):
    model = Membership

    def rows(self) -> QuerySet[Any]:
        return super().rows().select_related("insured", "principal", "policy", "client")

    def country_of(self, row: Membership) -> int:
        return row.insured.country_id

    def name_of(self, row: Membership) -> str:
        return row.insured.name

    def back(self, row: Membership) -> str:
        return reverse("page-family", args=[row.pk])

    def choices(self, row: Membership) -> dict[str, Any]:
        roles = [(role.value, role.label) for role in MembershipRole if role != row.role]
        return {"principals": correcting.principals_of(row), "roles": roles}


class AttachPage(_MembershipPage):
    title = gettext_lazy("Attach to another principal")
    lead = gettext_lazy("The dependant belongs to the family of the principal that you choose. Imports leave it so.")
    button = gettext_lazy("Attach")
    form = "core/corrections/attach.html"

    def service(self, row: Membership) -> Callable[[], Change]:
        principal = self._number("principal")
        return lambda: correcting.attach(actor=self.user, membership=row, principal=principal)


class RolePage(_MembershipPage):
    title = gettext_lazy("Change the role")
    lead = gettext_lazy(
        "A new principal founds a family. A dependant needs a principal; a principal with dependants cannot become one"
        " before they are attached to another principal."
    )
    button = gettext_lazy("Change the role")
    form = "core/corrections/role.html"

    def service(self, row: Membership) -> Callable[[], Change]:
        role, principal = self.request.POST.get("role", ""), self._number("principal")
        return lambda: correcting.change_role(actor=self.user, membership=row, role=role, principal=principal)


class ChangePage(CorrectionPage):
    """One correction, with its undo."""

    permission: ClassVar[Any] = MayReadRecords
    template_name = "core/change.html"
    model = Change
    title = gettext_lazy("Undo the correction")
    button = gettext_lazy("Undo")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row(self.rows(), pk)
        audit.record(actor=self.user, action=AuditAction.READ, target=row)
        return self.form_page(row)

    def row(self, rows: QuerySet[Any], pk: int) -> Any:
        if Change.objects.filter(pk=pk, country__isnull=True).exists():
            # A change of the catalogue has a page of its own.
            raise Http404
        return super().row(rows, pk)

    def rows(self) -> QuerySet[Any]:
        return super().rows().filter(country__isnull=False).select_related("country", "undone_by")

    def service(self, row: Change) -> Callable[[], Change]:
        return lambda: undoing.undo_change(actor=self.user, change=row)

    def choices(self, row: Change) -> dict[str, Any]:
        assert row.country_id is not None
        return {
            "facts": facts_of(row),
            "objection": undoing.objection_to_undo(row),
            "may_undo": may_manage_families(self.user, row.country_id),
        }

    def name_of(self, row: Change) -> str:
        return str(row.get_kind_display()).capitalize()

    def back(self, row: Change) -> str:
        return reverse("page-family-change", args=[row.pk])

    def preview_page(
        self, row: Any, service: Callable[[], Change], errors: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        # Its page has the facts already.
        return self.form_page(
            row, errors or {"password": [_("Confirm this change with your own password.")]}, status=400
        )
