"""The keys that decide whether two spellings are one thing (DOMAIN §4)."""

import re
import unicodedata
from hashlib import blake2b

# The longest key that the database stores, in characters.
KEY_LENGTH = 255
EMPTY_WORDS = frozenset({"", "-", "--", "nan", "none", "null", "nat", "n/a"})

# The masculine ordinal º is typed for the degree sign ° (`Nº` for `N°`); NFKD would turn it, and the ligature №, into a
# letter o.
_NUMBER_SIGNS = {ord("º"): "°", ord("№"): "N°"}
# The ligatures that NFKD leaves whole, as capitals. It writes the others out (`ﬁ`, `ĳ`).
_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "ẞ": "SS"})

_NO_HEADER_CHARACTER = re.compile(r"[^a-z0-9]+")
_NO_NAME_CHARACTER = re.compile(r"[^A-Z0-9]+")
_POINT_ZERO = re.compile(r"([0-9]+)\.0")
# A number as a spreadsheet shortens it: `2,0230E+16`. A decimal mark or a sign in the exponent tells it from `12E5`.
_SCIENTIFIC = re.compile(r"[-+]?(?:[0-9]+[.,][0-9]*[eE][-+−]?|[0-9]+[eE][-+−])[0-9]+")


class _Cleaning(dict[int, str | int | None]):
    """What `clean_text` makes of each character: its replacement, None to drop it."""

    def __missing__(self, code: int) -> str | int | None:
        # Invisible characters: zero width, soft hyphen, direction marks, a byte-order mark inside a text.
        return None if unicodedata.category(chr(code)) == "Cf" else code


# Control characters are dropped, but line breaks and tabs separate words.
_CLEANING = _Cleaning(dict.fromkeys((*range(0x20), *range(0x7F, 0xA0))))
_CLEANING |= dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85), " ")
_CLEANING[ord("’")] = "'"


def clean_text(text: str) -> str:
    """Trim, make runs of white space one space and `’` an apostrophe, drop invisible characters (DOMAIN §4 "Text")."""
    # All invisible characters and all white space but the plain space count as not printable.
    if "’" in text or not text.isprintable():
        text = text.translate(_CLEANING)
    return " ".join(text.split())


def is_empty(text: str | None) -> bool:
    """Whether a cell is empty: blank, `-`, `--`, `nan`, `none`, `null`, `nat` or `n/a` (DOMAIN §4 "Empty")."""
    if text is None:
        return True
    if len(text) > 4 and text.isprintable() and text[0] != " " and text[-1] != " ":
        return False
    return clean_text(text).lower() in EMPTY_WORDS


def _fold(text: str) -> str:
    """Drop accents and case, write ligatures out: NFKD without its marks, in capitals."""
    if text.isascii():
        return text.upper()
    apart = unicodedata.normalize("NFKD", text.translate(_NUMBER_SIGNS))
    plain = "".join([c for c in apart if c < "\x80" or unicodedata.category(c) != "Mn"])
    return plain.upper().translate(_LIGATURES)


def header_key(text: str) -> str:
    """Key of a column header (DOMAIN §4): `Numéro de Sinistre` and `numero_de_sinistre` are `numerodesinistre`."""
    return _NO_HEADER_CHARACTER.sub("", _fold(text).lower())


def label_key(text: str) -> str:
    """Key of employers, partners, plans, act categories, acts and operators (DOMAIN §4)."""
    folded = _fold(clean_text(text))
    # NFKD makes some letters and signs (`¨`) a space and an accent.
    return folded if text.isascii() else clean_text(folded)


def name_key(text: str) -> str:
    """Key of a person (DOMAIN §4): the words of the name in sorted order, so `LAWSON AFI` is `Afi  Lawson`."""
    return " ".join(sorted(_NO_NAME_CHARACTER.sub(" ", _fold(clean_text(text))).split()))


def has_lost_digits(reference: str) -> bool:
    """Whether a reference is a number in scientific notation, whose digits are lost (DOMAIN §4 "Keys").

    `2,0230E+16` is one, and `12E5` is an ordinary reference: it has neither a decimal mark nor a sign in the exponent.
    """
    # Cleaning makes no letter E, and hardly any reference has one.
    return ("E" in reference or "e" in reference) and _SCIENTIFIC.fullmatch(clean_text(reference)) is not None


def reference_text(text: str) -> str:
    """The text of a policy, invoice or payment number: clean, without the `.0` of a number cell (DOMAIN §4)."""
    text = clean_text(text)
    number = _POINT_ZERO.fullmatch(text) if text.endswith(".0") else None
    return number[1] if number else text


def reference_key(text: str) -> str:
    """Key of policy, invoice, payment and card numbers (DOMAIN §4): `45/RD / GB` and `45/RD/GB` are `45RDGB`."""
    return _NO_NAME_CHARACTER.sub("", _fold(reference_text(text)))


def claim_number(text: str) -> str:
    """A claim number in capitals without any white space, nor the `.0` of a number cell (DOMAIN §4)."""
    return "".join(reference_text(text).upper().split())


def shortened_key(key: str) -> str:
    """The key, at most KEY_LENGTH characters long.

    Two long keys that differ must stay different, so the end of a key that is too long is replaced by its digest.
    """
    if len(key) <= KEY_LENGTH:
        return key
    return key[: KEY_LENGTH - 33] + "#" + blake2b(key.encode(), digest_size=16).hexdigest()
