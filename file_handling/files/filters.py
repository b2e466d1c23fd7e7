"""Filters of the list of files."""

import django_filters

from common.filters import IdFilter
from file_handling.models import File, FileType


class FileFilter(django_filters.FilterSet):
    file_type = django_filters.ChoiceFilter(choices=FileType.choices)
    name = django_filters.CharFilter(lookup_expr="icontains")
    sha256 = django_filters.CharFilter(lookup_expr="iexact")
    uploaded = django_filters.DateFromToRangeFilter(field_name="uploaded_at")
    country = IdFilter(field_name="country_id")
    user = IdFilter(field_name="user_id")

    class Meta:
        model = File
        fields: list[str] = []
