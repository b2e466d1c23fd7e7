"""Services that register, change and steer converters. API and admin call these; the actor is an argument.

Superusers alone manage converters: a converter gets the files of all countries.
"""

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common import outgoing
from common.errors import Conflict, Gone, Invalid, NotAllowed
from common.keys import clean_text
from common.outgoing import OutgoingError
from common.sealed import seal
from common.signing import new_secret
from file_handling.converters import calling
from file_handling.converters.calling import Failure, NoAnswer
from file_handling.converters.texts import failure_sentence
from file_handling.files.checks import max_file_bytes
from file_handling.models import Converter
from reading.formats import EXTENSIONS
from users import audit
from users.models import AuditAction, User

CHANGEABLE = ("name", "extensions", "url", "megabytes", "seconds", "is_active")
LONGEST_NAME = 100
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
_MEGABYTE = 1024 * 1024


def may_manage_converters(user: User) -> bool:
    return user.is_superuser_role()


def register(*, actor: User, name: str, extensions: list[str], url: str, **limits: Any) -> tuple[Converter, str]:
    """Register a converter; → it, and its secret, which nobody can read again. `limits`: others of CHANGEABLE.

    Raises NotAllowed, Invalid with every error of the values, TypeError for an unknown field.
    """
    _require_manager(actor)
    secret = new_secret()
    with transaction.atomic():
        converter = Converter(registered_by=actor, secret=seal(secret))
        _set(converter, {"name": name, "extensions": extensions, "url": url, **limits})
        converter.save()
        _record(actor, AuditAction.CREATE, converter)
    return converter, secret


def change(*, actor: User, converter: Converter, **fields: Any) -> Converter:
    """Change any of CHANGEABLE. Raises NotAllowed, Invalid with every error, Gone, TypeError for an unknown field."""
    _require_manager(actor)
    with transaction.atomic():
        locked = _locked(converter)
        before = {name: getattr(locked, name) for name in CHANGEABLE}
        _set(locked, fields)
        changed = sorted(name for name in CHANGEABLE if getattr(locked, name) != before[name])
        if "url" in changed:
            # Another service: which version it has is not known.
            locked.version = ""
        if changed:
            locked.save(update_fields=[*changed, "version"])
            _record(actor, AuditAction.UPDATE, locked, fields=changed)
    return locked


def rotate(*, actor: User, converter: Converter) -> tuple[Converter, str]:
    """Replace the secret at once; → the converter and the new secret."""
    _require_manager(actor)
    secret = new_secret()
    with transaction.atomic():
        locked = _locked(converter)
        locked.secret = seal(secret)
        locked.save(update_fields=["secret"])
        _record(actor, AuditAction.UPDATE, locked, act="rotate")
    return locked, secret


def check(*, actor: User, converter: Converter) -> Converter:
    """Ask the service for its version, without a file. Raises NotAllowed, Conflict with the reason for no answer, Gone.

    A session that runs again asks a service of another version for files that it had converted before.
    """
    _require_manager(actor)
    try:
        found = calling.ask_version(converter)
    except (Failure, NoAnswer) as failed:
        raise Conflict(failure_sentence(failed.facts)) from failed
    with transaction.atomic():
        locked = _locked(converter)
        locked.version = found.version
        locked.save(update_fields=["version"])
        _record(actor, AuditAction.UPDATE, locked, act="check")
    return locked


def delete(*, actor: User, converter: Converter) -> None:
    """Delete the converter. What it made stays with its name and version. Raises NotAllowed, Gone."""
    _require_manager(actor)
    with transaction.atomic():
        locked = _locked(converter)
        _record(actor, AuditAction.DELETE, locked)
        locked.delete()


def _require_manager(actor: User) -> None:
    if not may_manage_converters(actor):
        raise NotAllowed(_("You may not manage converters."))


def _set(converter: Converter, fields: dict[str, Any]) -> None:
    """Set the fields in their stored form. Raises Invalid with every error."""
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
    for field, value in fields.items():
        if field == "name":
            value = clean_text(str(value))
        elif field == "url":
            value = str(value).strip()
        elif field == "extensions":
            value = list(dict.fromkeys(str(one).strip().lower().lstrip(".") for one in value))
        setattr(converter, field, value)
    reasons = {
        "name": _name_error(converter),
        # Resolving a host takes time.
        "url": _url_error(converter) if "url" in fields else "",
        "extensions": _extensions_error(converter),
        "megabytes": _limit_error(converter.megabytes, most=max_file_bytes() // _MEGABYTE),
        "seconds": _limit_error(converter.seconds, most=int(settings.CONVERTERS["MAX_SECONDS"])),
    }
    if any(reasons.values()):
        raise Invalid({field: [reason] for field, reason in reasons.items() if reason})


def _name_error(converter: Converter) -> str:
    if not converter.name:
        return _("This may not be empty.")
    if len(converter.name) > LONGEST_NAME:
        return _("At most %(limit)d characters.") % {"limit": LONGEST_NAME}
    if Converter.objects.filter(name=converter.name).exclude(pk=converter.pk).exists():
        return _("Another converter has this name.")
    return ""


def _url_error(converter: Converter) -> str:
    try:
        outgoing.check(converter.url, seconds=settings.CONVERTERS["CONNECT_SECONDS"])
    except OutgoingError as error:
        return str(error.reason.label)
    return ""


def _extensions_error(converter: Converter) -> str:
    if not converter.extensions or not all(_EXTENSION.fullmatch(one) for one in converter.extensions):
        return _("Name the endings of the files, such as ods or pdf.")
    read = sorted({*EXTENSIONS, "zip"} & set(converter.extensions))
    if read:
        return _("Concord reads these itself: %(extensions)s.") % {"extensions": ", ".join(read)}
    if converter.is_active:
        for other in Converter.objects.filter(is_active=True).exclude(pk=converter.pk):
            shared = sorted(set(other.extensions) & set(converter.extensions))
            if shared:
                return _("“%(name)s” converts these already: %(extensions)s. Deactivate one of the two.") % {
                    "name": other.name,
                    "extensions": ", ".join(shared),
                }
    return ""


def _limit_error(value: int, *, most: int) -> str:
    if not 1 <= value <= most:
        return _("A whole number from 1 to %(most)d.") % {"most": most}
    return ""


def _locked(converter: Converter) -> Converter:
    locked = Converter.objects.select_for_update().filter(pk=converter.pk).first()
    if locked is None:
        raise Gone
    return locked


def _record(actor: User, action: AuditAction, converter: Converter, **facts: Any) -> None:
    audit.record(actor=actor, action=action, target=converter, label=converter.name, data=facts)
