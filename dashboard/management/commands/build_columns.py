"""`manage.py build_columns`: makes the columns from which figures are made, so that no user waits for them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from dashboard import columns
from dashboard.findings import left_out
from users.models import Country


class Command(BaseCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not a lazy text: argparse takes only str.
        self.help = _(
            "Make the column files of the dashboard that are missing. The dashboard makes them when it needs them;"
            " this command makes them ahead, for instance after a restore of the database."
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--country", metavar="CODE", help=_("only this country; all countries without it"))
        parser.add_argument(
            "--drop", action="store_true", help=_("remove the files instead; the next question makes them again")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        countries = Country.objects.order_by("code")
        if options["country"]:
            countries = countries.filter(code__iexact=options["country"])
            if not countries:
                raise CommandError(_("There is no country with the code %(code)s.") % {"code": options["country"]})
        elif options["drop"]:
            # Files of countries that were deleted, too.
            columns.drop()
        for country in countries:
            if options["drop"]:
                columns.drop(country.pk)
                self.stdout.write(_("%(code)s: columns removed") % {"code": country.code})
            else:
                made = columns.build(country.pk)
                missing, _lines = left_out(made, [country.pk])
                self.stdout.write(
                    _("%(code)s: %(claims)d claims, %(lines)d lines, %(left_out)d claims left out")
                    % {
                        "code": country.code,
                        "claims": made.claims.height,
                        "lines": made.lines.height,
                        "left_out": missing.height,
                    }
                )
