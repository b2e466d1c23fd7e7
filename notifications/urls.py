from rest_framework.routers import SimpleRouter

from notifications.views import MessageViewSet, WebhookViewSet

router = SimpleRouter()
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register(r"webhooks/(?P<webhook_pk>[^/.]+)/messages", MessageViewSet, basename="webhook-message")

urlpatterns = router.urls
