"""What happened in the calls of converters, as sentences of the active language, and what to do."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.outgoing import Reason
from file_handling.wording import Facts, Sentence


def failure_sentence(facts: Mapping[str, Any]) -> str:
    """Why a call failed. `facts`: those of `calling.Failure` and `calling.NoAnswer`."""
    return _FAILURES[facts["failure"]](facts)


def _refused(facts: Facts) -> str:
    if not facts["text"]:
        return _("It refuses the file without a reason. Ask your administrator to look into the log of the service.")
    return _("It says: “%(text)s” Correct the file and upload it again.") % facts


_FAILURES: dict[str, Callable[[Facts], str]] = {
    "no_call": lambda facts: str(Reason(facts["reason"]).label),
    "status": lambda facts: _("It answers with an error of its own (status %(status)d).") % facts,
    "denied": lambda facts: _(
        "It does not accept the signature. Ask your administrator to renew the secret and to give it to the service."
    ),
    "sealed": lambda facts: _(
        "Its secret cannot be read, because SECRET_KEY has changed. Ask your administrator to renew the secret and to"
        " give it to the service."
    ),
    "refused": _refused,
    "too_large": lambda facts: (
        _(
            "Its answer is larger than %(limit)d MB. Split the period into several files, or ask your administrator"
            " for a higher limit."
        )
        % facts
    ),
    "wrong_kind": lambda facts: _(
        "Its answer is neither an Excel workbook nor CSV. Ask your administrator to look into the log of the service."
    ),
    "unnamed": lambda facts: _(
        "Its answer does not say its name and version. Ask your administrator to correct the service."
    ),
    "unreadable": lambda facts: _("Its answer cannot be read:"),
}


def _failed(facts: Facts) -> str:
    return _("The converter “%(converter)s” could not convert “%(file)s”; nothing was written. %(reason)s") % {
        "converter": facts["converter"],
        "file": facts["file"],
        "reason": failure_sentence(facts),
    }


def _away(facts: Facts) -> str:
    return _(
        "The converter “%(converter)s” was asked %(count)d times for “%(file)s” and did not convert it; nothing was"
        " written. %(reason)s Ask your administrator to look after the converter, then run the session again."
    ) % {
        "converter": facts["converter"],
        "file": facts["file"],
        "count": facts["attempts"],
        "reason": failure_sentence(facts),
    }


def _waiting(facts: Facts) -> str:
    return _(
        "The converter “%(converter)s” does not convert at the moment. %(reason)s It is asked again in %(wait)s."
    ) % {
        "converter": facts["converter"],
        "reason": failure_sentence(facts),
        "wait": _duration(facts["seconds"]),
    }


def _duration(seconds: float) -> str:
    if seconds < 120:
        return ngettext("%(count)d second", "%(count)d seconds", round(seconds)) % {"count": round(seconds)}
    return ngettext("%(count)d minute", "%(count)d minutes", round(seconds / 60)) % {"count": round(seconds / 60)}


def _converting(facts: Facts) -> str:
    return ngettext(
        "Converting %(count)d file with “%(converter)s”.",
        "Converting %(count)d files with “%(converter)s”.",
        facts["files"],
    ) % {"count": facts["files"], "converter": facts["converter"]}


def _converted(facts: Facts) -> str:
    return _("Converted by %(services)s.") % {"services": ", ".join(facts["services"])}


# Code of an event or of a part of a session's message → its sentence.
MESSAGES: dict[str, Sentence] = {
    "conversion_failed": _failed,
    "converter_away": _away,
    "converter_waiting": _waiting,
    "converting": _converting,
    "converted": _converted,
}
