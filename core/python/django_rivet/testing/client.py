"""The client for sync tests."""

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser

from django_rivet.testing import databases, messages
from django_rivet.testing.base import BaseClient
from django_rivet.testing.events import Event, parse
from django_rivet.testing.response import Response
from django_rivet.testing.websocket import Socket, connected


class Client(BaseClient):
    """Sends requests to the project, served as runrivet serves it, in this process.

        with Client() as client:
            assert client.get("/orders/7").json() == {"number": "7"}

    The first request starts the server, on a free port; `close`, or the end of `with`, stops it.

    headers: sent with each request. raise_exceptions: what a handler or view raises is raised here too, else the test
    gets the 500 that users get. enforce_csrf_checks: else unsafe requests carry the token that CsrfViewMiddleware
    wants. timeout: seconds that an answer, or the next part of one, may take. options: those of runrivet by name, such
    as `max_body=1000`, before the settings.
    """

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        follow: bool = False,
    ) -> Response:
        """Sends one request and reads the whole answer.

        params: for the query. The body is one of `content` (as it is), `json` (encoded as Django does) and `data` (a
        form; with files in it as multipart). follow: goes where redirects lead, within the site; the answers before
        the last are in `history`.

        Raises OSError or http.client.HTTPException for an answer that is cut or does not come.
        """
        self.start()
        prepared = self._prepare(method, path, params, headers, messages.body(content, json, data))
        return self._send(prepared, headers, follow=follow)

    def get(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("PUT", path, **arguments)

    def patch(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("PATCH", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("DELETE", path, **arguments)

    def head(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("HEAD", path, **arguments)

    def options(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return self.request("OPTIONS", path, **arguments)

    @contextmanager
    def events(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Generator[Iterator[Event]]:
        """Opens a stream of server-sent events; its end leaves it, as a browser that is closed.

            with client.events("/news") as events:
                assert next(events).data == "hello"

        Raises AssertionError when the answer is no such stream.
        """
        self.start()
        fields = {"accept": "text/event-stream", **(headers or {})}
        connection, response = self._open(self._prepare("GET", path, params, fields, None))
        with contextlib.closing(connection), response:
            self._check_stream(response)
            yield parse(response)

    @contextmanager
    def websocket(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        origin: str | None = None,
    ) -> Generator[Socket]:
        """Opens a WebSocket; its end closes it with 1000.

            with client.websocket("/echo") as socket:
                socket.send("hello")
                assert socket.receive() == "hello"

        Raises Denied when the server does not take it. Needs the package `websockets`.
        """
        self.start()
        prepared = self._prepare("GET", path, params, headers, None)
        self._running.failures.forget()
        with connected(self, prepared, subprotocols, origin) as socket:
            yield socket

    def login(self, **credentials: Any) -> bool:
        """As Django's client: True when the credentials are right."""
        return self._django.login(**credentials)

    def force_login(self, user: AbstractBaseUser, backend: str | None = None) -> None:
        """As Django's client: later requests are this user's."""
        self._django.force_login(user, backend)

    def logout(self) -> None:
        """As Django's client: forgets the session and all cookies."""
        self._django.logout()

    def start(self) -> None:
        """Starts the server now, if it does not run yet. The databases are those that this thread has now."""
        if self._served is None:
            self._serve(databases.shareable())

    def close(self) -> None:
        """Stops the server."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
