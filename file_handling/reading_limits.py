"""How much of a machine reading may take in this installation."""

from django.conf import settings

from reading.limits import Limits


def reading_limits() -> Limits:
    told = settings.CONCORD
    return Limits(
        memory_bytes=told["READER_MEMORY_BYTES"],
        cpu_seconds=told["READER_CPU_SECONDS"],
        max_columns=told["MAX_COLUMNS"],
        max_grid_cells=told["MAX_GRID_CELLS"],
        max_inflated_bytes=told["MAX_INFLATED_BYTES"],
        max_ratio=told["MAX_INFLATION_RATIO"],
        max_entries=told["MAX_ZIP_ENTRIES"],
    )
