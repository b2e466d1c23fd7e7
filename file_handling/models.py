"""Uploaded files with their corrections, import sessions, their events and findings (DOMAIN §5–§7, §13).

Messages and observations are stored as codes with parameters and read as sentences of the active language (`wording`).
"""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.outgoing import LONGEST_URL
from file_handling import wording
from users.models import Country, User
from users.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile


class FileType(models.TextChoices):
    STAT = "stat", _("stat file")
    RECAP = "recap", _("recap file")


class FileQuerySet(ScopedQuerySet):
    def within_country(self, user: User) -> Self:
        """A territorial admin sees the country's files, a head of department their own, others none (DOMAIN §1)."""
        if user.is_admin_territorial():
            return self
        if user.is_chef_dept_tech():
            return self.filter(user=user)
        return self.none()


def stored_file_name(instance: "File", filename: str) -> str:
    """A random name. The name that the user gave to the file is data and never becomes a path."""
    suffix = instance.extension()
    return f"uploads/{instance.country_id}/{uuid.uuid4().hex}{suffix}"


def converted_file_name(instance: "File", filename: str) -> str:
    """A random name with the extension of `filename`."""
    suffix = filename[filename.rfind(".") :]
    return f"uploads/{instance.country_id}/{uuid.uuid4().hex}{suffix}"


