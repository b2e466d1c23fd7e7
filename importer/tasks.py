"""The tasks of Celery workers. A task takes an id; the session's row has the rest."""

import os
import subprocess
import sys
import threading
from typing import Any

import structlog
from celery import bootsteps, current_app, shared_task
from django.conf import settings

from importer.dispatch import RUN_TASK

log = structlog.get_logger(__name__)


@shared_task(name=RUN_TASK, ignore_result=True)
def run_session(session_id: int) -> None:
    # Imported here: the main process of the worker, which forks, must not load the frames library.
    from importer.runs import run_session as run

    run(session_id)


class SweeperStep(bootsteps.StartStopStep):
    """Every worker runs a sweeper: while one worker lives, no session waits for ever.

    The sweeper is a process: a thread that uses the database and the broker could hold their locks while the worker
    forks, and the child would never get them.
    """

    # Before the consumer, which does not finish its start while the broker is away.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_sweeping, name="sweeper", daemon=True)

    def start(self, parent: Any) -> None:
        self._thread.start()

    def stop(self, parent: Any) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    terminate = stop

    def _keep_sweeping(self) -> None:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "sweep", "--parent", str(os.getpid())]
        while not self._stopping.is_set():
            process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)
            while process.poll() is None and not self._stopping.wait(0.5):
                pass
            if self._stopping.is_set():
                process.terminate()
                process.wait()
            else:
                log.warning("sweeper_ended", code=process.returncode)
                self._stopping.wait(settings.CONCORD["SWEEP_SECONDS"])


current_app.steps["worker"].add(SweeperStep)
