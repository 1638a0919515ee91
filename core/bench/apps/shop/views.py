"""Django's own views, the same on every server."""

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from shop.models import Item


def sync(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello World"})


async def asynchronous(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello World"})


def items(request: HttpRequest) -> JsonResponse:
    return JsonResponse(list(Item.objects.values("id", "name", "price")[:10]), safe=False)


async def aitems(request: HttpRequest) -> JsonResponse:
    return JsonResponse([item async for item in Item.objects.values("id", "name", "price")[:10]], safe=False)


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html", {"rows": range(10)})


def burn(request: HttpRequest, milliseconds: int) -> JsonResponse:
    """Uses that much time of the CPU, in Python."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        sum(range(500))
    return JsonResponse({"burnt": milliseconds})


def wait(request: HttpRequest, milliseconds: int) -> JsonResponse:
    """Waits that long, as for another service."""
    time.sleep(milliseconds / 1000)
    return JsonResponse({"waited": milliseconds})
