"""The same bytes to us, to h11 and to llhttp (httptools), made up by hypothesis.

Whatever we serve, both must have read in the same way: the same methods, targets and bodies, so that no request begins
where another parser sees a body. We may refuse what they take. Where one of them is stricter than RFC 9112 is listed.
"""

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import oracles
from reading import read

# llhttp takes those of a list only
METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "PURGE", "TRACE", "REPORT"]
ODD_METHODS = ["CONNECT", "get", "G ET", "GET:", ""]
TARGETS = ["/", "/a?b=c", "//x", "*", "http://h/x?y", "http://h", "https://[::1]:1/", "/%00", "/[]|", '/"']
ODD_TARGETS = ["a", "/a b", "/\x7f", "/\xe9", "/#f", "http:///", "http://u@h/", "h:80", "?", "", "/\t"]
VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0"]
ODD_VERSIONS = ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/11", "HTTP/1.1\t", "RTSP/1.0", ""]
HOSTS = ["Host: h"] * 6 + ["host:h:80", "Host: \th\t", "Host: [::1]"]
ODD_HOSTS = ["Host: ", "Host: a b", "Host: a,b", "Host : h", "Host: h\r\nHost: h", "X: y", "Host: u@h", "Host: h/x"]
FIELDS = ["A: b", "A:", "A_b: \xe9", "Connection: close", "Connection: keep-alive", "Expect: 100-continue"]
ODD_FIELDS = [
    *["A : b", " A: b", "A: b\r\n c", "A: b\n", "A: b\rc", "A: \0", "A", ": b", "A\xe9: b", "A: b\x0b", "A\t: b"],
    *["Content-Length : 3", "Upgrade: h2c\r\nConnection: upgrade", "Trailer: x", "A: b\r"],
]
LENGTHS = ["0", "3", "03", "5", "10"]
ODD_LENGTHS = [
    *["+3", "-3", "3,3", "3, 3", "0x3", "3 3", "3.0", "", "\v3", "18446744073709551619", "3\r\nContent-Length: 3"],
    *["3\r\nContent-Length: 4", "3\r\nTransfer-Encoding: chunked", "\xb2", "1_0"],
]
ODD_CODINGS = [
    *[
        "gzip",
        "identity",
        "chunked, gzip",
        "gzip, chunked",
        ",chunked",
        "chunked,",
        "xchunked",
        "chunkedx",
        "",
        "chunked;a",
    ],
    *["chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity", "\vchunked", '"chunked"'],
    *["chunked\r\nContent-Length: 3", "chun ked", "chunked\t"],
]
SIZES = ["{:x}", "{:X}", "0{:x}", "{:x};a", '{:x};a="b;c"', "{:x};a=b;c"]
ODD_SIZES = [
    *["+{:x}", "-{:x}", "0x{:x}", "{:x} ", " {:x}", "{:x};", "{:x};a\n", "{:x}\r", "{:x};a=", "{:x};=b", "{:x}_0"],
    *["{:x} ;a", '{:x};a="b', "{:x}g", "", "1000000000000000{:x}", "{:x};\0", "{:x}\t", "{:x};a ", "{:x};a =b"],
]
TRAILERS = ["", "", "T: u\r\n", "T: u\r\nV:\r\n"]
ODD_TRAILERS = [
    "T\r\n",
    "T : u\r\n",
    " T: u\r\n",
    "T: u\n",
    "T: \0\r\n",
    "Content-Length: 1\r\n",
    "Host: x\r\n",
    "T: u\r\n v\r\n",
]
BYTES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b'"',
    b"#",
    b"0",
    b"1",
    b"f",
    b"+",
    b"-",
    b"\xff",
    b"X",
]

# (what shows it, the stricter parser, why it does not count)
STRICTER: list[tuple[re.Pattern[bytes], str, str]] = [
    (re.compile(rb"[0-9a-fA-F;][^\r\n]*;[ \t]"), "httptools", "RFC 9112 section 7.1.1: white space behind a semicolon"),
]


