"""How the functions that change accounts and countries say no. API and admin each put it in their own form."""

from collections.abc import Mapping, Sequence


class NotAllowed(Exception):
    """The actor may not do this (DOMAIN §1). `str()` is a sentence for them."""


class Invalid(Exception):
    """What was given cannot be kept. `errors`: field → all that is wrong with it, in sentences for the actor."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {field: [str(reason) for reason in reasons] for field, reasons in errors.items()}
        # Field names alone: what was given may name a person, and this may reach a log.
        super().__init__(", ".join(self.errors))
