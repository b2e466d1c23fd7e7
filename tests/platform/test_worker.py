"""The main process of a worker, which forks the processes of the pool."""

import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# What Celery does before it forks.
BEFORE_THE_FORK = """
import sys
from config.celery import app
app.loader.init_worker()
app.finalize()
print("importer.run_session" in app.tasks, "polars" in sys.modules)
"""


def test_the_main_process_of_a_worker_does_not_load_the_frames_library():
    """Its memory would stay in the processes of the pool after each import, and its threads would be missing there."""
    started = [sys.executable, "-c", BEFORE_THE_FORK]
    done = subprocess.run(started, cwd=BASE_DIR, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["True", "False"]
