"""Opens the store that a URL names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.protocols import Store
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import FileStore


def open_store(url: str, settings: Settings) -> Store:
    """The store at an ``s3://bucket/prefix`` or ``file:///folder`` URL."""
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        from docpipe_assets.storage.s3 import S3Store  # loads boto3

        return S3Store(
            parts.netloc,
            parts.path.strip("/"),
            endpoint_url=settings.s3_endpoint_url,
            region=settings.s3_region,
            kms_key_id=settings.s3_kms_key_id,
        )
    if parts.scheme == "file" and parts.path:
        return FileStore(Path(unquote(parts.path)))
    raise ConfigurationError(f"{url!r} is not a store URL; use s3://bucket/prefix or file:///folder")
