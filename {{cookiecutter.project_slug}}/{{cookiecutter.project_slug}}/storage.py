"""Where uploads go: private, under random names, to be read by signed URLs only."""

import mimetypes
import os
import secrets
import time
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any

import boto3
from botocore.config import Config
from django.core.files.storage import FileSystemStorage, Storage
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

SAFE_TO_SHOW = {"image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"}  # an SVG can run scripts
EXPIRE_SECONDS = 900
STABLE_SECONDS = 300  # a page that is asked for again names the same URLs, which the browser has in its cache


class RandomNames(Storage):
    """Gives an uploaded file a name that nobody can guess; its folder and its ending are kept."""

    def generate_filename(self, filename: str | os.PathLike[str]) -> str:
        path = PurePosixPath(filename)
        name = path.with_name(secrets.token_hex(16) + path.suffix.lower())
        return super().generate_filename(str(name))


class LocalMediaStorage(RandomNames, FileSystemStorage):
    """A folder, for development."""

    def probe(self) -> None:
        """Raise OSError when nothing can be stored."""
        os.makedirs(self.location, exist_ok=True)
        if not os.access(self.location, os.W_OK):
            raise PermissionError(self.location)


class PrivateMediaStorage(RandomNames, S3Storage):
    """Any S3: files go to its `endpoint_url`, and browsers come by its `public_url`.

    A signature covers the host, so each URL is signed for the host that the browser will ask.
    """

    def __init__(self, *, public_url: str, **options: Any) -> None:
        self.public_url = public_url
        super().__init__(**options)

    def get_default_settings(self) -> dict[str, Any]:
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 2},
            # Not every S3 knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        parameters = {"CacheControl": "private, max-age=86400, immutable"}
        return {**super().get_default_settings(), "client_config": config, "object_parameters": parameters}

    @cached_property
    def _session(self) -> Any:
        return boto3.session.Session(self.access_key, self.secret_key, region_name=self.region_name)

    @cached_property
    def connection(self) -> Any:
        """Shared by all threads: the base class makes one for each, and ours live as long as one request."""
        return self._session.resource("s3", endpoint_url=self.endpoint_url, config=self.client_config)

    @cached_property
    def _signer(self) -> Any:
        return self._session.client("s3", endpoint_url=self.public_url, config=self.client_config)

    @cached_property
    def _signed(self) -> Any:
        return lru_cache(maxsize=10_000)(lambda name, window: self._sign(name, {}, EXPIRE_SECONDS, "GET"))

    def _sign(self, name: str, parameters: dict[str, Any], expire: int, method: str) -> str:
        params = {"Bucket": self.bucket_name, "Key": name, **parameters}
        if mimetypes.guess_type(name)[0] not in SAFE_TO_SHOW:
            params.setdefault("ResponseContentDisposition", "attachment")
        url: str = self._signer.generate_presigned_url("get_object", params, expire, method)
        return url

    def url(  # type: ignore[override]
        self,
        name: str,
        parameters: dict[str, Any] | None = None,
        expire: int | None = None,
        http_method: str | None = None,
    ) -> str:
        """Return a URL that a browser can read; what is no plain image is offered as a download.

        `expire`: seconds for which it is valid; without it 10 to 15 minutes. `parameters`: those of S3's GetObject.
        """
        name = self._normalize_name(clean_name(name))
        if parameters or expire or http_method:
            return self._sign(name, parameters or {}, expire or EXPIRE_SECONDS, http_method or "GET")
        url: str = self._signed(name, int(time.time() / STABLE_SECONDS))
        return url

    def probe(self) -> None:
        """Raise botocore's error when the bucket cannot be reached with our key."""
        self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
