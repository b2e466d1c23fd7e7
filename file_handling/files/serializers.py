"""Files in the API: read only, apart from the form of an upload."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from file_handling.files.uploads import Uploaded
from file_handling.lineage import created_by_file, record_kinds
from file_handling.models import File, FileType, ImportSession
from users.serializers import CountrySerializer


class ErrorSerializer(serializers.Serializer[None]):
    """One problem of a form: a field and, where a file has it, that file."""

    field = serializers.CharField()
    file = serializers.CharField(
        allow_blank=True, help_text="Name of the file that has the problem; empty when no file has it"
    )
    message = serializers.CharField()


class RefusalSerializer(serializers.Serializer[None]):
    """All problems of a form."""

    detail = serializers.CharField()
    # Absent when the request is not a form at all.
    errors = ErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class StillUsedSerializer(serializers.Serializer[None]):
    """Why a file is not deleted. With `sessions` and `stays` in the answer, `?force=true` deletes the file anyway."""

    detail = serializers.CharField()
    sessions = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="Ids of the sessions that used the file; they stay"
    )
    stays = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Number of records of each kind that stay without the file",
    )


class FileFormSerializer(serializers.Serializer[None]):
    """The form of an upload, for the schema. `uploads.py` reads the form itself, to report all problems at once."""

    file = serializers.ListField(
        child=serializers.FileField(),
        help_text="One file, or several. With `file_type` recap they are the pages of one file, as is each in a .zip",
    )
    file_type = serializers.ChoiceField(
        choices=FileType.choices,
        required=False,
        help_text="Without it, each file, and each in a .zip, is stored by itself as the kind that its columns show",
    )
    country = serializers.CharField(
        required=False, help_text="Id or code of the country; required for an account that has no country"
    )


class FileReferenceSerializer(serializers.ModelSerializer[File]):
    converted_by = serializers.CharField(
        read_only=True,
        help_text="Name and version of the converter; sheet and row are then those of the converted file. Else empty",
    )

    class Meta:
        model = File
        fields = ["id", "name", "converted_by"]
        read_only_fields = fields


class ConversionSerializer(serializers.ModelSerializer[File]):
    """What a converter made of a file. `converter` and `version`: as the service named itself."""

    converter = serializers.CharField(source="converter_name")
    version = serializers.CharField(source="converter_version")
    name = serializers.CharField(source="read_name")
    size = serializers.IntegerField(source="converted_size")
    sha256 = serializers.CharField(source="converted_sha256")
    download = serializers.HyperlinkedIdentityField(view_name="file-converted")

    class Meta:
        model = File
        fields = ["converter", "version", "name", "size", "sha256", "converted_at", "download"]
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
    page_count = serializers.IntegerField(read_only=True, help_text="Number of pages, the first one included")
    conversion = serializers.SerializerMethodField(
        help_text="What a converter made of the file; null for a file that was not converted"
    )

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
            "conversion",
        ]
        read_only_fields = fields

    @extend_schema_field(ConversionSerializer(allow_null=True))
    def get_conversion(self, file: File) -> Any:
        return ConversionSerializer(file, context=self.context).data if file.converted else None


class CreatedSerializer(serializers.Serializer[dict[str, int]]):
    """Number of records of each kind that the session created and that still exist."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {kind.name: serializers.IntegerField() for kind in record_kinds(self.origin)}

    origin: type[File] | type[ImportSession] = ImportSession


class CreatedByFileSerializer(CreatedSerializer):
    """Number of records of each kind that came from the file; `settled_claims`: the claims that its rows settle."""

    origin = File


class FileDetailSerializer(FileSerializer):
    pages = PageSerializer(many=True, read_only=True)
    created = serializers.SerializerMethodField()

    class Meta(FileSerializer.Meta):
        fields = [*FileSerializer.Meta.fields, "pages", "created"]
        read_only_fields = fields

    @extend_schema_field(CreatedByFileSerializer)
    def get_created(self, file: File) -> dict[str, int]:
        return created_by_file(file, pages=list(file.pages.all()), kept=True)


class HeadProblemSerializer(serializers.Serializer[None]):
    """One problem in the first rows of a file, which keeps it from being imported."""

    code = serializers.CharField(help_text="For programs, such as `missing_columns`, `swapped`, `no_header`")
    message = serializers.CharField()
    file = serializers.CharField(help_text="Name of the file or page")
    sheet = serializers.CharField(allow_blank=True, help_text="Empty for CSV, and where the whole file is meant")


class RecognisedFileSerializer(FileSerializer):
    """A file with what its first rows show. The instance has `head` (FileHead) and `same_content` (files) too."""

    recognised_as = serializers.ChoiceField(
        choices=FileType.choices,
        allow_null=True,
        read_only=True,
        source="head.recognised_as",
        help_text="The kind that its columns show; null for neither, and where looking took too long",
    )
    sheets = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        source="head.sheets",
        help_text="Its sheets with these columns; with several in a stat file, the import needs `stat_sheet`",
    )
    problems = HeadProblemSerializer(many=True, read_only=True, source="head.problems")
    converter = serializers.CharField(
        read_only=True,
        source="head.converter",
        help_text="Name of the converter that will convert the file when it is imported; empty for a file that is"
        " read as it is",
    )
    same_content_as = FileReferenceSerializer(
        many=True, read_only=True, source="same_content", help_text="Other files of the country with the same content"
    )

    class Meta(FileSerializer.Meta):
        fields = [*FileSerializer.Meta.fields, "recognised_as", "sheets", "problems", "converter", "same_content_as"]
        read_only_fields = fields


class UploadedFileSerializer(RecognisedFileSerializer, FileDetailSerializer):
    """The answer to an upload. The instance has `others` too: the further files of an upload without `file_type`."""

    others = RecognisedFileSerializer(
        many=True, read_only=True, help_text="The further files, when several were stored each by itself"
    )

    class Meta(FileDetailSerializer.Meta):
        fields = [*RecognisedFileSerializer.Meta.fields, "pages", "created", "others"]
        read_only_fields = fields


def with_heads(uploads: Sequence[Uploaded], *, rows: Mapping[int, File]) -> list[Any]:
    """The rows of these uploads, with what the two serializers above read. `rows`: id → file, with its relations."""
    shown: list[Any] = [rows[one.file.pk] for one in uploads]
    for row, one in zip(shown, uploads, strict=True):
        row.head, row.same_content, row.others = one.head, one.same_content, []
    return shown


class PreviewSerializer(serializers.Serializer[None]):
    sheets = serializers.ListField(child=serializers.CharField())
    sheet = serializers.CharField(allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(allow_blank=True))
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_null=True)))
    total_rows = serializers.IntegerField()
    total_columns = serializers.IntegerField()
