"""What sessions say, as codes: a row stores a code of a closed vocabulary with its parameters, and no sentence.

The sentence is written when the row is read, in the active language. Each app registers the sentences of its codes
when it starts (docs/decisions/0019-codes-in-place-of-sentences.md).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Facts = Mapping[str, Any]
Sentence = Callable[[Facts], str]


class Vocabulary:
    """Codes, and for each the function that turns its parameters into a sentence of the active language."""

    def __init__(self) -> None:
        self._sentences: dict[str, Sentence] = {}

    def register(self, sentences: Mapping[str, Sentence]) -> None:
        """Add codes. Raises ValueError for a code that has another sentence already."""
        for code, sentence in sentences.items():
            if self._sentences.setdefault(code, sentence) is not sentence:
                raise ValueError(f"the code {code} has two sentences")

    def check(self, code: str) -> None:
        """Raises ValueError for a code without a sentence: no row may store it."""
        if code not in self._sentences:
            raise ValueError(f"no app has registered a sentence for the code {code}")

    def text(self, code: str, facts: Facts) -> str:
        """The sentence; the code itself where there is none, as for a row that a newer version has written."""
        sentence = self._sentences.get(code)
        return code if sentence is None else sentence(facts)


# The codes of events and of the parts of a session's message.
MESSAGES = Vocabulary()
# The categories of findings; of warnings, the codes.
OBSERVATIONS = Vocabulary()


def part(code: str, **facts: Any) -> dict[str, Any]:
    """A part of a session's message, as JSON: its code beside its parameters. Raises ValueError for an unknown code."""
    MESSAGES.check(code)
    return {"code": code, **facts}


def message(parts: Iterable[Facts]) -> str:
    """The message of a session in the active language, a line for each part."""
    return "\n".join(MESSAGES.text(one["code"], one) for one in parts)


def observation(category: str, code: str, details: Facts) -> str:
    """The observation of a finding in the active language. `details`: its parameters (`Finding.details`)."""
    key = code if category == "warning" else category
    return OBSERVATIONS.text(key, {"code": code, **details})
