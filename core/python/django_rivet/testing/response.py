"""What a test client gives back."""

import json
from email.message import Message
from http.client import HTTPResponse
from http.cookies import SimpleCookie
from typing import Any


class Response:
    """One response, read whole.

    `headers` finds names in any case; `get_all(name)` has fields that came more than once. `cookies` are those that
    it set.
    """

    def __init__(self, status_code: int, reason: str, headers: Message, content: bytes) -> None:
        self.status_code = status_code
        self.reason = reason
        self.headers = headers
        self.content = content
        self.cookies: SimpleCookie = SimpleCookie()
        for line in headers.get_all("set-cookie", []):
            self.cookies.load(line)
        self.history: list[Response] = []

    @classmethod
    def of(cls, response: HTTPResponse) -> "Response":
        """Reads the rest of it. Raises IncompleteRead when the server cut it."""
        return cls(response.status, response.reason, response.headers, response.read())

    @property
    def charset(self) -> str:
        """As Content-Type says, else UTF-8."""
        return self.headers.get_content_charset() or "utf-8"

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode(self.charset)

    def json(self) -> Any:
        """The content as JSON. Raises ValueError when it is none."""
        return json.loads(self.content)

    def __repr__(self) -> str:
        return f"<Response {self.status_code} {self.headers.get('content-type', '')}>"
