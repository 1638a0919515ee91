"""Requests that schemathesis makes of the API's document: answers as it says, and refusals of what does not fit."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

import stack
from visitor import Visitor

EXAMPLES = 10


def test_each_operation_is_as_documented(member: Visitor) -> None:
    schema = schemathesis.openapi.from_dict(member.get("/api/docs/openapi.json").json())
    schema.config.generation.update(with_security_parameters=False)  # the member's own
    headers = {"X-CSRFToken": member.csrf_token, "Referer": f"{stack.URL}/"}
    cookies = dict(member.cookies)

    def check(operation: Any, mode: GenerationMode) -> None:
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            verify = stack.tls() is None
            case.call_and_validate(base_url=stack.URL, headers=headers, cookies=cookies, timeout=15, verify=verify)

        send()

    operations = [each.ok() for each in schema.get_all_operations()]
    for operation in operations:
        for mode in GenerationMode:
            check(operation, mode)
    print(f"schemathesis: {len(operations)}/{len(operations)}")
    assert len(operations) == 3
