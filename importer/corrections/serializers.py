"""Corrections in the API: the form of a request, the stored corrections, the comparison of a corrected session."""

from rest_framework import serializers

from file_handling.models import Correction
from importer.corrections.entries import LONGEST_TEXT


class _PlaceSerializer(serializers.Serializer[None]):
    file = serializers.IntegerField(min_value=1, help_text="Id of the stat file, or of a page of the recap")
    sheet = serializers.CharField(
        required=False, allow_blank=True, default="", trim_whitespace=False, help_text="Empty for CSV"
    )
    row = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="As a spreadsheet shows it")


class CellSerializer(_PlaceSerializer):
    field = serializers.CharField(help_text="A field of the stat file or of the recap, such as `claimed_amount`")
    value = serializers.CharField(
        allow_blank=True,
        max_length=LONGEST_TEXT,
        trim_whitespace=False,
        help_text="The corrected text, as a user would type it; empty for an empty cell",
    )
    was = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=LONGEST_TEXT,
        trim_whitespace=False,
        help_text="The text as read. The entry is refused where the file has another one",
    )


class RowToRemoveSerializer(_PlaceSerializer):
    pass


class CorrectionFormSerializer(serializers.Serializer[None]):
    """Cells to correct and rows to leave out, for the description of the API. `entries.py` reads them, to name all
    that do not fit.
    """

    cells = CellSerializer(many=True, required=False)
    remove = RowToRemoveSerializer(many=True, required=False)


class CorrectionWorkbookFormSerializer(serializers.Serializer[None]):
    workbook = serializers.FileField(help_text="The correction workbook of this session, filled in, as .xlsx")


class EntryErrorSerializer(serializers.Serializer[None]):
    index = serializers.IntegerField(
        min_value=0,
        help_text="Place of the entry: `cells` from 0, and `remove` goes on behind them. Of a workbook: of the problem",
    )
    message = serializers.CharField()
    sheet = serializers.CharField(
        required=False, allow_blank=True, help_text="Of a workbook only: its sheet; empty for the whole workbook"
    )
    row = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Of a workbook only: the row as a spreadsheet shows it, if any",
    )


class EntriesRefusedSerializer(serializers.Serializer[None]):
    """Why nothing was corrected. `errors` names every entry that does not fit."""

    detail = serializers.CharField()
    # Absent when the body is no JSON, or the files can no longer be read.
    errors = EntryErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """A corrected cell of a file, or a row of it that is left out (`removes_row`)."""

    removes_row = serializers.BooleanField(read_only=True)

    class Meta:
        model = Correction
        fields = [
            "id",
            "country",
            "session",
            "sha256",
            "file_name",
            "sheet",
            "row",
            "field",
            "removes_row",
            "was",
            "value",
            "claim_number",
            "origin",
            "author",
            "author_name",
            "made_at",
            "withdrawn_at",
            "withdrawn_by",
        ]
        read_only_fields = fields


class ComparedFactsSerializer(serializers.Serializer[None]):
    category = serializers.CharField(help_text="As of findings; `conform` and `cancelled` for claims that agree")
    claimed = serializers.DecimalField(
        max_digits=18, decimal_places=2, allow_null=True, help_text="Of the stat lines, else of the recap row"
    )
    reimbursed = serializers.DecimalField(max_digits=18, decimal_places=2, allow_null=True)


class ComparedCellSerializer(serializers.Serializer[None]):
    correction = serializers.IntegerField()
    file = serializers.IntegerField()
    file_name = serializers.CharField()
    sheet = serializers.CharField(allow_blank=True)
    row = serializers.IntegerField()
    field = serializers.CharField(allow_blank=True)
    was = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    removes_row = serializers.BooleanField()


class ComparedClaimSerializer(serializers.Serializer[None]):
    """A claim that the corrections touch or change."""

    claim_number = serializers.CharField()
    before = ComparedFactsSerializer(
        allow_null=True, help_text="In the session that was corrected; null: no such claim"
    )
    after = ComparedFactsSerializer(allow_null=True, help_text="In this session; null: no such claim")
    cells = ComparedCellSerializer(many=True)
