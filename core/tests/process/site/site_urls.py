"""Views that say who answered what, and views that take their time."""

import gc
import hashlib
import os
import subprocess
import threading
import time

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

if os.path.exists(os.environ.get("SITE_DIES", "")):
    raise RuntimeError("this project is broken on purpose")


def named(request: HttpRequest, name: str) -> HttpResponse:
    """Answers with its own name, so that a crossed answer shows, and the process."""
    time.sleep(float(request.GET.get("seconds", 0)))
    return HttpResponse(f"{name} {os.getpid()}")


def held(request: HttpRequest, name: str) -> HttpResponse:
    """Answers like `named` once a file is there: a test says when."""
    while not os.path.exists(request.GET["until"]):
        time.sleep(0.01)
    return named(request, name)


@csrf_exempt
def upload(request: HttpRequest, name: str) -> HttpResponse:
    """Answers with the length and sum of what came."""
    return HttpResponse(f"{name} {os.getpid()} {len(request.body)} {hashlib.sha256(request.body).hexdigest()}")


def stuck(request: HttpRequest) -> HttpResponse:
    """Never answers."""
    threading.Event().wait()
    return HttpResponse()


def orphan(request: HttpRequest) -> HttpResponse:
    """Leaves a process behind whose parent has ended."""
    subprocess.run(["sh", "-c", "sleep 0.2 &"], check=True)
    return HttpResponse()


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """More than any client's buffers take."""
    piece = b"x" * 65536
    return StreamingHttpResponse(piece for _ in range(int(request.GET["pieces"])))


def left_to_collector(request: HttpRequest) -> HttpResponse:
    """How many of what the urlconf has loaded the garbage collector goes through, and of all there is."""
    looked_at = {id(each) for each in gc.get_objects()}
    return HttpResponse(f"{sum(id(each) in looked_at for each in urlpatterns)} {len(looked_at)}")


urlpatterns = [
    path("named/<str:name>", named),
    path("held/<str:name>", held),
    path("upload/<str:name>", upload),
    path("stuck", stuck),
    path("orphan", orphan),
    path("stream", stream),
    path("left-to-collector", left_to_collector),
]
