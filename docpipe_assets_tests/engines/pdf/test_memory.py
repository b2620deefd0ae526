"""With too little memory a page is a MEMORY_LIMIT or complete; nothing is omitted silently.

Limits are increased from the memory of the libraries through the range in which a call begins to succeed, so
that each allocation in turn is the one that fails.
"""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from docpipe_assets.engines.pdf.reader import IsolatedPdfReader, Runner
from docpipe_assets.errors import BadPageTree, DocpipeError, MemoryLimit, UnreadablePdf
from docpipe_assets.sandbox import JSON, Limits, Sandbox
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.hostile.tiny_pdf import FONT, TinyPdf

ENGINES = "docpipe_assets.engines.pdf"
PLENTY = 2**30
STEPS_MEBIBYTES = (-30, 5, 8, 12, 18, 26, 40)
"""MiB above the memory of the libraries."""
SIDE = 2000


def written(pdf: TinyPdf, *kids: int) -> bytes:
    """The file with these kids in its page tree."""
    pages = pdf.add(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(map(reference, kids)), len(kids)))
    for kid in pdf.objects.keys() & kids:
        pdf.objects[kid] = pdf.objects[kid].replace(b"/Parent 0 0 R", b"/Parent %d 0 R" % pages)
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % pages))


def reference(number: int) -> bytes:
    return b"%d 0 R" % number


def text_page(pdf: TinyPdf, text: bytes) -> int:
    return pdf.page(0, reference(pdf.stream(b"BT /F1 12 Tf 50 700 Td (%s) Tj ET" % text)))


def colours() -> bytes:
    """A page under a color image that is large when decoded, but small in the file."""
    pdf = TinyPdf()
    row = b"".join(bytes((n % 256, n * 7 % 256, 40)) for n in range(SIDE))
    image = pdf.flate(
        row * SIDE,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceRGB"
        % (SIDE, SIDE),
    )
    contents = pdf.stream(b"q 500 0 0 500 50 50 cm /I Do Q BT /F1 12 Tf 50 700 Td (Under an image) Tj ET")
    resources = b"/Resources << /XObject << /I %d 0 R >> %s >>" % (image, FONT)
    return written(pdf, pdf.page(0, reference(contents), resources))


def words() -> bytes:
    """A page of 6,000 words."""
    pdf = TinyPdf()
    lines = [f"1 0 0 1 20 {780 - 3 * n} Tm ({'the witness left ' * 8}) Tj" for n in range(250)]
    return written(pdf, pdf.page(0, reference(pdf.flate(f"BT /F1 2 Tf {' '.join(lines)} ET".encode()))))


def limited(memory_bytes: int) -> Limits:
    return Limits(
        cpu_seconds=20, wall_seconds=60, memory_bytes=memory_bytes, file_bytes=2**28, output_bytes=2**28
    )


def data_of_the_libraries(sandbox: Sandbox) -> int:
    (fields,) = sandbox.stream(f"{__name__}:data_size", {}, limited(PLENTY))
    assert isinstance(fields, int)
    return fields


def data_size() -> Iterator[JSON]:
    """Runs inside the sandbox."""
    yield int(Path("/proc/self/statm").read_bytes().split()[5]) * 4096


def calls(path: str) -> dict[str, tuple[str, dict[str, JSON]]]:
    parts: dict[str, JSON] = {"path": path, "pages": 1, "pages_per_part": 1, "bytes_per_part": 2**26}
    shown: dict[str, JSON] = {"path": path, "page": 1, "dpi": 150, "target": "image"}
    return {
        "mupdf inspect": ("pymupdf:inspect", {"path": path, "max_pages": 10}),
        "mupdf survey": ("pymupdf:survey", {"path": path, "first": 1}),
        "mupdf read": ("pymupdf:read", {"path": path, "first": 1}),
        "mupdf render": ("pymupdf:render", shown),
        "pdfium inspect": ("pdfium:inspect", {"path": path, "max_pages": 10}),
        "pdfium read": ("pdfium:read", {"path": path, "page": 1}),
        "pdfium render": ("pdfium:render", {**shown, "image_bytes_max": None}),
        "qpdf split": ("qpdf:split", {**parts, "is_pruned": True, "folder": "."}),
        "pdfium split": ("pdfium:split", {**parts, "is_pruned": True, "folder": "."}),
    }


def outcome(
    sandbox: Sandbox, function: str, arguments: Mapping[str, JSON], memory_bytes: int, folder: Path
) -> object:
    """The returned values and the written files, or the code of the error."""
    folder.mkdir()
    try:
        items = list(sandbox.stream(f"{ENGINES}.{function}", arguments, limited(memory_bytes), folder=folder))
    except DocpipeError as error:
        return error.full_code
    return items, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*.*")}


