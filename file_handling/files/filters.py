"""Filters of the list of files."""

import django_filters
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter
from file_handling.models import File, FileType
from users.models import Country, User


class FileFilter(django_filters.FilterSet):
    file_type = django_filters.ChoiceFilter(choices=FileType.choices, label=_("Kind"))
    name = django_filters.CharFilter(lookup_expr="icontains", label=_("Name"))
    sha256 = django_filters.CharFilter(lookup_expr="iexact", label=_("SHA-256"))
    uploaded = django_filters.DateFromToRangeFilter(field_name="uploaded_at", label=_("Uploaded"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    user = IdFilter(field_name="user_id", of=User, named="username", label=_("Account"))

    class Meta:
        model = File
        fields: list[str] = []
