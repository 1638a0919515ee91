import re
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.base import ContentFile

from tests.unit.production import PACKAGE

storage = import_module(f"{PACKAGE}.storage")


@pytest.fixture
def private() -> Any:
    return storage.PrivateMediaStorage(
        endpoint_url="http://s3:3900",
        public_url="https://example.com",
        bucket_name="media",
        region_name="garage",
        access_key="GK0",
        secret_key="secret",
    )


def test_urls_are_for_the_browser_and_signed(private: Any) -> None:
    url = urlsplit(private.url("photos/a.jpg"))
    assert (url.scheme, url.netloc, url.path) == ("https", "example.com", "/media/photos/a.jpg")
    query = parse_qs(url.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Credential"][0].endswith("/garage/s3/aws4_request")
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert "secret" not in url.query


def test_files_go_by_the_inner_way(private: Any) -> None:
    assert private.connection.meta.client.meta.endpoint_url == "http://s3:3900"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a.jpg", True), ("a.png", True), ("a.webp", True), ("a.svg", False), ("a.html", False), ("a", False)],
)
def test_only_plain_images_are_shown(private: Any, name: str, shown: bool) -> None:
    assert ("response-content-disposition=attachment" in private.url(name)) is not shown


def test_urls_are_stable_for_a_while(private: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the browser's cache is of use, and long before they expire."""
    monkeypatch.setattr(storage.time, "time", lambda: 3000.0)
    first = private.url("a.jpg")
    monkeypatch.setattr(storage.time, "time", lambda: 3000.0 + storage.STABLE_SECONDS - 1)
    assert private.url("a.jpg") is first
    monkeypatch.setattr(storage.time, "time", lambda: 3000.0 + storage.STABLE_SECONDS)
    assert private.url("a.jpg") is not first
    assert storage.EXPIRE_SECONDS > 2 * storage.STABLE_SECONDS


def test_an_own_lifetime_and_parameters(private: Any) -> None:
    url = private.url("a.jpg", parameters={"ResponseContentDisposition": 'attachment; filename="b.jpg"'}, expire=60)
    assert "X-Amz-Expires=60" in url
    assert "b.jpg" in url


def test_names_are_random(private: Any) -> None:
    names = {private.generate_filename("photos/My Photo.JPG") for _ in range(2)}
    assert len(names) == 2
    assert all(re.fullmatch(r"photos/[0-9a-f]{32}\.jpg", name) for name in names)


def test_a_folder_serves_for_development(tmp_path: Any) -> None:
    local = storage.LocalMediaStorage(location=tmp_path / "media", base_url="/media/")
    local.probe()
    name = local.save(local.generate_filename("a.txt"), ContentFile(b"text"))
    assert re.fullmatch(r"[0-9a-f]{32}\.txt", name)
