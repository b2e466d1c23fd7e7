from rest_framework.routers import SimpleRouter

from file_handling.converters.views import ConverterViewSet
from file_handling.files.views import FileViewSet

router = SimpleRouter()
router.register("files", FileViewSet, basename="file")
router.register("converters", ConverterViewSet, basename="converter")

# The views of sessions have no address here: the importer app adds them to its own, where it starts sessions.
urlpatterns = router.urls
