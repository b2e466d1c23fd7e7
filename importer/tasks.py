"""What Celery workers do. A task takes an id; the session's row says the rest."""

from typing import Any

from celery import bootsteps, current_app, shared_task

from importer.dispatch import RUN_TASK


@shared_task(name=RUN_TASK, ignore_result=True)
def run_session(session_id: int) -> None:
    # Imported here: the frames library must not be touched in the worker's main process, which forks.
    from importer.runs import run_session as run

    run(session_id)


class SweeperStep(bootsteps.StartStopStep):
    """Every worker sweeps: as long as one lives, no session waits for ever."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.thread: Any = None

    def start(self, parent: Any) -> None:
        from importer.sweeper import SweeperThread

        self.thread = SweeperThread()
        self.thread.start()

    def stop(self, parent: Any) -> None:
        if self.thread is not None:
            self.thread.stop()

    terminate = stop


current_app.steps["worker"].add(SweeperStep)
