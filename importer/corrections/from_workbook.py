"""Starting a corrected session from a returned workbook, for the API and for the page."""

from __future__ import annotations

from django.core.files.uploadedfile import TemporaryUploadedFile

from common.errors import InvalidWorkbook, WorkbookProblem
from file_handling.files.storage import sha256_and_size
from file_handling.models import CorrectionOrigin, ImportSession
from file_handling.problem_texts import sentence
from importer.corrections.returned import prepare_returned
from importer.corrections.service import start
from importer.idempotency import digest_of, find_earlier, start_once
from reading.problems import UnreadableFile
from users.models import User


def start_from_workbook(
    session: ImportSession, *, upload: TemporaryUploadedFile, user: User, key: str | None
) -> tuple[ImportSession, bool]:
    """Start a session with the changes of the workbook; → that session, and whether an earlier request started it.

    `key`: of the request, None for none. Raises InvalidWorkbook with every problem, also when the files of the session
    can no longer be read, and the errors of `prepare`, `start` and `start_once`.
    """
    digest = digest_of({"corrects": session.pk, "workbook": sha256_and_size(upload)[0]})
    earlier = find_earlier(user=user, key=key, digest=digest) if key else None
    if earlier is not None:
        return earlier, True
    try:
        prepared = prepare_returned(session, upload)
    except UnreadableFile as unreadable:
        raise InvalidWorkbook([WorkbookProblem(sentence(one)) for one in unreadable.problems]) from unreadable

    def begin(_stored: object = None) -> ImportSession:
        return start(prepared, user=user, origin=CorrectionOrigin.WORKBOOK)

    return start_once(user=user, key=key, digest=digest, start=begin) if key else (begin(), False)
