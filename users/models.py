"""Who works with Concord, in which country, and what they may ask of themselves (DOMAIN §1)."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


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
    data_version = models.PositiveBigIntegerField(default=0, editable=False)

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


class UserManager(DjangoUserManager["User"]):
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        extra.setdefault("role", Role.SUPERUSER)
        return super().create_superuser(username, email, password, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)


class User(AbstractUser):
    """An account. Its role says what it may do, its country where."""

    email = models.EmailField(_("e-mail address"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.RESP_OPERATEUR)
    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )

    REQUIRED_FIELDS = ["email"]
    objects = UserManager()

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
        has_new_password = self._password is not None and self.pk is not None
        super().save(*args, **kwargs)
        if has_new_password:
            # Who knew the old password may hold a token got with it.
            self.auth_token_set.all().delete()  # type: ignore[attr-defined]

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


class AuditEntry(models.Model):
    """Who did what to which object, when. Append-only; outlives the account and the object."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    country = models.ForeignKey(Country, on_delete=models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=20, choices=AuditAction.choices)
    object_type = models.CharField(max_length=50)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=255, blank=True)
    success = models.BooleanField(default=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id"]), models.Index(fields=["country", "at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.action} {self.object_type} {self.object_id}"
