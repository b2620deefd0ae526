"""No call in the package reads an S3 body or a PDF completely into memory."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

import docpipe_assets
from docpipe_assets.errors import InternalError
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.sandbox import Limits, Sandbox
from docpipe_assets.storage.s3 import S3Store
from docpipe_assets_tests.benchmarks.documents import write_text
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, rclone_server

PACKAGE = Path(docpipe_assets.__file__).parent
GUARD = "docpipe_assets_tests.reading_guard"

# Reads without a size: the place, the number, and the reason why no document is read.
ALLOWED = {
    "engines/ner/crf/__init__.py": (1, "the model, which is in the wheel"),
    "engines/ner/crf/gazetteers.py": (1, "the gazetteer, which is in the wheel"),
    "engines/ocr/rapidocr/backends.py": (1, "a model of another wheel"),
    "engines/ocr/rapidocr/latin_head.py": (1, "a model of another wheel"),
    "engines/ocr/rapidocr/__init__.py": (1, "the pixels of one page, which are bounded"),
    "engines/ocr/tesseract.py": (1, "the pixels of one page, which are bounded"),
    "engines/ocr/textract.py": (1, "the pixels of one page, which are bounded"),
    "evaluation/ocr.py": (1, "files of /proc"),
    "sample/damaged.py": (1, "a file of the sample production"),
    "sandbox/memory.py": (1, "files of /proc"),
    "sandbox/zygote.py": (2, "files of /proc"),
    "stack/process.py": (1, "the end of a log"),
    "storage/memory.py": (1, "the store that holds everything in memory"),
    "storage/s3.py": (1, "a file of at most a megabyte, which is sent in one request"),
    "storage/transfer.py": (1, "what a stream must offer, and nobody here asks for"),
}


def reads_whole(node: ast.AST) -> bool:
    """Whether this is a call of ``read`` without a size, or of a function that never takes one."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    match node.func.attr:
        case "read":
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            return not given or ast.unparse(given[0]) in ("None", "-1")
        case "open" | "PdfDocument":
            return any(keyword.arg == "stream" for keyword in node.keywords)
        case name:
            return name in ("read_bytes", "readall", "readlines", "fromfile")


def whole_reads(source: str) -> list[int]:
    return [getattr(node, "lineno", 0) for node in ast.walk(ast.parse(source)) if reads_whole(node)]


@pytest.mark.parametrize(
    "source",
    [
        "body.read()",
        "body.read(None)",
        "body.read(-1)",
        "body.read(amt=None)",
        "client.get_object(Key=key)['Body'].read()",
        "Path(name).read_bytes()",
        "body.readall()",
        "pymupdf.open(stream=data)",
    ],
)
def test_the_rule_detects_unbounded_reads(source: str) -> None:
    assert whole_reads(source) == [1]


def test_the_rule_allows_bounded_reads() -> None:
    assert whole_reads("body.read(1024)\npath.open('rb')\npath.read_text()\nengine.read(image)") == []


def test_every_read_without_a_size_is_listed_and_reads_no_document() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): len(lines)
        for path in PACKAGE.rglob("*.py")
        if (lines := whole_reads(path.read_text("utf-8")))
    }
    allowed = {module: times for module, (times, _) in ALLOWED.items()}
    assert found == allowed, "give read() a size, or state above why no document is read"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Five pages of text, each with a small image that is stored in four megabytes."""
    write_text(tmp_path / "text.pdf", 5)
    with pikepdf.open(tmp_path / "text.pdf") as pdf:
        for page in pdf.pages:
            picture = pdf.make_stream(
                os.urandom(2000 * 2000),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=2000,
                Height=2000,
                ColorSpace=pikepdf.Name.DeviceGray,
                BitsPerComponent=8,
            )
            name = page.add_resource(picture, pikepdf.Name.XObject)
            page.contents_add(f"q 40 0 0 40 0 0 cm {name} Do Q".encode())
        pdf.save(tmp_path / "document.pdf")
    return tmp_path / "document.pdf"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(4_000_000)
    return path


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for bucket in ("intake", "lake"):
        (tmp_path / "buckets" / bucket).mkdir(parents=True)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with rclone_server(tmp_path / "buckets") as url:
        yield {
            **os.environ,
            "DOCPIPE_S3_ENDPOINT_URL": url,
            "DOCPIPE_INTAKE_URL": "s3://intake",
            "DOCPIPE_LAKE_URL": "s3://lake",
            "DOCPIPE_DATA_DIR": str(tmp_path / "data"),
        }


def test_a_large_document_passes_all_stages_without_being_read_whole(
    document: Path, environment: dict[str, str]
) -> None:
    S3Store("intake", endpoint_url=environment["DOCPIPE_S3_ENDPOINT_URL"]).put("b/x.pdf", document)
    run = subprocess.run(
        [sys.executable, "-m", GUARD, "b/x.pdf"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert list(seen["made"]) == [stream.asset for stream in PIPELINE.streams]
    assert min(seen["made"].values()) > 0
    # Once from the intake bucket, once from the lake for splitting, once more as parts.
    assert seen["body_bytes"] > 3 * 0.99 * document.stat().st_size
    assert seen["files"] > 0, "the guard has recorded reads of files"


@pytest.mark.parametrize(
    "reading",
    [
        "Path(sys.argv[1]).read_bytes()",
        "open(sys.argv[1], 'rb').read()",
        "io.open(sys.argv[1], 'rb').read(3_000_000)",
        "StreamingBody(io.BytesIO(bytes(3_000_000)), 3_000_000).read()",
    ],
)
def test_the_guard_rejects_complete_reads(reading: str, large: Path) -> None:
    program = (
        f"import io, sys; from pathlib import Path; from {GUARD} import install; install();"
        f"from botocore.response import StreamingBody; {reading}"
    )
    run = subprocess.run([sys.executable, "-c", program, str(large)], capture_output=True, text=True)
    assert "ReadWhole" in run.stderr


def test_the_guard_rejects_complete_reads_in_the_sandbox(large: Path, tmp_path: Path) -> None:
    limits = Limits(
        cpu_seconds=20, wall_seconds=60, memory_bytes=1 << 30, file_bytes=1 << 20, output_bytes=1 << 20
    )
    with Sandbox(preload=[f"{GUARD}:install"], scratch=tmp_path / "scratch") as sandbox:
        with pytest.raises(InternalError, match="ReadWhole"):
            list(sandbox.stream(f"{GUARD}:read_whole", {"path": str(large)}, limits))
        small = tmp_path / "small"
        small.write_bytes(b"x")
        assert list(sandbox.stream(f"{GUARD}:read_whole", {"path": str(small)}, limits)) == [1]
