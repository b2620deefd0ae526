"""Small files that require large resources: decompression bombs, huge images, huge pages, endless drawing."""

import zlib
from functools import cache

from docpipe_assets_tests.hostile.kinds import BLANK, PARTIAL, TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import (
    LETTER,
    RESOURCES,
    SENTENCE,
    TinyPdf,
    show,
    simple,
    with_pages,
)

COLLECTION = Collection()
_kind = COLLECTION.kind
_MIB = 1024 * 1024
_SPENT = ("MEMORY_LIMIT", "CPU_TIMEOUT_PAGE", "OUTPUT_TOO_LARGE", "ALL_PAGES_FAILED")


def _page_of(pdf: TinyPdf, contents: int, entries: bytes = RESOURCES, box: bytes = LETTER) -> bytes:
    tree = pdf.reserve()
    page = pdf.page(tree, b"%d 0 R" % contents, entries, box)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


@cache
def _deflated(mebibytes: int, byte: bytes = b" ") -> bytes:
    """A zlib stream of ``mebibytes`` MiB of one byte; its checksum, at the end, is wrong.

    Between full flushes, the compressed form of a block does not depend on preceding data.
    """
    squeeze = zlib.compressobj(9)
    start = squeeze.compress(b"") + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(byte * _MIB) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return start + block * mebibytes + squeeze.flush()


@_kind("a content stream of 200 MB in 200 KB", BLANK, *_SPENT, is_slow=True)
def flate_bomb() -> bytes:
    pdf = TinyPdf()
    return _page_of(pdf, pdf.stream(_deflated(200), b"/Filter /FlateDecode"))


@_kind(
    "a content stream of 10 GB in 30 KB: three filters, each decompressing the next",
    TEXT,
    BLANK,
    *_SPENT,
)
def flate_bomb_in_chains() -> bytes:
    pdf = TinyPdf()
    filters = b"/Filter [/FlateDecode /FlateDecode /FlateDecode]"
    return _page_of(pdf, pdf.stream(zlib.compress(zlib.compress(_deflated(10_240), 9), 9), filters))


@_kind("a hundred filters on one stream", TEXT, BLANK, *_SPENT, "UNREADABLE_PDF", shows="witness")
def hundred_filters() -> bytes:
    data = show()
    for _ in range(100):
        data = zlib.compress(data, 1)
    pdf = TinyPdf()
    return _page_of(pdf, pdf.stream(data, b"/Filter [%s]" % (b"/FlateDecode " * 100)))


@_kind("run lengths that decompress to 120 MB", TEXT, BLANK, *_SPENT, is_slow=True)
def run_length_bomb() -> bytes:
    pdf = TinyPdf()
    data = zlib.compress(b"\x81 " * 1_000_000 + b"\x80", 9)
    return _page_of(pdf, pdf.stream(data, b"/Filter [/FlateDecode /RunLengthDecode]"))


@_kind("hexadecimal digits without an end marker", TEXT, BLANK, *_SPENT)
def hex_without_end() -> bytes:
    pdf = TinyPdf()
    data = zlib.compress(b"20" * 2_000_000, 9)
    return _page_of(pdf, pdf.stream(data, b"/Filter [/FlateDecode /ASCIIHexDecode]"))


@_kind("a predictor with a million columns and colours", TEXT, BLANK, *_SPENT)
def predictor_bomb() -> bytes:
    pdf = TinyPdf()
    parms = b"/DecodeParms << /Predictor 15 /Columns 1000000 /Colors 1000000 /BitsPerComponent 16 >>"
    return _page_of(pdf, pdf.flate(show(), parms))


@_kind(
    "an object stream that decompresses to 300 MB",
    TEXT,
    "NO_PAGES",
    "UNREADABLE_PDF",
    "BAD_PAGE_TREE",
    *_SPENT,
    is_slow=True,
)
def object_stream_bomb() -> bytes:
    pdf, root = with_pages(show())
    pdf.stream(_deflated(300), b"/Type /ObjStm /N 9 /First 100 /Filter /FlateDecode")
    return pdf.written(root)[:-40]  # without startxref, so repairing the file requires reading it


@_kind("metadata of 200 MB", TEXT, shows="witness")
def metadata_bomb() -> bytes:
    pdf, root = with_pages(show())
    number = pdf.stream(_deflated(200), b"/Type /Metadata /Subtype /XML /Filter /FlateDecode")
    pdf.objects[root] = b"<< /Type /Catalog /Pages 1 0 R /Metadata %d 0 R >>" % number
    return pdf.written(root)


