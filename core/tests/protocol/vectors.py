"""Requests and what RFC 9112 (and 9110, 3986) makes of them, as one table.

Each row: its section, what it shows, the bytes, and the verdict. `refused`: with this status. `served`: method, target,
Host and body of each request. `waits`: for the rest of the request.
"""

from dataclasses import dataclass

type Served = tuple[str, str, str, str]


@dataclass(frozen=True)
class Vector:
    section: str
    name: str
    data: bytes
    status: int = 0
    served: tuple[Served, ...] = ()
    more: bool = False


ALL: list[Vector] = []


def refused(section: str, name: str, data: str, status: int = 400) -> None:
    ALL.append(Vector(section, name, data.encode("latin-1"), status))


def served(section: str, name: str, data: str, *requests: Served) -> None:
    ALL.append(Vector(section, name, data.encode("latin-1"), 0, requests))


def waits(section: str, name: str, data: str) -> None:
    ALL.append(Vector(section, name, data.encode("latin-1"), 0, (), True))


def get(target: str = "/", fields: str = "Host: a\r\n", version: str = "HTTP/1.1", method: str = "GET") -> str:
    return f"{method} {target} {version}\r\n{fields}\r\n"


def post(fields: str, body: str = "") -> str:
    return f"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}"


def chunks(body: str) -> str:
    return post("Transfer-Encoding: chunked\r\n", body)


A: Served = ("GET", "/", "a", "")

