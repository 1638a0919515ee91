"""Django's own views beside the handlers."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path

from orders.models import Order


def whoami(request: HttpRequest) -> JsonResponse:
    """Who is logged in; counts visits in the session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"user": request.user.get_username(), "visits": request.session["visits"]})


def form(request: HttpRequest) -> JsonResponse:
    """What a form sent; CsrfViewMiddleware looks at it before."""
    files = {name: file.read().decode() for name, file in request.FILES.items()}
    return JsonResponse({"method": request.method, "data": dict(request.POST.lists()), "files": files})


def moved(request: HttpRequest, times: int) -> HttpResponse:
    """Redirects so many times."""
    if times:
        place = request.GET.get("to", f"/moved/{times - 1}")
        return HttpResponseRedirect(place, status=int(request.GET.get("status", 302)))
    return HttpResponse(f"{request.method} here")


def away(request: HttpRequest) -> HttpResponse:
    """Redirects to another site."""
    return HttpResponseRedirect("https://elsewhere.test/moved/0")


def cookies(request: HttpRequest) -> HttpResponse:
    """Sets a cookie, and deletes another."""
    response = HttpResponse(";".join(sorted(request.COOKIES)))
    response.set_cookie("kept", "1 2")
    response.delete_cookie("gone")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """Fails."""
    raise KeyError("of a view")


def latin(request: HttpRequest) -> HttpResponse:
    """In another charset."""
    return HttpResponse("é".encode("latin-1"), content_type="text/plain; charset=latin-1")


def many(request: HttpRequest) -> HttpResponse:
    """Uses the database from a view."""
    Order.objects.create(title="from a view")
    return HttpResponse(str(Order.objects.count()))


urlpatterns = [
    path("whoami", whoami),
    path("form", form),
    path("moved/<int:times>", moved),
    path("away", away),
    path("cookies", cookies),
    path("broken", broken),
    path("latin", latin),
    path("many", many),
]
