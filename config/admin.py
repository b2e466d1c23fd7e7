"""Django's admin with our own site class."""

from django.contrib.admin.apps import AdminConfig


class ConcordAdminConfig(AdminConfig):
    default_site = "users.access.admin_site.ConcordAdminSite"
