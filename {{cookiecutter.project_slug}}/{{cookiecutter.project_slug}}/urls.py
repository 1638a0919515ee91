from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from .views import home

urlpatterns = [
    path("", home, name="home"),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("health/", include("{{ cookiecutter.project_slug }}.health.urls")),
{%- if cookiecutter.example_app == "yes" %}
    path("", include("orders.urls")),
{%- endif %}
    path("", include("django_rivet.urls")),  # native handlers, each app's api.py: their names, and for other servers
]

if settings.DEBUG and settings.MEDIA_URL.startswith("/"):
    urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
