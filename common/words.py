"""Parts of sentences in the active language."""

from collections.abc import Iterable

from django.utils.translation import pgettext


def clauses(texts: Iterable[str]) -> str:
    """The texts joined as clauses of one sentence, with the separator of the active language."""
    return pgettext("between the parts of a sentence", "; ").join(texts)
