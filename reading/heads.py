"""What the first rows of a file show: a value that the reading process hands to its parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reading.columns import FileKind
from reading.problems import Problem


@dataclass(frozen=True)
class Head:
    """`recognised_as`: the kind that the columns show, None where they show neither.

    `sheets`: the sheets with these columns, none for CSV. `problems`: everything that keeps the file from being read as
    the kind that its owner named, else as the recognised one. `is_readable`: False where there are no rows to look at.
    """

    recognised_as: FileKind | None = None
    sheets: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_readable: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "recognised_as": self.recognised_as,
            "sheets": list(self.sheets),
            "problems": [problem.as_dict() for problem in self.problems],
            "is_readable": self.is_readable,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Head:
        return cls(
            recognised_as=value["recognised_as"],
            sheets=tuple(value["sheets"]),
            problems=tuple(Problem.from_dict(one) for one in value["problems"]),
            is_readable=value["is_readable"],
        )