def mostly(good: list[str], odd: list[str], odds: int = 12) -> st.SearchStrategy[str]:
    """One of the good, now and then an odd one: a request with two faults shows neither."""
    return st.integers(0, odds).flatmap(lambda dice: st.sampled_from(odd if dice == 0 else good))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str]:
    """A framing field and a body that mostly agrees with it."""
    data = draw(st.sampled_from(["", "abc", "hello", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "0\r\n\r\n"]))
    kind = draw(st.integers(0, 9))
    if kind < 3:
        return "", ""
    if kind < 6:
        length = draw(mostly([str(len(data))], LENGTHS + ODD_LENGTHS, 3))
        return f"Content-Length: {length}\r\n", data
    coding = draw(mostly(["chunked", "Chunked", " \tchunked "], ODD_CODINGS))
    parts = draw(st.lists(st.sampled_from(["a", "bc", "\r\n", data or "x"]), max_size=3))
    chunks = "".join(
        f"{draw(size(part))}\r\n{part}{draw(mostly(['\r\n'], ['', '\n', '\r', 'x\r\n'], 20))}" for part in parts
    )
    end = f"{draw(size(''))}\r\n{draw(mostly(TRAILERS, ODD_TRAILERS))}{draw(mostly(['\r\n'], ['', '\n'], 20))}"
    return f"Transfer-Encoding: {coding}\r\n", chunks + end


def size(part: str) -> st.SearchStrategy[str]:
    return mostly(SIZES, ODD_SIZES, 20).map(lambda text: text.format(len(part)))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    line = " ".join(
        [draw(mostly(METHODS, ODD_METHODS)), draw(mostly(TARGETS, ODD_TARGETS)), draw(mostly(VERSIONS, ODD_VERSIONS))]
    )
    fields = [draw(mostly(HOSTS, ODD_HOSTS)), *draw(st.lists(mostly(FIELDS, ODD_FIELDS), max_size=2))]
    framing, body = draw(bodies())
    start = draw(mostly([""], ["\r\n", "\n", "\r\n\r\n", " "]))
    head = f"{start}{line}\r\n" + "".join(f"{field}\r\n" for field in draw(st.permutations(fields))) + f"{framing}\r\n"
    return (head + body).encode("latin-1")


@st.composite
def connections(draw: st.DrawFn) -> bytes:
    """Some requests in a row, now and then with bytes put in, taken out or exchanged."""
    data = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.sampled_from(BYTES)) + data[at + draw(st.integers(0, 2)) :]
    return data


def check(data: bytes) -> None:
    served = read(data).bodies
    for name, parser in (("httptools", oracles.httptools), ("h11", oracles.h11)):
        if any(stricter == name and shown.search(data) for shown, stricter, _ in STRICTER):
            continue
        theirs = parser(data)
        # A request whose method llhttp does not know says nothing.
        unknown = [name == "httptools" and method.decode() not in METHODS for method, _, _ in served]
        ours = served[: [*unknown, True].index(True)]
        if theirs.stopped:
            # llhttp leaves the body of an upgrade to the new protocol; we take none but WebSocket's, which has no body.
            ours = [(method, target, b"" if i == len(theirs.requests) - 1 else body)
                    for i, (method, target, body) in enumerate(ours[: len(theirs.requests)])]  # fmt: skip
            assert ours == theirs.requests[: len(ours)], name
        else:
            assert ours == theirs.requests[: len(ours)], name


@pytest.mark.parametrize("examples", [1500, pytest.param(50_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_differential(examples: int, record_property: Callable[[str, object], None]) -> None:
    seen = {"examples": 0, "served": 0}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(connections())
    def differ(data: bytes) -> None:
        seen["examples"] += 1
        seen["served"] += bool(read(data).requests)
        check(data)

    differ()
    record_property("right", seen["examples"])
    record_property("total", seen["examples"])
    # Were nearly everything refused, nothing would be compared.
    assert seen["served"] > seen["examples"] / 4, seen


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"]
)
def test_the_oracles_read(data: bytes, record_property: Callable[[str, object], None]) -> None:
    """That they read at all; else nothing would differ."""
    record_property("right", 0)
    record_property("total", 0)
    assert read(data).bodies == oracles.httptools(data).requests == oracles.h11(data).requests
