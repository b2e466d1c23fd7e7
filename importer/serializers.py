"""The forms that start and steer an import. Unknown values are refused, never guessed."""

from rest_framework import serializers

from file_handling.models import OnConflict


class SessionFormSerializer(serializers.Serializer[None]):
    """The form of an import, for the description of the API. `uploads.py` reads it and lists all problems at once."""

    stat_file = serializers.FileField(required=False, help_text="The stat file, unless `stat_file_id` names one")
    recap_file = serializers.ListField(
        child=serializers.FileField(),
        required=False,
        help_text="The recap, repeated for each page, or a .zip of pages, unless ids name stored files",
    )
    stat_file_id = serializers.IntegerField(required=False, min_value=1)
    recap_file_id = serializers.IntegerField(required=False, min_value=1, help_text="The first page")
    recap_file_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        help_text="Recap files that were sent one by one and not imported yet; they become the pages of one recap",
    )
    stat_sheet = serializers.CharField(required=False, max_length=255, help_text="Where several sheets look like stat")
    dry_run = serializers.ChoiceField(
        choices=["true", "false"],
        required=False,
        default="false",
        help_text="Reconcile and report, then wait for `commit`",
    )
    on_conflict = serializers.ChoiceField(choices=OnConflict.choices, required=False, default=OnConflict.REPORT)
    currency = serializers.RegexField(r"^[A-Za-z]{3}$", required=False, help_text="ISO 4217; by default the country's")
    country = serializers.CharField(required=False, help_text="Id or code; for accounts without a country of their own")


class SheetSerializer(serializers.Serializer[None]):
    stat_sheet = serializers.CharField(max_length=255, trim_whitespace=False, help_text="One of `sheet_choices`")
