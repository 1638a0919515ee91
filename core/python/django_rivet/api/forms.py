"""Forms, read by Django's own parsers, so that its upload handlers and limits hold."""

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.files import uploadedfile

from django_rivet._core import Request
from django_rivet.api.django_request import FORMS
from django_rivet.api.errors import HTTPError
from django_rivet.api.route import REQUIRED, Parameter
from django_rivet.api.types import alternatives, is_list, record_fields, takes_empty_text

if TYPE_CHECKING:
    type UploadedFile = uploadedfile.UploadedFile[Any]
else:
    # Generic for type checkers only.
    UploadedFile = uploadedfile.UploadedFile

# Bytes; a larger body is parsed on a thread, when that can be.
_AT_ONCE = 64 * 1024


class _Field:
    """One field of a form, by what HTML makes of its type (https://html.spec.whatwg.org/multipage/input.html)."""

    def __init__(self, name: str, annotation: Any) -> None:
        self.name = name
        self._many = is_list(annotation)
        # Browsers send fields that nobody has filled in, and a ticked box as `on`.
        self._blank = takes_empty_text(annotation)
        self._ticked = bool in alternatives(annotation) and not self._blank

    def read(self, source: Any) -> Any:
        """Its value, None where there is none."""
        if self.name not in source:
            return None
        if self._many:
            return source.getlist(self.name)
        value = source[self.name]
        if value == "" and not self._blank:
            return None
        return "true" if self._ticked and value == "on" else value


class FormReader:
    """Reads a request's form into the values of some parameters, which have these keys."""

    def __init__(self, parameters: list[tuple[str, Parameter]]) -> None:
        self._records = [
            (key, each.default is REQUIRED, [_Field(*field) for field in record_fields(each.annotation).items()])
            for key, each in parameters
            if each.whole
        ]
        self._fields = [
            (key, each.location, _Field(each.name, each.annotation)) for key, each in parameters if not each.whole
        ]

    def read(self, core: Request, values: dict[str, Any]) -> Any:
        """Adds what the form has to `values`; returns Django's request, to be closed. Raises HTTPError (415, 400)."""
        kind = (core.header("content-type") or "").partition(";")[0].strip().lower()
        if kind not in FORMS:
            raise HTTPError(415, f"Send a form: {' or '.join(FORMS)}.")
        request = core._inside.form
        for key, location, field in self._fields:
            value = field.read(request.FILES if location == "file" else request.POST)
            if value is not None:
                values[key] = value
        for key, required, fields in self._records:
            record = {each.name: value for each in fields if (value := each.read(request.POST)) is not None}
            if record or required:
                values[key] = record
        return request

    async def read_later(self, core: Request, values: dict[str, Any]) -> Any:
        """As `read`, without holding up the loop."""
        if (core.content_length or _AT_ONCE) < _AT_ONCE:
            return self.read(core, values)
        return await asyncio.to_thread(self.read, core, values)
