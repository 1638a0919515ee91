"""The environment as settings read it: each NAME also as NAME_FILE, and one clear line when something is wrong."""

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping

TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def stop(message: str) -> NoReturn:
    """End the process with exit code 1 and this line on stderr; a traceback would bury it."""
    raise SystemExit(f"error: {message}")


@dataclass(frozen=True)
class PublicUrl:
    """Where visitors find the site: the source of hosts, origins, cookies and redirects."""

    scheme: str
    host: str  # as in a Host header without its port: [::1] has brackets
    port: int | None  # None: the scheme's own

    @classmethod
    def parse(cls, url: str) -> "PublicUrl":
        """Read PUBLIC_URL, such as https://example.com or http://localhost:8000; stops when it is none."""
        try:
            parts = urlsplit(url)
            name, port = (parts.hostname or "").encode("idna").decode(), parts.port
        except ValueError:
            name, port, parts = "", None, urlsplit("")
        if not name or parts.scheme not in ("http", "https") or parts.username or parts.path.strip("/"):
            stop(f"PUBLIC_URL is {url!r}: give scheme, host and port only, such as https://example.com.")
        if parts.query or parts.fragment:
            stop(f"PUBLIC_URL is {url!r}: leave out what follows the host and port.")
        if parts.scheme == "http" and not is_local(name):
            stop(f"PUBLIC_URL is {url!r}: plain http is for localhost only; use https.")
        own = {"http": 80, "https": 443}[parts.scheme]
        return cls(parts.scheme, f"[{name}]" if ":" in name else name, None if port == own else port)

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """As browsers write it in an Origin header."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def websocket_origin(self) -> str:
        return self.origin.replace("http", "ws", 1)


def is_local(name: str) -> bool:
    """Tell whether only this machine can mean itself by the host name."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, or an empty string for an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if url else ""


def with_password(url: str, password: str) -> str:
    """Put a password that comes from a secret file into a URL that has none."""
    parts = urlsplit(url)
    if not password or parts.password:
        return url
    netloc = f"{parts.username or ''}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc))


class Env:
    """Reads variables; an empty one counts as absent, since Compose passes `${NAME:-}` on as empty."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._values = FileAwareMapping(environment)
        self.names: set[str] = set()  # all that were read: a test compares them with compose.yaml and .env.example
        self.debug = self.flag("DEBUG")

    def text(self, name: str, default: str = "") -> str:
        self.names.add(name)
        try:
            return self._values.get(name, "").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            stop(f"{name}_FILE names {self._values.env[f'{name}_FILE']}, which cannot be read: {reason}.")

    def required(self, name: str, *, embedded: str) -> str:
        """Return the value; without it DEBUG takes what is embedded, and production stops."""
        value = self.text(name, embedded if self.debug else "")
        if not value and not self.debug:
            stop(
                f"{name} is not set. Set it, or {name}_FILE to a file that holds it"
                " (.env.example explains each variable); for development use `make dev`."
            )
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name, "false").lower()
        if value not in TRUE | FALSE:
            stop(f"{name} is {value!r}: write true or false.")
        return value in TRUE

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal():
            stop(f"{name} is {value!r}: write a whole number.")
        return int(value)

    def choice[T](self, name: str, choices: Mapping[str, T]) -> T:
        """Return what the chosen word stands for; the first is the default."""
        value = self.text(name, next(iter(choices)))
        if value not in choices:
            stop(f"{name} is {value!r}: choose one of {', '.join(choices)}.")
        return choices[value]

    def database(self, name: str, url: str) -> dict[str, Any]:
        """Return Django's DATABASES entry for the URL; its password may come by DATABASE_PASSWORD."""
        if not url.startswith(("postgres://", "postgresql://", "sqlite:///")):
            stop(f"{name} is no database URL: write it as postgres://user@host:5432/name.")
        return dict(FileAwareEnv.db_url_config(with_password(url, self.text("DATABASE_PASSWORD"))))

    def redis(self, name: str) -> str:
        """Return a Redis URL whose password may come by a variable of its own; empty without Redis."""
        prefix = name.removesuffix("_URL")
        url = self.required(name, embedded="")
        if url and urlsplit(url).scheme not in ("redis", "rediss"):
            stop(f"{name} is no Redis URL: write it as redis://user@host:6379/0.")
        return with_password(url, self.text(f"{prefix}_PASSWORD"))

    def mailer(self) -> dict[str, Any]:
        """Return Django's MAILERS entry for EMAIL_URL; mail goes to the console without it."""
        url, password = self.text("EMAIL_URL"), self.text("EMAIL_PASSWORD")
        if not url:
            return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
        parts = urlsplit(url)
        schemes = {"smtp": {}, "smtp+tls": {"use_tls": True}, "smtp+ssl": {"use_ssl": True}}
        if parts.scheme not in schemes or not parts.hostname:
            stop("EMAIL_URL is no mail server: write it as smtp+tls://user@host:587 (or smtp://, smtp+ssl://).")
        return {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": parts.hostname,
                "port": parts.port or {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}[parts.scheme],
                "username": unquote(parts.username or ""),
                "password": unquote(parts.password or "") or password,
                "timeout": 10,
                **schemes[parts.scheme],
            },
        }


def warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)
