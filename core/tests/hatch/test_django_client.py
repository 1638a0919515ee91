"""Django's own test clients reach native handlers as views."""

import asyncio
import errno
import threading
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.test.utils import override_settings
from shop import api

from three import until


def test_answers():
    client = Client()
    assert client.get("/two/caf%C3%A9/x/b").json() == ["café", "b"]
    assert client.post("/facts/sync/x", data={"a": 1}, content_type="application/json").json()["body"] == 8
    assert client.post("/facts/async/x", data=b"1234", content_type="text/plain").json()["body"] == 4
    assert client.get("/two/a%2Fb/x/c").status_code == 404
    response = client.get("/respond/async")
    assert (response.status_code, response.cookies["b"].value, client.cookies["a"].value) == (418, "2", "1")


@pytest.mark.parametrize("path", ["/fails/x", "/fails/sync/x"])
def test_exceptions_come_to_the_test_or_are_500(path):
    with pytest.raises(KeyError, match="secret x"):
        Client().get(path)
    assert Client(raise_request_exception=False).get(path).status_code == 500


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_body_that_cannot_be_kept(kind, monkeypatch):
    class Full(SpooledTemporaryFile[bytes]):
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django_rivet.hatch.request.SpooledTemporaryFile", Full)
    response = Client().post(f"/limited/{kind}", data=b"1234", content_type="text/plain")
    assert (response.status_code, response["content-type"]) == (507, "application/problem+json")
    assert response.json()["detail"] == "the body cannot be kept"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_streams(kind):
    response = Client().get(f"/stream/{kind}")
    assert b"".join(response.streaming_content) == b"".join(b"%3d," % number * 1000 for number in range(100))


def test_blocking_code_of_coroutines_runs_on_the_thread_of_the_request():
    assert Client().get("/thread").json() == threading.get_ident()


def test_a_stream_that_nobody_reads_to_its_end():
    response = Client().get("/endless/unread")
    assert next(iter(response.streaming_content))
    response.close()
    until(lambda: "unread left" in api.seen and "unread ended True" in api.seen, "the handler's end")


def test_the_async_client():
    async def run():
        client = AsyncClient()
        assert (await client.get("/two/a/x/b")).json() == ["a", "b"]
        assert (await client.post("/facts/async/x", data=b"1234", content_type="text/plain")).json()["body"] == 4
        response = await client.get("/stream/async")
        assert len(b"".join([part async for part in response.streaming_content])) == 100 * 4000
        with pytest.raises(KeyError, match="secret x"):
            await client.get("/fails/x")
        response = await client.get("/endless/async-unread")
        response.close()
        async with asyncio.timeout(10):
            while "async-unread ended True" not in api.seen:
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_ipv4_clients_of_a_server_that_listens_on_all_addresses_are_not_one():
    for address in ("::ffff:192.0.2.1", "::ffff:192.0.2.2"):
        client = Client(REMOTE_ADDR=address)
        assert [client.get("/members/often/address").status_code for _ in range(2)] == [200, 429]
    assert Client(REMOTE_ADDR="192.0.2.1").get("/members/often/address").status_code == 429


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
def test_head_has_the_length_of_get():
    assert Client().head("/values/sync/str")["content-length"] == "7"
