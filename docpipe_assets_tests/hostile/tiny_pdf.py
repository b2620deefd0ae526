"""A PDF writer without validation, which can also write invalid PDFs."""

import zlib

LETTER = b"/MediaBox [0 0 612 792]"
FONT = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
RESOURCES = b"/Resources << " + FONT + b" >>"
SENTENCE = "The witness left the office before the letter of the company was sent to the court"


class TinyPdf:
    """Objects by number, without any validation."""

    def __init__(self, header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n") -> None:
        self.header = header
        self.objects: dict[int, bytes] = {}

    def add(self, body: bytes) -> int:
        number = self.reserve()
        self.objects[number] = body
        return number

    def reserve(self) -> int:
        """A number for an object that is defined later."""
        number = len(self.objects) + 1
        self.objects[number] = b"null"
        return number

    def stream(self, data: bytes, entries: bytes = b"", length: bytes | None = None) -> int:
        declared = b"%d" % len(data) if length is None else length
        return self.add(b"<< /Length %s %s >>\nstream\n%s\nendstream" % (declared, entries, data))

    def flate(self, data: bytes, entries: bytes = b"") -> int:
        return self.stream(zlib.compress(data, 9), b"/Filter /FlateDecode " + entries)

    def page(self, parent: int, contents: bytes, entries: bytes = RESOURCES, box: bytes = LETTER) -> int:
        return self.add(
            b"<< /Type /Page /Parent %d 0 R %s /Contents %s %s >>" % (parent, box, contents, entries)
        )

    def body(self, objects: dict[int, bytes] | None = None, at: int = 0) -> tuple[bytes, dict[int, int]]:
        """The objects one after the other, and the offset of each if the first byte is at ``at``."""
        out = bytearray()
        offsets = {}
        for number, content in (self.objects if objects is None else objects).items():
            offsets[number] = at + len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
        return bytes(out), offsets

    def written(self, root: int, trailer: bytes = b"") -> bytes:
        """The complete file, with a correct cross-reference table."""
        body, offsets = self.body(at=len(self.header))
        start = len(self.header) + len(body)
        table = xref_table(offsets)
        return self.header + body + table + end(len(self.objects) + 1, root, start, trailer)


def xref_table(offsets: dict[int, int]) -> bytes:
    size = max(offsets) + 1
    rows = [b"0000000000 65535 f \n"]
    for number in range(1, size):
        at = offsets.get(number)
        rows.append(b"0000000000 00000 f \n" if at is None else b"%010d 00000 n \n" % at)
    return b"xref\n0 %d\n" % size + b"".join(rows)


def end(size: int, root: int, start: int, trailer: bytes = b"") -> bytes:
    return b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, trailer, start)


def show(text: str = SENTENCE, x: int = 72, y: int = 700, size: int = 12) -> bytes:
    """Operators that show a line of text."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("latin-1")
    return b"BT /F1 %d Tf %d %d Td (%s) Tj ET\n" % (size, x, y, escaped)


def with_pages(
    *contents: bytes, entries: bytes = RESOURCES, box: bytes = LETTER, catalog: bytes = b""
) -> tuple[TinyPdf, int]:
    """A valid document with one page for each content stream, and the number of its catalog."""
    pdf = TinyPdf()
    tree = pdf.reserve()
    pages = [pdf.page(tree, b"%d 0 R" % pdf.stream(content), entries, box) for content in contents]
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))
    return pdf, pdf.add(b"<< /Type /Catalog /Pages %d 0 R %s >>" % (tree, catalog))


def simple(
    *contents: bytes,
    entries: bytes = RESOURCES,
    box: bytes = LETTER,
    catalog: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """A complete file with these contents, or with one page of text if there are none."""
    pdf, root = with_pages(*(contents or (show(),)), entries=entries, box=box, catalog=catalog)
    return pdf.written(root, trailer)
