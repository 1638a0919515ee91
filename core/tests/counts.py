"""A pytest plugin: one line `name: right/total` for each file of tests at the end; what was skipped is not right.

A test that stands for many says so: `record_property("right", 517)` and `record_property("total", 517)`. Tests that
count under another name than their file's: `record_property("suite", "name")`.
With `--django 5.2` that Django must be the one that is imported, and the names tell it: `name-django-5.2`.
"""

import pathlib
from collections import defaultdict

import django
import pytest

suffix = ""
right: defaultdict[str, int] = defaultdict(int)
total: defaultdict[str, int] = defaultdict(int)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--django", metavar="SERIES", help="the Django that is tested, for the names of the counts")


def pytest_configure(config: pytest.Config) -> None:
    global suffix
    if series := config.getoption("--django"):
        if not django.get_version().startswith(f"{series}."):
            raise pytest.UsageError(f"--django {series}: imported is Django {django.get_version()}, {django.__file__}")
        suffix = f"-django-{series}"


def suite(nodeid: str) -> str:
    """tests/protocol/test_gunicorn.py::test_sample[1] -> protocol/gunicorn"""
    path = pathlib.PurePath(nodeid.partition("::")[0])
    return f"{path.parent.name}{suffix}/{path.stem.removeprefix('test_')}"


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        total[suite(report.nodeid)] += 1


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.passed:
        return
    told = dict(report.user_properties)
    name = str(told.get("suite") or suite(report.nodeid))
    if "total" in told:
        right[name] += int(told["right"])  # type: ignore[call-overload]
        total[name] += int(told["total"])  # type: ignore[call-overload]
    elif report.when == "call" or report.outcome != "passed":
        right[name] += report.passed and not hasattr(report, "wasxfail")
        total[name] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == 0 and right != total:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("right/total")
    for name in sorted(total):
        terminalreporter.write_line(f"{name}: {right[name]}/{total[name]}")