class ConverterQuerySet(models.QuerySet[Any]):
    """Converters serve all countries. Superusers alone manage them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        may_manage = isinstance(user, User) and user.is_active and user.is_superuser_role()
        return self.all() if may_manage else self.none()


class Converter(models.Model):
    """An HTTP service that turns files of other formats into one that Concord reads (docs/converters.md)."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    # Lower case, without a dot. Of the active converters, one has an extension.
    extensions = models.JSONField(_("file extensions"), default=list)
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    # Sealed.
    secret = models.TextField(_("secret"))
    megabytes = models.PositiveSmallIntegerField(_("largest answer (MB)"), default=50)
    seconds = models.PositiveSmallIntegerField(_("longest time for a file (seconds)"), default=60)
    version = models.CharField(_("version"), max_length=50, blank=True, help_text=_("As the service answered last"))
    is_active = models.BooleanField(_("active"), default=True)
    registered_by = models.ForeignKey(
        User, verbose_name=_("registered by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("registered on"), auto_now_add=True)

    objects = ConverterQuerySet.as_manager()

    class Meta:
        verbose_name = _("converter")
        verbose_name_plural = _("converters")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class File(models.Model):
    """An uploaded file. The later pages of a recap point to its first page.

    `converted`: what a converter made of a file that Concord does not read itself; empty before its first import. Rows
    and sheets of such a file are those of the converted one.
    """

    country_path = "country_id"
    EXTENSIONS = (".xlsx", ".xls", ".csv")

    user = models.ForeignKey(
        User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="files"
    )
    uploaded_by_name = models.CharField(_("uploaded by"), max_length=310, blank=True)
    uploaded_by_email = models.EmailField(_("e-mail address of the uploader"), blank=True)
    file = models.FileField(_("stored as"), upload_to=stored_file_name, max_length=255)
    name = models.CharField(_("name"), max_length=255)
    file_type = models.CharField(_("kind"), max_length=5, choices=FileType.choices)
    uploaded_at = models.DateTimeField(_("date of upload"), auto_now_add=True)
    size = models.PositiveBigIntegerField(_("size"), default=0, help_text=_("bytes"))
    sha256 = models.CharField(_("fingerprint (SHA-256)"), max_length=64, db_index=True)
    country = models.ForeignKey(Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="files")
    first_page = models.ForeignKey(
        "self", verbose_name=_("first page"), on_delete=models.CASCADE, null=True, blank=True, related_name="pages"
    )

    converted = models.FileField(_("converted file"), upload_to=converted_file_name, max_length=255, blank=True)
    converted_size = models.PositiveBigIntegerField(_("size of the converted file"), default=0, help_text=_("bytes"))
    converted_sha256 = models.CharField(_("fingerprint of the converted file"), max_length=64, blank=True)
    converted_at = models.DateTimeField(_("converted on"), null=True, blank=True)
    converter = models.ForeignKey(
        Converter, verbose_name=_("converter"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # As the service named itself. They stay when the converter is deleted.
    converter_name = models.CharField(_("name of the converter"), max_length=100, blank=True)
    converter_version = models.CharField(_("version of the converter"), max_length=50, blank=True)

    objects = FileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["-id"]
        indexes = [models.Index(fields=["country", "-uploaded_at"])]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.user is not None:
            self.uploaded_by_name = self.uploaded_by_name or self.user.display_name()
            self.uploaded_by_email = self.uploaded_by_email or self.user.email
            if not self.country_id and self.user.country is not None:
                self.country = self.user.country
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def extension(self) -> str:
        lowered = self.name.lower()
        return next((e for e in self.EXTENSIONS if lowered.endswith(e)), ".bin")

    def is_read_directly(self) -> bool:
        """Whether Concord reads the file itself, without a converter."""
        return self.extension() != ".bin"

    def content(self) -> "FieldFile":
        """The stored object that is read: the converted file where there is one."""
        return self.converted if self.converted else self.file

    def read_name(self) -> str:
        """The name of what is read: of a converted file, with its own ending."""
        stored = self.converted.name or ""
        return f"{self.name}{stored[stored.rfind('.') :]}" if stored else self.name

    def converted_by(self) -> str:
        """Name and version of the converter; "" for a file that was not converted."""
        return f"{self.converter_name} {self.converter_version}".strip() if self.converted else ""

    def all_pages(self) -> list["File"]:
        """This file and its later pages, in the order of the upload."""
        return [self, *self.pages.order_by("id")]


class SessionStatus(models.TextChoices):
    PENDING = "PENDING", _("waiting")
    PROCESSING = "PROCESSING", _("running")
    DONE = "DONE", _("done")
    DONE_WITH_ERRORS = "DONE_WITH_ERRORS", _("done, with claims left out")
    ERROR = "ERROR", _("failed")
    AWAITING_SHEET = "AWAITING_SHEET", _("waiting for the sheet's name")
    REVIEW = "REVIEW", _("waiting for review")
    CANCELLED = "CANCELLED", _("cancelled")
    REVERTED = "REVERTED", _("reverted")


UNFINISHED = (SessionStatus.PENDING, SessionStatus.PROCESSING)
# Sessions that will still read their files. A failed session reads them only when an account retries it.
WILL_READ = (*UNFINISHED, SessionStatus.AWAITING_SHEET, SessionStatus.REVIEW)


class OnConflict(models.TextChoices):
    REPORT = "report", _("leave alone and list")
    UPDATE = "update", _("replace")


class SessionQuerySet(ScopedQuerySet):
    """Sessions, events and findings."""

    def within_country(self, user: User) -> Self:
        """Territorial admins and heads of department see the country's sessions, others none (DOMAIN §1)."""
        if user.is_admin_territorial() or user.is_chef_dept_tech():
            return self
        return self.none()


class ImportSession(models.Model):
    """The import of one pair of files (DOMAIN §7). The row is the job: a run holds it by a lease with a token."""

    country_path = "country_id"

    user = models.ForeignKey(
        User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="import_sessions"
    )
    uploaded_by_name = models.CharField(_("uploaded by"), max_length=310, blank=True)
    uploaded_by_email = models.EmailField(_("e-mail address of the uploader"), blank=True)
    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="import_sessions"
    )
    stat_file = models.ForeignKey(
        File, verbose_name=_("stat file"), on_delete=models.SET_NULL, null=True, related_name="stat_sessions"
    )
    recap_file = models.ForeignKey(
        File, verbose_name=_("recap file"), on_delete=models.SET_NULL, null=True, related_name="recap_sessions"
    )
    status = models.CharField(_("status"), max_length=20, choices=SessionStatus.choices, default=SessionStatus.PENDING)
    created_at = models.DateTimeField(_("date of upload"), auto_now_add=True)
    started_at = models.DateTimeField(_("started on"), null=True, blank=True)
    completed_at = models.DateTimeField(_("ended on"), null=True, blank=True)
    error_file: "FieldFile | models.FileField" = models.FileField(_("report"), max_length=255, blank=True)
    log_file_path = models.CharField(_("log"), max_length=255, blank=True)
    # A list of {"code": …, parameters}, see `wording.part`.
    message_parts = models.JSONField(_("message"), default=list, blank=True)
    # That of the upload: the stored report and log are written in it.
    language = models.CharField(_("language"), max_length=10, default="en")

    stat_sheet = models.CharField(_("sheet of the stat file"), max_length=255, blank=True)
    sheet_choices = models.JSONField(_("sheets to choose from"), default=list, blank=True)
    dry_run = models.BooleanField(_("compare only"), default=False)
    on_conflict = models.CharField(
        _("claims that differ from what is there"),
        max_length=6,
        choices=OnConflict.choices,
        default=OnConflict.REPORT,
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)

    summary = models.JSONField(_("summary"), null=True, blank=True)
    insured_created_count = models.PositiveIntegerField(_("insured created"), default=0)
    claims_created_count = models.PositiveIntegerField(_("claims created"), default=0)
    total_claimed_amount = models.DecimalField(
        _("claimed in total"), max_digits=18, decimal_places=2, default=Decimal(0)
    )
    total_reimbursed_amount = models.DecimalField(
        _("reimbursed in total"), max_digits=18, decimal_places=2, default=Decimal(0)
    )
    start_date = models.DateField(_("first day of the period"), null=True, blank=True)
    end_date = models.DateField(_("last day of the period"), null=True, blank=True)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0, help_text=_("per cent"))

    # Results beside the summary: claims skipped, in conflict, replaced; for a review, the figures of the reviewed plan.
    outcome = models.JSONField(_("outcome"), default=dict, blank=True)
    commit_requested = models.BooleanField(_("commit requested"), default=False)
    written_at = models.DateTimeField(_("written on"), null=True, blank=True)

    # Warnings as codes with their figures: from the names of the pages at the upload, from both files after the run.
    missing_pages = models.JSONField(_("missing recap pages"), default=list, blank=True)

    # Digest of the contents of the files. It identifies the same pair again, even after the earlier files were deleted.
    files_sha256 = models.CharField(_("fingerprint of its files"), max_length=64, blank=True)

    # A session that corrects another one, and the last correction that applies: later ones never change its outcome.
    corrects = models.ForeignKey(
        "self",
        verbose_name=_("corrects the session"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="corrected_by",
    )
    last_correction = models.PositiveBigIntegerField(_("last correction that applies"), default=0)

    # The lease. Each run that claims the session raises the token by one; only the run with the latest token may write.
    lease_token = models.PositiveBigIntegerField(_("lease token"), default=0)
    lease_expires_at = models.DateTimeField(_("lease expires on"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    rung_at = models.DateTimeField(_("last queued on"), null=True, blank=True)
    runner = models.CharField(_("worker process"), max_length=255, blank=True)
    # A converter did not answer: the session waits until then.
    not_before = models.DateTimeField(_("next attempt"), null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("import session")
        verbose_name_plural = _("import sessions")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["country", "-created_at"]),
            models.Index(fields=["country", "files_sha256"]),
            # For the sweeper, which searches unfinished sessions every few seconds among all imports that ever were.
            models.Index(
                fields=["status", "lease_expires_at"],
                name="session_unfinished",
                condition=models.Q(status__in=["PENDING", "PROCESSING"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def save(self, *args: object, **kwargs: object) -> None:
        if self.user is not None:
            self.uploaded_by_name = self.uploaded_by_name or self.user.display_name()
            self.uploaded_by_email = self.uploaded_by_email or self.user.email
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def message(self) -> str:
        """What happened and what to do next, in the active language."""
        return wording.message(self.message_parts)

    def missing_page_texts(self) -> list[str]:
        """The warnings of missing recap pages, in the active language."""
        return [wording.OBSERVATIONS.text(one["code"], one | {"currency": self.currency}) for one in self.missing_pages]


class SessionClaims(models.Model):
    """What a session keeps of its files beside its findings, as two Parquet files.

    `content`: category and amounts of every claim, for the comparison of a corrected session
    (`importer.corrections.comparison`). `lines`: the texts of the lines of its findings, for their correction; null
    where they were not kept (`importer.corrections.kept_lines`).
    """

    country_path = "session__country_id"

    session = models.OneToOneField(
        ImportSession, verbose_name=_("import session"), on_delete=models.CASCADE, related_name="claims_seen"
    )
    content = models.BinaryField(_("content"))
    lines = models.BinaryField(_("lines"), null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("claims of a session")
        verbose_name_plural = _("claims of sessions")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.session_id}"


class CorrectionOrigin(models.TextChoices):
    CELLS = "cells", _("cell by cell")
    WORKBOOK = "workbook", _("correction workbook")


class CorrectionQuerySet(SessionQuerySet):
    def of_session(self, session: ImportSession) -> Self:
        """The corrections that the session applies to its files, as far as they are not withdrawn; oldest first."""
        files = File.objects.filter(
            models.Q(pk__in=[session.stat_file_id, session.recap_file_id]) | models.Q(first_page=session.recap_file_id)
        )
        return self.filter(
            country_id=session.country_id,
            sha256__in=files.order_by().values("sha256"),
            pk__lte=session.last_correction,
            withdrawn_at__isnull=True,
        ).order_by("pk")

    def of_outer_row(self, *, country: str, file: str, sheet: str, row: str) -> Self:
        """For a subquery: the corrections with which the row of an outer record was imported.

        `country`, `file`, `sheet`, `row`: the fields of the record, which has an `import_session`, too.
        """
        outer = models.OuterRef
        return self.filter(
            models.Q(withdrawn_at__isnull=True) | models.Q(withdrawn_at__gt=outer("import_session__written_at")),
            country_id=outer(country),
            sha256=outer(f"{file}__sha256"),
            sheet=outer(sheet),
            row=outer(row),
            pk__lte=outer("import_session__last_correction"),
        )


class Correction(models.Model):
    """A cell of a file with another text, or a row of it to leave out (`field` is empty) (DOMAIN §13).

    It belongs to the content of the file, by its fingerprint, and applies to every later session with that content
    until it is withdrawn; the newest one of a cell counts. It stays when its session or file is deleted. `was`: the
    text as read; `claim_number`: that of the row as the file has it.
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="corrections", db_index=False
    )
    sha256 = models.CharField(_("fingerprint of the file (SHA-256)"), max_length=64)
    file_name = models.CharField(_("file"), max_length=255)
    sheet = models.TextField(_("sheet"), blank=True)
    row = models.PositiveIntegerField(_("row"))
    field = models.CharField(_("field"), max_length=30, blank=True)
    was = models.TextField(_("text as read"), blank=True)
    value = models.TextField(_("corrected text"), blank=True)
    claim_number = models.CharField(_("claim number"), max_length=255, blank=True)
    origin = models.CharField(_("origin"), max_length=8, choices=CorrectionOrigin.choices)
    session = models.ForeignKey(
        ImportSession,
        verbose_name=_("import session"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="corrections",
    )
    author = models.ForeignKey(
        User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="corrections"
    )
    author_name = models.CharField(_("author"), max_length=310, blank=True)
    made_at = models.DateTimeField(_("made on"), auto_now_add=True)
    withdrawn_at = models.DateTimeField(_("withdrawn on"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User, verbose_name=_("withdrawn by"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["country", "sha256", "row"]),
            models.Index(fields=["country", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def removes_row(self) -> bool:
        return self.field == ""


class IdempotencyKey(models.Model):
    """A key that an account sent with an import. The same key again gets the session of the first request."""

    country_path = "user__country_id"

    user = models.ForeignKey(
        User, verbose_name=_("account"), on_delete=models.CASCADE, related_name="idempotency_keys", db_index=False
    )
    key = models.CharField(_("key"), max_length=255)
    request_sha256 = models.CharField(_("fingerprint of the request"), max_length=64)
    # Empty after the session was deleted; the key cannot be used again.
    session = models.ForeignKey(
        ImportSession,
        verbose_name=_("import session"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="idempotency_keys",
    )
    created_at = models.DateTimeField(_("sent on"), auto_now_add=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.user_id}/{self.pk}"


class DroppedFolder(models.Model):
    """A folder that was dropped for import, from its session to its move. The same content makes one session only."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="dropped_folders", db_index=False
    )
    name = models.CharField(_("name"), max_length=255)
    content_sha256 = models.CharField(_("fingerprint of its files"), max_length=64)
    # The names of its files when it was read.
    files = models.JSONField(_("files"), default=list)
    # Empty after the session was deleted; the same content is not imported again.
    session = models.ForeignKey(
        ImportSession,
        verbose_name=_("import session"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="dropped_folders",
    )
    # The earlier folder with the same content, whose session is shown.
    first = models.ForeignKey(
        "self", verbose_name=_("first delivery"), on_delete=models.CASCADE, null=True, related_name="repeats"
    )
    # Where the folder goes, written before it moves.
    moving_to = models.CharField(_("moves to"), max_length=600, blank=True)
    created_at = models.DateTimeField(_("read on"), auto_now_add=True)
    ended_at = models.DateTimeField(_("moved on"), null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("dropped folder")
        verbose_name_plural = _("dropped folders")
        constraints = [
            models.UniqueConstraint(
                fields=["country", "content_sha256"],
                condition=models.Q(first__isnull=True),
                name="dropped_content_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["country", "name"], name="dropped_under_way", condition=models.Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name


class EventLevel(models.TextChoices):
    INFO = "info", _("information")
    WARNING = "warning", _("warning")
    ERROR = "error", _("error")


class SessionEvent(models.Model):
    """One line of a session's history. Append-only; progress, log and notifications come from it."""

    country_path = "session__country_id"

    session = models.ForeignKey(
        ImportSession, verbose_name=_("import session"), on_delete=models.CASCADE, related_name="events"
    )
    sequence = models.PositiveIntegerField(_("position in the list"))
    at = models.DateTimeField(_("when"), auto_now_add=True)
    level = models.CharField(_("level"), max_length=7, choices=EventLevel.choices, default=EventLevel.INFO)
    step = models.CharField(_("step"), max_length=30)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0)
    code = models.CharField(_("code"), max_length=40)
    # The parameters of the code's sentence and other counts.
    data = models.JSONField(_("details"), default=dict, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session event")
        verbose_name_plural = _("session events")
        ordering = ["session_id", "sequence"]
        constraints = [models.UniqueConstraint(fields=["session", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.sequence} {self.step}"

    @property
    def message(self) -> str:
        """The event as a sentence of the active language."""
        return wording.MESSAGES.text(self.code, self.data)


class FindingCategory(models.TextChoices):
    """The reason of a finding. The first seven are about claims, the others about rows or records."""

    UNREADABLE = "unreadable", _("unreadable")
    DIVERGENT_IN_RECAP = "divergent_in_recap", _("divergent in the recap")
    INCONSISTENT = "inconsistent", _("inconsistent")
    INCOMPLETE = "incomplete", _("incomplete")
    AMOUNT_GAP = "amount_gap", _("amount gap")
    MISSING_IN_RECAP = "missing_in_recap", _("missing in the recap")
    CONFLICT = "conflict", _("differs from what is there")
    UNREADABLE_LINE = "unreadable_line", _("unreadable line")
    OUT_OF_PERIOD = "out_of_period", _("outside the common period")
    UNPAID = "unpaid", _("unpaid in the recap")
    RECAP_ONLY = "recap_only", _("in the recap only")
    WARNING = "warning", _("warning")


class FindingCode(models.TextChoices):
    """How a category holds. A finding may have several codes, separated by commas, or none."""

    STAT = "stat", _("in the stat file")
    RECAP = "recap", _("in the recap file")
    BOTH = "both", _("in both files, or in both amounts")
    CLAIMED = "claimed", _("the claimed amount")
    REIMBURSED = "reimbursed", _("the reimbursed amount")
    BENEFICIARY = "beneficiary", _("the beneficiary")
    POLICY = "policy", _("the policy")
    EMPLOYER = "employer", _("the employer")
    PARTNER = "partner", _("the provider")
    ACT_CATEGORY = "act_category", _("the act category")
    DATED_OUTSIDE = "dated_outside", _("dated outside the common period")
    UNPAID = "unpaid", _("not paid yet")
    ABSENT = "absent", _("no row in the recap")
    THOUSANDS = "thousands_from_three_digits", _("three digits read as thousands")
    MISSING_PAGES = "missing_pages", _("recap pages missing among the names")
    MISSING_DAYS = "missing_days", _("days without a row of the recap")
    LOST_DIGITS = "references_lost_digits", _("references without their digits")
    UNKNOWN_DATE = "unknown_incident_date", _("unknown incident date")
    DEDUCED = "principal_deduced", _("principal without lines")
    HOMONYMS = "homonyms", _("one name under two cards")
    ALIKE_INSURED = "alike_insured", _("insured with nearly the same name")
    ALIKE_CLIENT = "alike_client", _("clients with nearly the same name")
    ALIKE_PARTNER = "alike_partner", _("providers with nearly the same name")
    ALIKE_OPERATOR = "alike_operator", _("operators with nearly the same name")


class Finding(models.Model):
    """A claim that was not imported, or a listed row, with the reason as a code and its places in the files.

    `code`: values of FindingCode, separated by commas. `details`: the parameters of the observation, amounts in cents.
    `search_key`: the words of persons, cards and providers in its lines, as name keys.
    `locations`: list of {"side": "stat"|"recap", "file": name, "file_id", "sheet", "row"}.
    `lines`: the source lines as they were read, for the report: list of {field: text}.
    """

    country_path = "session__country_id"

    session = models.ForeignKey(
        ImportSession, verbose_name=_("import session"), on_delete=models.CASCADE, related_name="findings"
    )
    sequence = models.PositiveIntegerField(_("position in the list"))
    category = models.CharField(_("category"), max_length=20, choices=FindingCategory.choices)
    code = models.CharField(_("code"), max_length=40, blank=True)
    claim_number = models.CharField(_("claim number"), max_length=255, blank=True)
    details = models.JSONField(_("details"), default=dict)
    search_key = models.TextField(_("words for the search"), blank=True)
    stat_claimed = models.DecimalField(_("claimed in the stat file"), max_digits=18, decimal_places=2, null=True)
    stat_reimbursed = models.DecimalField(_("reimbursed in the stat file"), max_digits=18, decimal_places=2, null=True)
    recap_claimed = models.DecimalField(_("claimed in the recap"), max_digits=18, decimal_places=2, null=True)
    recap_reimbursed = models.DecimalField(_("reimbursed in the recap"), max_digits=18, decimal_places=2, null=True)
    locations = models.JSONField(_("places in the files"), default=list)
    lines = models.JSONField(_("lines as read"), default=list)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["session_id", "sequence"]
        constraints = [models.UniqueConstraint(fields=["session", "sequence"], name="finding_sequence_once")]
        indexes = [
            models.Index(fields=["session", "category", "sequence"]),
            # The findings of one claim number, in all imports.
            models.Index(fields=["claim_number"]),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.category} {self.claim_number}"

    @property
    def observation(self) -> str:
        """The reason as a sentence of the active language."""
        return wording.observation(self.category, self.code, self.details)
