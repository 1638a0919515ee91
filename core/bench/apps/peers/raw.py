"""The least that a WSGI or ASGI server can be asked for: no framework."""

BODY = b'{"message":"Hello World"}'


def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(BODY)))])
    return [BODY]


async def asgi(scope, receive, send):
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
