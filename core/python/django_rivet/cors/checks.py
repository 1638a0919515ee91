"""System checks of the settings of CORS."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from django_rivet.cors.settings import DEFAULTS, FORMER, setting

# RFC 9110 5.6.2
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What browsers send for pages that have no host: sandboxed ones and data: URLs, files on Android.
WITHOUT_HOST = ("null", "file://")
LISTS = ("CORS_ALLOWED_ORIGINS", "CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS")
SWITCHES = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ALLOW_CREDENTIALS", "CORS_ALLOW_PRIVATE_NETWORK")


def check_cors(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E021 to E024: what cannot be. W021 to W024: what is there by mistake, as far as can be told."""
    given = sorted(name for name in dir(settings) if name.startswith("CORS_"))
    if not given:
        return []
    return [*mistakes(), *_unknown(given), *(() if mistakes() else _doubtful(given))]


def mistakes() -> list[Error]:
    """What makes the settings useless."""
    return list(_kinds()) or [*_origins(), *_patterns(), *_names()]


def _kinds() -> Iterator[Error]:
    def wrong(name: str, wanted: str) -> Error:
        return Error(f"{name} is {setting(name)!r}.", hint=f"Write {wanted}.", id="django_rivet.E021")

    for name in LISTS:
        if not _listed(setting(name), str):
            example = "https://app.example.com" if "ORIGIN" in name else DEFAULTS[name][0] if DEFAULTS[name] else "etag"
            yield wrong(name, f'a list of strings, such as ["{example}"]')
    if not _listed(setting("CORS_ALLOWED_ORIGIN_REGEXES"), str | re.Pattern):
        yield wrong("CORS_ALLOWED_ORIGIN_REGEXES", "a list of regular expressions")
    if not isinstance(setting("CORS_URLS_REGEX"), str | re.Pattern):
        yield wrong("CORS_URLS_REGEX", r"a regular expression, such as r'^/api/.*$'")
    for name in SWITCHES:
        if not isinstance(setting(name), bool):
            yield wrong(name, "True or False")
    age = setting("CORS_PREFLIGHT_MAX_AGE")
    if isinstance(age, bool) or not isinstance(age, int) or age < 0:
        yield wrong("CORS_PREFLIGHT_MAX_AGE", "a whole number of seconds; 0: browsers decide")


def _listed(value: object, kind: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(each, kind) for each in value)


def _origins() -> Iterator[Error]:
    for origin in setting("CORS_ALLOWED_ORIGINS"):
        if origin not in WITHOUT_HOST and (hint := _no_origin(origin)):
            yield Error(f"CORS_ALLOWED_ORIGINS has {origin!r}, which is no origin.", hint=hint, id="django_rivet.E022")


def _no_origin(text: str) -> str:
    """What to write instead, "" for an origin as browsers send it."""
    if text == "*":
        return "Set CORS_ALLOW_ALL_ORIGINS = True to allow every origin."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "Write it like https://app.example.com."
    if not parts.scheme or not host:
        return f"Write it with its scheme, like https://{text.removeprefix('//').partition('/')[0]}."
    if "*" in host:
        return "Use CORS_ALLOWED_ORIGIN_REGEXES for many hosts."
    shown = f"[{host}]" if ":" in host else host
    plain = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
    default = {"https": 443, "http": 80}.get(parts.scheme)
    if port == default and port is not None:
        return f"Browsers leave out the scheme's own port: write {plain.rpartition(':')[0]}."
    return "" if text == plain else f"An origin is a scheme, a host and a port, in lower case: write {plain}."


def _patterns() -> Iterator[Error]:
    for name in ("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_URLS_REGEX"):
        value = setting(name)
        for pattern in [value] if name == "CORS_URLS_REGEX" else value:
            try:
                re.compile(pattern)
            except re.error as error:
                yield Error(
                    f"{name} has {pattern!r}, which is no regular expression.",
                    hint=f"Python says: {error}.",
                    id="django_rivet.E023",
                )


def _names() -> Iterator[Error]:
    for name in LISTS[1:]:
        for each in setting(name):
            if not TOKEN.fullmatch(each):
                yield Error(f"{name} has {each!r}, which HTTP cannot carry.", hint="Name one.", id="django_rivet.E024")
            elif each == "*" and setting("CORS_ALLOW_CREDENTIALS"):
                yield Error(
                    f"{name} has '*', which browsers take for a name when CORS_ALLOW_CREDENTIALS is on.",
                    hint="Name what is allowed.",
                    id="django_rivet.E024",
                )


def _unknown(given: Iterable[str]) -> Iterator[Warning]:
    known = [*DEFAULTS, *FORMER.values()]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {close[0]}?" if close else "docs/cors.md lists those that are."
            yield Warning(f"{name} is no setting of CORS: it has no effect.", hint=hint, id="django_rivet.W021")


def _doubtful(given: Iterable[str]) -> Iterator[Warning]:
    every, some = setting("CORS_ALLOW_ALL_ORIGINS"), [each for each in FORMER if each != "CORS_ALLOW_ALL_ORIGINS"]
    named = [name for name in some if setting(name)]
    if every and named:
        yield Warning(
            f"{' and '.join(named)} and CORS_ALLOW_ALL_ORIGINS are both set: every origin is allowed.",
            hint="Leave CORS_ALLOW_ALL_ORIGINS out to allow only those that are named.",
            id="django_rivet.W022",
        )
    if every and setting("CORS_ALLOW_CREDENTIALS"):
        yield Warning(
            "CORS_ALLOW_ALL_ORIGINS with CORS_ALLOW_CREDENTIALS lets every web site act as whoever is signed in here.",
            hint="Name the origins in CORS_ALLOWED_ORIGINS.",
            id="django_rivet.W023",
        )
    others = [name for name in given if name in DEFAULTS and name not in FORMER]
    if others and not every and not named:
        yield Warning(
            f"{', '.join(others)} without an allowed origin: there is no CORS.",
            hint="Set CORS_ALLOWED_ORIGINS.",
            id="django_rivet.W022",
        )
    for pattern in setting("CORS_ALLOWED_ORIGIN_REGEXES"):
        text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        if not text.endswith(("$", r"\Z", r"\z")):
            yield Warning(
                f"CORS_ALLOWED_ORIGIN_REGEXES has {text!r}, which allows every origin that begins so.",
                hint="End it with $.",
                id="django_rivet.W024",
            )
