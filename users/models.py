"""Who works with Concord, in which country, and what they may ask of themselves (DOMAIN §1)."""

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
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel, AppendOnlyQuerySet


class CountryQuerySet(models.QuerySet["Country"]):
    def visible_to(self, user: Any) -> Self:
        """All for who sees all countries, their own for who has an active one, none for the others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        return self.filter(pk=user.working_country_id())


class Country(models.Model):
    """A country of the group: the wall between what its people and its neighbours may see."""

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
        help_text=_("A difference between stat and recap equal to it or above is a gap, in currency units"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    # Counts the imports written to this country: a plan made from an older count is made again before it is written.
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


# Each role is above those behind it (DOMAIN §1).
HIERARCHY = list(Role)
COUNTRY_BOUND = frozenset({Role.ADMIN_TERRITORIAL, Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR})
COUNTRY_STAFF = frozenset({Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR})


class AccountQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: Any) -> Self:
        """All for who sees all countries; the accounts below of their country for its admin; oneself for everybody."""
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


class User(AbstractUser):
    """An account. Its role says what it may do, its country where."""

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
        help_text=_("Of letters to them"),
    )
    # Part of what a session of the web pages is signed with: one more, and all of them end.
    access_version = models.PositiveIntegerField(_("ends of all sessions"), default=0, editable=False)

    country_path = "country_id"

    REQUIRED_FIELDS = ["email"]
    objects = UserManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["username"]
        constraints = [
            # One person signs in in any case of letters, so no two accounts may differ by case alone.
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Django's own flags follow the role, so that no second switch can disagree with it.
        self.is_superuser = self.role == Role.SUPERUSER
        self.is_staff = self.role in (Role.SUPERUSER, Role.ADMIN_GLOBAL, Role.ADMIN_TERRITORIAL)
        update_fields = kwargs.get("update_fields")
        if update_fields is not None and "role" in update_fields:
            kwargs["update_fields"] = {*update_fields, "is_superuser", "is_staff"}
        has_new_password = getattr(self, "_password", None) is not None and self.pk is not None
        super().save(*args, **kwargs)
        if has_new_password:
            # Who knew the old password may hold a token got with it.
            self.auth_token_set.all().delete()  # type: ignore[attr-defined]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # By the password alone, as Django has it, a session would outlive a change of role or country.
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

    def is_frozen(self) -> bool:
        """Whether the account's country is closed: it may not even sign in until the country is active again."""
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
    REPLACE = "replace", _("replaced by an import")
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


class AuditQuerySet(AppendOnlyQuerySet):
    def visible_to(self, user: Any) -> Self:
        """All for who sees all countries, their country's for a territorial admin, none for the others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        country_id = user.working_country_id()
        if country_id is None or not user.is_admin_territorial():
            return self.none()
        return self.filter(country_id=country_id)


class AuditEntry(AppendOnlyModel):
    """Who did what to which object, when. Append-only; outlives the account and the object."""

    country_path = "country_id"

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=254)
    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    action = models.CharField(_("what was done"), max_length=20, choices=AuditAction.choices)
    object_type = models.CharField(_("kind of object"), max_length=50)
    object_id = models.BigIntegerField(_("number of the object"), null=True)
    object_label = models.CharField(_("object"), max_length=255, blank=True)
    success = models.BooleanField(_("carried out"), default=True)
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
        """What the object is, in the language in use; the kind as it was noted when there is no such kind any more."""
        try:
            return str(apps.get_model(self.object_type)._meta.verbose_name)
        except (LookupError, ValueError):
            return self.object_type


class LetterPurpose(models.TextChoices):
    INVITATION = "invitation", _("invitation")
    RESET = "reset", _("password reset")
    CHANGED = "changed", _("password changed")
    ADDRESS = "address", _("address changed")


class Letter(models.Model):
    """A mail that waits to be sent; gone once it is. What is in it is made at that moment, so no link is ever stored.

    `address` alone (no account): somebody asked for a reset there, and whether that is an account is not looked up
    before the letter is sent, so that the answer takes the same time for all. Both: it goes to this address and not to
    the account's own, which took its place.
    """

    purpose = models.CharField(_("purpose"), max_length=20, choices=LetterPurpose.choices)
    account = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.CASCADE, null=True, related_name="+")
    address = models.CharField(_("e-mail address"), max_length=254, blank=True)
    asked_at = models.DateTimeField(_("asked for on"), auto_now_add=True)
    due_at = models.DateTimeField(_("to be sent on"), default=timezone.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
