"""`make messages`: updates the French catalogue from the messages in code and templates, and compiles it.

Writes locale/fr/LC_MESSAGES/django.po, where new messages have no French text yet, and django.mo, which is committed
because a machine may have no gettext tools. Write the missing French into django.po and run it again.
"""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

BASE_DIR = Path(__file__).resolve().parent.parent
LANGUAGE = "fr"
PO = BASE_DIR / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

# Folders without messages. All others are searched, so a new app need not be named here.
_WITHOUT_MESSAGES = ("build", "data", "docs", "locale", "services", "static", "tests")
_TEMPLATES = (".html", ".txt")
_SINGLE, _PLURAL, _CONTEXT, _PLURAL_IN_CONTEXT = (1,), (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS: dict[str, Any] = {
    "_": _SINGLE,
    "gettext": _SINGLE,
    "gettext_lazy": _SINGLE,
    "gettext_noop": _SINGLE,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _PLURAL_IN_CONTEXT,
    "npgettext_lazy": _PLURAL_IN_CONTEXT,
}
_NOTES = ["Translators:"]


def used_messages(root: Path = BASE_DIR) -> Catalog:
    """Every message in the Python code and the templates under `root`, with the files that contain it."""
    catalog = Catalog(fuzzy=False)
    for path in _sources(root):
        place = path.relative_to(root).as_posix()
        for message, notes, context in _messages_of(path):
            catalog.add(message, locations=[(place, 1)], auto_comments=notes, context=context)
    return catalog


def read_french() -> Catalog:
    """The French catalogue as it is committed. Raises FileNotFoundError when there is none."""
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE, abort_invalid=True)


def merged(french: Catalog, used: Catalog) -> Catalog:
    """`french` with an entry for each message of `used`. Unused entries become comments, from which they can return."""
    for message in list(french.obsolete.values()):
        french[message.id] = message
    french.obsolete.clear()
    # No fuzzy matching: a guess from a similar message would look like a translation.
    french.update(used, no_fuzzy_matching=True, update_creation_date=False)
    return french


def compiled(french: Catalog) -> bytes:
    target = BytesIO()
    write_mo(target, french)
    return target.getvalue()


def untranslated(used: Iterable[Message], french: Catalog) -> list[str]:
    """The messages of `used` whose French is missing or marked as unconfirmed (fuzzy)."""
    missing = []
    for message in used:
        if not message.id:
            continue
        found = french.get(_key(message), message.context)
        if found is None or found.fuzzy or not all(_texts(found.string)):
            missing.append(_key(message))
    return missing


def _key(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id


def _texts(string: object) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (str(string or ""),)


def _sources(root: Path) -> Iterator[Path]:
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in _WITHOUT_MESSAGES:
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".py", *_TEMPLATES) and path.is_file():
                    yield path


def _messages_of(path: Path) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    """(message, notes for translators, context) of each message in a Python file or a template."""
    text = path.read_text("utf-8")
    if path.suffix in _TEMPLATES:
        # Django turns a template into calls of gettext among blanks. Without indentation this can be parsed as Python.
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    for _line, message, notes, context in extract("python", BytesIO(text.encode()), KEYWORDS, _NOTES):
        yield message, notes, context


def main() -> None:
    used = used_messages()
    french = merged(read_french(), used)
    with PO.open("wb") as file:
        write_po(file, french, width=120, include_lineno=False, sort_by_file=True)
    MO.write_bytes(compiled(french))
    missing = untranslated(used, french)
    for text in missing:
        print(f"no French yet: {text}")
    print(f"{len(used)} messages, {len(missing)} without French; {len(french.obsolete)} unused")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
