"""RIVET_TRUSTED_PROXIES through the running engine: whose word about the client is believed."""

import json

import pytest

from django_rivet.server.thread import ServerThread
from raw_client import connect


def answer(request):
    meta = request.meta()
    told = {
        "client": request.client and request.client[0],
        "scheme": request.scheme,
        "remote": meta.get("REMOTE_ADDR"),
        "seen": meta.get("HTTP_X_FORWARDED_FOR"),
    }
    request.respond(200, [], json.dumps(told).encode())


def serve(trusted, **where):
    return ServerThread(lambda reactor: reactor.fallback(answer), trusted_proxies=trusted, **where)


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "client"),
    [
        ("", ["192.0.2.1"], "127.0.0.1"),
        ("10.0.0.0/8", ["192.0.2.1"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.0/8,10.0.0.0/8", ["6.6.6.6, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("127.0.0.0/8,10.0.0.0/8", ["6.6.6.6", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        ("127.0.0.1", ["6.6.6.6, [2001:db8::1]:4711"], "2001:db8::1"),
        ("127.0.0.1", ["192.0.2.1, unknown"], "127.0.0.1"),
        ("*", ["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
    ],
)
def test_the_client(trusted, forwarded_for, client):
    with serve(trusted) as server, connect((server.host, server.port)) as connection:
        told = json.loads(connection.get("/", *(("X-Forwarded-For", value) for value in forwarded_for)).body)
        assert (told["client"], told["remote"]) == (client, client)


@pytest.mark.parametrize(
    ("trusted", "proto", "scheme"),
    [
        ("", ["https"], "http"),
        ("10.0.0.0/8", ["https"], "http"),
        ("127.0.0.1", [], "http"),
        ("127.0.0.1", ["https"], "https"),
        ("127.0.0.1", ["HTTPS"], "https"),
        ("127.0.0.1", ["https, http"], "http"),
        ("127.0.0.1", ["http", "https"], "http"),
        ("127.0.0.1", ["gopher"], "http"),
    ],
)
def test_the_scheme(trusted, proto, scheme):
    with serve(trusted) as server, connect((server.host, server.port)) as connection:
        told = json.loads(connection.get("/", *(("X-Forwarded-Proto", value) for value in proto)).body)
        assert told["scheme"] == scheme


def test_the_standard_field_is_not_read():
    """One convention: two that disagree would let a client choose (docs: RFC 7239 Forwarded is not read)."""
    with serve("127.0.0.1") as server, connect((server.host, server.port)) as connection:
        told = json.loads(connection.get("/", ("Forwarded", "for=6.6.6.6;proto=https")).body)
        assert (told["client"], told["scheme"]) == ("127.0.0.1", "http")


def test_a_kept_connection_tells_of_each_request_anew():
    with serve("127.0.0.1") as server, connect((server.host, server.port)) as connection:
        for address in "192.0.2.1", "192.0.2.2", None, "192.0.2.3":
            fields = [("X-Forwarded-For", address)] if address else []
            assert json.loads(connection.get("/", *fields).body)["client"] == (address or "127.0.0.1")


@pytest.mark.parametrize(("trusted", "client"), [("unix", "192.0.2.1"), ("127.0.0.1", None)])
def test_a_unix_socket(tmp_path, trusted, client):
    path = str(tmp_path / "socket")
    with serve(trusted, uds=path), connect(path) as connection:
        told = json.loads(connection.get("/", ("X-Forwarded-For", "192.0.2.1")).body)
        assert told["client"] == client


def test_a_wrong_list_is_refused_with_a_reason():
    with pytest.raises(Exception, match=r"10\.0\.0\.1/8.*write 10\.0\.0\.0/8"), serve("10.0.0.1/8"):
        pass
