"""The client for async tests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser

from django_rivet.django.guard import without_loop
from django_rivet.testing import databases, messages
from django_rivet.testing.async_websocket import AsyncSocket, connected
from django_rivet.testing.base import BaseClient
from django_rivet.testing.events import Event, parse
from django_rivet.testing.response import Response


class AsyncClient(BaseClient):
    """`Client` with coroutines: the loop goes on while an answer is waited for.

    async with AsyncClient() as client:
        assert (await client.get("/orders/7")).json() == {"number": "7"}
    """

    def __init__(self, **arguments: Any) -> None:
        """As `Client`."""
        super().__init__(**arguments)
        self._starting = asyncio.Lock()

    async def request(
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
        await self.start()
        prepared = self._prepare(method, path, params, headers, messages.body(content, json, data))
        return await asyncio.to_thread(self._send, prepared, headers, follow=follow)

    async def get(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("GET", path, **arguments)

    async def post(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("POST", path, **arguments)

    async def put(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("PUT", path, **arguments)

    async def patch(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("PATCH", path, **arguments)

    async def delete(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("DELETE", path, **arguments)

    async def head(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("HEAD", path, **arguments)

    async def options(self, path: str, **arguments: Any) -> Response:
        """See `request`."""
        return await self.request("OPTIONS", path, **arguments)

    @asynccontextmanager
    async def events(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """As `Client.events`: `async with` it, and `anext` or `async for` the events."""
        await self.start()
        fields = {"accept": "text/event-stream", **(headers or {})}
        connection, response = await asyncio.to_thread(self._open, self._prepare("GET", path, params, fields, None))
        try:
            await asyncio.to_thread(self._check_stream, response)
            yield _events(response)
        finally:
            response.close()
            connection.close()

    @asynccontextmanager
    async def websocket(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        origin: str | None = None,
    ) -> AsyncGenerator[AsyncSocket]:
        """As `Client.websocket`."""
        await self.start()
        prepared = self._prepare("GET", path, params, headers, None)
        self._running.failures.forget()
        async with connected(self, prepared, subprotocols, origin) as socket:
            yield socket

    async def alogin(self, **credentials: Any) -> bool:
        """As Django's client: True when the credentials are right."""
        await self.start()
        return await self._django.alogin(**credentials)

    async def aforce_login(self, user: AbstractBaseUser, backend: str | None = None) -> None:
        """As Django's client: later requests are this user's."""
        await self.start()
        await self._django.aforce_login(user, backend)

    async def alogout(self) -> None:
        """As Django's client: forgets the session and all cookies."""
        await self._django.alogout()

    async def start(self) -> None:
        """Starts the server now, if it does not run yet.

        The databases are those of the test: of this thread, or of the one that sync_to_async leads to.
        """
        async with self._starting:
            if self._served is None:
                # Beside a loop Django would have connections of the coroutine's own.
                here = without_loop(databases.in_transaction)
                shared = without_loop(databases.shareable) if here else await sync_to_async(databases.shareable)()
                await asyncio.to_thread(self._serve, shared)

    async def close(self) -> None:
        """Stops the server."""
        await asyncio.to_thread(self._stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


async def _events(response: Any) -> AsyncIterator[Event]:
    events = parse(response)
    while (event := await asyncio.to_thread(next, events, None)) is not None:
        yield event
