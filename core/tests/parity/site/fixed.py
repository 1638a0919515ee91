"""A URLconf in which a path always leads to the same view."""

from django.urls import include, path, re_path
from routed import shows

urlpatterns = [
    path("plain", shows, name="plain"),
    path("extra", shows, {"extra": 1}, name="extra"),
    path("number/<int:number>", shows, name="number"),
    re_path(r"^any/.*$", shows, name="any"),
    path("in/", include(([path("side", shows, name="side")], "app"), namespace="space")),
]
