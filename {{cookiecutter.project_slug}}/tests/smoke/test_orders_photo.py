"""Photo -> checked and re-encoded -> private S3 -> signed address through nginx."""

import secrets
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import stack
from visitor import Visitor, token_in

HIDDEN = b"Comment\x00taken at 48.2082 N 16.3738 E"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 64, height: int = 48) -> bytes:
    """A picture that also tells where it was taken."""
    rows = b"".join(b"\x00" + bytes((row * 5 % 256, 90, 140)) * width for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"tEXt", HIDDEN) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def send(visitor: Visitor, title: str, name: str, content: bytes, kind: str = "image/png") -> httpx.Response:
    page = visitor.get("/orders/")
    form = {"title": title, "quantity": "1", "csrfmiddlewaretoken": token_in(page)}
    return visitor.post("/orders/", data=form, files={"photo": (name, content, kind)})


def order_titled(visitor: Visitor, title: str) -> dict[str, Any] | None:
    orders = visitor.get("/api/orders/").json()["orders"]
    return next((order for order in orders if order["title"] == title), None)


@pytest.fixture(scope="module")
def photo(member: Visitor) -> str:
    """The signed address of an uploaded photo."""
    title = f"With a photo {secrets.token_hex(4)}"
    answer = send(member, title, "holiday.png", png())
    assert answer.status_code == 302, answer.text
    order = order_titled(member, title)
    assert order
    stack.wait_until("the order is confirmed", lambda: order_titled(member, title)["status"] == "confirmed")
    return order_titled(member, title)["photo_url"]


def test_signed_address_gives_the_photo(stranger: Visitor, photo: str) -> None:
    """By the public address, and without a cookie: the signature is the key."""
    assert photo.startswith(f"{stack.URL}/")
    answer = stranger.get(photo)
    assert answer.status_code == 200
    assert answer.headers["content-type"] in ("image/jpeg", "image/png", "image/webp")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"]
    assert len(answer.content) > 100


def test_photo_is_encoded_anew(stranger: Visitor, photo: str) -> None:
    """Neither the name nor what the file tells about its maker stays."""
    assert "holiday" not in photo
    assert b"48.2082" not in stranger.get(photo).content


def test_without_signature_it_is_refused(stranger: Visitor, photo: str) -> None:
    assert stranger.get(urlsplit(photo).path).status_code == 403


@pytest.mark.parametrize("part", ["X-Amz-Signature=", "X-Amz-Expires="])
def test_changed_signature_is_refused(stranger: Visitor, photo: str, part: str) -> None:
    assert part in photo
    assert stranger.get(photo.replace(part, f"{part}1", 1)).status_code == 403


@pytest.mark.parametrize("path", ["/media/", "/media", "/media/?list-type=2"])
def test_bucket_is_not_listed(stranger: Visitor, path: str) -> None:
    answer = stranger.get(path)
    assert 300 <= answer.status_code < 500
    assert "<Key>" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_media_is_read_only(stranger: Visitor, photo: str, method: str) -> None:
    assert stranger.request(method, photo).status_code in (403, 405)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("page.png", b"<!doctype html><script>alert(1)</script>", "image/png"),
        ("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
        ("cut.png", png()[:100], "image/png"),
        ("huge.png", png()[:16] + struct.pack(">II", 60000, 60000) + png()[24:], "image/png"),
    ],
)
def test_what_is_no_photo_is_refused(member: Visitor, name: str, content: bytes, kind: str) -> None:
    title = f"Refused {secrets.token_hex(4)}"
    answer = send(member, title, name, content, kind)
    assert answer.status_code in (200, 400, 422)
    assert "photo" in answer.text
    assert order_titled(member, title) is None


def test_signatures_stay_out_of_the_logs(stranger: Visitor, photo: str) -> None:
    signature = photo.split("X-Amz-Signature=")[1].split("&")[0]
    stranger.get(photo)
    for service in ("nginx", "web"):
        assert signature not in stack.compose("logs", "--no-color", service), service
