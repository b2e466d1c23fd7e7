from rest_framework.routers import SimpleRouter

from file_handling.files.views import FileViewSet

router = SimpleRouter()
router.register("files", FileViewSet, basename="file")

# Sessions are read by this app's views too, but under the addresses where `importer` starts them.
urlpatterns = router.urls
