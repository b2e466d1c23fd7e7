"""Gathers what the code says to people into the French catalogue, and compiles it: `make messages`.

Writes locale/fr/LC_MESSAGES/django.po (what is new comes without French, to be filled in by hand) and django.mo, which
is committed so that a machine without gettext tools speaks French. Run it again once the French is filled in.
"""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

BASE_DIR = Path(__file__).resolve().parent.parent
LANGUAGE = "fr"
PO = BASE_DIR / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

# Where code that speaks to people lives; .venv, data and tests are no part of it.
FOLDERS = ("common", "config", "core", "dashboard", "file_handling", "importer", "scripts", "templates", "users")
_TEMPLATES = (".html", ".txt")
_SINGLE, _PLURAL, _CONTEXT = None, (1, 2), ((1, "c"), 2)
KEYWORDS = {
    "_": _SINGLE,
    "gettext": _SINGLE,
    "gettext_lazy": _SINGLE,
    "gettext_noop": _SINGLE,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_TRANSLATORS_NOTE = "Translators:"


def used_messages(root: Path = BASE_DIR) -> Catalog:
    """Every message that the Python code and the templates under `root` use, with the files that use it."""
    catalog = Catalog(fuzzy=False)
    for path in _sources(root):
        place = path.relative_to(root).as_posix()
        for function, said, notes in _said(path):
            context, identity = _identity(function, said)
            if identity and identity != ("", ""):
                catalog.add(identity, locations=[(place, 1)], auto_comments=notes, context=context)
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
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", *_TEMPLATES) and "migrations" not in path.parts and path.is_file():
                yield path


def _said(path: Path) -> Iterator[tuple[str, tuple[str | None, ...], list[str]]]:
    """(function, its text arguments, notes for translators) of each call in a Python file or a template."""
    text = path.read_text("utf-8")
    if path.suffix in _TEMPLATES:
        # Django turns a template into calls among blanked-out text; without indents, that is readable as Python.
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    options = {"encoding": "utf-8"}
    for _line, function, said, notes in extract_python(BytesIO(text.encode()), KEYWORDS, [_TRANSLATORS_NOTE], options):
        yield function, said if isinstance(said, tuple) else (said,), notes


def _identity(function: str, said: tuple[str | None, ...]) -> tuple[str | None, str | tuple[str, str]]:
    """(context, message) of a call; the message is empty when it is no literal, as in `_(variable)`."""
    spec = KEYWORDS[function]
    if spec is _SINGLE:
        return None, said[0] or ""
    picked = [said[place[0] - 1 if isinstance(place, tuple) else place - 1] or "" for place in spec]
    context = picked.pop(0) if isinstance(spec[0], tuple) else None
    return context, (picked[0], picked[1]) if len(picked) > 1 else picked[0]


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
