"""The kinds of values that options take: how each is read from text or Python, and what it wants to be written."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_network
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """`parse` raises ValueError or TypeError; `wanted` ends the sentence "write ..."."""

    parse: Callable[[object], object]
    wanted: str
    show: Callable[[Any], str] = str


_SIZE = re.compile(r"(\d+)\s*(?:([KMGT])(?:i?B)?|B)?", re.IGNORECASE)
# As `src/compress/mod.rs` has them.
_LEVELS = {"zstd": range(1, 20), "br": range(12), "gzip": range(1, 10)}
_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def whole(least: int, most: int) -> Kind:
    """A whole number."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError
        return _within(int(value), least, most)

    return Kind(parse, f"a whole number from {least} to {most}")


def duration(least: float, most: float) -> Kind:
    """Seconds."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        return _within(float(value), least, most)

    return Kind(parse, f"seconds from {least:g} to {most:.10g}", lambda value: f"{value:g}")


def size(least: int, most: int) -> Kind:
    """Bytes, as a number or with a unit of 1024: 64K, 100M, 1 GiB."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError
        found = _SIZE.fullmatch(str(value).strip())
        if not found:
            raise ValueError
        return _within(int(found[1]) << 10 * (" KMGT".index((found[2] or " ").upper())), least, most)

    return Kind(parse, f"bytes from {_bytes(least)} to {_bytes(most)}, such as 64K or 100M", _bytes)


def mode() -> Kind:
    """Permissions of a file, in octal; kept as text. A whole number is one of Python's: 0o660."""

    def parse(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError
        number = _within(value if isinstance(value, int) else int(value, 8), 0, 0o777)
        return f"{number:03o}"

    return Kind(parse, "permissions in octal from 000 to 777, such as 660")


def switch() -> Kind:
    """On or off."""

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value.lower() not in _SWITCH:
            raise ValueError
        return _SWITCH[value.lower()]

    return Kind(parse, "on or off", lambda value: "on" if value else "off")


def one_of(*names: str) -> Kind:
    """One of some words."""

    def parse(value: object) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Kind(parse, ", ".join(names[:-1]) + " or " + names[-1])


def text() -> Kind:
    """Any text on one line."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError
        return value

    return Kind(parse, "text on one line")


def path() -> Kind:
    """A path of the site."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not _is_path(value):
            raise ValueError
        return value

    return Kind(parse, "a path that begins with a slash")


def address() -> Kind:
    """Where to listen; `off` is nowhere, and kept as an empty text."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError
        if value in ("", "off"):
            return ""
        if "/" not in value:
            host, colon, port = value.rpartition(":")
            if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
                raise ValueError
            _within(int(port), 0, 65_535)
        return value

    wanted = "host:port, :port for every address, the path of a Unix socket, or off"
    return Kind(parse, wanted, lambda value: value or "off")


def name_list(wanted: str = "names", fits: Callable[[str], bool] = str.isprintable) -> Kind:
    """Names parted by commas; in Django's settings a list or tuple too. Kept as text with commas.

    wanted, fits: what they must be, in words and as a test of each.
    """

    def parse(value: object) -> str:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError
        kept = [name.strip() for name in names if name.strip()]
        if not all(map(fits, kept)):
            raise ValueError
        return ",".join(kept)

    return Kind(parse, f"{wanted} parted by commas")


def path_list() -> Kind:
    """Paths of the site, as `name_list` has them."""
    return name_list("paths that begin with a slash,", _is_path)


def origin_list() -> Kind:
    """Origins as in CSRF_TRUSTED_ORIGINS, or `*`, as `name_list` has them."""
    return name_list("origins with their scheme and without a path, or *,", _is_origin)


def proxy_list() -> Kind:
    """Addresses and networks, `unix` or `*`, as `name_list` has them."""
    return name_list("addresses, networks such as 10.0.0.0/8, unix or *,", _is_proxy)


def coding_list() -> Kind:
    """Codings of answers, each once and with a level if wanted; kept as `name_list` keeps them."""
    listed = name_list(fits=_is_coding)

    def parse(value: object) -> str:
        codings = str(listed.parse(value))
        names = [each.partition(":")[0] for each in codings.split(",")]
        if not codings or len({*names}) < len(names):
            raise ValueError
        return codings

    levels = ", ".join(f"{name} {each[0]} to {each[-1]}" for name, each in _LEVELS.items())
    wanted = f"codings in order of preference, with a level if wanted, such as zstd,gzip:5 (levels: {levels})"
    return Kind(parse, wanted)


def or_off(kind: Kind) -> Kind:
    """The same, or `off`."""

    def parse(value: object) -> object:
        return value if value == "off" else kind.parse(value)

    return kind._replace(parse=parse, wanted=f"off, or {kind.wanted}")


def _is_proxy(text: str) -> bool:
    if text in ("unix", "*"):
        return True
    _, slash, prefix = text.partition("/")
    network = ip_network(text)
    mapped = isinstance(network.network_address, IPv6Address) and network.network_address.ipv4_mapped is not None
    return "%" not in text and (prefix.isdigit() or not slash) and not (mapped and network.prefixlen < 96)


def _is_coding(text: str) -> bool:
    name, colon, level = text.partition(":")
    return name in _LEVELS and (not colon or (level.isdecimal() and int(level) in _LEVELS[name]))


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable()


def _is_origin(text: str) -> bool:
    scheme, _, host = text.partition("://")
    return text == "*" or bool(scheme and host and "/" not in host and text.isprintable())


def _within[Number: (int, float)](value: Number, least: float, most: float) -> Number:
    if not least <= value <= most:
        raise ValueError
    return value


def _bytes(value: Any) -> str:
    for unit, shift in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if value and not value % (1 << shift):
            return f"{value >> shift}{unit}"
    return str(value)
