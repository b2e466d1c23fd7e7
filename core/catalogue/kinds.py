"""Acts and act categories: one set of rules for both, over what differs between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from common.errors import Invalid
from common.keys import clean_text, label_key, shortened_key
from core.models import (
    KEY_LENGTH,
    Act,
    ActAlias,
    ActCategory,
    ActCategoryAlias,
    CatalogueKind,
    ChangeKind,
    ClaimLine,
)


@dataclass(frozen=True)
class Kind:
    """Acts, or act categories. `owner`: the field of an alias; `reference`: the field of a claim line.

    `others`: the name of the field in which a request names several.
    """

    name: CatalogueKind
    model: type[Act] | type[ActCategory]
    alias_model: type[ActAlias] | type[ActCategoryAlias]
    owner: str
    reference: str
    others: str
    rename: ChangeKind
    merge: ChangeKind
    alias_add: ChangeKind
    alias_remove: ChangeKind

    @property
    def label(self) -> str:
        """The label of the model, as the steps of a change have it."""
        return self.model._meta.label_lower

    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def aliases(self, ids: Iterable[int]) -> QuerySet[Any]:
        return self.alias_model._default_manager.filter(**{f"{self.owner}__in": list(ids)})

    def new_alias(self, row: Model, *, name: str, key: str) -> Any:
        return self.alias_model(name=name, key=key, **{self.owner: row})

    def lines(self, ids: Iterable[int]) -> QuerySet[ClaimLine]:
        return ClaimLine.objects.filter(**{f"{self.reference}__in": list(ids)})


ACTS = Kind(
    CatalogueKind.ACT, Act, ActAlias, "act", "act_id", "acts",
    ChangeKind.ACT_RENAME, ChangeKind.ACT_MERGE, ChangeKind.ACT_ALIAS_ADD, ChangeKind.ACT_ALIAS_REMOVE,
)  # fmt: skip
CATEGORIES = Kind(
    CatalogueKind.CATEGORY, ActCategory, ActCategoryAlias, "category", "category_id", "categories",
    ChangeKind.CATEGORY_RENAME, ChangeKind.CATEGORY_MERGE, ChangeKind.CATEGORY_ALIAS_ADD,
    ChangeKind.CATEGORY_ALIAS_REMOVE,
)  # fmt: skip
KINDS = (ACTS, CATEGORIES)


def kind_of(row: Model) -> Kind:
    """The kind of an act, a category or one of their aliases."""
    return next(kind for kind in KINDS if isinstance(row, kind.model | kind.alias_model))


def name_and_key(name: str) -> tuple[str, str]:
    """A name as it is stored, and its key. Raises Invalid without letters and digits, and for too long a name."""
    text = clean_text(name)
    if not any(character.isalnum() for character in text):
        raise Invalid({"name": [_("Give a name with letters or digits.")]})
    if len(text) > KEY_LENGTH:
        raise Invalid({"name": [_("At most %(limit)d characters.") % {"limit": KEY_LENGTH}]})
    return text, shortened_key(label_key(text))


def require_free(kind: Kind, key: str, *, besides: int | None = None) -> None:
    """Raises Invalid for the name or alias of another act (or category) than `besides`."""
    other = kind.rows().filter(key=key).exclude(pk=besides).first()
    if other is not None:
        raise Invalid({"name": [_TAKEN[kind.name]() % {"number": other.pk, "name": other.name}]})
    alias = kind.alias_model._default_manager.filter(key=key).select_related(kind.owner).first()
    if alias is not None and getattr(alias, f"{kind.owner}_id") != besides:
        owner = getattr(alias, kind.owner)
        raise Invalid({"name": [_ALIAS_OF[kind.name]() % {"number": owner.pk, "name": owner.name}]})


_TAKEN = {
    CatalogueKind.ACT: lambda: _("Act %(number)d, “%(name)s”, has this name. Merge the two acts instead."),
    CatalogueKind.CATEGORY: lambda: _(
        "Category %(number)d, “%(name)s”, has this name. Merge the two categories instead."
    ),
}
_ALIAS_OF = {
    CatalogueKind.ACT: lambda: _(
        "This name is an alias of act %(number)d, “%(name)s”. Remove the alias there, or merge the two acts."
    ),
    CatalogueKind.CATEGORY: lambda: _(
        "This name is an alias of category %(number)d, “%(name)s”. Remove the alias there, or merge the two categories."
    ),
}
