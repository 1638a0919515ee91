"""Bounds: sizes, silence, rates, and clients that do not read."""

import contextlib
import select
import struct
import time
import zlib

import pytest

from waiting import until
from websocket_server import BINARY, CLOSE, PING, PONG, TEXT, Client, frame, serve

MIB = 1 << 20


def test_a_message_too_big_is_refused_before_its_payload():
    with serve(ws_max_message=MIB) as server:
        for start in (
            frame(TEXT, b"x" * (MIB + 1))[:14],
            frame(TEXT, b"x" * MIB, fin=False) + frame(0, b"xy")[:6],
        ):
            with Client(server) as client:
                client.send(start)
                assert client.closed()[0] == 1009
        with Client(server) as client:
            client.send(frame(TEXT, b"x" * MIB))
            assert client.read() == (0x81, b"x" * MIB)


def test_a_large_frame_announced_takes_no_memory():
    with serve(ws_max_message=1 << 30) as server, contextlib.ExitStack() as stack:
        before = server.rss()
        for _ in range(20):
            client = stack.enter_context(Client(server))
            client.send(frame(BINARY, b"x")[:1] + b"\xff" + struct.pack("!Q", 1 << 30) + b"abcd" + b"x" * 100)
        with Client(server) as client:
            client.send(frame(TEXT, b"after them"))
            client.read()
        assert server.rss() - before < 8 * MIB


FULL = (1013, "the server holds too much of messages")


def begun(size: int, payload: bytes | None = None, *, rsv: int = 0) -> bytes:
    """The first frame of a message that goes on."""
    return frame(BINARY, bytes(size) if payload is None else payload, fin=False, rsv=rsv)


def told_end(client: Client) -> bool:
    """Has the server closed this connection for want of memory?"""
    first, payload = client.read()
    return first == 0x80 | CLOSE and (int.from_bytes(payload[:2]), payload[2:].decode()) == FULL


def readable(clients: list[Client]) -> list[Client]:
    return [client for client in clients if select.select([client.socket], [], [], 0)[0]]


def test_messages_in_part_have_a_bound_together():
    with serve(ws_memory=4 * MIB, ws_max_message=MIB) as server:
        for _ in range(3):  # what is given back counts no more
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(Client(server)) for _ in range(9)]
                for client in clients:
                    client.send(begun(400 << 10))
                with Client(server) as greedy:
                    greedy.send(begun(800 << 10))
                    assert greedy.closed() == FULL
                # Who holds less goes on.
                for client in clients:
                    client.send(frame(0, b"end"))
                    assert client.read()[1] == bytes(400 << 10) + b"end"


def test_the_largest_message_has_room_however_small_the_bound():
    with serve(ws_memory=1, ws_max_message=MIB) as server, Client(server) as client:
        for _ in range(3):
            client.send(begun(MIB // 2) + frame(0, bytes(MIB // 2)))
            assert client.read() == (0x80 | BINARY, bytes(MIB))


def test_messages_in_part_count_as_what_they_inflate_to():
    state = zlib.compressobj(wbits=-15)
    small = state.compress(bytes(3 * MIB)) + state.flush(zlib.Z_SYNC_FLUSH)
    assert len(small) < 8192
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    with serve(ws_memory=8 * MIB, ws_max_message=4 * MIB) as server, contextlib.ExitStack() as stack:
        before = server.rss()
        clients = [stack.enter_context(Client(server, fields=offer)) for _ in range(20)]
        for client in clients:
            client.send(begun(0, small, rsv=4))
        until(lambda: len(readable(clients)) == 18, "all but two are closed")
        assert all(told_end(client) for client in readable(clients))
        assert server.rss() - before < 24 * MIB


def test_messages_that_nobody_takes_have_a_bound_together():
    with serve(ws_memory=4 * MIB, ws_max_message=MIB) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server, "/deaf")) for _ in range(10)]
        for client in clients:
            client.send(frame(BINARY, bytes(900 << 10)))
        until(lambda: len(readable(clients)) == 6, "those that have room are left")
        assert all(told_end(client) for client in readable(clients))
        assert [server.next()[2:] for _ in range(6)] == [list(FULL)] * 6


