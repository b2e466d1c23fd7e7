"""The language and the lines of the demo."""

import os


def language() -> str:
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "fr" if chosen.lower().startswith("fr") else "en"


def say(text: str = "") -> None:
    print(text, flush=True)
