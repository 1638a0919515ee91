from typing import Annotated

from django.conf import settings
from django_rivet import API, HTTPError, Request, Response, SessionAuth
from django_rivet.openapi import Docs
from msgspec import Meta, Struct

from .feed import OrderData, describe
from .models import MAX_QUANTITY, MAX_TITLE, Order
from .placing import place
from .views import LATEST

MAX_PAGE = 100
MAX_ID = 2**63 - 1
# Photos have addresses that expire, and "back" after signing out must show nothing.
NOT_KEPT = {"Cache-Control": "no-store, private"}
# It has something to read, and nothing that no database stores.
TITLE = r"^[^\x00]*\w[^\x00]*$"

api = API("/api", auth=SessionAuth())
api.include(Docs("/docs", title=settings.SITE_NAME))


class NewOrder(Struct):
    title: Annotated[str, Meta(max_length=MAX_TITLE, pattern=TITLE)]
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class Page(Struct):
    """The latest orders, then those before `next`: pages stay right while new orders come in."""

    orders: list[OrderData]
    next: str | None


@api.get("/orders/")
def page(
    request: Request,
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = LATEST,
    before: Annotated[int, Meta(ge=1, le=MAX_ID)] | None = None,
) -> Response[Page]:
    """The latest orders of everybody."""
    orders = Order.objects.select_related("user")
    if before is not None:
        orders = orders.filter(pk__lt=before)
    found = list(orders[: limit + 1])
    following = f"{request.path}?before={found[limit - 1].pk}&limit={limit}" if len(found) > limit else None
    return Response(Page([describe(order) for order in found[:limit]], following), headers=NOT_KEPT)


@api.post("/orders/", status=201)
def create(request: Request, new: NewOrder) -> Response[OrderData]:
    """Place an order, which is confirmed a moment later."""
    order = Order(user=request.user, title=new.title.strip(), quantity=new.quantity)
    place(order)
    return Response(describe(order), headers=NOT_KEPT | {"Location": f"{request.path}{order.pk}/"})


@api.get("/orders/{order_id}/", responses={404: HTTPError})
def one(order_id: Annotated[int, Meta(ge=1, le=MAX_ID)]) -> Response[OrderData]:
    """One order."""
    order = Order.objects.select_related("user").filter(pk=order_id).first()
    if order is None:
        raise HTTPError(404, "There is no such order.")
    return Response(describe(order), headers=NOT_KEPT)
