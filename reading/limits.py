"""The share of the machine that reading one group of files may take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    memory_bytes: int = 2048 * MB
    cpu_seconds: int = 300
    max_columns: int = 200
    max_rows: int = 1_048_576
    # Readers hold a sheet as a full grid of about 32 bytes a cell: more cells do not fit in `memory_bytes`.
    max_grid_cells: int = 40_000_000
    max_inflated_bytes: int = 500 * MB
    max_ratio: int = 100
    # Exports repeat the same values: below this size, a high ratio is usual.
    ratio_free_bytes: int = 20 * MB
    max_entries: int = 1000

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Limits:
        """The limits in `values`, and the defaults of the others. Raises TypeError for an unknown name."""
        return cls(**values)

    def as_dict(self) -> dict[str, int]:
        return {f.name: getattr(self, f.name) for f in fields(self)}
