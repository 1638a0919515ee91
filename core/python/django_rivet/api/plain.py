"""Values that are no JSON: which of them a route answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlainValues:
    """Whether a handler may return str (text), bytes (as they are) and None (no body)."""

    text: bool = True
    bytes: bool = True
    none: bool = True

    def takes(self, value: object) -> bool:
        """Whether a value may be answered, as far as it is one of these."""
        if value is None:
            return self.none
        if isinstance(value, str):
            return self.text
        return self.bytes or not isinstance(value, bytes)

    def engine(self) -> dict[str, bool]:
        """For `Reactor.native`."""
        return {"text": self.text, "bytes": self.bytes, "none": self.none}
