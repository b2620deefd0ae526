"""S3 servers for tests: the real one, and one with the semantics of AWS."""

import hashlib
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from docpipe_assets.stack.parts import HOST, free_port, program

KEY_ID, SECRET = "conformance", "conformance-secret"


@contextmanager
def rclone_server(folder: Path) -> Iterator[str]:
    """A real S3 server whose buckets are the subfolders of ``folder``."""
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
    """Returns the URL as soon as it responds."""
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


class FaultyS3Server:
    """Contains one object; first returns the given responses in order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.refusals: deque[tuple[int, str]] = deque()
        """Status and S3 code of the next responses to GET."""
        self.head_refusals: deque[int] = deque()
        """Status of the next responses to HEAD, which have no body."""
        self.answers: list[tuple[str, int]] = []
        """Method and status of all responses."""

    @contextmanager
    def serve(self) -> Iterator[str]:
        with ThreadingHTTPServer((HOST, 0), self._handler()) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://{HOST}:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        faulty = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(faulty.head_refusals.popleft() if faulty.head_refusals else 200, faulty.data)

            def do_GET(self) -> None:
                if not faulty.refusals:
                    return self._answer(200, faulty.data)
                status, code = faulty.refusals.popleft()
                return self._answer(status, f"<Error><Code>{code}</Code><Message/></Error>".encode())

            def _answer(self, status: int, body: bytes) -> None:
                faulty.answers.append((self.command, status))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 200:
                    self.send_header("ETag", f'"{hashlib.md5(faulty.data).hexdigest()}"')
                    self.send_header("Last-Modified", "Mon, 23 Nov 2026 12:00:00 GMT")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