def test_frames_that_wait_behind_others_have_a_bound_together():
    with serve(ws_memory=2 * MIB, ws_max_message=MIB) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server, "/deaf")) for _ in range(60)]
        for client in clients:
            client.send(frame(TEXT, b"x") * 9000)  # 63 KB, of which 64 messages are looked at
        until(lambda: len(readable(clients)) >= 20, "those that have room are left")
        assert all(told_end(client) for client in readable(clients))
        with Client(server) as other:
            other.send(frame(TEXT, b"unharmed"))
            assert other.read() == (0x81, b"unharmed")


def test_silence_is_pinged_then_cut():
    with serve(ws_ping=0.3, ws_ping_timeout=0.3) as server:
        with Client(server) as silent, Client(server) as alive:
            began = time.monotonic()
            assert silent.read() == (0x80 | PING, b"")
            for _ in range(4):
                first, payload = alive.read()
                assert first == 0x80 | PING
                alive.send(frame(PONG, payload))
            silent.ended()
            assert time.monotonic() - began < 5
            alive.send(frame(TEXT, b"alive"))
            while (told := alive.read()) == (0x80 | PING, b""):
                pass
            assert told == (0x81, b"alive")
        codes = [server.next()[2], server.next()[2]]
    assert codes == [1006, 1006]


def test_a_handler_that_takes_its_time_costs_nobody_the_connection():
    with serve(ws_ping=0.3, ws_ping_timeout=0.3) as server, Client(server, "/late") as client:
        client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(200)))
        answers = []
        while len(answers) < 200:
            first, payload = client.read()
            if first == 0x80 | PING:
                client.send(frame(PONG, payload))
            else:
                answers.append(payload)
        assert answers == [b"%d" % number for number in range(200)]


def test_a_rate_is_kept():
    with serve(ws_rate=20) as server:
        with Client(server) as client:
            client.send(frame(TEXT, b"x") * 20)
            for _ in range(20):
                assert client.read() == (0x81, b"x")
            client.send(frame(TEXT, b"x") * 30)
            while (told := client.read()) == (0x81, b"x"):
                pass
            assert told[0] == 0x80 | CLOSE
            assert told[1][:2] == struct.pack("!H", 1008)
        assert server.next()[:3] == ["disconnect", "/echo", 1008]
        with Client(server) as client:
            for _ in range(30):
                client.send(frame(TEXT, b"x"))
                client.read()
                time.sleep(0.06)


def test_a_client_that_never_reads_holds_up_its_handler_only():
    with serve() as server, Client(server) as other:
        before = server.rss()
        with Client(server, "/flood", small=True):
            kind, sent = server.next()
            assert kind == "waits"
            # What waits is bounded by high_water (256 KiB) and the kernel's buffers.
            assert sent * 65536 < 16 * MIB
            for number in range(50):
                other.send(frame(TEXT, b"%d" % number))
                assert other.read() == (0x81, b"%d" % number)
            assert server.rss() - before < 8 * MIB
        assert [server.next()[:1] for _ in range(2)] == [["send"], ["disconnect"]]


def test_a_client_that_never_reads_is_cut():
    with serve(write_timeout=1) as server, Client(server, "/flood", small=True):
        assert server.next()[0] == "waits"
        assert sorted([server.next()[0], server.next()[0]]) == ["disconnect", "send"]


def blocked(client: Client, data: bytes, most: int = 256 * MIB) -> int:
    """Sends `data` again and again until the server takes no more, or cuts; returns how many bytes went."""
    client.socket.settimeout(1)
    sent = 0
    with contextlib.suppress(TimeoutError, ConnectionError):
        while sent < most:
            sent += client.socket.send(data)
    return sent


