"""A real S3 server: rclone serving a folder, with its sub-folders as buckets."""

import signal
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from docpipe_assets.stack.endpoints import INTAKE_BUCKET, LAKE_BUCKET, Endpoints
from docpipe_assets.stack.parts import HOST, Command, ServiceSpec, program


@dataclass(frozen=True)
class S3Server:
    spec: ClassVar = ServiceSpec(
        "s3",
        start_seconds=20.0,
        stop_signals=((signal.SIGTERM, 5.0),),
    )

    endpoints: Endpoints
    folder: Path

    def command(self) -> Command:
        for bucket in (INTAKE_BUCKET, LAKE_BUCKET):
            (self.folder / bucket).mkdir(parents=True, exist_ok=True)
        keys = f'"{self.endpoints.s3_access_key_id},{self.endpoints.s3_secret_access_key}"'
        return Command(
            [
                program("rclone"),
                "serve",
                "s3",
                f"--addr={HOST}:{self.endpoints.s3_port}",
                # Otherwise the bucket is deleted with its last object.
                "--no-cleanup",
                str(self.folder),
            ],
            {
                "RCLONE_AUTH_KEY": keys,
                "RCLONE_CONFIG": "",
                "RCLONE_CACHE_DIR": str(self.folder.parent / "cache"),
            },
        )

    def reason_not_ready(self) -> str | None:
        try:
            urllib.request.urlopen(self.endpoints.s3_endpoint_url, timeout=2).close()
        except urllib.error.HTTPError:
            return None  # it responds and rejects requests without credentials
        except OSError as exc:
            return f"{self.endpoints.s3_endpoint_url} does not respond ({exc})"
        return "the S3 server accepts requests without credentials"
