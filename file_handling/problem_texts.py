"""A sentence for each problem of a file: what is wrong and what to do. Upload, import and preview share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reading.problems import Problem

_Sentence = Callable[[Problem], str]


def sentence(problem: Problem) -> str:
    """The sentence for `problem`, in the language that is active. Raises KeyError for a code that has none."""
    return _SENTENCES[problem.code](problem)


def part(problem: Problem) -> dict[str, Any]:
    """The problem as a part of a session's message (`wording.part`)."""
    return {"code": problem.code, "file": problem.file, "sheet": problem.sheet, "params": problem.params}


def _of_part(facts: Mapping[str, Any]) -> str:
    return sentence(Problem(facts["code"], file=facts["file"], sheet=facts["sheet"], params=facts["params"]))


def known_codes() -> frozenset[str]:
    return frozenset(_SENTENCES)


def _quoted(names: list[str]) -> str:
    return ", ".join(_("“%(name)s”") % {"name": name} for name in names)


def _kind(kind: str) -> str:
    if kind == "premium":
        return _("file of premiums")
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


def _not_recognised(problem: Problem) -> str:
    return _(
        "%(where)s is neither a stat file nor a recap file: none of its first 20 rows has their headers. A stat file"
        " has the columns %(stat)s and others, a recap file %(recap)s and others. Export the file again, or put the"
        " headers above the data."
    ) % {
        "where": _where(problem),
        "stat": _quoted(problem.params["stat"]),
        "recap": _quoted(problem.params["recap"]),
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


# What a file can be that is neither a workbook nor CSV; the keys are those of `reading.formats.content_of`.
FOREIGN_FORMATS: dict[str, Callable[[], str]] = {
    "html": lambda: _("a web page (HTML)"),
    "mhtml": lambda: _("a web page saved as a single file (MHTML)"),
    "xml_spreadsheet": lambda: _("an XML spreadsheet of Excel 2003"),
    "xml": lambda: _("an XML document"),
    "ods": lambda: _("an OpenDocument spreadsheet (.ods)"),
    "xlsb": lambda: _("a binary Excel workbook (.xlsb)"),
    "numbers": lambda: _("a spreadsheet of Numbers"),
    "sylk": lambda: _("a SYLK spreadsheet"),
    "dif": lambda: _("a DIF spreadsheet"),
    "xlsx": lambda: _("an Excel workbook"),
    "pdf": lambda: _("a PDF document"),
    "rtf": lambda: _("an RTF document"),
    "image": lambda: _("an image"),
    "office_document": lambda: _("a document of another Office program"),
    "zip": lambda: _("a zip archive"),
    "archive": lambda: _("an archive"),
    "binary": lambda: _("something else"),
}
_OPENED_BY_EXCEL = ("html", "mhtml", "xml_spreadsheet", "xml", "ods", "xlsb", "sylk", "dif", "xlsx")


def _wrong_content(problem: Problem) -> str:
    found = problem.params["found"]
    names = {
        "file": problem.file,
        "extension": problem.params["extension"],
        "what": FOREIGN_FORMATS.get(found, FOREIGN_FORMATS["binary"])(),
    }
    if found in _OPENED_BY_EXCEL:
        return (
            _(
                "“%(file)s” is named .%(extension)s but contains %(what)s. Open it in Excel, save it as an Excel"
                " workbook (.xlsx) and upload that."
            )
            % names
        )
    return (
        _(
            "“%(file)s” is named .%(extension)s but contains %(what)s. Export the data again as an Excel workbook"
            " (.xlsx) and upload that."
        )
        % names
    )


def _wrong_extension(problem: Problem) -> str:
    known = ", ".join(f".{extension}" for extension in problem.params["known"])
    return _("“%(file)s” cannot be imported: upload a file of one of the kinds %(known)s.") % {
        "file": problem.file,
        "known": known,
    }


def _correction_gone(problem: Problem) -> str:
    return _(
        "%(where)s has no line in row %(row)d any more, but a correction of that row is kept. Nothing was written."
        " Withdraw the correction, then run the session again."
    ) % {"where": _where(problem), "row": problem.params["row"]}


def _correction_changed(problem: Problem) -> str:
    return _(
        "%(where)s, row %(row)d: the field %(field)s has another text than the one that was corrected. Nothing was"
        " written. Withdraw the correction, then run the session again."
    ) % {"where": _where(problem), "row": problem.params["row"], "field": problem.params["field"]}


def _with(text: Callable[[], str], *names: str) -> _Sentence:
    """A sentence with `where`, and the parameters `names` of the problem."""

    def fill(problem: Problem) -> str:
        return text() % ({"where": _where(problem)} | {name: problem.params[name] for name in names})

    return fill


_SENTENCES: dict[str, _Sentence] = {
    "missing_columns": _missing_columns,
    "no_header": _no_header,
    "not_recognised": _not_recognised,
    "swapped": _swapped,
    "same_field_twice": _same_field_twice,
    "several_sheets": _several_sheets,
    "no_such_sheet": _no_such_sheet,
    "correction_row_gone": _correction_gone,
    "correction_changed": _correction_changed,
    "wrong_content": _wrong_content,
    "wrong_extension": _wrong_extension,
    "too_old": _with(
        lambda: _(
            "%(where)s is a workbook of Excel 4 or older, which cannot be read. Open it in a current Excel, save it as"
            " an Excel workbook (.xlsx) and upload that."
        )
    ),
    "macros": _with(
        lambda: _("%(where)s contains macros. Save it as a workbook without macros (.xlsx) and upload that.")
    ),
    "empty_file": _with(lambda: _("%(where)s is empty. Export it again and upload the new file.")),
    "damaged": _with(
        lambda: _("%(where)s is damaged or was cut short. Open it in Excel, save it again and upload the new file.")
    ),
    "bad_archive": _with(
        lambda: _("%(where)s is no zip archive, or is damaged. Put the pages into a new .zip and upload that.")
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
    "no_converter": _with(
        lambda: _(
            "%(where)s must be converted before it is read, and no converter of this installation does that now. Save"
            " it as .xlsx and upload that, or ask your administrator for the converter and run the session again."
        )
    ),
    "not_converted": _with(
        lambda: _("%(where)s is converted when it is imported. Its rows can be shown from then on.")
    ),
    "not_stored": _with(lambda: _("%(where)s is no longer stored. Upload it again.")),
    "reader_interrupted": lambda problem: _("Reading was interrupted. Try again in a few minutes."),
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

# Code → the sentence of a part of a session's message.
MESSAGES = dict.fromkeys(_SENTENCES, _of_part)
