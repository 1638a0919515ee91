"""A function that is being written: its lines, and what the names in it stand for."""

import functools
from typing import Any

from django_rivet.api.route import Handler


class Code:
    """names: what the lines refer to, their globals."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._lines: list[str] = []

    def line(self, text: str) -> None:
        """One more, within the function; further indented as it is."""
        self._lines.append(f"    {text}")

    def function(self, arguments: list[str], stands_for: Handler, *, is_async: bool) -> Handler:
        """The function, called `bound`, which passes for another one."""
        source = "\n".join([f"{'async ' * is_async}def bound({', '.join(arguments)}):", *self._lines])
        exec(compile(source, f"<what {stands_for.__qualname__} takes>", "exec"), self.names)
        return functools.update_wrapper(self.names["bound"], stands_for)
