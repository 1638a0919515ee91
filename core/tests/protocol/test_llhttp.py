"""llhttp's own samples of requests, from aiohttp's source distribution: bytes, and a log of what llhttp makes of them.

Where the strict llhttp ends with an error, nothing more than the requests before it may be served here; else the same
requests must be. Of kinds that are lenient, or that skip bodies, the log is no measure: they must be refused or be read
as httptools does, which is the strict llhttp. Each sample is read with a Host where it has none.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import oracles
from reading import read, serve
from sdists import source

FOLDER = source("aiohttp") / "vendor/llhttp/test/request"
SAMPLE = re.compile(r"<!--\s*meta=(\{.*?\})\s*-->\s*```http\n(.*?)```\n(?:_[^\n]*_\n)?\s*```log\n(.*?)```", re.S)
SPAN = re.compile(r'off=\d+ len=\d+ span\[(method|url|body)\]="(.*)"')
# llhttp hands over at an upgrade (22, 23) and where a test asks it to pause (21): no errors
PAUSES = {"21", "22", "23"}

# read by the strict llhttp, refused here: the status and the reason
STRICTER = {
    "method:29 CONNECT request": (501, "this is no proxy"),
    "method:64 CONNECT request with CAPS": (501, "this is no proxy"),
    "method:98 CONNECT with body": (501, "this is no proxy"),
    "uri:190 Underscore in hostname": (501, "CONNECT again"),
    "method:137 M-SEARCH request": (400, "RFC 9112 section 3.2.4: the asterisk is for OPTIONS"),
    "method:374 SOURCE request with ICE": (400, "another protocol"),
    "method:404 OPTIONS request with RTSP": (400, "another protocol"),
    "method:432 ANNOUNCE request with RTSP": (400, "another protocol"),
    "sample:316 No HTTP version": (400, "HTTP/0.9"),
    "transfer-encoding:753 POST with chunked as last transfer-encoding": (400, "a fragment; and two codings"),
    "transfer-encoding:795 POST with chunked as last transfer-encoding (multiple headers)": (400, "the same"),
    "uri:167 Fragment in URI": (400, "RFC 9112 section 3.2.1: a request target has no fragment"),
    "uri:224 host:port and basic auth": (400, "RFC 9110 section 4.2.4: user information is an error"),
}
# refused by llhttp for its list of methods: here any token without small letters is one, as Django's views may want
METHODS = {"invalid:68 HTTP protocol and ANNOUNCE method", "invalid:358 Invalid method"}


@dataclass
class Sample:
    name: str
    kind: str
    data: bytes
    log: str
    skips_bodies: bool

    @property
    def error(self) -> bool:
        return bool(set(re.findall(r"error code=(\d+)", self.log)) - PAUSES)

    @property
    def requests(self) -> list[tuple[bytes, bytes, bytes]]:
        """Method, target and body of each message that the log has whole."""
        found = []
        parts = {"method": b"", "url": b"", "body": b""}
        for line in self.log.splitlines():
            if span := SPAN.match(line):
                parts[span[1]] += unescape(span[2])
            if line.endswith("message complete"):
                found.append((parts["method"], parts["url"], parts["body"]))
                parts = dict.fromkeys(parts, b"")
        return found


def unescape(text: str) -> bytes:
    for escape, character in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
        text = text.replace(escape, character)
    return text.encode()


def samples(path: Path) -> list[Sample]:
    text = path.read_text()
    found = []
    for match in SAMPLE.finditer(text):
        heading = re.findall(r"^#+ (.*)$", text[: match.start()], re.M)[-1].replace("`", "")
        line = text[: match.start()].count("\n") + 1
        name, meta = f"{path.stem}:{line} {heading}", json.loads(match[1])
        found.append(Sample(name, meta["type"], wire(match[2]), match[3], "skipBody" in meta))
    return found


def wire(text: str) -> bytes:
    """The bytes that llhttp's own runner (test/md-test.ts) makes of a sample."""
    text = re.sub(r"\\\n", "", text.removesuffix("\n")).replace("\n", "\r\n")
    data = unescape(text)
    data = re.sub(rb"\\x([0-9a-fA-F]+)", lambda match: bytes([int(match[1], 16)]), data)
    return re.sub(rb"\\([0-7]{1,3})", lambda match: bytes([int(match[1], 8)]), data)


def with_host(sample: Sample) -> bytes:
    """Each HTTP/1.1 request without Host gets one; the log says where requests begin."""
    data = sample.data
    for start in sorted({int(off) for off in re.findall(r"off=(\d+) message begin", sample.log)}, reverse=True):
        head = re.match(rb"(?:\r\n)?[^\r\n]* HTTP/1\.1\r\n(?!(?:[^\r\n]+\r\n)*?(?i:host):)", data[start:])
        if head:
            data = data[: start + head.end()] + b"Host: added\r\n" + data[start + head.end() :]
    return data


ALL = [sample for path in sorted(FOLDER.glob("*.md")) for sample in samples(path)]


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_sample(sample: Sample, port: int) -> None:
    data = with_host(sample)
    reading = read(data)
    if sample.name in STRICTER:
        assert reading.refused == STRICTER[sample.name][0]
        assert reading.bodies == sample.requests[: len(reading.bodies)]
    elif "lenient" in sample.kind or sample.skips_bodies:
        assert reading.bodies == oracles.httptools(data).requests[: len(reading.bodies)]
    elif sample.name in METHODS:
        assert len(reading.requests) == 1
    elif sample.error:
        assert reading.bodies == sample.requests[: len(reading.bodies)]
    else:
        assert reading.bodies[: len(sample.requests)] == sample.requests
    serve(port, data)


def test_all_are_there(record_property: Callable[[str, object], None]) -> None:
    """The table names samples; this test is none, and does not count as one."""
    record_property("right", 0)
    record_property("total", 0)
    assert len(ALL) == 166
    assert {*STRICTER, *METHODS} <= {sample.name for sample in ALL}
