"""The only way from a request to rows: `Model.objects.visible_to(user)`."""

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models

from users.models import Country, User


def country_id_of(row: models.Model) -> int | None:
    """The id of the country that a row belongs to, by its model's `country_path`; of a country, its own id.

    None for a row that all countries share and for an account without a country.
    """
    if isinstance(row, Country):
        return row.pk
    value: Any = row
    for part in getattr(row, "country_path", "").split("__"):
        value = getattr(value, part) if part else None
    return None if value is None else int(value)


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows that each belong to one country.

    `country_path` of the model is the lookup of its country ("country_id", "claim__country_id" …). A model without one
    raises TypeError: a missing scope must never mean all rows.
    """

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The rows that `user` may read: all rows for global roles, those of the own country for the others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_countries():
            return self.all()
        country_id = user.working_country_id()
        if country_id is None:
            return self.none()
        return self.of_country(country_id).within_country(user)

    def of_country(self, country_id: int) -> Self:
        """The rows of one country. A model whose rows the database would look for too long overrides this method."""
        return self.filter(**{self.country_path(): country_id})

    def within_country(self, user: User) -> Self:
        """The rows of the own country that an account may read. A model with a narrower rule overrides this method."""
        return self

    def country_path(self) -> str:
        path = getattr(self.model, "country_path", None)
        if not path:
            raise TypeError(f"{self.model.__name__} has no country_path, so its rows have no scope")
        return str(path)
