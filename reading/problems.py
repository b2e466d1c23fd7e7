"""The problems of a file as codes with parameters: this package knows no language."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One reason why a file cannot be read.

    `code` is a key of the texts in `file_handling.problem_texts`. `params` are the values in the text (headers, sheet
    names, counts), never the value of a data cell.
    """

    code: str
    file: str = ""
    sheet: str = ""
    row: int | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Problem:
        return cls(**value)


class UnreadableFile(Exception):
    """A file cannot be read. `problems`: all that were found in it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems = problems