def _image(entries: bytes, data: bytes, box: bytes = LETTER) -> bytes:
    pdf = TinyPdf()
    image = pdf.stream(data, b"/Type /XObject /Subtype /Image " + entries)
    contents = pdf.stream(b"q 612 0 0 792 0 0 cm /Im Do Q")
    return _page_of(pdf, contents, b"/Resources << /XObject << /Im %d 0 R >> >>" % image, box)


_PAINTED = (TEXT, BLANK, *_SPENT, "UNREADABLE_PDF")
_GREY = b"/ColorSpace /DeviceGray /BitsPerComponent 8 "


@_kind("an image of 100,000 by 100,000 pixels and no data", *_PAINTED)
def image_huge() -> bytes:
    return _image(b"/Width 100000 /Height 100000 " + _GREY + b"/Filter /FlateDecode", zlib.compress(b"", 9))


@_kind("an image of 20,000 by 20,000 pixels with complete data", *_PAINTED)
def image_400_megapixels() -> bytes:
    return _image(b"/Width 20000 /Height 20000 " + _GREY + b"/Filter /FlateDecode", _deflated(382, b"\xff"))


@_kind("an image whose size overflows 32 bits", *_PAINTED)
def image_size_overflow() -> bytes:
    return _image(b"/Width 65537 /Height 65537 /ColorSpace /DeviceCMYK /BitsPerComponent 16", b"\0" * 99)


@_kind("an image of negative size", *_PAINTED)
def image_size_negative() -> bytes:
    return _image(b"/Width -5 /Height 0 " + _GREY, b"\0" * 99)


_GARBAGE = bytes(range(256)) * 40


@_kind("a JPEG of garbage", *_PAINTED)
def jpeg_garbage() -> bytes:
    head = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    return _image(b"/Width 800 /Height 600 " + _GREY + b"/Filter /DCTDecode", head + _GARBAGE)


@_kind("a JPEG that declares 65,500 by 65,500 pixels", *_PAINTED)
def jpeg_huge() -> bytes:
    head = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xdc\xff\xdc\1\1\x11\0"
    return _image(b"/Width 65500 /Height 65500 " + _GREY + b"/Filter /DCTDecode", head + _GARBAGE)


@_kind("a JPEG 2000 image of garbage", *_PAINTED)
def jpeg_2000_garbage() -> bytes:
    head = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
    return _image(b"/Width 800 /Height 600 /Filter /JPXDecode", head + _GARBAGE)


@_kind("a JBIG2 image that declares huge segments", *_PAINTED)
def jbig2_huge() -> bytes:
    page = b"\0\0\0\0\x30\0\1\0\0\0\x13" + b"\x7f\xff\xff\xff" * 2 + bytes(11)
    region = b"\0\0\0\1\x26\0\1\xff\xff\xff\xff" + b"\x7f\xff\xff\xff" * 2 + bytes(10) + _GARBAGE
    entries = b"/Width 800 /Height 600 /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /JBIG2Decode"
    return _image(entries, page + region)


@_kind("a fax image of garbage with 60,000 columns", *_PAINTED)
def fax_garbage() -> bytes:
    parms = b"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>"
    size = b"/Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 1 "
    return _image(size + parms, _GARBAGE)


@_kind("LZW codes of garbage", *_PAINTED)
def lzw_garbage() -> bytes:
    return _image(b"/Width 5000 /Height 5000 " + _GREY + b"/Filter /LZWDecode", _GARBAGE * 20)


@_kind("an image that is its own mask, in a color space defined by itself", *_PAINTED)
def image_masks_itself() -> bytes:
    entries = b"/Width 9 /Height 9 /BitsPerComponent 8 /SMask 1 0 R /ColorSpace [/Indexed 1 0 R 255 1 0 R]"
    return _image(entries, b"\0" * 81)


@_kind("a page of 14,400 points with an image", TEXT, BLANK, PARTIAL)
def page_14400_points() -> bytes:
    pixels = zlib.compress(bytes(10_000), 9)
    entries = b"/Width 100 /Height 100 " + _GREY + b"/Filter /FlateDecode"
    return _image(entries, pixels, b"/MediaBox [0 0 14400 14400]")


@_kind("a page of 8,500 points with an image", TEXT, BLANK, PARTIAL)
def page_8500_points() -> bytes:
    pixels = zlib.compress(bytes(10_000), 9)
    entries = b"/Width 100 /Height 100 " + _GREY + b"/Filter /FlateDecode"
    return _image(entries, pixels, b"/MediaBox [0 0 8500 8500]").replace(b"612 0 0 792", b"8500 0 0 8500")


@_kind("a page of a million points, covered by an image", BLANK, "ALL_PAGES_FAILED")
def page_million_points() -> bytes:
    pixels = zlib.compress(bytes(10_000), 9)
    entries = b"/Width 100 /Height 100 " + _GREY + b"/Filter /FlateDecode"
    whole = _image(entries, pixels, b"/MediaBox [0 0 1000000 1000000]")
    return whole.replace(b"612 0 0 792", b"1000000 0 0 1000000")


