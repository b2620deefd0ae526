"""The bad files of a production as they come from vendors: locked, cut short, empty, or no PDF at all."""

import io
from importlib import resources

import pikepdf

from docpipe_assets.sample.scan import saved

LOCKED_PASSWORD = "Heron-Court-311"
LOCKED_FILE = "settlement_memo.aes256.pdf"

PORTAL_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Tideflat Discovery Portal - session expired</title></head>
<body><h1>Your session has expired</h1>
<p>Sign in again to download <b>CALDERA 000376-000387.pdf</b>. Links are valid for 24 hours after
the production notice of September 4, 2025. Questions: support@tideflatportal.example.com.</p>
</body></html>
"""

LOAD_NOTE = """PRODUCTION VOLUME CALDERA-VOL001
Quintrell et al. v. Harbor Point Logistics, LLC et al., No. 2:24-cv-01187-JRW (W.D. Wash.)
Produced by Castellane Hargreave PLLC on September 4, 2025. Bates prefix: CALDERA.
One PDF per document. Medical records are produced under the Protective Order, Dkt. 19.
The settlement memorandum was locked by the client; the password follows by separate cover.
"""


def locked() -> bytes:
    """A memorandum that needs a user password (AES-256, revision 6).

    It is packaged as bytes: this encryption draws its key and salts at random, so making it anew each time
    would give a new version of the document on every call. `lock` is how it was made.
    """
    return resources.files("docpipe_assets.sample").joinpath("texts", LOCKED_FILE).read_bytes()


def lock(pdf: bytes) -> bytes:
    """The PDF encrypted so that it opens with `LOCKED_PASSWORD` alone."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(
            buffer,
            static_id=True,
            encryption=pikepdf.Encryption(owner=LOCKED_PASSWORD + "-owner", user=LOCKED_PASSWORD, R=6),
        )
    return buffer.getvalue()


def cut_short(scan: bytes) -> bytes:
    """The first two fifths of a scan, as a broken transfer leaves it.

    The scan is laid out as scanners stream it, pictures first and the page tree last, so nothing in the part
    that is left says that there are pages.
    """
    streamed = _as_streamed_by_a_scanner(scan)
    return streamed[: len(streamed) * 2 // 5]


def _as_streamed_by_a_scanner(scan: bytes) -> bytes:
    """The pictures of a scanned PDF written anew in the order in which a scanner's firmware sends them."""
    with pikepdf.open(io.BytesIO(scan)) as document:
        pictures = [page.obj.Resources.XObject.Scan for page in document.pages]
        jpegs = [(int(picture.Width), int(picture.Height), picture.read_raw_bytes()) for picture in pictures]
    objects = []
    for width, height, jpeg in jpegs:
        head = (
            f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray "
            f"/BitsPerComponent 8 /Filter /DCTDecode /Length {len(jpeg)} >>\nstream\n"
        )
        objects.append(head.encode("ascii") + jpeg + b"\nendstream")
    drawing = b"q 612 0 0 792 0 0 cm /Scan Do Q"
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    contents = len(objects)
    tree = contents + len(jpegs) + 1
    for number in range(1, len(jpegs) + 1):
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /XObject << /Scan %d 0 R >> >> >>" % (tree, contents, number)
        )
    kids = b" ".join(b"%d 0 R" % number for number in range(contents + 1, tree))
    objects.append(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(jpegs)))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
    return _with_cross_reference(objects)


def _with_cross_reference(objects: list[bytes]) -> bytes:
    """The objects, numbered from 1, as a whole PDF; the last one is the catalog."""
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table_at = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        body += b"%010d 00000 n \n" % offset
    body += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        table_at,
    )
    return bytes(body)


def without_pages() -> bytes:
    """A well-formed PDF whose page tree is empty."""
    with pikepdf.new() as document:
        return saved(document)
