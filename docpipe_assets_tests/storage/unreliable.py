"""A server with one object and just enough of S3 to serve it incorrectly, in one named way each."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TypeAlias


@dataclass
class Answer:
    """The response to a request for a range; a fault changes it."""

    status: int
    etag: str
    content_range: str | None
    announced_bytes: int
    body: bytes


Fault: TypeAlias = Callable[[Answer, int], Answer]
"""Changes the response to the n-th request for the object's content, from 0."""


@dataclass
class Served:
    """The server as visible to a test."""

    url: str
    data: bytes
    requested: list[tuple[int, int]] = field(default_factory=list)
    """The requested ranges, in order."""


@contextmanager
def serving(data: bytes, fault: Fault | None = None) -> Iterator[Served]:
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            range_header = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            start, end = (int(range_header[1]), int(range_header[2]) + 1) if range_header else (0, len(data))
            with lock:
                number = len(served.requested)
                served.requested.append((start, end))
            span = f"bytes {start}-{end - 1}/{len(data)}" if range_header else None
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            answer = Answer(206 if range_header else 200, etag, span, end - start, data[start:end])
            self._send(fault(answer, number) if fault else answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("ETag", f'"{answer.etag}"')
            self.send_header("Content-Length", str(answer.announced_bytes))
            if answer.content_range is not None:
                self.send_header("Content-Range", answer.content_range)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = len(answer.body) != answer.announced_bytes

        def log_message(self, *_: object) -> None:
            """Nothing is written to the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(f"http://127.0.0.1:{server.server_port}", data)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def cuts_each(kept_bytes: int, times: int) -> Fault:
    """Truncates the first ``times`` responses after ``kept_bytes`` bytes."""

    def fault(answer: Answer, number: int) -> Answer:
        if number < times:
            answer.body = answer.body[:kept_bytes]
        return answer

    return fault


def ignores_ranges(answer: Answer, number: int) -> Answer:
    """Sends the requested number of bytes, but from the start of the object and without Content-Range."""
    answer.status, answer.content_range = 200, None
    return answer


def sends_another_range(answer: Answer, number: int) -> Answer:
    """Declares a range that begins one byte later."""
    if answer.content_range is not None:
        start, _, rest = answer.content_range.removeprefix("bytes ").partition("-")
        answer.content_range = f"bytes {int(start) + 1}-{rest}"
    return answer


def says_ok_to_ranges(answer: Answer, number: int) -> Answer:
    """Responds with 200 to a range and sends the correct bytes, like rclone."""
    answer.status = 200
    return answer


def announces_less(answer: Answer, number: int) -> Answer:
    """Omits the last byte, and declares the shorter length."""
    answer.body = answer.body[:-1]
    answer.announced_bytes -= 1
    return answer


def replaced_after(requests: int, *, cut_bytes: int) -> Fault:
    """Serves another version from a certain request on; earlier responses are truncated."""

    def fault(answer: Answer, number: int) -> Answer:
        if number < requests:
            answer.body = answer.body[:cut_bytes]
        else:
            answer.etag = "0" * 32
        return answer

    return fault


def refuses(times: int, status: int = 503) -> Fault:
    """Responds with an error without a body first."""

    def fault(answer: Answer, number: int) -> Answer:
        if number < times:
            return Answer(status, answer.etag, None, 0, b"")
        return answer

    return fault
