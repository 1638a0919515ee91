"""What is sent, byte for byte, and the answer that must come back."""

import gzip
import http.client
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from harness.cases import ORDER, Http
from harness.link import Failed, Link

START = 30  # seconds until a server must answer

# A browser's request through a proxy: 30 fields with Host, cookies of sessions and of analytics among them.
BROWSER = """\
Connection: keep-alive
Cache-Control: max-age=0
sec-ch-ua: "Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
sec-ch-ua-platform-version: "6.12.0"
sec-ch-prefers-color-scheme: dark
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: navigate
Sec-Fetch-User: ?1
Sec-Fetch-Dest: document
Referer: https://shop.example.com/catalogue/winter/coats?sort=price&page=3
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7
Cookie: csrftoken=Zq3vT7yXw1nB5kLp8sRd2fGh6jMc9aVe; sessionid=k2j4h6g8f0d1s3a5q7w9e2r4t6y8u0i1; theme=dark
If-Modified-Since: Tue, 10 Nov 2026 08:00:00 GMT
DNT: 1
Sec-GPC: 1
Priority: u=0, i
X-Requested-With: XMLHttpRequest
X-Forwarded-For: 203.0.113.7
X-Forwarded-Proto: https
X-Real-IP: 203.0.113.7
X-Request-ID: 4b7c9d1e2f3a4b5c6d7e8f9a0b1c2d3e
Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
Tracestate: rojo=00f067aa0ba902b7
"""
ASSET = "Accept-Encoding: gzip, deflate, br, zstd\nIf-None-Match: {etag}\n"
MESSAGE = {"message": "Hello World"}
ROWS = [{"id": n, "name": f"item {n}", "price": n} for n in range(1, 11)]


def prepare(name: str, load: Http, port: int) -> list[str]:
    """Asks for each path once, checks what comes, and writes down what the generator needs."""
    arguments = []
    weights = {load.path: 100 - sum(load.mix.values())} | load.mix
    etag = '"none"'
    if load.headers == "cached":
        etag = _ask(port, _request(port, load.path, "asset", etag)).headers["ETag"] or ""
    for number, (path, weight) in enumerate(weights.items()):
        request = _request(port, path, load.headers, etag, load.body)
        answer = _ask(port, request)
        if answer.status != load.status:
            raise Failed(f"{name}: {path} was answered with {answer.status}, not {load.status}")
        check(name, path, answer)
        base = Path(f"/tmp/{name}-{number}")
        base.with_suffix(".request").write_bytes(request)
        base.with_suffix(".body").write_bytes(answer.body)
        arguments += ["--request", f"{weight},{load.status},{base}.request,{base}.body"]
    return arguments


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def content(self) -> bytes:
        return gzip.decompress(self.body) if self.headers["Content-Encoding"] == "gzip" else self.body


def _request(port: int, path: str, kind: str, etag: str, body: str = "") -> bytes:
    fields = {"plain": "", "browser": BROWSER, "asset": ASSET, "cached": ASSET}[kind].format(etag=etag)
    if body:
        fields += f"Content-Type: application/json\nContent-Length: {len(body)}\n"
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\nHost: 127.0.0.1:{port}\n{fields}\n"
    return (head.replace("\n", "\r\n") + body).encode()


def _ask(port: int, request: bytes) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.connect()
    assert connection.sock is not None
    connection.sock.sendall(request)
    response = http.client.HTTPResponse(connection.sock, method="GET")
    response.begin()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def check(name: str, path: str, answer: Answer) -> None:
    """The answers of all servers mean the same."""
    try:
        right = _right(path, answer)
    except ValueError:
        right = False
    if not right:
        raise Failed(f"{name}: {path} was answered with {answer.content[:80]!r}")


def _right(path: str, answer: Answer) -> bool:
    if answer.status == 304:
        return not answer.body
    if path.endswith("items"):
        return bool(json.loads(answer.content) == ROWS)
    if match := re.fullmatch(r"/django/(burn|wait)/(\d+)", path):
        return bool(json.loads(answer.content) == {{"burn": "burnt", "wait": "waited"}[match[1]]: int(match[2])})
    if match := re.fullmatch(r"/static/(\d+)k\.css", path):
        return len(answer.content) == int(match[1]) * 1024 and answer.headers["Content-Encoding"] == "gzip"
    if path.startswith("/typed/"):
        return bool(json.loads(answer.content) == {"number": 7, "q": "word", "limit": 5})
    if path == "/orders":
        return bool(json.loads(answer.content) == json.loads(ORDER))
    if path == "/large":
        return bool(9_000 < len(json.dumps(json.loads(answer.content), separators=(",", ":"))) < 11_000)
    if path == "/django/page":
        return answer.content.count(b"<li>") == 10
    return bool(json.loads(answer.content) == MESSAGE)


def wait_until_up(link: Link, name: str, port: int) -> None:
    """Until the server answers, and not because the one behind it is missing."""
    end = time.monotonic() + START
    while True:
        try:
            if _ask(port, _request(port, "/json", "plain", "")).status != 502:
                return
            wrong = "502"
        except (OSError, http.client.HTTPException) as error:
            wrong = str(error)
        if link.ended(name):
            raise Failed(f"{name} has ended")
        if time.monotonic() > end:
            raise Failed(f"{name}: no answer within {START} s: {wrong}")
        time.sleep(0.1)
