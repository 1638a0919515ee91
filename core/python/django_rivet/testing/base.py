"""What both clients share: cookies, headers, the server's life."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http.cookie import SimpleCookie
from django.test import Client as DjangoClient
from django.utils.crypto import get_random_string

from django_rivet.testing import messages
from django_rivet.testing.databases import Shared
from django_rivet.testing.response import Response
from django_rivet.testing.served import Served


class Prepared(NamedTuple):
    """A request, ready for the wire."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None


class BaseClient:
    """See `Client`."""

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        raise_exceptions: bool = True,
        enforce_csrf_checks: bool = False,
        timeout: float = 30.0,
        **options: Any,
    ) -> None:
        self.headers = dict(headers or {})
        self.raise_exceptions = raise_exceptions
        self.enforce_csrf_checks = enforce_csrf_checks
        self.timeout = timeout
        self._options = options
        self._served: Served | None = None
        # Its part: sessions, and who is logged in.
        self._django = DjangoClient()

    @property
    def cookies(self) -> SimpleCookie:
        """What the next request sends; answers add to it."""
        return self._django.cookies

    def _serve(self, shared: Shared) -> None:
        served = Served(shared, self._options)
        served.start()
        self._served = served

    def _stop(self) -> None:
        served, self._served = self._served, None
        if served is not None:
            served.stop()

    @property
    def _running(self) -> Served:
        assert self._served is not None
        return self._served

    def _prepare(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        body: messages.Body | None,
    ) -> Prepared:
        fields = self._fields(headers)
        if body is not None and body.content_type:
            fields.setdefault("content-type", body.content_type)
        if method not in messages.SAFE and not self.enforce_csrf_checks:
            token = self.cookies.get(settings.CSRF_COOKIE_NAME)
            if token is None:
                self.cookies[settings.CSRF_COOKIE_NAME] = get_random_string(32)
                token = self.cookies[settings.CSRF_COOKIE_NAME]
            fields.setdefault(messages.csrf_header().lower(), token.value)
        if self.cookies and "cookie" not in fields:
            fields["cookie"] = "; ".join(f"{each.key}={each.coded_value}" for each in self.cookies.values())
        return Prepared(method, messages.target(path, params), fields, body.content if body else None)

    def _fields(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """By names in lower case; those of this request go before those of the client."""
        given = {**self.headers, **(headers or {})}
        return {"host": messages.HOST, **{name.lower(): value for name, value in given.items()}}

    def _open(self, request: Prepared) -> tuple[HTTPConnection, HTTPResponse]:
        """Sends a request on a connection of its own, and waits for the head of the answer."""
        self._running.failures.forget()
        connection = HTTPConnection(*self._running.address, timeout=self.timeout)
        try:
            connection.request(request.method, request.target, request.content, request.headers)
            response = connection.getresponse()
        except (HTTPException, OSError):
            connection.close()
            if self.raise_exceptions:
                self._running.failures.throw()
            raise
        for line in response.headers.get_all("set-cookie", []):
            self._keep(line)
        return connection, response

    def _send(self, request: Prepared, headers: Mapping[str, str] | None, *, follow: bool) -> Response:
        """Sends it, and while `follow` what redirects lead to, with the same `headers`."""
        response = self._send_one(request)
        history: list[Response] = []
        while follow and (following := self._next(request, response)) and len(history) < messages.MOST_REDIRECTS:
            history.append(response)
            body = following.content
            again = None if body is None else messages.Body(body, following.headers.get("content-type"))
            request = self._prepare(following.method, following.target, None, headers, again)
            response = self._send_one(request)
        response.history = history
        return response

    def _send_one(self, request: Prepared) -> Response:
        connection, got = self._open(request)
        try:
            response = Response.of(got)
        except (HTTPException, OSError):
            self._failed(500)
            raise
        finally:
            connection.close()
        self._failed(response.status_code)
        return response

    @staticmethod
    def _check_stream(response: HTTPResponse) -> None:
        got = response.headers.get_content_type()
        if response.status != 200 or got != "text/event-stream":
            raise AssertionError(f"no event stream, but {response.status} {got}: {response.read(1000)!r}")

    def _failed(self, status_code: int) -> None:
        if self.raise_exceptions and status_code == 500:
            self._running.failures.throw()

    def _keep(self, line: str) -> None:
        self.cookies.load(line)
        for name, morsel in SimpleCookie(line).items():
            if str(morsel["max-age"]) == "0":
                self.cookies.pop(name, None)

    @staticmethod
    def _next(request: Prepared, response: Response) -> Prepared | None:
        """Where a redirect leads (RFC 9110 15.4); None: it is none, or leads to another site."""
        place = response.headers.get("location")
        if response.status_code not in messages.REDIRECTS or place is None:
            return None
        parts = urlsplit(urljoin(f"http://{messages.HOST}{request.target}", place))
        if parts.hostname != messages.HOST:
            return None
        path = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
        keeps = response.status_code in (307, 308) or request.method == "HEAD"
        method = request.method if keeps else "GET"
        return request._replace(method=method, target=path, content=request.content if keeps else None)
