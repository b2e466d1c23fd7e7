"""`manage.py sweep`: calls workers for waiting sessions. Every worker runs this command, which ends with it."""

from __future__ import annotations

import os
import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils.translation import gettext as _

from importer.lease import seconds
from importer.sweeper import sweep
from notifications import delivery, summaries
from users.accounts import deactivations
from users.sign_in import mails

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    # They load every route, and with the routes the libraries of the figures: 50 MB for a process that needs none.
    requires_system_checks = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not a lazy text: argparse takes only str.
        self.help = _("Call workers for import sessions that wait or whose run died.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--parent", type=int, help=_("go on until this process, which started the command, ends"))

    def handle(self, *args: Any, **options: Any) -> None:
        parent: int | None = options["parent"]
        if parent is None:
            sweep()
            return
        next_pass = 0.0
        while os.getppid() == parent:
            if time.monotonic() >= next_pass:
                self._pass()
                next_pass = time.monotonic() + seconds("SWEEP_SECONDS")
            time.sleep(0.5)

    def _pass(self) -> None:
        try:
            called = sweep()
            if called:
                log.info("sweeper_rang", sessions=called)
            summaries.queue_due()
            deactivations.expire_due()
            mails.request_sending_if_due()
            delivery.request_due()
        except (DatabaseFailure, OSError) as error:
            # Database or disk is away; they are asked again at the next pass.
            log.warning("sweeper_failed", error=type(error).__name__)
        finally:
            connection.close()
