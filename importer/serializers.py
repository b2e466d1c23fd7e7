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


class RevertSerializer(serializers.Serializer[None]):
    preview_token = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="That of a preview (`?dry_run=true`): exactly what it said is done, or nothing and the answer is 409",
    )


class RevertPreviewSerializer(serializers.Serializer[None]):
    """What a revert would do, for the description of the API (`importer.reverting`)."""

    session = serializers.IntegerField()
    currency = serializers.CharField(help_text="Of all amounts")
    removed = serializers.DictField(
        child=serializers.IntegerField(), help_text="Kind of record → how many go; kinds without any are left out"
    )
    claimed = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Of the claims that go")
    reimbursed = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Of the claims that go")
    stays = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Kind of record → how many that the session created stay, because others rely on them",
    )
    stays_claimed = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Of its claims that stay")
    stays_reimbursed = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Of its claims that stay")
    kept_claims = serializers.IntegerField(
        help_text="Claims of earlier sessions whose lines this one replaced; they keep their present lines"
    )
    relied_on_by = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of the sessions that rely on what stays, the first 20"
    )
    preview_token = serializers.CharField(help_text="Send it with the revert that must do exactly this")


class RevertRefusedSerializer(serializers.Serializer[None]):
    """Why nothing was reverted; with the present preview where the situation has changed since the previewed one."""

    detail = serializers.CharField()
    preview = RevertPreviewSerializer(required=False)
