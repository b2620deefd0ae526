"""S3 servers to test against: the real one, and one with AWS's semantics."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docpipe_assets.stack.parts import HOST, free_port, program

KEY_ID, SECRET = "conformance", "conformance-secret"


@contextmanager
def rclone_server(folder: Path) -> Iterator[str]:
    """A real S3 server with the buckets that are folders of ``folder``."""
    port = free_port(None, ())
    process = subprocess.Popen(
        [program("rclone"), "serve", "s3", f"--addr={HOST}:{port}", "--no-cleanup", str(folder)],
        env={**os.environ, "RCLONE_AUTH_KEY": f'"{KEY_ID},{SECRET}"', "RCLONE_CONFIG": ""},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield wait_for(f"http://{HOST}:{port}")
    finally:
        process.kill()
        process.wait()


def wait_for(url: str, seconds: float = 20) -> str:
    """The URL, as soon as it answers with anything at all."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return url
        except OSError:
            time.sleep(0.05)
        else:
            return url
    raise TimeoutError(f"{url} does not answer")


@contextmanager
def moto_server() -> Iterator[str]:
    """AWS's semantics (conditional requests, versions), which the real server lacks."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
