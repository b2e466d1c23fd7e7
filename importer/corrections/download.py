"""The correction workbook of a session as an answer, with its audit entry."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

from django.conf import settings
from django.http import FileResponse, HttpResponseBase

from common.errors import Conflict
from file_handling.models import ImportSession
from file_handling.problem_texts import sentence
from importer.corrections.workbook import write_workbook
from reading.problems import UnreadableFile
from users import audit
from users.models import AuditAction, User


def workbook_response(session: ImportSession, *, actor: User) -> HttpResponseBase:
    """The workbook in the active language. Raises Conflict when there is nothing to correct or to read."""
    with ExitStack() as unfinished:
        target = unfinished.enter_context(tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".xlsx"))
        try:
            rows = write_workbook(session, target)
        except UnreadableFile as unreadable:
            raise Conflict(" ".join(map(sentence, unreadable.problems))) from unreadable
        audit.record(
            actor=actor,
            action=AuditAction.DOWNLOAD,
            target=session,
            data={"type": "corrections", "rows": rows},
        )
        target.seek(0)
        # From here FileResponse owns the temporary file and deletes it when sent.
        unfinished.pop_all()
    response = FileResponse(target, as_attachment=True, filename=f"concord-{session.pk}-corrections.xlsx")
    response["Cache-Control"] = "private, no-store"
    return response
