"""The 143 samples of requests in gunicorn's source distribution.

Each is read as it stands there, and again with a Host where an HTTP/1.1 request has none: without it RFC 9112 section
3.2 wants 400, and gunicorn does not look. With it, `invalid` must be refused (or wait for more) and `valid` be read as
gunicorn's file says. What differs is in three tables, with the reason.
"""

import importlib
import re
import sys
import types
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from reading import Reading, read, serve
from sdists import source

ROOT = source("gunicorn")
SAMPLES = ROOT / "tests/requests"
NAMES = sorted(str(path.relative_to(SAMPLES).with_suffix("")) for path in SAMPLES.glob("*/*.http"))

# valid for gunicorn, refused here: the status and the reason
STRICTER = {
    "valid/005": (400, "RFC 9112 section 3.2.1: a request target has no fragment"),
    "valid/025": (400, "Transfer-Encoding in two fields"),
    "valid/025_line": (501, "a transfer coding besides chunked, which nobody here decodes: RFC 9112 section 6.1"),
    "valid/029": (400, "identity is no transfer coding any more: RFC 9112 section 7"),
    "valid/030": (400, "identity again"),
    "valid/rfc9112_smuggle_gzip_chunked_01": (501, "a transfer coding besides chunked"),
    "valid/rfc9112_smuggle_te_identity_chunked_01": (501, "a transfer coding besides chunked"),
    "valid/rfc9112_target_absolute_userinfo_01": (400, "RFC 9110 section 4.2.4: user information is an error"),
    "valid/rfc9112_target_authority_connect_01": (501, "this is no proxy"),
    "valid/rfc9112_target_authority_ipv6_01": (501, "this is no proxy"),
}
# These turn on an option of gunicorn that there is not here, and are right when they are refused.
OPTIONS = {
    "valid/024": (431, "limit_request_field_size: a field has 8190 bytes at most here"),
    "valid/026": (431, "limit_request_field_size"),
    "valid/028": (400, "strip_header_spaces: white space before the colon"),
    "valid/031compat": (400, "permit_unconventional_http_method, casefold_http_method: small letters"),
    "valid/031compat2": (400, "permit_unconventional_http_method"),
    "valid/compat_obs_fold": (400, "permit_obsolete_folding"),
    "valid/compat_obs_fold_huge": (400, "permit_obsolete_folding"),
    "valid/pp_01": (400, "proxy_protocol"),
    "valid/pp_02": (400, "proxy_protocol"),
    "valid/pp_04": (400, "proxy_protocol"),
    "valid/pp_05": (400, "proxy_protocol"),
}
# invalid by a bound of gunicorn's: the nearest bound here, set to the same
BOUNDS = {
    "invalid/006": ({"target": 4094}, "4094 bytes by default there; here 8192, as RFC 9112 section 3 wants 8000"),
    "invalid/010": ({"head": 10}, "limit_request_field_size; here the bound is on the whole head"),
    "invalid/011": ({"fields": 2}, "limit_request_fields"),
    "invalid/012": ({"head": 98}, "limit_request_field_size"),
    "invalid/013": ({"head": 14}, "limit_request_field_size"),
}
# valid/099 announces more than it holds: all of it must be waited for
SHORT = {"valid/099": 17914 - 8599}
# invalid by an option of gunicorn's that there is not here
UNKNOWN = {
    "invalid/019": "forwarded_allow_ips: X-Forwarded-Ssl means nothing here",
    "invalid/040": "header_map=refuse; here as by default in gunicorn (valid/040, the same bytes): left out of META",
    "invalid/chunked_07": "header_map=refuse; left out of META",
}


def sample(name: str) -> tuple[bytes, Any]:
    """The bytes and gunicorn's verdict: an exception, a request or several."""
    data = (SAMPLES / f"{name}.http").read_bytes().replace(b"\n", b"")
    for escape, byte in ((b"\\r\\n", b"\r\n"), (b"\\0", b"\0"), (b"\\n", b"\n"), (b"\\t", b"\t")):
        data = data.replace(escape, byte)
    data = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), data)
    return data, verdict(SAMPLES / f"{name}.py")


def verdict(path: Path) -> Any:
    """The samples' files are Python that imports gunicorn: from the same source, for that moment."""
    module = types.ModuleType("sample")
    sys.path.insert(0, str(ROOT))
    try:
        module.__dict__.update(uri=str, cfg=importlib.import_module("gunicorn.config").Config())
        SourceFileLoader("sample", str(path)).exec_module(module)
    finally:
        sys.path.remove(str(ROOT))
    return module.__dict__["request"]


def with_host(name: str, data: bytes) -> bytes:
    """Each HTTP/1.1 request without Host gets one. What follows in valid/019 and 020 is no request that is served."""
    if name in ("valid/019", "valid/020"):
        return data
    line = re.compile(rb"(?m)^[^\r\n]* HTTP/1\.1\r\n(?!(?:[^\r\n]+\r\n)*?(?i:host):)")
    return line.sub(lambda match: match[0] + b"Host: added\r\n", data)


def as_gunicorn_says(reading: Reading, wanted: list[dict[str, Any]]) -> None:
    assert not reading.refused
    assert len(reading.requests) == len(wanted)
    for request, sample in zip(reading.requests, wanted, strict=True):
        assert request["method"].decode() == sample["method"]
        assert request["target"].decode() == sample["uri"]
        assert request["version"] == "{}.{}".format(*sample["version"])
        body = sample["body"]
        assert request["body"] == (body.encode() if isinstance(body, str) else body)
        fields = [(name.decode().upper(), value.decode("latin-1")) for name, value in request["headers"]]
        names = {name for name, _ in sample["headers"]}
        # Names with an underscore stay in the list and never reach META; gunicorn leaves them out of its own.
        mine = [field for field in fields if field != ("HOST", "added") and ("_" not in field[0] or field[0] in names)]
        assert mine == sample["headers"]


@pytest.mark.parametrize("name", NAMES)
def test_sample(name: str, port: int) -> None:
    data, wanted = sample(name)
    hosted = with_host(name, data)
    if hosted != data:
        assert read(data).refused or read(data).incomplete, "there is no Host"
        serve(port, data)
    reading = read(hosted)
    if name in UNKNOWN:
        assert len(reading.requests) == 1
    elif name in STRICTER or name in OPTIONS:
        assert reading.refused == {**STRICTER, **OPTIONS}[name][0]
    elif name in BOUNDS:
        assert read(hosted, BOUNDS[name][0]).refused in (414, 431)
    elif isinstance(wanted, type):
        assert not reading.requests
        assert reading.refused or reading.incomplete
    elif name in SHORT:
        assert reading.incomplete
        as_gunicorn_says(read(hosted + bytes(SHORT[name])), [{**wanted, "body": wanted["body"] + bytes(SHORT[name])}])
    else:
        as_gunicorn_says(reading, wanted if isinstance(wanted, list) else [wanted])
    serve(port, hosted)


def test_all_are_there(record_property: Callable[[str, object], None]) -> None:
    """The tables name samples; this test is none, and does not count as one."""
    record_property("right", 0)
    record_property("total", 0)
    assert [len([name for name in NAMES if name.startswith(kind)]) for kind in ("invalid/", "valid/")] == [81, 62]
    assert {*STRICTER, *OPTIONS, *BOUNDS, *SHORT, *UNKNOWN} <= set(NAMES)