@pytest.mark.parametrize("path", ["/deaf", "/echo"])
def test_messages_that_nobody_takes_are_not_read(path):
    with serve() as server, Client(server) as other:
        before = server.rss()
        with Client(server, path, small=True) as client:
            assert blocked(client, frame(BINARY, bytes(60_000))) < 64 * MIB
            other.send(frame(TEXT, b"unharmed"))
            assert other.read() == (0x81, b"unharmed")
            assert server.rss() - before < 8 * MIB


def test_pings_without_end_are_not_answered_into_memory():
    with serve() as server, Client(server) as other:
        before = server.rss()
        with Client(server, small=True) as client:
            # Each answer goes to a client that reads none. To take all is fine, to keep it is not.
            blocked(client, frame(PING, b"x" * 125) * 500, most=64 * MIB)
            other.send(frame(TEXT, b"unharmed"))
            assert other.read() == (0x81, b"unharmed")
            assert server.rss() - before < 8 * MIB


def test_nothing_is_read_for_ever_after_a_close():
    with serve() as server, Client(server, "/close/1000") as client:
        assert client.read()[0] == 0x80 | CLOSE
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 20:
                client.send(frame(TEXT, b"never mind"))
                time.sleep(0.05)
        # The engine waits 5 s for the answer to its close frame.
        assert time.monotonic() - began < 15


def test_a_broadcast_reaches_all_but_those_that_do_not_keep_up():
    with serve(high_water=65536) as server, contextlib.ExitStack() as stack:
        members = [stack.enter_context(Client(server, "/room")) for _ in range(20)]
        slow = stack.enter_context(Client(server, "/room", small=True))
        for count in range(1, 22):
            assert server.next() == ["member", count]
        reached = 21
        message = b"x" * 60_000
        for _ in range(400):
            members[0].send(frame(BINARY, message))
            for member in members:
                assert member.read() == (0x80 | BINARY, message)
            _, reached = server.next()
            if reached == 20:
                break
        assert reached == 20
        while (told := slow.read()) == (0x80 | BINARY, message):
            pass
        assert told[1][:2] == struct.pack("!H", 1013)
        members[0].send(frame(TEXT, b"still here"))
        assert [member.read() for member in members] == [(0x81, b"still here")] * 20


def test_messages_of_one_turn_keep_their_order_and_are_nobody_elses():
    with serve() as server, contextlib.ExitStack() as stack:
        sender, *others = [stack.enter_context(Client(server, "/room")) for _ in range(3)]
        for _ in range(3):
            assert server.next()[0] == "member"
        for _ in range(3):
            sender.send(frame(TEXT, b"more"))
            assert [sender.read()[1] for _ in range(3)] == [b"more", b"yours", b"again"]
            for other in others:
                assert [other.read()[1] for _ in range(2)] == [b"more", b"again"]


def test_an_idle_socket_is_small():
    count = 800
    state = zlib.compressobj(wbits=-15)
    message = (state.compress(b"hello " * 200) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]
    with serve() as server, contextlib.ExitStack() as stack:
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        for number in range(count + 100):
            if number == 100:
                before = server.rss()
            client = stack.enter_context(Client(server, fields=offer))
            client.send(frame(TEXT, message, rsv=4))
            client.read()
        kib = (server.rss() - before) / count / 1024
    assert kib < 8, f"{kib:.1f} KiB each"


def test_all_is_given_back():
    with serve() as server:

        def crowd() -> None:
            with contextlib.ExitStack() as stack:
                for _ in range(300):
                    client = stack.enter_context(Client(server))
                    client.send(frame(TEXT, b"x" * 100_000, fin=False))
            for _ in range(300):
                assert server.next()[0] == "disconnect"

        crowd()
        before = server.rss()
        for _ in range(3):
            crowd()
        until(lambda: server.rss() - before < 16 * MIB, "memory given back")
