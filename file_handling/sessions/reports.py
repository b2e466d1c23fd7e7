"""The report of a session in the language of a reader: that of the upload is stored, another is made on request.

The importer, which makes reports, registers the function that does so (docs/decisions/0015-registration-upwards.md).
"""

from collections.abc import Callable
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from file_handling.models import ImportSession

# Makes the report of the session in the language and stores it under the name; → the name that it has.
Make = Callable[[ImportSession, str, str], str]
_make: list[Make] = []


def register(make: Make) -> None:
    _make[:] = [make]


def open_report(session: ImportSession, *, language: str) -> File:
    """The report in the language, open for reading; made from the database the first time.

    Raises FileNotFoundError when the session's own report is no longer stored, OSError when another cannot be stored.
    """
    own = session.error_file.name
    if own is None or language == session.language:
        return session.error_file.open("rb")
    if not default_storage.exists(own):
        raise FileNotFoundError(own)
    name = _in_language(own, language)
    if not default_storage.exists(name):
        made = _make[0](session, language, name)
        if made != name:
            # Another request has made it meanwhile, and stored it under the name.
            default_storage.delete(made)
    return default_storage.open(name, "rb")


def in_all_languages(name: str) -> list[str]:
    """The names of a stored file: a report may be stored in further languages beside its own."""
    if not name.endswith(".xlsx"):
        return [name]
    return [name, *(_in_language(name, language) for language, _label in settings.LANGUAGES)]


def _in_language(name: str, language: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{language}{path.suffix}"))
