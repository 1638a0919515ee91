"""docs/servers.md: its files make an application, and its names lead to a handler."""

import re
from pathlib import Path
from typing import Any

from django.template import engines
from django.urls import resolve, reverse

from django_rivet.hatch import NativeApplication

PAGE = (Path(__file__).parents[2] / "docs/servers.md").read_text()


def test_the_files() -> None:
    namespace: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(code, "example", "exec"), namespace)
    assert isinstance(namespace["application"], NativeApplication)
    assert [each.app_name for each in namespace["urlpatterns"]] == ["rivet"]


def test_the_names() -> None:
    call, tag = re.findall(r"^    (reverse\(.*\)|{% url .* %})$", PAGE, re.MULTILINE)
    url = eval(call, {"reverse": reverse})
    assert url == engines["django"].from_string(tag).render() == "/items/7"
    assert resolve(url).kwargs == {"number": "7"}
