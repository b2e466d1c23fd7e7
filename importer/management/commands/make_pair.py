"""`manage.py make_pair`: sample claim files whose outcome is known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from samples import ODD_KINDS, make_odd_pairs, make_pair

_ALL, _LIST = "all", "list"


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
        parser.add_argument("out_dir", nargs="?", help=_("folder to write into; it is created if needed"))
        parser.add_argument("--claims", type=int, default=2000, help=_("number of claims in the period"))
        parser.add_argument("--seed", type=int, default=7, help=_("the same seed and size give the same files"))
        parser.add_argument("--world-seed", type=int, help=_("seed of people, policies and providers"))
        parser.add_argument("--pages", type=int, default=3, help=_("number of recap pages"))
        parser.add_argument("--format", choices=["xlsx", "csv"], default="xlsx", help=_("format of the files"))
        parser.add_argument("--zip", action="store_true", help=_("put the recap pages into one .zip file"))
        parser.add_argument(
            "--tolerance", type=_amount, default=Decimal(5), help=_("tolerance of the country, in currency units")
        )
        parser.add_argument(
            "--start", type=dt.date.fromisoformat, default=dt.date(2023, 1, 1), help=_("first day of the period")
        )
        parser.add_argument("--days", type=int, default=365, help=_("number of days in the period"))
        parser.add_argument(
            "--left-out",
            choices=["name", "days", "both"],
            default="",
            help=_("leave a page of the recap out: its number among the names, its rows (of some days), or both"),
        )
        parser.add_argument(
            "--odd",
            nargs="?",
            const=_ALL,
            default="",
            metavar="KIND,…",
            help=_(
                "make odd files: the kinds of these names in one pair; without a name, a pair of every kind in a folder"
                " of its own; `--odd list` shows the kinds"
            ),
        )
        parser.add_argument(
            "--odd-files",
            choices=["stat", "recap", "both"],
            default="both",
            help=_("the files that are odd"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["odd"] == _LIST:
            self._list_odd_kinds()
            return
        if not options["out_dir"]:
            raise CommandError(_("Name the folder to write into, before the options."))
        pair: dict[str, Any] = {
            "claims": options["claims"],
            "seed": options["seed"],
            "world_seed": options["world_seed"],
            "pages": options["pages"],
            "fmt": options["format"],
            "tolerance": options["tolerance"],
            "start": options["start"],
            "days": options["days"],
            "where": options["odd_files"],
            "zipped": options["zip"],
            "left_out": options["left_out"],
        }
        try:
            if options["odd"] == _ALL:
                made = make_odd_pairs(options["out_dir"], **pair)
                made = {str(Path(options["out_dir"]) / name): expected for name, expected in made.items()}
            else:
                odd = [name.strip() for name in options["odd"].split(",") if name.strip()]
                made = {options["out_dir"]: make_pair(options["out_dir"], odd=odd, **pair)}
        except ValueError as error:
            raise CommandError(str(error)) from error
        for folder, expected in made.items():
            self.stdout.write(
                _("%(lines)d stat lines about %(claims)d claims, %(pages)d recap files in %(folder)s")
                % {
                    "lines": expected["stat"]["lines"],
                    "claims": expected["claims"]["total"],
                    "pages": len(expected["files"]["recaps"]),
                    "folder": folder,
                }
            )

    def _list_odd_kinds(self) -> None:
        for kind in ODD_KINDS.values():
            formats, files = ", ".join(kind.formats), ", ".join(kind.sides)
            self.stdout.write(f"{kind.name}  [{formats}; {files}]\n    {kind.description}\n    → {kind.effect}")
