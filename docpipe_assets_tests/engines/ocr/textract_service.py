"""A local server that implements the subset of S3 and AWS Textract that one page image requires.

The responses have the structure of recorded ones: blocks for a page, its lines and their words, which refer
to each other by identifiers; geometry relative to the page; confidence in percent; and a token if there are
more results. The page is read by one of docpipe's engines, so that the text is that of the page.
"""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord

Lines = tuple[tuple[PlacedWord, ...], ...]
BLOCKS_AT_ONCE = 25


@dataclass
class Service:
    """The contents of the server, and at most one fault."""

    url: str
    read: Callable[[PageImage], Lines]
    objects: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    polls_until_done: int = 1
    throttled_starts: int = 0
    refuses_with: str | None = None
    """The error code with which a job is rejected."""
    ends_as: str = "SUCCEEDED"
    polled: int = 0
    _known: dict[bytes, list[dict[str, Any]]] = field(default_factory=dict)
    """The responses for pages that were read before, because the engine of the server is slow."""

    def answer(self, action: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(action)
        if action == "StartDocumentTextDetection":
            return self._start(request)
        return self._get(request)

    def _start(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.throttled_starts > 0:
            self.throttled_starts -= 1
            return 400, _error("ProvisionedThroughputExceededException", "Provisioned rate exceeded")
        if self.refuses_with:
            return 400, _error(self.refuses_with, "as the test wants it")
        place = request["DocumentLocation"]["S3Object"]
        page = self.objects.get(f"/{place['Bucket']}/{place['Name']}")
        if page is None:
            return 400, _error("InvalidS3ObjectException", "Unable to get object metadata from S3.")
        job = f"{len(self.jobs) + 1:064x}"
        if self.ends_as == "SUCCEEDED" and page not in self._known:
            self._known[page] = blocks_of(page, self.read)
        self.jobs[job] = self._known.get(page, [])
        self.polled = 0
        return 200, {"JobId": job}

    def _get(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.polled += 1
        if self.polled <= self.polls_until_done:
            return 200, {"JobStatus": "IN_PROGRESS"}
        if self.ends_as != "SUCCEEDED":
            return 200, {"JobStatus": self.ends_as, "StatusMessage": "INVALID_IMAGE_TYPE"}
        first = int(request.get("NextToken", "0"))
        last = first + min(BLOCKS_AT_ONCE, request.get("MaxResults", 1000))
        blocks = self.jobs[request["JobId"]]
        answer: dict[str, Any] = {
            "JobStatus": "SUCCEEDED",
            "DetectDocumentTextModelVersion": "1.0",
            "DocumentMetadata": {"Pages": 1},
            "Blocks": blocks[first:last],
        }
        if last < len(blocks):
            answer["NextToken"] = str(last)
        return 200, answer


def _error(code: str, message: str) -> dict[str, str]:
    return {"__type": code, "message": message}


def blocks_of(png: bytes, read: Callable[[PageImage], Lines]) -> list[dict[str, Any]]:
    """All blocks of a page image in Textract's order: page, lines, words."""
    image = Image.open(io.BytesIO(png)).convert("L")
    dpi = float(image.info.get("dpi", (200, 200))[0])
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.grey")
        path.write_bytes(image.tobytes())
        lines = read(PageImage(path, image.width, image.height, round(dpi)))
    found: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        children = []
        for n, word in enumerate(line):
            children.append(f"word-{number}-{n}")
            words.append(_block("WORD", children[-1], word.box, image, word.confidence, word.text))
        around = Box.around(word.box for word in line)
        sure = sum(word.confidence for word in line) / len(line)
        block = _block("LINE", f"line-{number}", around, image, sure, " ".join(word.text for word in line))
        found.append({**block, "Relationships": [{"Type": "CHILD", "Ids": children}]})
    whole = Box(0.0, 0.0, float(image.width), float(image.height))
    page = _block("PAGE", "page-1", whole, image, 1.0, None)
    return [page, *found, *words]


def _block(
    kind: str, name: str, box: Box, image: Image.Image, sure: float, text: str | None
) -> dict[str, Any]:
    left, top = box.left / image.width, box.top / image.height
    right, bottom = box.right / image.width, box.bottom / image.height
    block: dict[str, Any] = {
        "BlockType": kind,
        "Id": name,
        "Page": 1,
        "Geometry": {
            "BoundingBox": {"Left": left, "Top": top, "Width": right - left, "Height": bottom - top},
            "Polygon": [
                {"X": x, "Y": y} for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
            ],
        },
    }
    if text is not None:
        block |= {"Text": text, "Confidence": 100 * sure}
    if kind == "WORD":
        block["TextType"] = "PRINTED"
    return block


@contextmanager
def textract_service(read: Callable[[PageImage], Lines]) -> Iterator[Service]:
    """Runs the server during the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            service.objects[self.path] = self._body()
            self._reply(200, b"", "application/xml", {"ETag": '"made"'})

        def do_DELETE(self) -> None:
            service.objects.pop(self.path, None)
            self._reply(204, b"", "application/xml")

        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].partition(".")[2]
            status, answer = service.answer(action, json.loads(self._body()))
            self._reply(status, json.dumps(answer).encode(), "application/x-amz-json-1.1")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _reply(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing: the service records the calls."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = Service(f"http://127.0.0.1:{server.server_port}", read)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
