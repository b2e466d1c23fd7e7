"""Countries, accounts with their roles, the audit trail, and mails that wait to be sent (DOMAIN §1)."""

from decimal import Decimal
from typing import Any, Self

from django.apps import apps
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import formats, timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel, AppendOnlyQuerySet


class CountryQuerySet(models.QuerySet["Country"]):
    def visible_to(self, user: Any) -> Self:
        """All countries for global roles, an account's own active country, none for all others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        return self.filter(pk=user.working_country_id())


class Country(models.Model):
    """A country of the group. Accounts bound to a country see the rows of that country only."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.CharField(_("code"), max_length=3, unique=True, help_text=_("ISO 3166 code, such as TG"))
    currency_code = models.CharField(_("currency code"), max_length=3, default="XOF")
    currency_name = models.CharField(_("currency name"), max_length=50, default="Franc CFA (BCEAO)")
    tolerance = models.DecimalField(
        _("tolerance"),
        max_digits=18,
        decimal_places=2,
        default=Decimal(5),
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("In currency units. A difference between stat and recap of this amount or more is a gap"),
    )
    target_loss_ratio = models.DecimalField(
        _("target S/P"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("0.8"),
        validators=[MinValueValidator(Decimal("0.0001"))],
        help_text=_("Reimbursed amount that is meant to go on each unit of earned premium: 0.8 is 80 %"),
    )
    pooling_threshold = models.DecimalField(
        _("pooling threshold"),
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_(
            "In currency units. The pooled S/P counts each insured person up to this amount in a year of the premium;"
            " empty: no pooling"
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)
    # How often imports, reverts and changes by hand were written to this country. A plan made at an older number is
    # made again before it is written.
    data_version = models.PositiveBigIntegerField(_("imports written"), default=0, editable=False)

    objects = CountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    SUPERUSER = "SUPERUSER", _("Superuser")
    ADMIN_GLOBAL = "ADMIN_GLOBAL", _("Global administrator")
    ADMIN_TERRITORIAL = "ADMIN_TERRITORIAL", _("Territorial administrator")
    CHEF_DEPT_TECH = "CHEF_DEPT_TECH", _("Head of the technical department")
    RESP_OPERATEUR = "RESP_OPERATEUR", _("Data-entry manager")


# Highest role first (DOMAIN §1).
HIERARCHY = list(Role)
COUNTRY_BOUND = frozenset({Role.ADMIN_TERRITORIAL, Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR})
COUNTRY_STAFF = frozenset({Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR})

# Characters; hashing a longer text would cost too much time.
LONGEST_PASSWORD = 256


class AccountQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: Any) -> Self:
        """All accounts for global roles, the staff of the country for a territorial admin, and one's own account."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        country_id = user.working_country_id()
        if country_id is None:
            return self.none()
        oneself = models.Q(pk=user.pk)
        if user.is_admin_territorial():
            return self.filter(oneself | models.Q(country_id=country_id, role__in=COUNTRY_STAFF))
        return self.filter(oneself)


class UserManager(DjangoUserManager["User"]):
    def get_queryset(self) -> AccountQuerySet:
        return AccountQuerySet(self.model, using=self._db)

    def visible_to(self, user: Any) -> AccountQuerySet:
        return self.get_queryset().visible_to(user)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        extra.setdefault("role", Role.SUPERUSER)
        return super().create_superuser(username, email, password, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)


class Language(models.TextChoices):
    FRENCH = "fr", _("French")
    ENGLISH = "en", _("English")


class ImportMails(models.TextChoices):
    """Of which imports an account gets a mail when one ends."""

    NONE = "none", _("of no import")
    OWN = "own", _("of my own imports")
    ALL = "all", _("of all imports that I may see")


class User(AbstractUser):
    """An account: the role decides what it may do, the country on which rows."""

    email = models.EmailField(_("e-mail address"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.RESP_OPERATEUR)
    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )
    language = models.CharField(
        _("language"),
        max_length=2,
        choices=Language.choices,
        default=Language.FRENCH,
        help_text=_("Language of e-mails to this person"),
    )
    mail_imports = models.CharField(
        _("e-mail at the end"), max_length=4, choices=ImportMails.choices, default=ImportMails.NONE
    )
    mail_failures_only = models.BooleanField(_("only when an import failed"), default=False)
    mail_daily = models.BooleanField(_("a summary each morning"), default=False)
    # The day on which the last summary was queued.
    summary_queued_on = models.DateField(_("last summary"), null=True, editable=False)
    # Part of the hash that a web session stores: a new number ends all sessions of the account.
    access_version = models.PositiveIntegerField(_("session version"), default=0, editable=False)

    country_path = "country_id"

    REQUIRED_FIELDS = ["email"]
    objects = UserManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["username"]
        constraints = [
            # Sign-in ignores upper and lower case, so two accounts may not differ by case alone.
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Django's own flags are derived from the role, so that they cannot contradict it.
        self.is_superuser = self.role == Role.SUPERUSER
        self.is_staff = self.role in (Role.SUPERUSER, Role.ADMIN_GLOBAL, Role.ADMIN_TERRITORIAL)
        update_fields = kwargs.get("update_fields")
        if update_fields is not None and "role" in update_fields:
            kwargs["update_fields"] = {*update_fields, "is_superuser", "is_staff"}
        has_new_password = getattr(self, "_password", None) is not None and self.pk is not None
        super().save(*args, **kwargs)
        if has_new_password:
            # A person who knew the old password may have a token.
            self.auth_token_set.all().delete()  # type: ignore[attr-defined]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django hashes the password alone; then a session would survive a change of role or country.
        signed = f"{self.password}:{self.access_version}"
        return salted_hmac("users.User.session", signed, secret=secret, algorithm="sha256").hexdigest()

    def is_superuser_role(self) -> bool:
        return self.role == Role.SUPERUSER

    def is_admin_global(self) -> bool:
        return self.role == Role.ADMIN_GLOBAL

    def is_admin_territorial(self) -> bool:
        return self.role == Role.ADMIN_TERRITORIAL

    def is_chef_dept_tech(self) -> bool:
        return self.role == Role.CHEF_DEPT_TECH

    def is_responsable_operateur(self) -> bool:
        return self.role == Role.RESP_OPERATEUR

    def sees_all_countries(self) -> bool:
        return self.is_active and (self.is_superuser_role() or self.is_admin_global())

    def working_country_id(self) -> int | None:
        """The id of the one country whose data this account may see; None when it may see none (DOMAIN §1)."""
        if not self.is_active or self.country is None or not self.country.is_active:
            return None
        return self.country.pk

    @cached_property
    def visible_countries(self) -> list[Country]:
        """The countries that the account may see, by name, read once: each request loads its account anew."""
        if self.sees_all_countries():
            return list(Country.objects.visible_to(self).order_by("name"))
        return [self.country] if self.country is not None and self.working_country_id() is not None else []

    def is_frozen(self) -> bool:
        """Whether the account cannot sign in because its country is inactive."""
        return self.role in COUNTRY_BOUND and self.country is not None and not self.country.is_active

    def display_name(self) -> str:
        return self.get_full_name() or self.email


class AuditAction(models.TextChoices):
    LOGIN = "login", _("signed in")
    UPLOAD = "upload", _("uploaded")
    READ = "read", _("read")
    PREVIEW = "preview", _("previewed")
    DOWNLOAD = "download", _("downloaded")
    DELETE = "delete", _("deleted")
    IMPORT = "import", _("started an import")
    STEER = "steer", _("steered an import")
    REVERT = "revert", _("reverted an import")
    EXPORT = "export", _("exported")
    CREATE = "create", _("created")
    UPDATE = "update", _("changed")
    ACTIVATE = "activate", _("activated")
    DEACTIVATE = "deactivate", _("deactivated")
    MOVE = "move", _("moved to another country")
    LINK = "link", _("sent a link to choose a password")
    PASSWORD = "password", _("chose a password")
    LOGOUT = "logout", _("signed out")


class DeactivationStatus(models.TextChoices):
    PENDING = "PENDING", _("pending")
    APPROVED = "APPROVED", _("approved")
    REJECTED = "REJECTED", _("rejected")
    EXPIRED = "EXPIRED", _("expired")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


class DeactivationQuerySet(models.QuerySet["CountryDeactivation"]):
    def visible_to(self, user: Any) -> Self:
        """All for global roles, none for all others: the accounts of a country do not see who wants to close it."""
        if isinstance(user, User) and user.sees_all_countries():
            return self.all()
        return self.none()


class CountryDeactivation(models.Model):
    """A request to deactivate a country, and its outcome (DOMAIN §14).

    `voters`: the active global administrators when it was made, the asker among them. `needed`: how many of them must
    approve; asking is one approval. `decided_by`: the account whose vote ended it; None for a request that expired, and
    for one that could no longer be approved.
    """

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="deactivations"
    )
    reason = models.TextField(_("reason"))
    status = models.CharField(
        _("state"), max_length=10, choices=DeactivationStatus.choices, default=DeactivationStatus.PENDING
    )
    asked_by = models.ForeignKey(
        User, verbose_name=_("requested by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_by_label = models.CharField(_("requested by"), max_length=254)
    asked_at = models.DateTimeField(_("requested on"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires on"), db_index=True)
    voters = models.PositiveIntegerField(_("global administrators"))
    needed = models.PositiveSmallIntegerField(_("approvals needed"))
    decided_at = models.DateTimeField(_("ended on"), null=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("ended by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_by_label = models.CharField(_("ended by"), max_length=254, blank=True)

    objects = DeactivationQuerySet.as_manager()

    class Meta:
        verbose_name = _("request to deactivate a country")
        verbose_name_plural = _("requests to deactivate a country")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["country"], condition=models.Q(status="PENDING"), name="one_pending_deactivation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.get_status_display()}"


class DeactivationVote(models.Model):
    """The one vote of an account. `is_struck`: the account was deactivated or lost its role while the request was
    pending, so its vote no longer counts.
    """

    request = models.ForeignKey(
        CountryDeactivation, verbose_name=_("request"), on_delete=models.CASCADE, related_name="votes", db_index=False
    )
    voter = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    voter_label = models.CharField(_("who"), max_length=254)
    approves = models.BooleanField(_("approves"))
    is_struck = models.BooleanField(_("struck"), default=False)
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("vote on a deactivation")
        verbose_name_plural = _("votes on deactivations")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "voter"], name="one_vote_each")]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.voter_id}"


class AuditQuerySet(AppendOnlyQuerySet):
    def visible_to(self, user: Any) -> Self:
        """All entries for global roles, those of the country for a territorial admin, none for all others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        country_id = user.working_country_id()
        if country_id is None or not user.is_admin_territorial():
            return self.none()
        return self.filter(country_id=country_id)


class AuditEntry(AppendOnlyModel):
    """One action of an account on an object. Append-only; the entry stays when the account or the object is deleted."""

    country_path = "country_id"

    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=254)
    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    action = models.CharField(_("action"), max_length=20, choices=AuditAction.choices)
    object_type = models.CharField(_("object type"), max_length=50)
    object_id = models.BigIntegerField(_("number of the object"), null=True)
    object_label = models.CharField(_("object"), max_length=255, blank=True)
    success = models.BooleanField(_("successful"), default=True)
    data = models.JSONField(_("details"), default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id"]), models.Index(fields=["country", "at"])]

    def __str__(self) -> str:
        moment = formats.date_format(timezone.localtime(self.at), "SHORT_DATETIME_FORMAT")
        return " · ".join(filter(None, [moment, self.actor_label, str(self.get_action_display())]))

    def object_kind(self) -> str:
        """The model's name in the active language; `object_type` itself when there is no such model any more."""
        try:
            return str(apps.get_model(self.object_type)._meta.verbose_name)
        except (LookupError, ValueError):
            return self.object_type


class MailPurpose(models.TextChoices):
    INVITATION = "invitation", _("invitation")
    RESET = "reset", _("password reset")
    CHANGED = "changed", _("password changed")
    ADDRESS = "address", _("address changed")
    IMPORT = "import", _("end of an import")
    SUMMARY = "summary", _("summary of a day")
    WEBHOOK = "webhook", _("webhook disabled")
    DEACTIVATION_ASKED = "deact_asked", _("deactivation of a country requested")
    DEACTIVATION_DECIDED = "deact_decided", _("end of a request to deactivate a country")


class QueuedMail(models.Model):
    """A mail that waits to be sent; the row is deleted once it is. The mail itself is written at that moment, so no
    link is ever stored. `data`: what the mail is about, in ids, counts and codes.

    `address` without an account: somebody requested a reset for this address. Whether an account has it is looked up
    only when the mail is sent, so that the response takes the same time for all addresses. Both: the mail goes to this
    address and not to the account's own, which has replaced it.
    """

    purpose = models.CharField(_("purpose"), max_length=20, choices=MailPurpose.choices)
    account = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.CASCADE, null=True, related_name="+")
    address = models.CharField(_("e-mail address"), max_length=254, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)
    asked_at = models.DateTimeField(_("requested on"), auto_now_add=True)
    due_at = models.DateTimeField(_("due on"), default=timezone.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("queued e-mail")
        verbose_name_plural = _("queued e-mails")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
