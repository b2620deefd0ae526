"""Ports and secrets of the services: generated once, stored in the stack's folder with mode 0600."""

import fcntl
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from docpipe_assets.stack.parts import HOST, StackError, free_port

INTAKE_BUCKET = "intake"
LAKE_BUCKET = "lake"
REGION = "us-east-1"
_FILE = "endpoints.json"
_LOCK = "lock"


@dataclass(frozen=True)
class Endpoints:
    s3_port: int
    postgres_port: int
    broker_port: int
    webserver_port: int
    code_server_port: int
    s3_access_key_id: str
    s3_secret_access_key: str
    postgres_password: str
    broker_password: str
    dagster_home: str

    @property
    def s3_endpoint_url(self) -> str:
        return f"http://{HOST}:{self.s3_port}"

    @property
    def postgres_url(self) -> str:
        # psycopg2 is explicit, because SQLAlchemy 2.1 interprets postgresql:// as psycopg 3.
        return f"postgresql+psycopg2://postgres:{self.postgres_password}@{HOST}:{self.postgres_port}/postgres"

    @property
    def broker_url(self) -> str:
        return f"redis://:{self.broker_password}@{HOST}:{self.broker_port}/0"

    @property
    def webserver_url(self) -> str:
        return f"http://{HOST}:{self.webserver_port}"

    def __repr__(self) -> str:
        return f"Endpoints(s3={self.s3_endpoint_url}, webserver={self.webserver_url})"

    def environment(self, folder: Path) -> dict[str, str]:
        """The environment variables of a process that uses this stack."""
        return {
            "DOCPIPE_S3_ENDPOINT_URL": self.s3_endpoint_url,
            "DOCPIPE_S3_REGION": REGION,
            "DOCPIPE_INTAKE_URL": f"s3://{INTAKE_BUCKET}",
            "DOCPIPE_LAKE_URL": f"s3://{LAKE_BUCKET}",
            "DOCPIPE_POSTGRES_URL": self.postgres_url,
            "DOCPIPE_BROKER_URL": self.broker_url,
            "DOCPIPE_DATA_DIR": str(folder),
            "AWS_ACCESS_KEY_ID": self.s3_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.s3_secret_access_key,
            "DAGSTER_HOME": self.dagster_home,
        }


def ensure_endpoints(folder: Path) -> Endpoints:
    """The previous endpoints of the folder, with new ports for those that are in use; or new endpoints."""
    known = _read(folder)
    ensured: dict[str, Any] = {}
    ports: set[int] = set()
    for name in (entry.name for entry in fields(Endpoints)):
        if name.endswith("_port"):
            ensured[name] = free_port(known.get(name), ports)
            ports.add(ensured[name])
        elif name == "dagster_home":
            ensured[name] = str(folder / "dagster")
        else:
            # Hexadecimal needs no quoting in a URL, a configuration file or CSV.
            ensured[name] = known.get(name) or secrets.token_hex(10 if name.endswith("_id") else 20)
    endpoints = Endpoints(**ensured)
    write_private(folder / _FILE, json.dumps(asdict(endpoints), indent=1))
    return endpoints


def running_environment(folder: Path) -> dict[str, str] | None:
    """The environment of the stack that runs in this folder, for another process; None if none runs."""
    folder = folder.absolute()
    if not (folder / _FILE).exists() or not is_locked(folder):
        return None
    return Endpoints(**_read(folder)).environment(folder)


def lock(folder: Path) -> int:
    """Held while the returned descriptor is open, that is at most for the life of this process."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(10):  # another process may just be checking whether a stack runs
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
            continue
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        return descriptor
    holder = os.read(descriptor, 20).decode() or "unknown"
    os.close(descriptor)
    raise StackError(
        f"a stack is already running in {folder} (process {holder}); stop it or choose another folder"
    )


def is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write_private(path: Path, text: str) -> None:
    """Write to a temporary file and rename it: never half written, never readable by others."""
    aside = path.with_name(path.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    aside.replace(path)


def _read(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as exc:
        raise StackError(f"{folder / _FILE} is damaged; move the folder away and start again") from exc
    return dict(known)
