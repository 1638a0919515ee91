"""What a route has instead of the server's options: how large, how long, how compressed."""

from dataclasses import dataclass
from typing import Any

from django_rivet.kinds import Kind, coding_list, duration, size

MAX_BODY = size(0, 1 << 40)
TIMEOUT = duration(0, 86_400)
_CODINGS = coding_list()


def _compress(value: object) -> object:
    return ("on" if value else "off") if isinstance(value, bool) else _CODINGS.parse(value)


COMPRESS = Kind(_compress, f"True, False, or {_CODINGS.wanted}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Each None where the server's option holds; `API` documents them. `of` reads what people write."""

    max_body: int | None = None
    timeout: float | None = None
    compress: str | None = None

    @classmethod
    def of(cls, where: str, max_body: int | str | None, timeout: float | None, compress: bool | str | None) -> "Limits":
        """Raises ValueError, with `where`, for what cannot be."""
        return cls(
            max_body=read(where, "max_body", MAX_BODY, max_body),
            timeout=read(where, "timeout", TIMEOUT, timeout),
            compress=read(where, "compress", COMPRESS, compress),
        )

    def engine(self) -> dict[str, Any]:
        """For `Reactor.native`."""
        return {"max_body": self.max_body, "timeout": self.timeout or 0.0, "compression": self.compress or ""}


def read(where: str, name: str, kind: Kind, value: Any) -> Any:
    """What an option means; None stays. Raises ValueError, with `where`, for what cannot be."""
    if value is None:
        return None
    try:
        return kind.parse(value)
    except (ValueError, TypeError):
        raise ValueError(f"{where}: {name}={value!r}: write {kind.wanted}") from None
