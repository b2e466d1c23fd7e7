"""Webhooks: addresses of other systems, the messages that wait for them, and every attempt to deliver one."""

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.outgoing import LONGEST_URL, Reason
from users.models import Country, User
from users.scoping import ScopedQuerySet


class Ending(models.TextChoices):
    """What happened to an import session. The values are the types of webhook messages; mails alone have SHEET."""

    COMPLETED = "import_session.completed", _("import done")
    FAILED = "import_session.failed", _("import failed")
    REVIEW = "import_session.review", _("import waits for review")
    REVERTED = "import_session.reverted", _("import reverted")
    SHEET = "import_session.sheet", _("import waits for the name of a sheet")


EVENT_TYPES = [ending for ending in Ending if ending is not Ending.SHEET]
TEST_EVENT = "webhook.test"


class WebhookQuerySet(ScopedQuerySet):
    """Endpoints, messages and attempts. An endpoint of all countries is seen by global roles only."""

    def within_country(self, user: User | AnonymousUser) -> Self:
        """A territorial admin manages the country's webhooks, the other accounts see none (DOMAIN §1)."""
        if isinstance(user, User) and user.is_admin_territorial():
            return self
        return self.none()


class EndpointState(models.TextChoices):
    ACTIVE = "active", _("active")
    # By a person. Nothing is kept for it.
    OFF = "off", _("switched off")
    # After a day of failures. Messages for it wait.
    FAILED = "failed", _("disabled after failures")


class WebhookEndpoint(models.Model):
    """An address that gets messages about imports: of one country, or of all.

    A worker holds an endpoint by a claim with a token while it delivers, so that messages arrive in order.
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country,
        verbose_name=_("country"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
    )
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    # A list of values of EVENT_TYPES.
    events = models.JSONField(_("events"), default=list)
    state = models.CharField(_("state"), max_length=6, choices=EndpointState.choices, default=EndpointState.ACTIVE)
    registered_by = models.ForeignKey(
        User, verbose_name=_("registered by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("registered on"), auto_now_add=True)
    # Sealed. The former secret signs too, until the receiver must know the new one.
    secret = models.TextField(_("secret"))
    former_secret = models.TextField(_("former secret"), blank=True)
    former_secret_until = models.DateTimeField(_("former secret is valid until"), null=True, blank=True)

    # No message is tried before this time: the host did not answer the last one.
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    claim_token = models.PositiveBigIntegerField(_("token of the delivery"), default=0)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    rung_at = models.DateTimeField(_("last queued on"), null=True, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    def event_labels(self) -> list[str]:
        return [str(Ending(event).label) for event in self.events]


class MessageState(models.TextChoices):
    PENDING = "pending", _("waiting")
    DELIVERED = "delivered", _("delivered")


class WebhookMessage(models.Model):
    """One message to one endpoint, written in the transaction that ends the session (an outbox).

    Messages of one session are delivered in the order of their ids. `session_number` is no reference: a message stays
    when its session is deleted.
    """

    country_path = "endpoint__country_id"

    endpoint = models.ForeignKey(
        WebhookEndpoint, verbose_name=_("webhook"), on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    # The same at each attempt, so that the receiver notices a repetition.
    uid = models.CharField(_("id of the message"), max_length=40, unique=True)
    event = models.CharField(_("event"), max_length=30, choices=[*Ending.choices, (TEST_EVENT, _("test"))])
    session_number = models.PositiveBigIntegerField(_("number of the import"), null=True)
    # The body, byte for byte: its signature depends on it.
    body = models.TextField(_("content"))
    state = models.CharField(_("state"), max_length=9, choices=MessageState.choices, default=MessageState.PENDING)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    # Since the message was created, the webhook enabled or a replay requested.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    first_attempt_at = models.DateTimeField(_("first attempt"), null=True)
    delivered_at = models.DateTimeField(_("delivered on"), null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_log"),
            # For the sweeper and the workers, which search the waiting messages among all that ever were.
            models.Index(
                fields=["endpoint", "session_number"],
                name="webhook_waiting",
                condition=models.Q(state="pending"),
            ),
        ]

    def __str__(self) -> str:
        return self.uid


class AttemptResult(models.TextChoices):
    """How an attempt ended: the answer's status decides, or there was no answer (`common.outgoing.Reason`)."""

    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("The receiver answered with an error.")
    SEALED = "sealed", _("The secret cannot be read, because SECRET_KEY has changed. Rotate the secret.")


RESULTS: list[tuple[Any, Any]] = [*AttemptResult.choices, *Reason.choices]


class WebhookAttempt(models.Model):
    """One attempt to deliver a message: the delivery log. The receiver's answer is not stored but for its status."""

    country_path = "message__endpoint__country_id"

    message = models.ForeignKey(
        WebhookMessage, verbose_name=_("webhook message"), on_delete=models.CASCADE, related_name="log"
    )
    at = models.DateTimeField(_("when"), auto_now_add=True)
    result = models.CharField(_("result"), max_length=10, choices=RESULTS)
    status = models.PositiveSmallIntegerField(_("status of the answer"), null=True)
    milliseconds = models.PositiveIntegerField(_("duration"), default=0)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.message_id}/{self.pk}"
