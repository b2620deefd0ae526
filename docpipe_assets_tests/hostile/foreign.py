"""Files of other types, or with additional or missing data at the beginning or end."""

import io
import struct
import zipfile
import zlib

from docpipe_assets_tests.hostile.kinds import TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import SENTENCE, show, simple

COLLECTION = Collection()
_kind = COLLECTION.kind
_THREE_PAGES = (show("Page one. " + SENTENCE), show("Page two. " + SENTENCE), show("Page three. " + SENTENCE))


@_kind("an empty file", "EMPTY_FILE")
def zero_bytes() -> bytes:
    return b""


@_kind("a web page that asks to sign in", "NOT_A_PDF")
def html() -> bytes:
    return b"<!DOCTYPE html>\n<html><body><h1>Your session has expired</h1></body></html>\n"


@_kind("an SVG image", "NOT_A_PDF")
def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">hi</text></svg>'


@_kind("an XML declaration and XHTML", "NOT_A_PDF", "UNREADABLE_PDF", "NO_PAGES")
def xhtml() -> bytes:
    return b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body>hi</body></html>'


@_kind("a PNG image", "NOT_A_PDF")
def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 9 * 8)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/")), data)
    return target.getvalue()


@_kind("a zip archive with a PDF in it", "NOT_A_PDF")
def zip_archive() -> bytes:
    return _zipped(document=simple().replace(b"%PDF", b"%pdf"))


@_kind("a Word document", "NOT_A_PDF")
def word_document() -> bytes:
    return _zipped(word__document=b'<w:document xmlns:w="urn:w"><w:t>hi</w:t></w:document>')


@_kind("an old Office file", "NOT_A_PDF")
def old_office_file() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2040)


@_kind("an RTF letter", "NOT_A_PDF")
def rtf() -> bytes:
    return rb"{\rtf1\ansi Dear counsel,\par}"


@_kind("a program for Linux", "NOT_A_PDF")
def elf() -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(500)


@_kind("plain text", "UNREADABLE_PDF", "NO_PAGES", "NOT_A_PDF")
def plain_text() -> bytes:
    return (SENTENCE + "\n").encode() * 50


@_kind("64 KB of noise, the same each time", "UNREADABLE_PDF", "NO_PAGES", "NOT_A_PDF")
def noise() -> bytes:
    state, out = 1, bytearray()
    for _ in range(65_536):
        state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        out.append(state >> 16 & 0xFF)
    return bytes(out)


@_kind("64 KB of zeros, as a full disk leaves them", "UNREADABLE_PDF", "NO_PAGES")
def zeros() -> bytes:
    return bytes(65_536)


@_kind("only a header", "UNREADABLE_PDF", "NO_PAGES")
def header_alone() -> bytes:
    return b"%PDF-1.7\n"


@_kind("900 bytes of mail headers before the PDF's own", TEXT, shows="witness")
def header_late() -> bytes:
    return (b"X-Scanned-By: gateway.example.com\r\n" * 27)[:900] + b"\r\n\r\n" + simple()


@_kind("NUL bytes before the header", TEXT, shows="witness")
def nul_prefix() -> bytes:
    return bytes(64) + simple()


@_kind("100 KB before the header", TEXT, "UNREADABLE_PDF", "NO_PAGES", "NOT_A_PDF", shows="witness")
def header_far_away() -> bytes:
    return b"junk " * 20_000 + b"\n" + simple()


@_kind("HTML before a complete PDF", TEXT, "NOT_A_PDF", shows="witness")
def html_then_pdf() -> bytes:
    return b"<html><!-- proxy -->" + simple()


@_kind("a megabyte of zeros after the end", TEXT, shows="witness")
def zeros_behind() -> bytes:
    return simple() + bytes(1_000_000)


@_kind("no header", TEXT, "UNREADABLE_PDF", shows="witness")
def no_header() -> bytes:
    return simple().replace(b"%PDF-1.7", b"%XYZ-0.0")


@_kind("a version that does not exist", TEXT, shows="witness")
def version_nine() -> bytes:
    return simple().replace(b"%PDF-1.7", b"%PDF-9.9")


@_kind("all lines end with only a carriage return", TEXT, shows="witness")
def carriage_returns() -> bytes:
    return simple().replace(b"\n", b"\r")


@_kind("lines end in all three ways, which moves every offset", TEXT, shows="witness")
def mixed_line_ends() -> bytes:
    lines = simple().split(b"\n")
    ends = (b"\r\n", b"\n", b"\r")
    return b"".join(line + ends[number % 3] for number, line in enumerate(lines))


@_kind("line feeds replaced by CR LF, as by a transfer in text mode", TEXT, shows="three")
def text_mode_transfer() -> bytes:
    return simple(*_THREE_PAGES).replace(b"\n", b"\r\n")


@_kind("eighth bits lost", TEXT, shows="three")
def seven_bits() -> bytes:
    return bytes(byte & 0x7F for byte in simple(*_THREE_PAGES))


@_kind("truncated in the header", "UNREADABLE_PDF", "NO_PAGES")
def cut_in_header() -> bytes:
    return simple()[:12]


@_kind(
    "truncated after a third",
    "UNREADABLE_PDF",
    "NO_PAGES",
    "BAD_PAGE_TREE",
    "ALL_PAGES_FAILED",
    "PARTIAL",
    TEXT,
)
def cut_after_a_third() -> bytes:
    whole = simple(*_THREE_PAGES)
    return whole[: len(whole) // 3]


@_kind("truncated in the last object", TEXT, "PARTIAL", "NO_PAGES", "UNREADABLE_PDF", shows="three")
def cut_in_last_object() -> bytes:
    whole = simple(*_THREE_PAGES)
    return whole[: whole.rindex(b"/Catalog")]


@_kind("truncated in the cross-reference table", TEXT, shows="three")
def cut_in_xref() -> bytes:
    whole = simple(*_THREE_PAGES)
    return whole[: whole.rindex(b"xref\n0") + 60]


@_kind("the last 20 bytes missing", TEXT, shows="three")
def cut_at_the_end() -> bytes:
    return simple(*_THREE_PAGES)[:-20]


@_kind("every 500th byte inverted", TEXT, "PARTIAL", "BLANK", "UNREADABLE_PDF", "NO_PAGES", "BAD_PAGE_TREE")
def bit_rot() -> bytes:
    whole = bytearray(simple(*_THREE_PAGES))
    for at in range(250, len(whole), 500):
        whole[at] ^= 0x55
    return bytes(whole)


@_kind(
    "a hole of zeros in the middle", TEXT, "PARTIAL", "BLANK", "UNREADABLE_PDF", "NO_PAGES", "BAD_PAGE_TREE"
)
def hole() -> bytes:
    whole = bytearray(simple(*_THREE_PAGES))
    third = len(whole) // 3
    whole[third : 2 * third] = bytes(third)
    return bytes(whole)


@_kind("two PDFs one after the other", TEXT, shows="witness")
def two_in_one() -> bytes:
    return simple(show("Another document altogether, which ends before the next one begins")) + simple()
