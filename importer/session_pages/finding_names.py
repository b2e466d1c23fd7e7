"""The names of the codes of findings, and what to do about each category, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from file_handling.models import FindingCategory, FindingCode

C = FindingCategory
ADVICE: dict[str, str | Promise] = {
    C.UNREADABLE: gettext_lazy("Correct the marked cells in the file and import the pair again."),
    C.UNREADABLE_LINE: gettext_lazy("Correct the marked cells in the file and import the pair again."),
    C.DIVERGENT_IN_RECAP: gettext_lazy(
        "Ask finance which row of the recap is right, remove the others, and import the pair again."
    ),
    C.INCONSISTENT: gettext_lazy(
        "The lines of one claim must name one person, one policy, one employer and one provider. Correct the marked "
        "cells in the claims system, export the stat file again and import the pair."
    ),
    C.INCOMPLETE: gettext_lazy(
        "Complete the marked cells in the claims system, export the stat file again and import the pair."
    ),
    C.AMOUNT_GAP: gettext_lazy(
        "Compare the lines with the recap: a line may be missing, entered twice or have another amount. Correct the "
        "side that is wrong and import the pair again."
    ),
    C.MISSING_IN_RECAP: gettext_lazy(
        "Check that no page of the recap is missing and that the claim is paid, then import the pair again."
    ),
    C.CONFLICT: gettext_lazy(
        "Compare with the claim that is imported. To replace it, import again and choose “replace” for claims that "
        "differ."
    ),
    C.OUT_OF_PERIOD: gettext_lazy("Import files of a period that has this day."),
    C.UNPAID: gettext_lazy("Import the claim again once it is paid."),
    C.RECAP_ONLY: gettext_lazy("Check that the stat file is complete: the claim was paid but has no line there."),
    C.WARNING: gettext_lazy("The claims were imported. Read the warning and correct the files where it is right."),
}


def code_name(code: str) -> str:
    """The name of a code, or of several with commas between; "" for none, the code itself where it has no name."""
    names = dict(FindingCode.choices)
    return capfirst(", ".join(str(names.get(one, one)) for one in code.split(",") if one))


def advice(category: str) -> str:
    """What to do about a finding of the category."""
    return str(ADVICE.get(category, _("Read the reason and correct the files.")))
