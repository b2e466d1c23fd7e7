"""Gathers what the code says to people into the French catalogue, and compiles it: `make messages`.

Writes locale/fr/LC_MESSAGES/django.po (what is new comes without French, to be filled in by hand) and django.mo, which
is committed so that a machine without gettext tools speaks French. Run it again once the French is filled in.
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

# Everything else speaks to people; a new app is heard without being named here.
_SILENT = ("build", "data", "docs", "locale", "static", "tests")
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
    """Every message that the Python code and the templates under `root` use, with the files that use it."""
    catalog = Catalog(fuzzy=False)
    for path in _sources(root):
        place = path.relative_to(root).as_posix()
        for message, notes, context in _said(path):
            catalog.add(message, locations=[(place, 1)], auto_comments=notes, context=context)
    return catalog


def read_french() -> Catalog:
    """The French catalogue as it is committed. Raises FileNotFoundError when there is none."""
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE, abort_invalid=True)


def merged(french: Catalog, used: Catalog) -> Catalog:
    """`french` with an entry for each message of `used`; what is used no more stays as a comment, and comes back."""
    for message in list(french.obsolete.values()):
        french[message.id] = message
    french.obsolete.clear()
    # A guess from a similar message would look like a translation that somebody made.
    french.update(used, no_fuzzy_matching=True, update_creation_date=False)
    return french


def compiled(french: Catalog) -> bytes:
    target = BytesIO()
    write_mo(target, french)
    return target.getvalue()


def untranslated(used: Iterable[Message], french: Catalog) -> list[str]:
    """The messages of `used` that have no French, or one that nobody has confirmed (fuzzy)."""
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
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in _SILENT:
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".py", *_TEMPLATES) and path.is_file():
                    yield path


def _said(path: Path) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    """(message, notes for translators, context) of each call in a Python file or a template that names a message."""
    text = path.read_text("utf-8")
    if path.suffix in _TEMPLATES:
        # Django turns a template into calls among blanked-out text; without indents, that is readable as Python.
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
    print(f"{len(used)} messages, {len(missing)} without French; {len(french.obsolete)} used no more")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
