"""Numbers and answers that a client sends as text, in an address, a query or a form."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from common.errors import Invalid

# The largest id that a database column holds. Some databases raise an error when they compare with a larger number.
LARGEST_ID = 2**63 - 1


def positive_int(text: str) -> int | None:
    """The whole number from 1 to LARGEST_ID that `text` writes in digits; None for any other text."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def is_dry_run(query: Mapping[str, str]) -> bool:
    """Whether `?dry_run=true` asks for a preview. Raises Invalid for any other word than true and false."""
    word = query.get("dry_run", "false")
    if word not in ("true", "false"):
        raise Invalid({"dry_run": [_("Choose from: %(choices)s.") % {"choices": "true, false"}]})
    return word == "true"