# Lines
served("9112 2.2", "one empty line before the request", "\r\n" + get(), A)
served("9112 2.2", "one empty line between requests", get() + "\r\n" + get(), A, A)
refused("9112 2.2", "two empty lines before the request", "\r\n\r\n" + get())
refused("9112 2.2", "bare LF before the request", "\n" + get())
refused("9112 2.2", "bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n")
refused("9112 2.2", "bare LF after a field", get(fields="Host: a\nX: b\r\n"))
refused("9112 2.2", "bare LF after the last field", "GET / HTTP/1.1\r\nHost: a\n\r\n")
refused("9112 2.2", "bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n")
refused("9112 2.2", "all lines end with bare LF", "GET / HTTP/1.1\nHost: a\n\n")
refused("9112 2.2", "bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 2.2", "bare CR between fields", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n")
refused("9112 2.2", "CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n")
refused("9112 2.2", "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n")
refused("9112 2.2", "white space before the request line", " " + get())
waits("9112 2.2", "a head without its empty line", "GET / HTTP/1.1\r\nHost: a\r\n")
waits("9112 2.2", "half a request line", "GET / HT")
refused("9112 2.2", "TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400)

# Versions
served("9112 2.3", "HTTP/1.0", get(fields="", version="HTTP/1.0"), ("GET", "/", "", ""))
refused("9112 2.3", "HTTP/1.2", get(version="HTTP/1.2"), 505)
refused("9112 2.3", "HTTP/2.0", get(version="HTTP/2.0"), 505)
refused("9112 2.3", "HTTP/0.9 by name", get(version="HTTP/0.9"), 505)
refused("9112 2.3", "HTTP/3.0", get(version="HTTP/3.0"), 505)
refused("9112 2.3", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
refused("9112 2.3", "no version: HTTP/0.9", "GET /\r\n")
refused("9112 2.3", "small letters", get(version="http/1.1"))
refused("9112 2.3", "another name", get(version="HTTQ/1.1"))
refused("9112 2.3", "two digits", get(version="HTTP/1.10"))
refused("9112 2.3", "no dot", get(version="HTTP/11"))
refused("9112 2.3", "no minor", get(version="HTTP/1"))
refused("9112 2.3", "white space within", get(version="HTTP/ 1.1"))
refused("9112 2.3", "RTSP", get(version="RTSP/1.0"))

# Request line
refused("9112 3", "two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 3", "two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 3", "a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n")
refused("9112 3", "a tab for the space", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 3", "no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 3", "no method", "/ HTTP/1.1\r\nHost: a\r\n\r\n")
refused("9112 3", "target beyond the bound", get("/" + "x" * 9000), 414)
refused("9112 3", "target beyond the bound of the head", get("/" + "x" * 70000), 414)
served("9112 3", "a target of 8000 bytes", get("/" + "x" * 7999), ("GET", "/" + "x" * 7999, "a", ""))
served("9112 3.1", "a method of its own", get(method="PURGE"), ("PURGE", "/", "a", ""))
served("9112 3.1", "any token as the method", get(method="M-X_1!"), ("M-X_1!", "/", "a", ""))
refused("9112 3.1", "a method in small letters", get(method="get"))
refused("9112 3.1", "a method that is no token", get(method="GE(T"))
refused("9112 3.1", "a method with a colon", get(method="GET:"))
refused("9112 3.1", "a method with NUL", get(method="GET\0"))
refused("9112 3.1", "a method that is not ASCII", get(method="G\xc9T"))

# Targets
served("9112 3.2.1", "a query", get("/a?b=c"), ("GET", "/a?b=c", "a", ""))
served("9112 3.2.1", "an empty query", get("/a?"), ("GET", "/a?", "a", ""))
served("9112 3.2.1", "slashes at the start", get("//a//b"), ("GET", "//a//b", "a", ""))
served("9112 3.2.1", "dot segments as sent", get("/a/../b/."), ("GET", "/a/../b/.", "a", ""))
served("9112 3.2.1", "escapes as sent", get("/%41%2f%00"), ("GET", "/%41%2f%00", "a", ""))
served("9112 3.2.1", "what browsers leave unescaped", get("/[]|?{}^\\"), ("GET", "/[]|?{}^\\", "a", ""))
refused("9112 3.2.1", "a fragment", get("/a#b"))
refused("9112 3.2.1", "NUL", get("/\0"))
refused("9112 3.2.1", "a control character", get("/\x01"))
refused("9112 3.2.1", "DEL", get("/\x7f"))
refused("9112 3.2.1", "Latin-1", get("/\xe9"))
refused("9112 3.2.1", "UTF-8", get("/\xc3\xa9"))
refused("9112 3.2.1", "a space", get("/a b"))
refused("9112 3.2.1", "no slash", get("a/b"))
refused("9112 3.2.1", "only a query", get("?a"))
served("9112 3.2.2", "absolute-form", get("http://a/x?y"), ("GET", "http://a/x?y", "a", ""))
served("9112 3.2.2", "absolute-form of https, in capitals", get("HTTPS://a/"), ("GET", "HTTPS://a/", "a", ""))
served("9112 3.2.2", "absolute-form without a path", get("http://a"), ("GET", "http://a", "a", ""))
served("9112 3.2.2", "absolute-form, a query and no path", get("http://a?b"), ("GET", "http://a?b", "a", ""))
served("9112 3.2.2", "absolute-form goes before Host", get("http://b:81/"), ("GET", "http://b:81/", "b:81", ""))
served("9112 3.2.2", "absolute-form of IPv6", get("http://[::1]:80/"), ("GET", "http://[::1]:80/", "[::1]:80", ""))
refused("9112 3.2.2", "absolute-form and no Host", get("http://a/", fields=""))
refused("9112 3.2.2", "absolute-form and a bad Host", get("http://a/", fields="Host: a b\r\n"))
refused("9110 4.2.1", "absolute-form without a host", get("http:///x"))
refused("9110 4.2.1", "absolute-form, a port and no host", get("http://:80/x"))
refused("9110 4.2.4", "absolute-form with user information", get("http://u:p@a/x"))
refused("9112 3.2.2", "absolute-form, bad port", get("http://a:b/"))
refused("9112 3.2.2", "absolute-form of another scheme", get("ftp://a/"))
refused("9112 3.2.2", "absolute-form with one slash", get("http:/a"))
refused("9112 3.2.2", "absolute-form with a fragment", get("http://a/#b"))
refused("9112 3.2.3", "CONNECT", get("a:443", method="CONNECT"), 501)
refused("9112 3.2.3", "CONNECT without a port", get("a", method="CONNECT"))
refused("9112 3.2.3", "CONNECT with a path", get("/", method="CONNECT"))
refused("9112 3.2.3", "authority-form, but not CONNECT", get("a:80"))
served("9112 3.2.4", "OPTIONS *", get("*", method="OPTIONS"), ("OPTIONS", "*", "a", ""))
refused("9112 3.2.4", "GET *", get("*"))
refused("9112 3.2.4", "OPTIONS *x", get("*x", method="OPTIONS"))

# Host
served("9110 7.2", "a port", get(fields="Host: a:8080\r\n"), ("GET", "/", "a:8080", ""))
served("9110 7.2", "an empty port", get(fields="Host: a:\r\n"), ("GET", "/", "a:", ""))
served("9110 7.2", "IPv6", get(fields="Host: [2001:db8::1]:80\r\n"), ("GET", "/", "[2001:db8::1]:80", ""))
served("9110 7.2", "an escape", get(fields="Host: a%41\r\n"), ("GET", "/", "a%41", ""))
served("9112 3.2", "HTTP/1.0 with Host", get(fields="Host: a\r\n", version="HTTP/1.0"), A)
refused("9112 3.2", "none", get(fields=""))
refused("9112 3.2", "two", get(fields="Host: a\r\nHost: b\r\n"))
refused("9112 3.2", "the same twice", get(fields="Host: a\r\nhost: a\r\n"))
refused("9112 3.2", "two in HTTP/1.0", get(fields="Host: a\r\nHost: a\r\n", version="HTTP/1.0"))
for name, host in {
    "empty": "",
    "a space": "a b",
    "a list": "a, b",
    "user information": "u@a",
    "a path": "a/b",
    "a URI": "http://a",
    "a query": "a?b",
    "a fragment": "a#b",
    "a backslash": "a\\b",
    "only a port": ":80",
    "a port that is no number": "a:http",
    "a port with a sign": "a:+80",
    "a port beyond 65535": "a:65536",
    "two ports": "a:80:80",
    "half an escape": "a%4",
    "IPv6 without brackets": "::1",
    "IPv6 without the end": "[::1",
    "IPv6 and more": "[::1]a",
    "brackets around a name": "[a]",
    "an IPv6 zone": "[fe80::1%25eth0]",
    "a quote": 'a"',
    "less than": "<a>",
    "Latin-1": "\xe9",
    "a control character": "a\x01",
}.items():
    refused("9110 7.2", f"Host: {name}", get(fields=f"Host: {host}\r\n"))

# Fields
served("9112 5", "no white space after the colon", get(fields="Host:a\r\n"), A)
served("9112 5", "white space around the value", get(fields="Host: \t a \t \r\n"), A)
served("9112 5", "an empty value", get(fields="Host: a\r\nX:\r\n"), A)
served("9110 5.5", "bytes above ASCII in a value", get(fields="Host: a\r\nX: \xe9\r\n"), A)
served("9110 5.6.2", "every token character in a name", get(fields="Host: a\r\n!#$%&'*+-.^_`|~9: x\r\n"), A)
refused("9112 5.1", "white space before the colon", get(fields="Host: a\r\nX : b\r\n"))
refused("9112 5.1", "a tab before the colon", get(fields="Host: a\r\nX\t: b\r\n"))
refused("9112 5.2", "a folded line", get(fields="Host: a\r\nX: b\r\n c\r\n"))
refused("9112 5.2", "a folded line, with a tab", get(fields="Host: a\r\nX: b\r\n\tc\r\n"))
refused("9112 5.2", "a folded empty line", get(fields="Host: a\r\nX: b\r\n \r\n"))
refused("9110 5.1", "an empty name", get(fields="Host: a\r\n: b\r\n"))
refused("9110 5.1", "no colon", get(fields="Host: a\r\nX\r\n"))
refused("9110 5.1", "a name that is no token", get(fields="Host: a\r\nX(Y): b\r\n"))
refused("9110 5.1", "a name that is not ASCII", get(fields="Host: a\r\nX\xe9: b\r\n"))
for name, byte in {"NUL": "\0", "CR": "\r", "vertical tab": "\v", "BEL": "\a", "ESC": "\x1b", "DEL": "\x7f"}.items():
    refused("9110 5.5", f"{name} in a value", get(fields=f"Host: a\r\nX: b{byte}c\r\n"))
refused("9110 8.3", "two of Content-Type", post("Content-Type: a/b\r\nContent-Type: a/b\r\n"))
refused("6585 5", "more fields than the bound", get(fields="Host: a\r\n" + "X: y\r\n" * 100), 431)
served("6585 5", "as many fields as the bound", get(fields="Host: a\r\n" + "X: y\r\n" * 99), A)
refused("6585 5", "a field beyond the bound", get(fields="Host: a\r\nX: " + "y" * 9000 + "\r\n"), 431)
refused("6585 5", "a head beyond the bound", get(fields="Host: a\r\n" + ("X: " + "y" * 8000 + "\r\n") * 9), 431)

# Content-Length
served("9112 6.2", "a body", post("Content-Length: 5\r\n", "hello"), ("POST", "/", "a", "hello"))
served("9112 6.2", "zeros before", post("Content-Length: 005\r\n", "hello"), ("POST", "/", "a", "hello"))
served("9112 6.2", "a body of GET", get(fields="Host: a\r\nContent-Length: 2\r\n") + "ok", ("GET", "/", "a", "ok"))
served("9112 6.2", "what follows is the next", post("Content-Length: 2\r\n", "ok") + get(), ("POST", "/", "a", "ok"), A)
served("9112 6.3", "no length: no body", post("") + get(), ("POST", "/", "a", ""), A)
waits("9112 6.2", "less than announced", post("Content-Length: 6\r\n", "hello"))
for name, length in {
    "empty": "",
    "a list": "5, 5",
    "a list of others": "5, 6",
    "a plus": "+5",
    "a minus": "-5",
    "hexadecimal": "0x5",
    "a fraction": "5.0",
    "an exponent": "5e0",
    "an underscore": "1_0",
    "a space": "0 5",
    "quotes": '"5"',
    "more than 64 bits": "18446744073709551621",
    "letters": "five",
    "a vertical tab": "\v5",
    "digits that are not ASCII": "\xb2",
}.items():
    refused("9112 6.2", f"Content-Length: {name}", post(f"Content-Length: {length}\r\n", "hello"))
refused("9112 6.3", "two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"))
refused("9112 6.3", "the same length twice", post("Content-Length: 5\r\ncontent-length: 5\r\n", "hello"))

# Transfer-Encoding
OK: Served = ("POST", "/", "a", "hello")
served("9112 6.1", "chunked", chunks("5\r\nhello\r\n0\r\n\r\n"), OK)
served("9112 6.1", "in capitals", post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"), OK)
served("9112 6.1", "white space around", post("Transfer-Encoding: \tchunked \r\n", "5\r\nhello\r\n0\r\n\r\n"), OK)
refused("9112 6.1", "after a length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"))
refused("9112 6.1", "before a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"))
refused("9112 6.1", "in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
refused("9112 6.1", "gzip before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501)
for name, coding in {
    "chunked is not the last": "chunked, gzip",
    "gzip alone": "gzip",
    "identity": "identity",
    "an unknown coding": "pigeons",
    "chunked twice": "chunked, chunked",
    "empty": "",
    "a comma before": ",chunked",
    "a comma after": "chunked,",
    "a parameter": "chunked;q=1",
    "quotes": '"chunked"',
    "a vertical tab before": "\vchunked",
    "a letter before": "xchunked",
    "a letter after": "chunkedx",
    "a space within": "chun ked",
    "a tab after, which llhttp takes for a part": "chunked\t",
}.items():
    refused("9112 6.1", f"Transfer-Encoding: {name}", post(f"Transfer-Encoding: {coding}\r\n", "0\r\n\r\n"))
refused("9112 6.1", "two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"))
refused("9112 6.1", "identity, then chunked", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"))

# Chunks
served("9112 7.1", "no data", chunks("0\r\n\r\n"), ("POST", "/", "a", ""))
served("9112 7.1", "two chunks", chunks("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), OK)
served("9112 7.1", "zeros before a size", chunks("0005\r\nhello\r\n000\r\n\r\n"), OK)
served("9112 7.1", "small and capital digits", chunks("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
       ("POST", "/", "a", "0123456789" * 2))  # fmt: skip
served("9112 7.1", "what follows is the next", chunks("5\r\nhello\r\n0\r\n\r\n") + get(), OK, A)
served("9112 7.1.1", "an extension", chunks("5;a\r\nhello\r\n0;b=c\r\n\r\n"), OK)
served("9112 7.1.1", "a quoted extension", chunks('5;a="b \\" ; c"\r\nhello\r\n0\r\n\r\n'), OK)
served("9112 7.1.1", "white space after the semicolon", chunks("5; a\r\nhello\r\n0\r\n\r\n"), OK)
served("9112 7.1.2", "trailers are dropped", chunks("5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n"), OK)
waits("9112 7.1", "no last chunk", chunks("5\r\nhello\r\n"))
waits("9112 7.1", "no empty line at the end", chunks("0\r\n"))
for name, body in {
    "no size": "\r\nhello\r\n",
    "a size with a sign": "+5\r\nhello\r\n",
    "a negative size": "-5\r\nhello\r\n",
    "a prefix": "0x5\r\nhello\r\n",
    "an underscore": "0_5\r\nhello\r\n",
    "a letter beyond f": "5g\r\nhello\r\n",
    "white space before a size": " 5\r\nhello\r\n",
    "white space after a size": "5 \r\nhello\r\n",
    "white space before the semicolon": "5 ;a\r\nhello\r\n",
    "a size beyond 64 bits": "10000000000000005\r\nhello\r\n",
    "bare LF after a size": "5\nhello\r\n",
    "bare CR after a size": "5\rhello\r\n",
    "bare LF after data": "5\r\nhello\n0\r\n\r\n",
    "no line end after data": "5\r\nhello0\r\n\r\n",
    "more data than the size": "5\r\nhello!\r\n0\r\n\r\n",
    "less data than the size": "6\r\nhello\r\n0\r\n\r\n",
    "an empty extension": "5;\r\nhello\r\n",
    "an extension without a name": "5;=a\r\nhello\r\n",
    "an extension without a value": "5;a=\r\nhello\r\n",
    "bare LF in an extension": "5;a\nb\r\nhello\r\n",
    "bare CR in an extension": "5;a\rb\r\nhello\r\n",
    "an unfinished quote": '5;a="b\r\nhello\r\n',
    "text after a quote": '5;a="b"c\r\nhello\r\n',
    "NUL in an extension": "5;a\0\r\nhello\r\n",
    "a trailer without a colon": "0\r\nA\r\n\r\n",
    "a folded trailer": "0\r\nA: b\r\n c\r\n\r\n",
    "white space in a trailer's name": "0\r\nA : b\r\n\r\n",
    "bare LF after a trailer": "0\r\nA: b\n\r\n",
    "bare LF at the end": "0\r\n\n",
    "a trailer that frames": "0\r\nContent-Length: 5\r\n\r\n",
    "a trailer that codes": "0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a trailer that routes": "0\r\nHost: b\r\n\r\n",
}.items():
    refused("9112 7.1", name, chunks(body))
refused("9112 7.1.1", "extensions beyond the bound", chunks("5;a=" + "b" * 5000 + "\r\nhello\r\n0\r\n\r\n"), 413)
refused("9112 7.1.2", "trailers beyond the bound", chunks("0\r\n" + "A: b\r\n" * 2000 + "\r\n"), 431)

# Connection
served("9112 9.3", "HTTP/1.1 stays", get() + get(), A, A)
served("9112 9.3", "HTTP/1.0 does not", get(version="HTTP/1.0") + get(), A)
served("9112 9.3", "HTTP/1.0 that asks for it stays",
       get(fields="Host: a\r\nConnection: Keep-Alive\r\n", version="HTTP/1.0") + get(), A, A)  # fmt: skip
served("9112 9.6", "close", get(fields="Host: a\r\nConnection: close\r\n") + get(), A)
served("9112 9.6", "close in a list", get(fields="Host: a\r\nConnection: x, Close\r\n") + get(), A)
served(
    "9112 9.6", "close in a second field", get(fields="Host: a\r\nConnection: x\r\nConnection: close\r\n") + get(), A
)
served("9112 9.6", "close goes before keep-alive",
       get(fields="Host: a\r\nConnection: keep-alive, close\r\n") + get(), A)  # fmt: skip

# Expectations
served("9110 10.1.1", "100-continue", post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), OK)
served("9110 10.1.1", "100-continue in HTTP/1.0 is ignored",
       "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", OK)  # fmt: skip
refused("9110 10.1.1", "another expectation", post("Expect: tea\r\n"), 417)

# Upgrades that are none here
served("9110 7.8", "another protocol is ignored", get(fields="Host: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n"), A)
