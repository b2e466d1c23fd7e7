"""Files and sessions as the API shows them. Nothing here is written to by clients."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from file_handling.lineage import created_by_file, record_kinds
from file_handling.models import File, FileType, ImportSession
from users.serializers import CountrySerializer


class ErrorSerializer(serializers.Serializer[None]):
    """One thing wrong with one field or file of a form."""

    field = serializers.CharField()
    file = serializers.CharField(allow_blank=True, help_text="The file's own name, empty when none is concerned")
    message = serializers.CharField()


class RefusalSerializer(serializers.Serializer[None]):
    """Everything wrong with a form, at once."""

    detail = serializers.CharField()
    # Absent where the request could not even be read as a form.
    errors = ErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class StillUsedSerializer(serializers.Serializer[None]):
    """Why a file is not deleted. `sessions` and `stays` are there where `?force=true` would delete it all the same."""

    detail = serializers.CharField()
    sessions = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="The sessions that used it, which stay"
    )
    stays = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="How many records of each kind stay, without it"
    )


class FileFormSerializer(serializers.Serializer[None]):
    """The form of an upload, for its description; `forms.py` reads it, and names all that is wrong at once."""

    file = serializers.ListField(
        child=serializers.FileField(), help_text="Once, or for each page of a recap; a .zip of recap pages too"
    )
    file_type = serializers.ChoiceField(choices=FileType.choices)
    country = serializers.CharField(required=False, help_text="Id or code; for accounts without a country of their own")


class FileReferenceSerializer(serializers.ModelSerializer[File]):
    class Meta:
        model = File
        fields = ["id", "name"]
        read_only_fields = fields


class PageSerializer(serializers.ModelSerializer[File]):
    class Meta:
        model = File
        fields = ["id", "name", "size", "sha256"]
        read_only_fields = fields


class FileSerializer(serializers.ModelSerializer[File]):
    url = serializers.HyperlinkedIdentityField(view_name="file-detail")
    download = serializers.HyperlinkedIdentityField(view_name="file-download")
    preview = serializers.HyperlinkedIdentityField(view_name="file-preview")
    country = CountrySerializer(read_only=True)
    page_count = serializers.IntegerField(read_only=True, help_text="How many files it came in")

    class Meta:
        model = File
        fields = [
            "id",
            "url",
            "name",
            "file_type",
            "size",
            "sha256",
            "uploaded_at",
            "user",
            "uploaded_by_name",
            "uploaded_by_email",
            "country",
            "first_page",
            "page_count",
            "download",
            "preview",
        ]
        read_only_fields = fields


class CreatedSerializer(serializers.Serializer[dict[str, int]]):
    """How many records of each kind a file or a session created that are still there."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {kind.name: serializers.IntegerField() for kind in record_kinds(self.origin)}

    origin: type[File] | type[ImportSession] = ImportSession


class CreatedByFileSerializer(CreatedSerializer):
    """How many records of each kind came from a file; `settled_claims`: the claims that its rows settle."""

    origin = File


class FileDetailSerializer(FileSerializer):
    pages = PageSerializer(many=True, read_only=True)
    created = serializers.SerializerMethodField()

    class Meta(FileSerializer.Meta):
        fields = [*FileSerializer.Meta.fields, "pages", "created"]
        read_only_fields = fields

    @extend_schema_field(CreatedByFileSerializer)
    def get_created(self, file: File) -> dict[str, int]:
        return created_by_file(file, pages=list(file.pages.all()))


class PreviewSerializer(serializers.Serializer[None]):
    sheets = serializers.ListField(child=serializers.CharField())
    sheet = serializers.CharField(allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(allow_blank=True))
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_null=True)))
    total_rows = serializers.IntegerField()
    total_columns = serializers.IntegerField()
