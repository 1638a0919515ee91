"""CORS for native handlers, by the settings of https://github.com/adamchainz/django-cors-headers

The engine has the policy and applies it without Python (`src/engine/cors.rs`); under other servers `shared` does.
Django's own views are that package's own middleware's.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from django_rivet.cors.checks import mistakes
from django_rivet.cors.settings import DEFAULTS, FORMER, setting

type Pattern = str | re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings, as the engine takes them.

    origins: as browsers send them; any: all are allowed. expose, headers, methods: values of header fields. max_age:
    seconds, 0: it is not said. matches: whether an origin matches one of the regular expressions; covers: whether
    there is CORS on a path, None: on every one.
    """

    origins: list[str]
    any: bool
    credentials: bool
    expose: str
    headers: str
    methods: str
    max_age: int
    private_network: bool
    matches: Callable[[str], bool] | None
    covers: Callable[[str], bool] | None

    def engine(self) -> dict[str, Any]:
        """For `Reactor.cors`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may read answers."""
        return self.any or origin in self.origins or bool(self.matches and self.matches(origin))

    def enabled(self, path: str) -> bool:
        """Whether answers on this path say anything of CORS."""
        return self.covers is None or self.covers(path)

    def apply(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Adds the fields, as `Policy::write` of the engine does."""
        patch_vary_headers(response, ("Origin",))
        origin = request.headers.get("Origin")
        if not origin or not self.allows(origin) or response.has_header("Access-Control-Allow-Origin"):
            return
        response["Access-Control-Allow-Origin"] = "*" if self.any and not self.credentials else origin
        if self.credentials:
            response["Access-Control-Allow-Credentials"] = "true"
        if self.expose:
            response["Access-Control-Expose-Headers"] = self.expose
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Headers"] = self.headers
            response["Access-Control-Allow-Methods"] = self.methods
            if self.max_age:
                response["Access-Control-Max-Age"] = str(self.max_age)
            if self.private_network and request.headers.get("Access-Control-Request-Private-Network") == "true":
                response["Access-Control-Allow-Private-Network"] = "true"


def policy() -> Policy | None:
    """The project's; None when it allows no origin.

    Raises ImproperlyConfigured for settings that the system checks would refuse.
    """
    if not any(setting(name) for name in FORMER):
        return None
    if wrong := mistakes():
        raise ImproperlyConfigured(f"{wrong[0].msg} {wrong[0].hint}")
    origins, patterns = setting("CORS_ALLOWED_ORIGINS"), setting("CORS_ALLOWED_ORIGIN_REGEXES")
    urls = setting("CORS_URLS_REGEX")
    return Policy(
        origins=list(origins),
        any=setting("CORS_ALLOW_ALL_ORIGINS"),
        credentials=setting("CORS_ALLOW_CREDENTIALS"),
        expose=", ".join(setting("CORS_EXPOSE_HEADERS")),
        headers=", ".join(setting("CORS_ALLOW_HEADERS")),
        methods=", ".join(setting("CORS_ALLOW_METHODS")),
        max_age=setting("CORS_PREFLIGHT_MAX_AGE"),
        private_network=setting("CORS_ALLOW_PRIVATE_NETWORK"),
        matches=_matching(patterns) if patterns else None,
        covers=None if urls == DEFAULTS["CORS_URLS_REGEX"] else _matching([urls]),
    )


def _matching(patterns: Sequence[Pattern]) -> Callable[[str], bool]:
    compiled = [re.compile(pattern) for pattern in patterns]
    return lambda text: any(pattern.match(text) for pattern in compiled)


def preflight(shared: Policy | None, request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks before it sends a request; None when this is none."""
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if shared is None or not asks or not shared.enabled(request.path_info):
        return None
    response = HttpResponse(headers={"Content-Length": "0"})
    del response["Content-Type"]
    shared.apply(request, response)
    return response


def add(shared: Policy | None, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response with what it says of CORS."""
    if shared is not None and shared.enabled(request.path_info):
        shared.apply(request, response)
    return response
