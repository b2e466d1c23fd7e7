"""A workbook to fill in with premiums, in the active language."""

from collections.abc import Sequence
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.form_workbook import FormColumn, FormSheet, Guide, write_form
from common.workbook import sheet_title

MARK = "concord-premiums"
FILE_NAME = "concord-premiums.xlsx"


def write_template(target: BinaryIO, *, clients: Sequence[str]) -> None:
    """Write a guide, an empty sheet with the columns of premiums, and a sheet with the names of the clients, if any.

    All its headers are known to the import (DOMAIN §9). Raises OSError when the disk is full.
    """
    taken: set[str] = set()
    sheets = [_premiums(sheet_title(_("Premiums"), taken=taken))]
    guide = _guide(sheet_title(_("How to fill in"), taken=taken), has_clients=bool(clients))
    if clients:
        sheets.append(_clients(sheet_title(_("Clients"), taken=taken), clients))
    write_form(target, guide=guide, sheets=sheets)


def _premiums(title: str) -> FormSheet:
    # The names begin with a word of their own: they are no headers of premiums, which the import looks for.
    columns = [
        FormColumn(name="premium_employer", header=_("Employer"), width=40, is_open=True),
        FormColumn(name="premium_amount", header=_("Premium"), width=18, is_open=True),
        FormColumn(name="premium_start", header=_("Start"), width=14, is_open=True),
        FormColumn(name="premium_end", header=_("End"), width=14, is_open=True),
        FormColumn(name="premium_headcount", header=_("Headcount"), width=14, is_open=True),
    ]
    return FormSheet(title=title, mark=MARK, columns=columns, rows=[], frozen_columns=1, wrong_choice="")


def _clients(title: str, clients: Sequence[str]) -> FormSheet:
    columns = [FormColumn(name="client", header=_("Client"), width=60)]
    rows: list[tuple[list[str | int | None], set[int]]] = [([name], set()) for name in clients]
    return FormSheet(title=title, mark=f"{MARK}-clients", columns=columns, rows=rows, frozen_columns=0, wrong_choice="")


def _guide(title: str, *, has_clients: bool) -> Guide:
    steps = [
        _("1. Write one premium in each row of the next sheet: the employer, the amount, the first and the last day."),
        _("2. Write days as 31/12/2024. The headcount may stay empty."),
        _("3. Premiums of one employer do not overlap: each begins after the end of the one before."),
        _(
            "4. Save the workbook as .xlsx and choose it on the page “Import premiums”. You first see what each row"
            " will do. Nothing is written before you confirm it."
        ),
    ]
    if has_clients:
        steps.append(_("The last sheet has the names of the clients, to copy from. An import creates no client."))
    return Guide(title=title, heading=_("Premiums to import"), paragraphs=steps, legend=_("Fill in the white cells."))
