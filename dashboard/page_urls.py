"""Pages of figures."""

from django.urls import path

from dashboard.pages import FiguresPage

urlpatterns = [
    path("figures/", FiguresPage.as_view(), name="page-figures"),
    path("figures/<slug:part>/", FiguresPage.as_view(), name="page-figures-part"),
]
