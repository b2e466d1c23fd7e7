"""`manage.py watch`: imports what is dropped into the folder or bucket of WATCH_URL. `make serve` runs it."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils.translation import gettext as _

from importer.drop_folder.places import is_watched, open_place
from importer.drop_folder.watch import Watch

log = structlog.get_logger(__name__)

STEP_SECONDS = 2.0


class Command(BaseCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not a lazy text: argparse takes only str.
        self.help = _("Import the folders that are dropped into the place of WATCH_URL, until the process is ended.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_watched():
            raise CommandError(_("WATCH_URL names no folder: set it to file:///folder or s3://…/bucket/prefix."))
        watch = Watch(open_place())
        while True:
            try:
                watch.step()
            except DatabaseFailure as error:
                # The database is away; it is asked again at the next step.
                log.warning("watch_failed", error=type(error).__name__)
            finally:
                connection.close()
            time.sleep(STEP_SECONDS)
