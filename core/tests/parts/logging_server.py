"""A server that logs to standard output; standard error's first line is its port. Ends when standard input does.

python logging_server.py ROOT NAME=VALUE...   options of django_rivet.conf
"""

import contextlib
import dataclasses
import socket
import sys
import threading

from django_rivet import conf
from django_rivet.server.engine import Engine

root, *words = sys.argv[1:]
given = dict(word.split("=", 1) for word in words)
kinds = {row.name: row.kind for row in conf.rows()}
options = dataclasses.replace(conf.Options(), **{name: kinds[name].parse(value) for name, value in given.items()})
engine = Engine(options)
listening = socket.create_server(("127.0.0.1", 0))


@contextlib.asynccontextmanager
async def application(reactor):
    reactor.native([("GET", "/items/{name}", lambda name: {"name": name}, "sync")])
    reactor.files("/static/", root)
    reactor.websocket(lambda socket: socket.close())
    reactor.fallback(answer)
    yield


def answer(request):
    if request.path != "/fails":  # else it is dropped
        request.respond(404, [("X-Id", request.id)], b"not here")


def wait():
    sys.stdin.read()
    engine.stop()


def ready():
    print(listening.getsockname()[1], file=sys.stderr, flush=True)
    threading.Thread(target=wait, daemon=True).start()


engine.run(application, [listening], ready)
