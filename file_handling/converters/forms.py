"""The form of a converter. `services` checks and stores the values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.outgoing import LONGEST_URL
from file_handling.converters import services
from file_handling.models import Converter
from users.accounts.forms import ServiceForm
from users.models import User


class ConverterForm(ServiceForm):
    """A new converter, or changes of one. `secret`: that of a new one, once it is saved."""

    name = forms.CharField(label=_("name"), max_length=services.LONGEST_NAME)
    extensions = forms.CharField(
        label=_("file extensions"), max_length=200, help_text=_("Separated by commas, such as: ods, xlsb")
    )
    url = forms.CharField(
        label=_("address"),
        max_length=LONGEST_URL,
        help_text=_("https://…, on the internet"),
        widget=forms.URLInput(attrs={"size": 60}),
    )
    megabytes = forms.IntegerField(label=_("largest answer (MB)"), initial=50)
    seconds = forms.IntegerField(label=_("longest time for a file (seconds)"), initial=60)
    is_active = forms.BooleanField(label=_("active"), required=False, initial=True)

    def __init__(self, data: Any = None, *, actor: User, converter: Converter | None = None) -> None:
        initial = {}
        if converter is not None:
            initial = {name: getattr(converter, name) for name in services.CHANGEABLE}
            initial["extensions"] = ", ".join(converter.extensions)
        super().__init__(data, initial=initial)
        self.actor, self.converter, self.secret = actor, converter, ""

    def save(self) -> Converter:
        """Register the converter, or change it. Raises Invalid, NotAllowed."""
        values = dict(self.cleaned_data)
        values["extensions"] = [one for one in values["extensions"].split(",") if one.strip()]
        if self.converter is not None:
            return services.change(actor=self.actor, converter=self.converter, **values)
        converter, self.secret = services.register(actor=self.actor, **values)
        return converter
