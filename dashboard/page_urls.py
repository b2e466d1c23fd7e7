"""Pages of figures, and the home page."""

from django.urls import path

from users.access.pages import Stub

urlpatterns = [
    path("figures/", Stub.as_view(), name="page-figures"),
    path("figures/<slug:part>/", Stub.as_view(), name="page-figures-part"),
]
