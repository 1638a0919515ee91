"""Channels' consumers on the engine, under load: nothing lost, nothing out of order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import channel_layers
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from server import serve, until

SOCKETS = 50
MESSAGES = 40
events: list[tuple[str, object]] = []


class Room(AsyncWebsocketConsumer):
    """Tells each member of a room what one says."""

    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()
        await self.send("joined")

    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send(self.room, {"type": "say", "text": text_data})

    async def say(self, event):
        await self.send(event["text"])

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        events.append(("left", code))


class Sync(WebsocketConsumer):
    """The synchronous kind: its handlers run on threads."""

    def receive(self, text_data=None, bytes_data=None):
        if text_data == "close":
            self.close(4003)
        else:
            self.send(text_data=text_data, bytes_data=bytes_data)

    def disconnect(self, code):
        events.append(("sync left", code))


class Refuses(WebsocketConsumer):
    """Does not let anybody in."""

    def connect(self):
        self.close()


class Fails(AsyncJsonWebsocketConsumer):
    """Has a mistake."""

    async def receive_json(self, content):
        raise KeyError("secret detail")


@pytest.fixture
def server():
    events.clear()
    channel_layers.backends.clear()
    websocket = URLRouter(
        [
            path("room/<room>/", Room.as_asgi()),
            path("sync/", Sync.as_asgi()),
            path("refuses/", Refuses.as_asgi()),
            path("fails/", Fails.as_asgi()),
        ]
    )
    with serve(ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websocket})) as server:
        yield server
    channel_layers.backends.clear()


def join(server, room):
    client = server.open(f"/room/{room}/", max_queue=None)
    assert client.recv(10) == "joined"
    return client


def test_group_messages_under_load_are_complete_and_in_order(server):
    members = [join(server, "load") for _ in range(SOCKETS)]
    speakers = members[:5]

    def speak(number):
        for count in range(MESSAGES):
            speakers[number].send(f"{number} {count}")

    def listen(member):
        return [member.recv(30) for _ in range(len(speakers) * MESSAGES)]

    with ThreadPoolExecutor(SOCKETS + len(speakers)) as pool:
        heard = [pool.submit(listen, member) for member in members]
        for number in range(len(speakers)):
            pool.submit(speak, number)
        heard = [future.result(60) for future in heard]
    for messages in heard:
        for number in range(len(speakers)):
            own = [message for message in messages if message.startswith(f"{number} ")]
            assert own == [f"{number} {count}" for count in range(MESSAGES)]
    for member in members:
        member.close()
    until(lambda: len(events) == SOCKETS, "all disconnects")
    assert set(events) == {("left", 1000)}


def test_rooms_do_not_hear_each_other(server):
    one, other = join(server, "one"), join(server, "other")
    one.send("for one")
    other.send("for the other")
    assert (one.recv(10), other.recv(10)) == ("for one", "for the other")
    one.close()
    other.close()


def test_members_that_come_and_go_disturb_nobody(server):
    stays = join(server, "busy")
    stop = threading.Event()

    def come_and_go():
        while not stop.is_set():
            join(server, "busy").close()

    with ThreadPoolExecutor(4) as pool:
        comings = [pool.submit(come_and_go) for _ in range(4)]
        for count in range(200):
            stays.send(str(count))
            assert stays.recv(10) == str(count)
        stop.set()
        for coming in comings:
            coming.result(10)
    stays.close()


def test_synchronous_consumers(server):
    clients = [server.open("/sync/") for _ in range(20)]
    for count in range(10):
        for number, client in enumerate(clients):
            client.send(f"{number} {count}")
        for number, client in enumerate(clients):
            assert client.recv(10) == f"{number} {count}"
    clients[0].send(b"\0\1")
    assert clients[0].recv(10) == b"\0\1"
    for client in clients:
        client.send("close")
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
        assert caught.value.rcvd.code == 4003
    until(lambda: len(events) == 20, "all disconnects")
    assert set(events) == {("sync left", 4003)}


def test_a_consumer_that_refuses(server):
    with pytest.raises(InvalidStatus) as caught, connect(server.url("/refuses/")):
        pass
    assert caught.value.response.status_code == 403


def test_an_unknown_path_is_refused(server, caplog):
    with pytest.raises(InvalidStatus) as caught, connect(server.url("/nowhere/")):
        pass
    assert caught.value.response.status_code == 500
    assert "No route found" in caplog.text


def test_a_mistake_in_a_consumer_closes_with_1011(server, caplog):
    with connect(server.url("/fails/")) as client:
        client.send("{}")
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
    assert caught.value.rcvd.code == 1011
    assert "secret detail" in caplog.text


def test_a_lost_client_reaches_disconnect(server):
    client = join(server, "lost")
    client.socket.shutdown(2)
    client.socket.close()
    until(lambda: events, "the disconnect")
    assert events == [("left", 1006)]
