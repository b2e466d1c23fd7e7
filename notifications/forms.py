"""The form of a webhook. `notifications.services` checks and stores the values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.outgoing import LONGEST_URL
from notifications import services
from notifications.models import EVENT_TYPES, WebhookEndpoint
from users.accounts.forms import ServiceForm
from users.models import Country, User


class WebhookForm(ServiceForm):
    """A new webhook, or changes of one. `secret`: that of a new one, once it is saved."""

    name = forms.CharField(
        label=_("name"), max_length=services.LONGEST_NAME, help_text=_("Such as the name of the receiving system")
    )
    url = forms.CharField(
        label=_("address"),
        max_length=LONGEST_URL,
        help_text=_("https://…, on the internet"),
        widget=forms.URLInput(attrs={"size": 60}),
    )
    events = forms.MultipleChoiceField(
        label=_("events"),
        choices=[(event.value, event.label) for event in EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
    )
    country = forms.ModelChoiceField(
        label=_("country"), queryset=Country.objects.none(), required=False, empty_label=_("all countries")
    )

    def __init__(self, data: Any = None, *, actor: User, endpoint: WebhookEndpoint | None = None) -> None:
        initial = {} if endpoint is None else {name: getattr(endpoint, name) for name in services.CHANGEABLE}
        super().__init__(data, initial=initial)
        self.actor, self.endpoint, self.secret = actor, endpoint, ""
        if endpoint is None and actor.sees_all_countries():
            self.fields["country"].queryset = Country.objects.visible_to(actor)  # type: ignore[attr-defined]
        else:
            del self.fields["country"]

    def save(self) -> WebhookEndpoint:
        """Register the webhook, or change it. Raises Invalid, NotAllowed."""
        if self.endpoint is not None:
            return services.change(actor=self.actor, endpoint=self.endpoint, **self.cleaned_data)
        endpoint, self.secret = services.register(actor=self.actor, **self.cleaned_data)
        return endpoint
