"""The time of a step: one log line at its end, successful or not."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


@contextmanager
def timed(step: str, **facts: int | float | str | None) -> Iterator[dict[str, int | float | str | None]]:
    """Log `step_timed` with the step's name, its `seconds` and whether it `ended` or `failed`. Also a decorator.

    `facts` are ids, counts and row numbers, never cell values; the block may add more to the dictionary that it
    receives. An exception passes through; only its class is logged.
    """
    values = dict(facts)
    start = time.perf_counter()
    try:
        yield values
    except BaseException as error:
        log.info("step_timed", step=step, seconds=_since(start), outcome="failed", error=type(error).__name__, **values)
        raise
    log.info("step_timed", step=step, seconds=_since(start), outcome="ended", **values)


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 4)
