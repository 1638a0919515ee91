import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from .feed import as_json
from .forms import OrderForm
from .models import Order
from .placing import place
from .views import LATEST, MemberRequest

MAX_PAGE = 100
TYPES = {"title": str, "quantity": int}
TYPE_NAMES = {str: "a string", int: "an integer"}


class ApiError(Exception):
    def __init__(self, status: HTTPStatus, message: str, **fields: list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"code": status.name.lower(), "message": message}
        if fields:
            self.body["fields"] = fields


def endpoint(**handlers: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that gives each method to its handler, and answers every error as JSON."""
    allowed = ", ".join(["HEAD", *handlers])

    @never_cache
    @csrf_exempt  # the token is asked for below, after the login, so that strangers get 401
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        try:
            return answer(request, **path)
        except ApiError as error:
            headers = {"Allow": allowed} if error.status == HTTPStatus.METHOD_NOT_ALLOWED else None
            return JsonResponse({"error": error.body}, status=error.status, headers=headers)

    def answer(request: HttpRequest, **path: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "Sign in first.")
        handler = handlers.get("GET" if request.method == "HEAD" else request.method or "")
        if handler is None:
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, f"Use one of: {allowed}.")
        response = csrf_protect(handler)(request, **path)
        if isinstance(response, HttpResponseForbidden):
            raise ApiError(HTTPStatus.FORBIDDEN, "Send the csrftoken cookie's value as header X-CSRFToken.")
        return response

    return view


def page(request: HttpRequest) -> HttpResponse:
    """The latest orders, then those before `next`: pages stay right while new orders come in."""
    limit = _number(request, "limit", LATEST, MAX_PAGE)
    orders = Order.objects.select_related("user")
    if "before" in request.GET:
        orders = orders.filter(pk__lt=_number(request, "before", 1, 2**63 - 1))
    found = list(orders[: limit + 1])
    following = f"{request.path}?before={found[limit - 1].pk}&limit={limit}" if len(found) > limit else None
    return JsonResponse({"orders": [as_json(order) for order in found[:limit]], "next": following})


def create(request: MemberRequest) -> HttpResponse:
    data = _body(request)
    wrong = {
        name: [f"Send {TYPE_NAMES[kind]}."]
        for name, kind in TYPES.items()
        if name in data and type(data[name]) is not kind
    }
    form = OrderForm({name: data.get(name) for name in TYPES})
    fields = {name: [str(error) for error in errors] for name, errors in form.errors.items()} | wrong
    if fields:
        raise ApiError(HTTPStatus.BAD_REQUEST, "Some fields are not right.", **fields)
    form.instance.user = request.user
    place(form.instance)
    location = {"Location": f"{request.path}{form.instance.pk}/"}
    return JsonResponse(as_json(form.instance), status=HTTPStatus.CREATED, headers=location)


def one(request: HttpRequest, order_id: int) -> HttpResponse:
    order = Order.objects.select_related("user").filter(pk=order_id).first()
    if order is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "There is no such order.")
    return JsonResponse(as_json(order))


def _number(request: HttpRequest, name: str, default: int, largest: int) -> int:
    try:
        number = int(request.GET.get(name, default))
    except ValueError:
        number = 0
    if not 1 <= number <= largest:
        message = f"Send an integer from 1 to {largest}."
        raise ApiError(HTTPStatus.BAD_REQUEST, "The address is not right.", **{name: [message]})
    return number


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
    try:
        data = json.loads(request.body)
    except RequestDataTooBig:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is too much for one order.") from None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, "Send one JSON object.")
    return data
