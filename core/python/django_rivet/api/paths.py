"""What a path of a route may be."""

import re

PARAMETER = re.compile(r"\{([^{}]*)\}")
# RFC 3986 3.3: what a path holds as it is; the engine decodes the rest before it looks for a route.
SEGMENT = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@]*")

# Of Django and Starlette.
_CONVERTERS = ("int", "str", "float", "slug", "uuid", "path")


def check_prefix(what: str, prefix: str) -> None:
    """Raises ValueError for what is no prefix: "" or like "/orders"."""
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"{what}: write '' or a path like '/orders', without a slash at the end")
    if PARAMETER.search(prefix):
        raise ValueError(f"{what}: path parameters belong into the paths, not into the prefix")
    check_path(what, prefix)


def check_path(where: str, path: str) -> None:
    """Raises ValueError for a path that no request can have."""
    for segment in path.split("/")[1:-1]:
        if segment in ("", ".", ".."):
            raise ValueError(f"{where}: an empty segment, '.' or '..' never matches")
    for segment in path.split("/"):
        if not PARAMETER.fullmatch(segment) and not SEGMENT.fullmatch(segment):
            raise ValueError(
                f"{where}: {segment!r} is neither a parameter like '{{id}}', which takes a whole segment, "
                "nor plain characters of a path"
            )


def parameters(where: str, path: str) -> list[str]:
    """The names in a path; raises ValueError for one that is no Python name or stands there twice."""
    names = PARAMETER.findall(path)
    for name in names:
        if not name.isidentifier():
            plain = next((part for part in name.split(":") if part.isidentifier() and part not in _CONVERTERS), "id")
            raise ValueError(
                f"{where}: {{{name}}} is no Python name: write {{{plain}}}, which takes one segment; its type stands "
                f"in the handler's signature, {plain}: int"
            )
        if names.count(name) > 1:
            raise ValueError(f"{where}: {{{name}}} stands there twice")
    return names
