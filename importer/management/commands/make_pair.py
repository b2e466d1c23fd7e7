"""`manage.py make_pair`: sample claim files whose outcome is known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from samples import make_pair


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


class Command(BaseCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not a lazy text: argparse takes only str.
        self.help = _(
            "Make a stat file and its recap pages, with the outcome that their import must have (expected.json)."
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out_dir", help=_("folder to write into; made when absent"))
        parser.add_argument("--claims", type=int, default=2000, help=_("claims of the period"))
        parser.add_argument("--seed", type=int, default=7, help=_("the same seed and size give the same files"))
        parser.add_argument("--world-seed", type=int, help=_("seed of people, policies and providers"))
        parser.add_argument("--pages", type=int, default=3, help=_("recap pages"))
        parser.add_argument("--format", choices=["xlsx", "csv"], default="xlsx", help=_("format of the files"))
        parser.add_argument(
            "--tolerance", type=_amount, default=Decimal(5), help=_("the country's tolerance, in currency units")
        )
        parser.add_argument(
            "--start", type=dt.date.fromisoformat, default=dt.date(2023, 1, 1), help=_("first day of the period")
        )
        parser.add_argument("--days", type=int, default=365, help=_("length of the period"))
        parser.add_argument(
            "--odd",
            action="store_true",
            help=_("lay the files out oddly: titles, other columns, separators, encodings"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            expected = make_pair(
                options["out_dir"],
                claims=options["claims"],
                seed=options["seed"],
                world_seed=options["world_seed"],
                pages=options["pages"],
                fmt=options["format"],
                tolerance=options["tolerance"],
                start=options["start"],
                days=options["days"],
                odd=options["odd"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("%(lines)d stat lines about %(claims)d claims, %(pages)d recap pages in %(folder)s")
            % {
                "lines": expected["stat"]["lines"],
                "claims": expected["claims"]["total"],
                "pages": len(expected["files"]["recaps"]),
                "folder": options["out_dir"],
            }
        )
