"""Startup and shutdown of ASGI applications."""

import asyncio
import threading

import pytest

from django_rivet.asgi import LifespanError
from server import get, serve, until
from test_http import answer, only_http


def with_lifespan(events, requests=None, startup="complete", shutdown="complete"):
    async def application(scope, receive, send):
        if scope["type"] != "lifespan":
            events.append(scope["type"])
            await (requests or answer())(scope, receive, send)
            return
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        scope["state"]["pool"] = "made at startup"
        for name, result in (("startup", startup), ("shutdown", shutdown)):
            assert await receive() == {"type": f"lifespan.{name}"}
            events.append(name)
            await send({"type": f"lifespan.{name}.{result}", "message": "no database"})
            if result == "failed":
                return

    return application


def test_startup_comes_before_requests_and_shutdown_after():
    events = []
    with serve(with_lifespan(events)) as server:
        assert events == ["startup"]
        assert get(server)[1] == b"hello"
    assert events == ["startup", "http", "shutdown"]


def test_state_is_copied_for_each_request():
    seen = []

    async def requests(scope, receive, send):
        seen.append(dict(scope["state"]))
        scope["state"]["mine"] = scope["path"]
        await answer()(scope, receive, send)

    with serve(with_lifespan([], requests)) as server:
        get(server, "/1")
        get(server, "/2")
    assert seen == [{"pool": "made at startup"}] * 2


def test_a_failed_startup_is_a_clear_error():
    with pytest.raises(LifespanError, match="startup failed: no database"), serve(with_lifespan([], startup="failed")):
        pass


def test_a_failed_shutdown_is_a_clear_error():
    with (
        pytest.raises(LifespanError, match="shutdown failed: no database"),
        serve(with_lifespan([], shutdown="failed")),
    ):
        pass


def test_an_application_without_lifespan_is_served():
    with serve(only_http(answer())) as server:
        assert get(server)[1] == b"hello"


@pytest.mark.parametrize("receives", [False, True])
def test_an_application_that_returns_from_lifespan_is_served(receives):
    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            if receives:
                await receive()
            return
        await answer()(scope, receive, send)

    with serve(application) as server:
        assert get(server)[1] == b"hello"


def test_an_error_within_startup_is_logged_and_the_application_served(caplog):
    """The specification: the server must continue."""

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            raise KeyError("secret detail")
        await answer()(scope, receive, send)

    with serve(application) as server:
        assert get(server)[1] == b"hello"
    assert "secret detail" in caplog.text


def test_a_lifespan_that_ends_early_does_not_hold_up_the_shutdown():
    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            return
        await answer()(scope, receive, send)

    with serve(application) as server:
        assert get(server)[1] == b"hello"


@pytest.mark.parametrize("kind", ["lifespan.shutdown.complete", "http.response.start"])
def test_messages_out_of_order_are_a_clear_error(kind):
    errors = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            try:
                await send({"type": kind})
            except RuntimeError as error:
                errors.append(str(error))
                raise

    with serve(application):
        pass
    assert "out of order in lifespan startup" in errors[0]


def test_startup_is_completed_only_once():
    errors = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            try:
                await send({"type": "lifespan.startup.complete"})
            except RuntimeError as error:
                errors.append(str(error))
            await receive()
            await send({"type": "lifespan.shutdown.complete"})

    with serve(application):
        pass
    assert len(errors) == 1


def test_shutdown_waits_for_work_after_answers():
    events = []
    release = threading.Event()

    async def requests(scope, receive, send):
        await answer()(scope, receive, send)
        while not release.is_set():
            await asyncio.sleep(0.005)
        events.append("work done")

    with serve(with_lifespan(events, requests)) as server:
        assert get(server)[1] == b"hello"
        threading.Timer(0.2, release.set).start()
    assert events == ["startup", "http", "work done", "shutdown"]


def test_shutdown_cancels_what_does_not_end():
    events = []

    async def requests(scope, receive, send):
        await answer()(scope, receive, send)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    with serve(with_lifespan(events, requests)) as server:
        get(server)
        until(lambda: "http" in events, "the request")
        asyncio.run_coroutine_threadsafe(server.handler.shutdown(0.05), server.loop).result(10)
        assert events == ["startup", "http", "cancelled", "shutdown"]
