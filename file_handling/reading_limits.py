"""The share of the machine that reading may take in this installation."""

from django.conf import settings

from reading.limits import Limits


def reading_limits() -> Limits:
    limits = settings.CONCORD
    return Limits(
        memory_bytes=limits["READER_MEMORY_BYTES"],
        cpu_seconds=limits["READER_CPU_SECONDS"],
        max_columns=limits["MAX_COLUMNS"],
        max_grid_cells=limits["MAX_GRID_CELLS"],
        max_inflated_bytes=limits["MAX_INFLATED_BYTES"],
        max_ratio=limits["MAX_INFLATION_RATIO"],
        max_entries=limits["MAX_ZIP_ENTRIES"],
    )
