"""The async client, in Django's async tests."""

import asyncio
import time

from django.contrib.auth.models import User
from django.test import TestCase
from orders.models import Order

from django_rivet import Disconnected
from django_rivet.testing import AsyncClient, Denied


class AsyncClientTest(TestCase):
    async def test_requests_share_the_transaction(self):
        await Order.objects.acreate(title="of the test")
        async with AsyncClient() as client:
            assert (await client.get("/orders")).json() == ["of the test"]
            assert (await client.post("/orders", json={"title": "two"})).status_code == 200
            assert (await client.get("/count")).json() == 2
        assert await Order.objects.acount() == 2

    async def test_every_method(self):
        async with AsyncClient() as client:
            for method in ("get", "post", "put", "patch", "delete"):
                assert (await getattr(client, method)("/form")).json()["method"] == method.upper()
            assert (await client.head("/form")).content == b""
            assert (await client.options("/facts")).status_code == 204
            assert (await client.get("/moved/2", follow=True)).text == "GET here"

    async def test_requests_at_once(self):
        async with AsyncClient() as client:
            await client.start()
            since = time.monotonic()
            responses = await asyncio.gather(*[client.get("/slow") for _ in range(8)])
            assert time.monotonic() - since < 8 * 0.05
            assert {response.text for response in responses} == {"rivet-server"}

    async def test_users(self):
        user = await User.objects.acreate_user("ann", password="secret")
        async with AsyncClient() as client:
            await client.aforce_login(user)
            assert (await client.get("/whoami")).json()["user"] == "ann"
            await client.alogout()
            assert (await client.get("/whoami")).json()["user"] == ""
            assert await client.alogin(username="ann", password="secret")
            assert (await client.get("/whoami")).json()["user"] == "ann"

    async def test_exceptions(self):
        async with AsyncClient() as client:
            with self.assertRaisesMessage(KeyError, "of a handler"):
                await client.get("/fails")

    async def test_events(self):
        async with AsyncClient() as client:
            async with client.events("/orders/news") as events:
                assert [event.data async for event in events] == ["hello", "a\nb"]
            with self.assertRaisesMessage(AssertionError, "no event stream"):
                async with client.events("/facts"):
                    pass

    async def test_websockets(self):
        async with AsyncClient() as client:
            async with client.websocket("/orders/echo") as socket:
                await socket.send_json([1])
                assert await socket.receive_json() == [1]
                with self.assertRaises(TimeoutError):
                    await socket.receive(timeout=0.01)
            with self.assertRaises(Denied):
                async with client.websocket("/chat", headers={"X-Denied": "1"}):
                    pass
            async with client.websocket("/chat") as socket:
                await socket.send("end")
                with self.assertRaises(Disconnected):
                    await socket.receive()
            with self.assertRaisesMessage(KeyError, "of a socket"):
                async with client.websocket("/chat") as socket:
                    await socket.send("fail")
                    await socket.receive()


def test_the_fixture(db, async_rivet_client):
    """Where the loop runs on the thread of the transaction, as with pytest-asyncio."""
    Order.objects.create(title="of the fixture's test")

    async def run():
        assert (await async_rivet_client.get("/orders")).json() == ["of the fixture's test"]
        assert (await async_rivet_client.get("/count")).json() == 1
        user = await User.objects.acreate_user("bob")
        await async_rivet_client.aforce_login(user)
        assert (await async_rivet_client.get("/whoami")).json()["user"] == "bob"

    asyncio.run(run())
    assert User.objects.filter(username="bob").exists()
