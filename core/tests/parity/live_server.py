"""LiveServerTestCase on our handler and the engine, for Django's own suites.

Subclasses that make a server of their own stay stock.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test.testcases import LiveServerTestCase, _MediaFilesHandler
from django.test.testcases import LiveServerThread as Stock

import counting
from django_rivet.django import DjangoHandler, Pool
from django_rivet.django.request import RivetRequest
from django_rivet.server.thread import ServerThread


class Request(RivetRequest):
    environ = property(lambda self: self.META)  # a test looks at it


class Handler(DjangoHandler):
    """With what Django's live server has besides views: static and media files, the test's database connections."""

    request_class = Request

    def __init__(self, pool: Pool, thread: LiveServerThread) -> None:
        super().__init__(pool, inline="never")
        media = _MediaFilesHandler(WSGIHandler())
        self.files = [thread.static_handler(media), media]
        self.test_connections = thread.connections_override or {}

    def __call__(self, core: Any) -> None:
        counting.sent()
        super().__call__(core)

    def get_response(self, request: Any) -> Any:
        for alias, connection in self.test_connections.items():
            connections[alias] = connection
        for handler in self.files:
            if handler._should_handle(request.path):
                response = handler.get_response(request)
                response._resource_closers.append(request.close)
                return response
        return super().get_response(request)


class LiveServerThread(Stock):
    def start(self) -> None:
        self.pool = Pool(4)
        try:
            self.server = ServerThread(self.set_up, host=self.host, port=self.port)
            self.server.start()
            self.port = self.server.port
        except Exception as error:
            self.error = error
        self.is_ready.set()

    def set_up(self, reactor: Any) -> None:
        reactor.fallback(Handler(self.pool, self))

    def terminate(self) -> None:
        if self.is_ready.is_set() and self.error is None:
            self.server.stop()
        self.pool.close()


def install() -> None:
    LiveServerTestCase.server_thread_class = LiveServerThread
