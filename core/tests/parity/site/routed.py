"""URLconfs whose answer depends on more than the path."""

from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path, register_converter
from django.utils.translation import gettext_lazy


def shows(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    match = request.resolver_match
    assert match is not None
    return HttpResponse(f"{match.view_name} {match.route} {args} {kwargs} {match.captured_kwargs} {match.namespaces}")


class ByName:
    """A converter that reads the database: never on the I/O thread."""

    regex = "[a-z]+"

    def to_python(self, value: str) -> User:
        return User.objects.get(username=value)

    def to_url(self, value: Any) -> str:
        return str(value)


register_converter(ByName, "byname")
urlpatterns = [
    path("plain", shows, name="plain"),
    path("extra", shows, {"extra": 1}, name="extra"),
    path("number/<int:number>", shows, name="number"),
    re_path(r"^any/.*$", shows, name="any"),
    path("in/", include(([path("side", shows, name="side")], "app"), namespace="space")),
    path("user/<byname:user>", shows, name="user"),
    *i18n_patterns(path(gettext_lazy("Home"), shows, name="home")),
]
other = [path("plain", shows, name="other")]
