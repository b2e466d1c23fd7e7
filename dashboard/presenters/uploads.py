"""Files and import sessions in numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.definitions import INDICATORS
from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.entry import category_name
from dashboard.presenters.panels import Cell, Chart, Panel, Rows, heads, indicator_of, line, name, number
from file_handling.models import SessionStatus

Payload = dict[str, Any]
STEPS: dict[str, Callable[[], str]] = {
    "read": lambda: _("reading"),
    "reconcile": lambda: _("reconciling"),
    "plan": lambda: _("planning"),
    "write": lambda: _("writing"),
    "done": lambda: _("ending"),
    "review": lambda: _("preparing the review"),
}
UPLOADS = ("start", "end", "country")


def _days(place: Place) -> str:
    start, end = place.common.get("start"), place.common.get("end")
    if not start and not end:
        return _("of all days")
    return _("from %(start)s to %(end)s") % {"start": texts.day(start), "end": texts.day(end)}


def file_panels(payload: Payload, place: Place) -> list[Panel]:
    if not payload["total_files"]:
        return []
    finding = ngettext("%(files)s file, %(size)s", "%(files)s files, %(size)s", payload["total_files"]) % {
        "files": texts.count(payload["total_files"]),
        "size": filesizeformat(payload["bytes"]),
    }
    figures = [
        (_("Files"), payload["total_files"]),
        (_("Stat files"), payload["stat_files"]),
        (_("Recap files"), payload["recap_files"]),
        (_("Uploaded in the last 7 days"), payload["recent_uploads"]),
    ]
    files = place.files("files", only=UPLOADS)
    panels = [
        Panel(
            key="files",
            question=str(indicator_of(payload).question),
            finding=finding,
            statistic=texts.subtitle(_("number of files by day of upload"), _days(place)),
            charts=[_bars("files", finding, _("Files"), [(label, value) for label, value in figures])],
            table=Rows(
                finding,
                heads(_("Figure"), _("Value"), numbers=1),
                [
                    [name(label), number(texts.count(value), page_of(payload["url"]) if at == 0 else "")]
                    for at, (label, value) in enumerate(figures)
                ]
                + [[name(_("Size of all pages")), number(filesizeformat(payload["bytes"]))]],
            ),
            indicator=indicator_of(payload),
            downloads=files,
        )
    ]
    if payload["most_read"]:
        first = payload["most_read"][0]
        found = _("Most read: %(file)s, %(reads)s times") % {
            "file": first["name"],
            "reads": texts.count(first["reads"]),
        }
        panels.append(
            Panel(
                key="most-read",
                question=_("Which files are read most?"),
                finding=found,
                statistic=_("readings, previews and downloads"),
                table=Rows(
                    found,
                    heads(_("File"), _("Read"), numbers=1),
                    [
                        [name(one["name"], page_of(one["url"])), number(texts.count(one["reads"]))]
                        for one in payload["most_read"]
                    ],
                ),
                downloads=files,
            )
        )
    return [*panels, _uploaders(payload, files, _("Files"))]


def _bars(key: str, title: str, label: str, rows: list[tuple[str, int]]) -> Chart:
    values = [value for _name, value in rows]
    return Chart(
        key,
        title,
        "horizontal",
        [text for text, _value in rows],
        [line(label, values, [texts.count(value) for value in values])],
    )


def _uploaders(payload: Payload, files: list[tuple[str, str]], counted: str) -> Panel:
    rows = [(one["name"] or texts.NOTHING, one["count"]) for one in payload["by_uploader"]]
    finding = (
        _("%(name)s uploaded most: %(count)s") % {"name": rows[0][0], "count": texts.count(rows[0][1])}
        if rows
        else texts.NOTHING
    )
    return Panel(
        key="uploaders",
        question=_("Who uploads?"),
        finding=finding,
        statistic=counted,
        table=Rows(
            finding,
            heads(_("Account"), counted, numbers=1),
            [[name(text), number(texts.count(value))] for text, value in rows],
        ),
        downloads=files,
    )


# ------------------------------------------------------------------------------------------------ sessions


def session_panels(payload: Payload, place: Place) -> list[Panel]:
    if not payload["total_sessions"]:
        return []
    files = place.files("import-sessions", only=UPLOADS)
    return [
        _statuses(payload, place, files),
        _times(payload, files),
        *([_rates(payload, files)] if payload["reconciliation"] else []),
        *([_found(payload, files)] if payload["findings"] else []),
        *([_errors(payload, files)] if payload["errors"] else []),
        _uploaders(payload, files, _("Import sessions")),
    ]


def _statuses(payload: Payload, place: Place, files: list[tuple[str, str]]) -> Panel:
    finding = ngettext(
        "%(good)s of %(all)s import ended well, %(bad)s failed",
        "%(good)s of %(all)s imports ended well, %(bad)s failed",
        payload["total_sessions"],
    ) % {
        "good": texts.count(payload["successful_imports"]),
        "all": texts.count(payload["total_sessions"]),
        "bad": texts.count(payload["failed_imports"]),
    }
    names = dict(SessionStatus.choices)
    return Panel(
        key="statuses",
        question=str(indicator_of(payload).question),
        finding=finding,
        statistic=texts.subtitle(_("number of sessions by day of creation"), _days(place)),
        charts=[
            _bars(
                "statuses",
                finding,
                _("Import sessions"),
                [(str(names[one["status"]]), one["count"]) for one in payload["by_status"]],
            )
        ],
        table=Rows(
            finding,
            heads(_("Status"), _("Import sessions"), numbers=1),
            [
                [name(str(names[one["status"]])), number(texts.count(one["count"]), page_of(one["url"]))]
                for one in payload["by_status"]
            ],
            foot=[
                Cell(_("All"), is_head=True),
                number(texts.count(payload["total_sessions"]), page_of(payload["url"])),
            ],
        ),
        indicator=indicator_of(payload),
        downloads=files,
    )


def _times(payload: Payload, files: list[tuple[str, str]]) -> Panel:
    whole, speed = payload["processing_seconds"], payload["lines_per_second"]
    finding = (
        _("No import has ended yet")
        if whole["median"] is None
        else _("Half of the imports take less than %(median)s s, nine of ten less than %(p90)s s")
        % {"median": texts.decimals(whole["median"], 1), "p90": texts.decimals(whole["p90"], 1)}
    )
    steps = payload["steps"]
    return Panel(
        key="times",
        question=_("How long do imports take?"),
        finding=finding,
        statistic=_("seconds, of the latest 200 sessions"),
        charts=[
            Chart(
                "times",
                finding,
                "horizontal",
                [_step(one["step"]) for one in steps],
                [
                    line(label, [one[key] for one in steps], [texts.decimals(one[key], 1) for one in steps])
                    for key, label in (("median", _("Median")), ("p90", _("90th percentile")))
                ],
                _("seconds"),
            )
        ]
        if steps
        else [],
        table=Rows(
            finding,
            heads(_("Step"), _("Import sessions"), _("Median"), _("90th percentile"), numbers=3),
            [
                [
                    name(_step(one["step"])),
                    number(texts.count(one["n"])),
                    number(texts.decimals(one["median"], 1)),
                    number(texts.decimals(one["p90"], 1)),
                ]
                for one in steps
            ],
            foot=[
                Cell(_("From start to end"), is_head=True),
                number(texts.count(whole["n"])),
                number(texts.decimals(whole["median"], 1)),
                number(texts.decimals(whole["p90"], 1)),
            ],
        ),
        notes=[] if speed is None else [_("%(lines)s stat lines per second.") % {"lines": texts.decimals(speed, 0)}],
        downloads=files,
    )


def _step(step: str) -> str:
    return STEPS[step]() if step in STEPS else step


def _rates(payload: Payload, files: list[tuple[str, str]]) -> Panel:
    # The latest come first; a line goes from the oldest to the latest.
    rows = payload["reconciliation"]
    oldest = rows[::-1]
    rates = [Decimal(row["rate_claims"]) for row in rows if row["rate_claims"] is not None]
    indicator = INDICATORS["reconciliation_rate"]
    finding = (
        _("The rate of the sessions is between %(least)s and %(most)s")
        % {"least": texts.percent(str(min(rates))), "most": texts.percent(str(max(rates)))}
        if rates
        else _("No session has claims to compare")
    )
    return Panel(
        key="rates",
        question=str(indicator.question),
        finding=finding,
        statistic=_("imported of all, %, by session"),
        charts=[
            Chart(
                "rates",
                finding,
                "line",
                [f"#{row['id']}" for row in oldest],
                [
                    line(title, [row[key] for row in oldest], [texts.percent(row[key]) for row in oldest])
                    for key, title in (("rate_claims", _("Of the claims")), ("rate_amount", _("Of the amount")))
                ],
                "%",
            )
        ],
        table=Rows(
            finding,
            heads(
                _("Import session"), _("Imported"), _("Left out"), _("Rate of claims"), _("Rate of amounts"), numbers=4
            ),
            [
                [
                    name(f"#{row['id']}", page_of(row["url"])),
                    number(texts.count(row["imported"])),
                    number(texts.count(row["left_out"])),
                    number(texts.percent(row["rate_claims"])),
                    number(texts.percent(row["rate_amount"])),
                ]
                for row in rows
            ],
        ),
        indicator=indicator,
        downloads=files,
    )


def _found(payload: Payload, files: list[tuple[str, str]]) -> Panel:
    rows = [(category_name(one["category"]), one["count"]) for one in payload["findings"]]
    finding = _("Most frequent finding: %(category)s, %(count)s times") % {
        "category": rows[0][0],
        "count": texts.count(rows[0][1]),
    }
    return Panel(
        key="findings",
        question=_("What do imports find most?"),
        finding=finding,
        statistic=_("number of findings, of the latest 200 sessions"),
        charts=[_bars("findings", finding, _("Findings"), rows)],
        table=Rows(
            finding,
            heads(_("Finding"), _("Number"), numbers=1),
            [[name(text), number(texts.count(value))] for text, value in rows],
        ),
        downloads=files,
    )


def _errors(payload: Payload, files: list[tuple[str, str]]) -> Panel:
    rows = payload["errors"]
    finding = _("Most frequent error, %(count)s times") % {"count": texts.count(rows[0]["count"])}
    return Panel(
        key="errors",
        question=_("Why do imports fail?"),
        finding=finding,
        statistic=_("number of failed sessions by message"),
        table=Rows(
            finding,
            heads(_("Message"), _("Number"), numbers=1),
            [[name(one["message"] or texts.NOTHING), number(texts.count(one["count"]))] for one in rows],
        ),
        downloads=files,
    )
