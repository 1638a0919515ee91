"""Native handlers beside Django's own views."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path, reverse


@login_not_required
def links(request: HttpRequest) -> JsonResponse:
    """What the names of native handlers lead to."""
    template = engines["django"].from_string("{% url 'rivet:shop:read_item' number=7 %}")
    return JsonResponse(
        {
            "reversed": reverse("rivet:shop:both", kwargs={"a": "x y", "b": "é"}),
            "template": template.render(),
            "same path": reverse("rivet:shop:write_item", args=[8]),
        }
    )


@login_not_required
def page(request: HttpRequest, name: str) -> HttpResponse:
    """A view of Django's own."""
    return HttpResponse(f"page {name}")


urlpatterns = [
    path("", include("django_rivet.urls")),
    path("links", links),
    path("page/<str:name>", page),
]
