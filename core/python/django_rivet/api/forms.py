"""Forms, read by Django's own parsers, so that its upload handlers and limits hold."""

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.files import uploadedfile

from django_rivet._core import Request
from django_rivet.api.django_request import FORMS
from django_rivet.api.errors import HTTPError
from django_rivet.api.route import REQUIRED, Parameter
from django_rivet.api.types import is_list, record_names

if TYPE_CHECKING:
    type UploadedFile = uploadedfile.UploadedFile[Any]
else:
    # Generic for type checkers only.
    UploadedFile = uploadedfile.UploadedFile

# Bytes; a larger body is parsed on a thread, when that can be.
_AT_ONCE = 64 * 1024


class FormReader:
    """Reads a request's form into the values of some parameters, which have these keys."""

    def __init__(self, parameters: list[tuple[str, Parameter]]) -> None:
        self._parts = [
            (key, parameter, record_names(parameter.annotation) if parameter.whole else {})
            for key, parameter in parameters
        ]

    def read(self, core: Request, values: dict[str, Any]) -> Any:
        """Adds what the form has to `values`; returns Django's request, to be closed. Raises HTTPError (415, 400)."""
        kind = (core.header("content-type") or "").partition(";")[0].strip().lower()
        if kind not in FORMS:
            raise HTTPError(415, f"Send a form: {' or '.join(FORMS)}.")
        request = core._inside.form
        for key, parameter, names in self._parts:
            source = request.FILES if parameter.location == "file" else request.POST
            if parameter.whole:
                record = {name: _value(source, name, many) for name, many in names.items() if name in source}
                if record or parameter.default is REQUIRED:
                    values[key] = record
            elif parameter.name in source:
                values[key] = _value(source, parameter.name, is_list(parameter.annotation))
        return request

    async def read_later(self, core: Request, values: dict[str, Any]) -> Any:
        """As `read`, without holding up the loop."""
        if (core.content_length or _AT_ONCE) < _AT_ONCE:
            return self.read(core, values)
        return await asyncio.to_thread(self.read, core, values)


def _value(source: Any, name: str, many: bool) -> Any:
    return source.getlist(name) if many else source[name]