@_kind("one unit of the page is 75,000 points", TEXT, BLANK, PARTIAL, shows="witness")
def user_unit_huge() -> bytes:
    return simple(box=LETTER + b" /UserUnit 75000")


@_kind("a page of size zero", TEXT, BLANK, shows="witness")
def media_box_empty() -> bytes:
    return simple(box=b"/MediaBox [0 0 0 0]")


@_kind("a page box with exchanged corners", TEXT, shows="witness")
def media_box_turned() -> bytes:
    return simple(box=b"/MediaBox [612 792 0 0]")


@_kind("a page box that is not a number", TEXT, BLANK, shows="witness")
def media_box_not_a_number() -> bytes:
    return simple(box=b"/MediaBox [NaN -Infinity 1e400 (high)]")


@_kind("a page without a box", TEXT, shows="witness")
def media_box_missing() -> bytes:
    return simple(box=b"")


@_kind("a crop box outside the page", TEXT, BLANK)
def crop_box_outside() -> bytes:
    return simple(box=LETTER + b" /CropBox [5000 5000 6000 6000]")


@_kind("a page rotated by 45 degrees", TEXT, shows="witness")
def rotation_45() -> bytes:
    return simple(box=LETTER + b" /Rotate 45")


@_kind("a singular transformation, and unbounded coordinates", TEXT, BLANK)
def matrix_singular() -> bytes:
    return simple(
        b"0 0 0 0 0 0 cm " + show() + b"1e38 1e38 m -1e38 9e37 l 1e30 w S 1e-40 0 0 1e-40 0 0 cm " + show()
    )


@_kind("100,000 small paths", TEXT, BLANK, *_SPENT, is_slow=True)
def many_paths() -> bytes:
    pdf = TinyPdf()
    paths = b"".join(b"%d %d m %d %d l S " % (n % 612, n % 791, n % 599, n % 787) for n in range(100_000))
    return _page_of(pdf, pdf.flate(paths))


@_kind("a page of 2.6 million characters", TEXT, *_SPENT, shows="witness")
def endless_text() -> bytes:
    pdf = TinyPdf()
    line = b"(" + SENTENCE.encode() + b") '\n"
    return _page_of(pdf, pdf.flate(b"BT /F1 1 Tf 0.02 TL 10 780 Td " + line * 32_000 + b"ET"))


@_kind("nested forms: nine levels, each drawing the next ten times", TEXT, BLANK, *_SPENT, is_slow=True)
def forms_multiplied() -> bytes:
    pdf = TinyPdf()
    below = pdf.stream(show(), b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + RESOURCES)
    for _ in range(9):
        uses = b"/Resources << /XObject << /X %d 0 R >> >>" % below
        below = pdf.stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + uses)
    return _page_of(pdf, pdf.stream(b"/X Do"), b"/Resources << /XObject << /X %d 0 R >> >>" % below)


@_kind("a form that draws itself", TEXT, BLANK, shows="witness")
def form_draws_itself() -> bytes:
    pdf = TinyPdf()
    uses = b"/Resources << /XObject << /X 1 0 R >> /Font << /F1 2 0 R >> >>"
    pdf.stream(show() + b"/X Do /X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + uses)
    pdf.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    return _page_of(pdf, pdf.stream(b"/X Do"), b"/Resources << /XObject << /X 1 0 R >> >>")


@_kind("a pattern painted with itself", TEXT, BLANK, shows="witness")
def pattern_in_itself() -> bytes:
    pdf = TinyPdf()
    entries = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001 "
    uses = b"/Resources << /Pattern << /P 1 0 R >> " + RESOURCES[len(b"/Resources << ") :]
    pdf.stream(b"/Pattern cs /P scn 0 0 1 1 re f", entries + uses)
    return _page_of(pdf, pdf.stream(b"/Pattern cs /P scn 0 0 612 792 re f " + show()), uses)


@_kind("a shading whose function is 16-dimensional", TEXT, BLANK, *_SPENT, shows="witness")
def shading_bomb() -> bytes:
    pdf = TinyPdf()
    ranges = b"0 1 " * 16
    function = pdf.stream(
        b"\0" * 64,
        b"/FunctionType 0 /Domain [%s] /Range [0 1] /Size [%s] /BitsPerSample 8" % (ranges, b"99 " * 16),
    )
    shading = b"<< /ShadingType 1 /ColorSpace /DeviceGray /Function %d 0 R >>" % function
    uses = RESOURCES[:-2] + b"/Shading << /S %s >> >>" % shading
    return _page_of(pdf, pdf.stream(b"/S sh " + show()), uses)
