"""Django's own test suites, with our handler in the place of Django's; the judge of what "serves Django" means.

A test may only fail that fails in a stock run, in this container, too.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
import pytest

from sdists import source

HERE = Path(__file__).parent
LABELS = (
    "asgi async builtin_server conditional_processing csrf_tests decorators file_uploads flatpages_tests"
    " handlers httpwrappers logging_tests messages_tests middleware middleware_exceptions requests_tests responses"
    " servers sessions_tests signals signed_cookies_tests staticfiles_tests test_client test_client_regress"
    " urlpatterns urlpatterns_reverse view_tests wsgi"
).split()
# Half of the time of all, for tests that hash passwords and send no request.
NOT_OURS = "auth_tests.test_hashers"
_CLOSES = "asserts that wsgiref does not heed Connection: close; we do (RFC 9112 9.6)"
_LOGS = "asserts on the debug log of how Django's async chain adapts middleware; ours needs no adapting"
_OTHER_NAME = "its async half prefixes HTTP_ a second time (mended in 6.1); our sync half reads the name as documented"
_OTHER_HALF = "asserts that a sync view comes after the middleware's async half; with us after its sync half"
# Tests that fail beyond a stock run, and why that is right; then those of one Django only.
DIFFERENT = {
    "servers.tests.LiveServerViews.test_closes_connection_without_content_length": "asserts that wsgiref closes"
    " when a length is missing; we send chunks",
    "servers.tests.LiveServerViews.test_keep_alive_connection_clears_previous_request_data": _CLOSES,
    "servers.tests.LiveServerViews.test_keep_alive_on_connection_with_content_length": _CLOSES,
    "middleware_exceptions.tests.MiddlewareNotUsedTests.test_async_and_sync_middleware_chain_async_call": _LOGS,
    "middleware_exceptions.tests.MiddlewareSyncAsyncTests.test_sync_middleware_async": _LOGS,
}
_CUSTOM = "auth_tests.test_remote_user.Custom"
DIFFERENT_IN = {
    "5.2": {
        f"{_CUSTOM}HeaderRemoteUserTest.test_header_disappears_async": _OTHER_NAME,
        f"{_CUSTOM}HeaderRemoteUserTest.test_known_user_async": _OTHER_NAME,
        f"{_CUSTOM}HeaderRemoteUserTest.test_last_login_async": _OTHER_NAME,
        f"{_CUSTOM}HeaderRemoteUserTest.test_unknown_user_async": _OTHER_NAME,
        f"{_CUSTOM}HeaderRemoteUserTest.test_user_switch_forces_new_login_async": _OTHER_NAME,
        f"{_CUSTOM}ProcessRequestMiddlewareTest.test_async_no_warning_sync_and_async_middleware": _OTHER_HALF,
        f"{_CUSTOM}ProcessRequestMiddlewareTest.test_async_warns_sync_only_middleware": _OTHER_HALF,
    },
}
SERIES = ".".join(map(str, django.VERSION[:2]))
# How many tests really send a request through us; fewer mean that the suites no longer judge us.
SENDING = {"5.2": 780, "6.1": 840}


@pytest.fixture(scope="session")
def suites() -> Path:
    """The folder `tests` of the source distribution of the Django that is installed."""
    return source("django", django.get_version()) / "tests"


def labels(suites: Path) -> list[str]:
    auth = [f"auth_tests.{file.stem}" for file in sorted(suites.glob("auth_tests/test*.py"))]
    return [label for label in (*LABELS, *auth) if label != NOT_OURS]


class Run:
    """Runs of runtests.py side by side: how many tests ran, and the ids of those that failed.

    Its own --parallel cannot hand a failure over without tblib.
    """

    def __init__(self, suites: Path, count: Path | None, *groups: list[str]) -> None:
        script = [] if count is None else [str(HERE / "run_django.py")]
        command = [sys.executable, "-W", "ignore", *script, str(suites / "runtests.py"), "--parallel=1"]
        environment = os.environ | {"RIVET_COUNT": str(count or os.devnull)}
        with ThreadPoolExecutor() as threads:
            done = threads.map(lambda group: self._run([*command, *group], environment), groups)
            self.output = "".join(done)
        self.total = sum(int(ran) for ran in re.findall(r"^Ran (\d+) tests? in", self.output, re.MULTILINE))
        self.failed = set(re.findall(r"^(?:FAIL|ERROR): \S+ \(([\w.]+)\)", self.output, re.MULTILINE))

    @staticmethod
    def _run(command: list[str], environment: dict[str, str]) -> str:
        done = subprocess.run(
            command, cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2400
        )
        output = done.stdout.decode(errors="replace")
        if not re.search(r"^(OK|FAILED)\b", output, re.MULTILINE):
            pytest.fail(f"Django's runtests.py did not get through:\n{output[-4000:]}")
        return output


@pytest.mark.timeout(2700)
def test_suites(suites: Path, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    count = tmp_path / "sent"
    wanted = labels(suites)
    ours = Run(suites, count, wanted[::2], wanted[1::2])
    different = DIFFERENT | DIFFERENT_IN.get(SERIES, {})
    failed = ours.failed - different.keys()
    beyond = failed - Run(suites, None, sorted(failed)).failed if failed else set()
    sending = len(count.read_text().splitlines())
    print(f"Django's suites: {ours.total} tests, {sending} sent requests through us; failed: {sorted(ours.failed)}")
    for name, reason in sorted(different.items()):
        print(f"  {name}: {reason}")
    record_property("right", ours.total - len(beyond))
    record_property("total", ours.total)
    details = "\n".join(part for part in re.split(r"^=+$", ours.output, flags=re.MULTILINE) if any(
        f"({name})" in part for name in beyond
    ))  # fmt: skip
    assert not beyond, f"These fail, and in a stock run they do not: {sorted(beyond)}\n{details}"
    assert different.keys() <= ours.failed, "These pass now: strike them off the list."
    assert sending >= SENDING[SERIES], f"Django {SERIES}: only {sending} tests sent a request through us"
