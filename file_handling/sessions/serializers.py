"""Sessions, findings and events in the API: read only."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from common.money import decimal_string
from file_handling.files.serializers import CreatedSerializer, FileReferenceSerializer
from file_handling.lineage import created_by_session
from file_handling.models import Finding, ImportSession, SessionEvent
from file_handling.sessions import services
from users.serializers import CountrySerializer


class RecapReferenceSerializer(serializers.Serializer[None]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    pages = serializers.IntegerField(help_text="Number of pages, the first one included")


class MissingPagesSerializer(serializers.Serializer[None]):
    """A warning that recap pages are missing (DOMAIN §13), by their names or by days without a row."""

    code = serializers.ChoiceField(choices=["missing_pages", "missing_days"])
    message = serializers.CharField()
    pages = serializers.ListField(child=serializers.CharField(), help_text="Names; empty for `missing_days`")
    first = serializers.DateField(allow_null=True, help_text="Null for `missing_pages`")
    last = serializers.DateField(allow_null=True)
    claims = serializers.IntegerField(
        allow_null=True, help_text="Claims without a row in the recap; null before the run"
    )
    claimed = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True, help_text="Of these claims")
    reimbursed = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)


class SessionSerializer(serializers.ModelSerializer[ImportSession]):
    """A session, without its lease. The queryset must have `recap_later_pages` (views.with_session_related)."""

    url = serializers.HyperlinkedIdentityField(view_name="import-session-detail")
    country = CountrySerializer(read_only=True)
    stat_file = FileReferenceSerializer(read_only=True, allow_null=True)
    recap_file = serializers.SerializerMethodField()
    error_file = serializers.SerializerMethodField()
    log_file = serializers.SerializerMethodField()
    sheet_choices = serializers.ListField(child=serializers.CharField(), read_only=True)
    summary = serializers.DictField(read_only=True, allow_null=True)
    outcome = serializers.DictField(read_only=True)
    missing_pages = serializers.SerializerMethodField()

    class Meta:
        model = ImportSession
        fields = [
            "id",
            "url",
            "user",
            "uploaded_by_name",
            "uploaded_by_email",
            "country",
            "status",
            "progress",
            "message",
            "created_at",
            "started_at",
            "completed_at",
            "stat_file",
            "recap_file",
            "stat_sheet",
            "sheet_choices",
            "dry_run",
            "corrects",
            "on_conflict",
            "currency",
            "summary",
            "outcome",
            "missing_pages",
            "insured_created_count",
            "claims_created_count",
            "total_claimed_amount",
            "total_reimbursed_amount",
            "start_date",
            "end_date",
            "attempts",
            "error_file",
            "log_file",
        ]
        read_only_fields = fields

    @extend_schema_field(MissingPagesSerializer(many=True))
    def get_missing_pages(self, session: ImportSession) -> list[dict[str, Any]]:
        return [
            {
                "code": one["code"],
                "message": text,
                "pages": one.get("pages", []),
                "first": one.get("first"),
                "last": one.get("last"),
                "claims": one["claims"],
                **{
                    name: None if one[name] is None else decimal_string(one[name]) for name in ("claimed", "reimbursed")
                },
            }
            for one, text in zip(session.missing_pages, session.missing_page_texts(), strict=True)
        ]

    @extend_schema_field(RecapReferenceSerializer(allow_null=True))
    def get_recap_file(self, session: ImportSession) -> dict[str, Any] | None:
        recap = session.recap_file
        if recap is None:
            return None
        return {"id": recap.pk, "name": recap.name, "pages": 1 + getattr(session, "recap_later_pages", 0)}

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_error_file(self, session: ImportSession) -> str | None:
        return self._download_url(session, "error") if session.error_file else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_log_file(self, session: ImportSession) -> str | None:
        has_log = bool(session.log_file_path) or session.started_at is not None
        return self._download_url(session, "log") if has_log else None

    def _download_url(self, session: ImportSession, kind: str) -> str:
        address = reverse("import-session-download", kwargs={"pk": session.pk}, request=self.context.get("request"))
        return f"{address}?type={kind}"


class SessionDetailSerializer(SessionSerializer):
    """A session with the number of records that it created, and the earlier sessions with the same files."""

    created = serializers.SerializerMethodField()
    same_files_as = serializers.SerializerMethodField(
        help_text="Earlier sessions of the country whose files have the same contents, newest first"
    )

    class Meta(SessionSerializer.Meta):
        fields = [*SessionSerializer.Meta.fields, "created", "same_files_as"]
        read_only_fields = fields

    @extend_schema_field(CreatedSerializer)
    def get_created(self, session: ImportSession) -> dict[str, int]:
        return created_by_session(session, kept=True)

    def get_same_files_as(self, session: ImportSession) -> list[int]:
        return services.sessions_of_same_files(session=session, user=self.context["request"].user)


class FindingSerializer(serializers.ModelSerializer[Finding]):
    locations = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Finding
        fields = [
            "id",
            "sequence",
            "category",
            "code",
            "claim_number",
            "observation",
            "stat_claimed",
            "stat_reimbursed",
            "recap_claimed",
            "recap_reimbursed",
            "locations",
        ]
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[SessionEvent]):
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]

    class Meta:
        model = SessionEvent
        fields = ["sequence", "at", "level", "step", "progress", "code", "message", "data"]
        read_only_fields = fields
