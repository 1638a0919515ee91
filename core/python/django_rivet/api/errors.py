"""Errors as answers: problem details, https://www.rfc-editor.org/rfc/rfc9457"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404
from django.http.multipartparser import MultiPartParserError

type Headers = Mapping[str, str] | Iterable[tuple[str, str]]

# As RFC 9110 15 has them; Python has them so since 3.13.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
CONTENT_TYPE = "application/problem+json"


class HTTPError(Exception):
    """Raised by handlers and providers to answer with an error.

        raise HTTPError(404, "There is no order 7.")

    status: 400 to 599. detail: what went wrong this time, for a person. title: what kind of problem it is; the status'
    own phrase by default. type: a URI of that kind. headers: added to the answer. Any other keyword is a member of its
    own. Raises ValueError for another status.
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        title: str = "",
        type: str = "about:blank",
        headers: Headers = (),
        **members: Any,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is no status of an error: it must be from 400 to 599")
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.title = title or phrase(status)
        self.type = type
        self.headers = headers
        self.members = members

    def __str__(self) -> str:
        return f"{self.status} {self.title}" + (f": {self.detail}" if self.detail else "")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields of the answer."""
        return [("Content-Type", CONTENT_TYPE), *fields_of(self.headers)]

    def body(self) -> bytes:
        """The problem details as JSON."""
        problem = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            problem["detail"] = self.detail
        return msgspec.json.encode(problem | self.members)


class Invalid(HTTPError):
    """422: what was sent is not what the handler takes. `errors` says it for each wrong field.

    Each error has `in` (path, query, header, cookie, form, file, body), `name` or, in the body, `pointer`
    (RFC 6901, as RFC 9457 3 has it), and `detail`.
    """

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(422, "The request has fields that are not valid.", errors=errors)
        self.errors = errors


def fields_of(headers: Headers) -> list[tuple[str, str]]:
    """Header fields as pairs."""
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def phrase(status: int) -> str:
    """The status' own name, or what its class is called."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < 500 else "Server Error"


def http_error(error: Exception) -> HTTPError | None:
    """What an exception means to the client, or None for a failure of ours: 500."""
    match error:
        case HTTPError():
            return error
        case Http404():
            return HTTPError(404, str(error))
        case ObjectDoesNotExist():
            return HTTPError(404)
        case PermissionDenied():
            return HTTPError(403, str(error))
        case ValidationError():
            return Invalid(_field_errors(error))
        case RequestDataTooBig():
            return HTTPError(413, str(error))
        case BadRequest() | MultiPartParserError():
            return HTTPError(400, str(error))
        case SuspiciousOperation():
            return HTTPError(400)
    return None


def _field_errors(error: ValidationError) -> list[dict[str, str]]:
    if not hasattr(error, "error_dict"):
        return [{"in": "body", "pointer": "#", "detail": message} for message in error.messages]
    return [
        {"in": "body", "pointer": "#" if field == "__all__" else f"#/{field}", "detail": message}
        for field, messages in error.message_dict.items()
        for message in messages
    ]