@pytest.mark.parametrize("document", [colours(), words()], ids=["colours", "words"])
def test_with_too_little_memory_a_call_fails_or_returns_everything(
    sandbox: Sandbox, tmp_path: Path, document: bytes
) -> None:
    if "seccomp" not in sandbox.confinement:
        pytest.skip("without a system call filter, a failed allocation of one large block may go undetected")
    path = tmp_path / "document.pdf"
    path.write_bytes(document)
    at_first = data_of_the_libraries(sandbox)
    seen = Counter[str]()
    for name, (function, arguments) in calls(str(path)).items():
        whole = outcome(sandbox, function, arguments, PLENTY, tmp_path / name)
        assert not isinstance(whole, str), f"{name}: {whole}"
        for step in STEPS_MEBIBYTES:
            found = outcome(
                sandbox, function, arguments, at_first + step * 2**20, tmp_path / f"{name} {step}"
            )
            assert found in ("MEMORY_LIMIT", whole), f"{name} with {step} MiB more than the libraries take"
            seen["limit" if found == "MEMORY_LIMIT" else "whole"] += 1
    assert min(seen["limit"], seen["whole"]) >= 8, "some limits are too low, some suffice"


def short_of(functions: set[str], otherwise: Runner) -> Runner:
    """A runner in which some functions are always out of memory."""

    def run(
        function: str, arguments: Mapping[str, Any], folder: Path | None = None, *, by_page: bool = False
    ) -> Iterator[Any]:
        if function.removeprefix(f"{ENGINES}.") in functions:
            raise MemoryLimit(f"{function}: out of memory")
        return otherwise(function, arguments, folder, by_page=by_page)

    return run


def test_a_second_engine_out_of_memory_does_not_blame_the_document(run: Runner, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\nnothing of a document")
    scratch = ScratchFolder(tmp_path / "scratch")
    with pytest.raises(UnreadablePdf):
        IsolatedPdfReader(run, scratch).inspect(damaged, 10)
    with pytest.raises(MemoryLimit):
        IsolatedPdfReader(short_of({"pdfium:inspect"}, run), scratch).inspect(damaged, 10)


def test_pdfium_splits_if_qpdf_is_out_of_memory(run: Runner, tmp_path: Path) -> None:
    pdf = TinyPdf()
    path = tmp_path / "document.pdf"
    path.write_bytes(written(pdf, *(text_page(pdf, b"Page %d " % n + b"of many" * 200) for n in range(1, 8))))
    reader = IsolatedPdfReader(short_of({"qpdf:split"}, run), ScratchFolder(tmp_path / "scratch"))
    for bytes_per_part, windows in ((2**20, [(1, 3), (4, 6), (7, 7)]), (1, [(n, n) for n in range(1, 8)])):
        cut: list[list[tuple[int, int, str]]] = []
        for _ in range(2):
            cut.append([])
            for part in reader.split(path, 7, 3, bytes_per_part):
                first_words = [next(reader.read(part.path)).lines[0][n].text for n in (0, 1)]
                assert first_words == ["Page", str(part.first_page)]
                sha256 = hashlib.sha256(part.path.read_bytes()).hexdigest()
                cut[-1].append((part.first_page, part.last_page, sha256))
        assert [(first, last) for first, last, _ in cut[0]] == windows
        assert cut[0] == cut[1], "the same document has the same parts"


def test_pages_below_inline_page_tree_nodes_are_counted(run: Runner, tmp_path: Path) -> None:
    """The tree declares one page and has two; its nodes are direct objects of their parent."""
    pdf = TinyPdf()
    nodes = [
        b"<< /Type /Pages /Kids [%s] /Count 1 >>" % reference(text_page(pdf, text))
        for text in (b"one", b"two")
    ]
    tree = pdf.add(b"<< /Type /Pages /Kids [%s] /Count 1 >>" % b" ".join(nodes))
    path = tmp_path / "document.pdf"
    path.write_bytes(pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)))
    facts = IsolatedPdfReader(run, ScratchFolder(tmp_path / "scratch")).inspect(path, 10)
    assert (facts.pages, facts.is_repaired) == (2, True)


def half_a_page_tree() -> bytes:
    """Declares two pages; one of them does not exist."""
    pdf = TinyPdf()
    return written(pdf, text_page(pdf, b"The first page"), 99)


def test_pages_are_not_given_up_if_memory_may_be_the_cause(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(half_a_page_tree())
    scratch = ScratchFolder(tmp_path / "scratch")
    parts = IsolatedPdfReader(run, scratch).split(path, 2, 10, 2**20, is_damaged=True)
    assert [part.missing for part in parts] == [(2,)]
    reader = IsolatedPdfReader(short_of({"pymupdf:copy"}, run), scratch)
    with pytest.raises((MemoryLimit, BadPageTree)) as refused:
        list(reader.split(path, 2, 10, 2**20, is_damaged=True))
    assert isinstance(refused.value, MemoryLimit)


def test_a_falsely_empty_page_is_not_lost_if_the_second_attempt_fails(run: Runner, tmp_path: Path) -> None:
    pdf = TinyPdf()
    cut = pdf.stream(zlib.compress(b"BT /F1 12 Tf (lost) Tj ET")[:-9], b"/Filter /FlateDecode")
    path = tmp_path / "document.pdf"
    path.write_bytes(written(pdf, pdf.page(0, reference(cut)), text_page(pdf, b"The second page")))
    scratch = ScratchFolder(tmp_path / "scratch")
    assert [page.page for page in IsolatedPdfReader(run, scratch).read(path)] == [1, 2]
    reader = IsolatedPdfReader(short_of({"pdfium:read"}, run), scratch)
    with pytest.raises(MemoryLimit):
        next(reader.read(path))
    assert [page.page for page in reader.read(path, 2)] == [2]
