"""Requests made from the document: what fits it is answered as it says, and what does not fit is refused."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode

from django_rivet.openapi import document
from everything.api import api
from serving import serving

EXAMPLES = 10


def made(**generation: Any) -> Any:
    found = schemathesis.openapi.from_dict(document(api.routes))
    # Tags are made up.
    for check in (found.config.checks.positive_data_acceptance, found.config.checks.negative_data_rejection):
        check.expected_statuses = [*check.expected_statuses, "412"]
    # Who is logged in is told below.
    found.config.generation.update(with_security_parameters=False, **generation)
    return found


schema = made()
versioned = made(modes=[GenerationMode.POSITIVE]).include(path_regex="/versions/")

usual = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Its address, with the headers and cookies of somebody who is logged in."""
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": "a" * 32}
    with serving(api) as http:
        yield str(http.base_url), {"X-CSRFToken": "a" * 32, "X-API-Key": "key"}, cookies


def is_lenient(case: Any) -> bool:
    """What is read from text besides what the document tells: seconds since 1970 as a time, 0 and 1 as booleans."""
    values = {**(case.query or {}), **(case.body if isinstance(case.body, dict) else {})}
    return str(values.get("remember")) in ("0", "1") or is_number(values.get("at"))


def is_number(value: Any) -> bool:
    try:
        return value is not None and bool(float(value) or True)
    except (TypeError, ValueError):
        return False


@schema.parametrize()
@usual
def test_operation(case: Any, server: Any, record_property: Any) -> None:
    record_property("suite", "schemathesis")
    if is_lenient(case):
        return
    url, headers, cookies = server
    case.call_and_validate(base_url=url, headers=headers, cookies=cookies, timeout=10)


@versioned.parametrize()
@usual
def test_conditions(case: Any, server: Any) -> None:
    """With tags that are there, which schemathesis cannot make up."""
    url, headers, cookies = server
    tag = httpx.get(url + case.formatted_path).headers["etag"]
    reads = case.method == "GET"
    for conditions, status in (
        ({}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": f'"other", {tag}'}, 200),
        ({"If-None-Match": tag}, 304 if reads else 412),
        ({"If-Match": '"other"'}, 412),
    ):
        case.headers = conditions
        answer = case.call_and_validate(base_url=url, headers=headers, cookies=cookies, timeout=10)
        assert answer.status_code == status
