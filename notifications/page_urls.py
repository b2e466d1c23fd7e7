"""Pages of webhooks."""

from django.urls import path

from notifications import pages

urlpatterns = [
    path("webhooks/", pages.WebhooksPage.as_view(), name="page-webhooks"),
    path("webhooks/new/", pages.WebhookFormPage.as_view(), name="page-webhook-new"),
    path("webhooks/<int:pk>/", pages.WebhookPage.as_view(), name="page-webhook"),
    path("webhooks/<int:pk>/change/", pages.WebhookFormPage.as_view(), name="page-webhook-change"),
    path("webhooks/<int:pk>/<slug:act>/", pages.WebhookActPage.as_view(), name="page-webhook-act"),
    path("webhooks/<int:pk>/messages/<int:message>/replay/", pages.ReplayPage.as_view(), name="page-webhook-replay"),
]
