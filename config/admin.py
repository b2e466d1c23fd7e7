"""Django's admin, on our own site."""

from django.contrib.admin.apps import AdminConfig


class ConcordAdminConfig(AdminConfig):
    default_site = "users.access.admin_site.ConcordAdminSite"
