"""What is wrong with a file, in words that say what to do: a sentence for each problem code of the pipeline."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reading.problems import Problem

_Sentence = Callable[[Problem], str]


def sentence(problem: Problem) -> str:
    """The sentence for `problem`, in the language that is active. Raises KeyError for a code that has none."""
    return _SENTENCES[problem.code](problem)


def known_codes() -> frozenset[str]:
    return frozenset(_SENTENCES)


def _quoted(names: list[str]) -> str:
    return ", ".join(_("“%(name)s”") % {"name": name} for name in names)


def _kind(kind: str) -> str:
    return _("stat file") if kind == "stat" else _("recap file")


def _where(problem: Problem) -> str:
    """The file, with its sheet where one is known."""
    if problem.sheet:
        return _("“%(file)s”, sheet “%(sheet)s”") % {"file": problem.file, "sheet": problem.sheet}
    return _("“%(file)s”") % {"file": problem.file}


def _missing_columns(problem: Problem) -> str:
    columns = problem.params["columns"]
    return ngettext(
        "%(where)s lacks the column %(columns)s. Add it, spelled as here, to the header row (row %(row)d) and upload"
        " the file again.",
        "%(where)s lacks the columns %(columns)s. Add them, spelled as here, to the header row (row %(row)d) and upload"
        " the file again.",
        len(columns),
    ) % {"where": _where(problem), "columns": _quoted(columns), "row": problem.params["header_row"]}


def _no_header(problem: Problem) -> str:
    return _(
        "%(where)s has no header row of a %(kind)s in its first 20 rows. It must have the columns %(columns)s. Export"
        " the file again, or put these headers above the data."
    ) % {
        "where": _where(problem),
        "kind": _kind(problem.params["kind"]),
        "columns": _quoted(problem.params["expected"]),
    }


def _swapped(problem: Problem) -> str:
    return _(
        "%(where)s was given as the %(kind)s, but its columns are those of a %(found)s. Upload each file in its own"
        " place."
    ) % {"where": _where(problem), "kind": _kind(problem.params["kind"]), "found": _kind(problem.params["found"])}


def _same_field_twice(problem: Problem) -> str:
    return _(
        "%(where)s gives the same thing in several columns with different values: %(headers)s (columns %(letters)s)."
        " Keep the right one and remove the others."
    ) % {
        "where": _where(problem),
        "headers": _quoted(problem.params["headers"]),
        "letters": ", ".join(problem.params["letters"]),
    }


def _several_sheets(problem: Problem) -> str:
    return _("“%(file)s” has several sheets with the columns of a stat file: %(sheets)s. Say which one to import.") % {
        "file": problem.file,
        "sheets": _quoted(problem.params["sheets"]),
    }


def _no_such_sheet(problem: Problem) -> str:
    return _("“%(file)s” has no sheet named “%(sheet)s”. Its sheets are: %(sheets)s.") % {
        "file": problem.file,
        "sheet": problem.sheet,
        "sheets": _quoted(problem.params["sheets"]),
    }


def _wrong_content(problem: Problem) -> str:
    what = {
        "xlsx": _("an .xlsx workbook or another zip archive"),
        "xls": _("an old Excel workbook (.xls) or a protected one"),
        "html": _("a web page (HTML)"),
        "xml": _("an XML document"),
        "pdf": _("a PDF document"),
        "text": _("plain text"),
    }.get(problem.params["found"], _("something else"))
    return _(
        "“%(file)s” is named .%(extension)s but contains %(what)s. Open it in Excel, save it as an Excel"
        " workbook (.xlsx) and upload that."
    ) % {"file": problem.file, "extension": problem.params["extension"], "what": what}


def _with(text: Callable[[], str], *names: str) -> _Sentence:
    def say(problem: Problem) -> str:
        return text() % ({"where": _where(problem)} | {name: problem.params[name] for name in names})

    return say


_SENTENCES: dict[str, _Sentence] = {
    "missing_columns": _missing_columns,
    "no_header": _no_header,
    "swapped": _swapped,
    "same_field_twice": _same_field_twice,
    "several_sheets": _several_sheets,
    "no_such_sheet": _no_such_sheet,
    "wrong_content": _wrong_content,
    "wrong_extension": _with(
        lambda: _("%(where)s is not an Excel or CSV file. Upload a file named .xlsx, .xls or .csv.")
    ),
    "empty_file": _with(lambda: _("%(where)s is empty. Export it again and upload the new file.")),
    "damaged": _with(
        lambda: _("%(where)s is damaged or was cut short. Open it in Excel, save it again and upload the new file.")
    ),
    "not_a_workbook": _with(
        lambda: _("%(where)s is not an Excel workbook. Open it in Excel, save it as .xlsx and upload that.")
    ),
    "encrypted": _with(lambda: _("%(where)s is protected by a password. Save it without one and upload it again.")),
    "entities": _with(
        lambda: _("%(where)s has a document type or entities in it, which no spreadsheet needs. Save it again"
                  " from Excel.")
    ),
    "too_many_entries": _with(
        lambda: _("%(where)s holds more than %(limit)d parts. Save only the data in a new workbook."), "limit"
    ),
    "inflates_too_much": _with(
        lambda: _("%(where)s unpacks to far more data than its size allows. Save only the data in a new workbook.")
    ),
    "far_cell": _with(
        lambda: _(
            "%(where)s has something in cell %(cell)s, far from the data (at most %(columns)d columns and %(rows)d rows"
            " are read). Delete the rows and columns beyond the data, save the file and upload it again."
        ),
        "cell", "columns", "rows",
    ),
    "too_many_columns": _with(
        lambda: _("%(where)s has %(columns)d columns in use; at most %(limit)d are read. Remove those that are not"
                  " needed."),
        "columns", "limit",
    ),
    "error_cell_unplaced": _with(
        lambda: _("%(where)s has error cells (such as #N/A) that cannot be located. Open it in Excel and save it"
                  " again.")
    ),
    "reader_out_of_memory": lambda problem: _(
        "The files need more memory than allowed to be read. Remove the sheets and columns that are not needed, or"
        " split the period into several imports."
    ),
    "reader_crashed": lambda problem: _(
        "The files could not be read: the reader failed on them. Open them in Excel, save them again as .xlsx and"
        " upload those."
    ),
    "reader_too_slow": lambda problem: _(
        "Reading the files took longer than allowed. Remove the sheets and columns that are not needed, or split the"
        " period into several imports."
    ),
}  # fmt: skip
