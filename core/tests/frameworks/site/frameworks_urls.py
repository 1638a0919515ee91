"""Both frameworks, as their own documentation includes them."""

from django.urls import include, path
from notes import rest
from notes.ninja import api
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.routers import DefaultRouter

router = DefaultRouter()
router.register("notes", rest.NoteViewSet)

urlpatterns = [
    path("rest/", include(router.urls)),
    path("rest/upload/", rest.Upload.as_view()),
    path("rest/raw/<str:filename>", rest.RawUpload.as_view()),
    path("rest/seldom/", rest.seldom),
    path("rest/broken/", rest.broken),
    path("rest/token/", obtain_auth_token),
    path("rest/auth/", include("rest_framework.urls")),
    path("ninja/", api.urls),
]
