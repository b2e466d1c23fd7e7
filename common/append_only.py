"""Models whose rows are written once, as checked by Python; `common.append_only_tables` has the database's check."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Raised on an attempt to change or delete a row of an append-only model."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(f"{model.__name__} is append-only: its rows are neither changed nor removed")


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Reads and adds rows. Every method that changes or deletes rows raises AppendOnlyError."""

    def _refuse(self) -> NoReturn:
        raise AppendOnlyError(self.model)

    def update(self, **kwargs: Any) -> NoReturn:
        self._refuse()

    async def aupdate(self, **kwargs: Any) -> NoReturn:
        self._refuse()

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    def delete(self) -> NoReturn:
        self._refuse()

    async def adelete(self) -> NoReturn:
        self._refuse()

    def _raw_delete(self, using: str | None) -> NoReturn:
        self._refuse()

    delete.alters_data = True  # type: ignore[attr-defined]
    update.alters_data = True  # type: ignore[attr-defined]


class AppendOnlyModel(models.Model):
    """A row that `save` writes once and that cannot be deleted.

    A foreign key with SET_NULL is still set to NULL when the row that it references is deleted.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(type(self))
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(type(self))
