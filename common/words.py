"""What sentences are put together from."""

from collections.abc import Iterable

from django.utils.translation import pgettext


def clauses(texts: Iterable[str]) -> str:
    """The texts one behind the other as parts of one sentence, set apart as the active language does."""
    return pgettext("between the parts of a sentence", "; ").join(texts)
