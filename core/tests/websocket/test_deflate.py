"""permessage-deflate over the wire (RFC 7692): bombs, windows, what is worth compressing."""

import random
import zlib

import pytest

from websocket_server import BINARY, TEXT, Client, frame, serve

OFFER = "Sec-WebSocket-Extensions: permessage-deflate{}\r\n"
RSV1 = 4


@pytest.fixture(scope="module")
def server():
    with serve(ws_max_message=1 << 20) as server:
        yield server


def squeeze(data: bytes) -> bytes:
    state = zlib.compressobj(9, wbits=-15)
    return (state.compress(data) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]


def test_a_bomb_is_1009_and_takes_no_memory(server):
    bomb = frame(BINARY, squeeze(bytes(200 << 20)), rsv=RSV1)
    assert len(bomb) < 250_000
    before = server.rss()
    with Client(server, fields=OFFER.format("")) as client:
        client.send(bomb)
        assert client.closed()[0] == 1009
    assert server.rss() - before < 16 << 20


def test_the_limit_counts_what_comes_out(server):
    for size, fits in ((1 << 20, True), ((1 << 20) + 1, False)):
        with Client(server, fields=OFFER.format("")) as client:
            client.send(frame(BINARY, squeeze(bytes(size)), rsv=RSV1))
            if fits:
                first, payload = client.read()
                assert first == 0x80 | RSV1 << 4 | BINARY
                assert zlib.decompress(payload + b"\0\0\xff\xff\x01\0\0\xff\xff", wbits=-15) == bytes(size)
            else:
                assert client.closed()[0] == 1009


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x07"])
def test_corrupt_data_fails_the_connection(server, data):
    with Client(server, fields=OFFER.format("")) as client:
        client.send(frame(BINARY, data, rsv=RSV1))
        assert client.closed()[0] == 1007


def narrow(bits: int, payload: bytes) -> bytes:
    """Inflates a byte at a time: a distance beyond the window fails."""
    state = zlib.decompressobj(-bits)
    out = bytearray(state.decompress(payload + b"\0\0\xff\xff", 1))
    while part := state.decompress(state.unconsumed_tail, 1):
        out += part
    return bytes(out)


@pytest.mark.parametrize("bits", range(8, 16))
def test_answers_keep_within_the_clients_window(server, bits):
    rand = random.Random(bits)
    data = bytearray()
    for number in range(4000):
        # Near and far repeats, so that each window has some within and some beyond.
        distance = 16 + (number * 37) % (300 if number % 4 else 40_000)
        data += rand.randbytes(4) + data[-distance:][:12]
    with Client(server, fields=OFFER.format(f"; server_max_window_bits={bits}")) as client:
        client.send(frame(BINARY, bytes(data)))
        first, payload = client.read()
    assert first == 0x80 | RSV1 << 4 | BINARY
    assert narrow(bits, payload) == data


def test_the_check_of_windows_sees_a_distance_beyond():
    block = random.Random(1).randbytes(300)
    state = zlib.compressobj(9, wbits=-15)
    with pytest.raises(zlib.error, match="too far back"):
        narrow(8, (state.compress(block + block) + state.flush(zlib.Z_SYNC_FLUSH))[:-4])


def test_only_what_becomes_smaller_is_compressed(server):
    noise = random.Random(2).randbytes(5000)
    with Client(server, fields=OFFER.format("")) as client:
        for message in (b"short" * 5, noise, b"long " * 1000, noise, b"long " * 1000):
            rsv = RSV1 if len(message) > 500 and message is not noise else 0
            client.send(frame(TEXT if message is not noise else BINARY, message))
            first, payload = client.read()
            assert first & 0x70 == rsv << 4
            if rsv:
                payload = narrow(15, payload)
            assert payload == message
