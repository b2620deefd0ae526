"""Cross-reference tables, page trees and objects that are invalid, contradictory or cyclic."""

from docpipe_assets_tests.hostile.kinds import BLANK, PARTIAL, TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import (
    LETTER,
    RESOURCES,
    SENTENCE,
    TinyPdf,
    end,
    show,
    simple,
    with_pages,
    xref_table,
)

COLLECTION = Collection()
_kind = COLLECTION.kind
_NOTHING = ("NO_PAGES", "UNREADABLE_PDF", "BAD_PAGE_TREE")


def _startxref(data: bytes, value: bytes) -> bytes:
    return data[: data.rindex(b"startxref")] + b"startxref\n" + value + b"\n%%EOF\n"


@_kind("no cross-reference table and no trailer", TEXT, shows="witness")
def no_xref() -> bytes:
    whole = simple()
    return whole[: whole.rindex(b"xref\n0")]


@_kind("startxref points beyond the end of the file", TEXT, shows="witness")
def startxref_behind_the_end() -> bytes:
    return _startxref(simple(), b"999999999999")


@_kind("startxref is negative", TEXT, shows="witness")
def startxref_negative() -> bytes:
    return _startxref(simple(), b"-100")


@_kind("every offset is wrong by 7", TEXT, shows="witness")
def xref_offsets_wrong() -> bytes:
    pdf, root = with_pages(show())
    body, offsets = pdf.body(at=len(pdf.header))
    table = xref_table({number: at + 7 for number, at in offsets.items()})
    return pdf.header + body + table + end(len(offsets) + 1, root, len(pdf.header) + len(body))


@_kind("every object is at the offset of the first", TEXT, *_NOTHING, shows="witness")
def xref_all_alike() -> bytes:
    pdf, root = with_pages(show())
    body, offsets = pdf.body(at=len(pdf.header))
    table = xref_table(dict.fromkeys(offsets, len(pdf.header)))
    return pdf.header + body + table + end(len(offsets) + 1, root, len(pdf.header) + len(body))


@_kind("the table's Prev is the table itself", TEXT, shows="witness")
def xref_loop() -> bytes:
    pdf, root = with_pages(show())
    body, _ = pdf.body()
    return pdf.written(root, b"/Prev %d" % (len(pdf.header) + len(body)))


@_kind("the table declares two billion entries", TEXT, *_NOTHING, shows="witness")
def xref_two_billion() -> bytes:
    return simple().replace(b"xref\n0 ", b"xref\n0 200000000", 1)


@_kind("object numbers beyond 32 bits and below zero", TEXT, BLANK, PARTIAL, *_NOTHING)
def object_number_overflow() -> bytes:
    whole = simple()
    return whole.replace(b"4 0 obj", b"4294967300 0 obj").replace(b"/Contents", b"/Contents -5 0 R /Contents")


@_kind("numbers that overflow everywhere", TEXT, BLANK, PARTIAL, *_NOTHING)
def integer_overflow() -> bytes:
    box = b"/MediaBox [0 0 612 792] /Rotate 99999999999999999999 /UserUnit 1e400"
    return simple(b"99999999999999999999 w 1e999 0 0 -1e999 0 0 cm " + show(), box=box)


@_kind("a chain of 1,000 incremental updates", TEXT, shows="update 999")
def thousand_updates() -> bytes:
    pdf, root = with_pages(show("The first version of a page that was changed a thousand times since"))
    out = bytearray(pdf.written(root))
    start = int(out.rsplit(b"startxref\n", 1)[1].split()[0])
    for update in range(1000):
        content = show(f"This is update {update}. {SENTENCE}")
        at = len(out)
        out += b"2 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(content), content)
        here = len(out)
        out += b"xref\n2 1\n%010d 00000 n \n" % at
        out += end(len(pdf.objects) + 1, root, here, b"/Prev %d" % start)
        start = here
    return bytes(out)


@_kind("the same object defined five times", TEXT, shows="witness")
def duplicate_objects() -> bytes:
    pdf, root = with_pages(show())
    body, _ = pdf.body()
    early = b"".join(b"2 0 obj\n<< /Length 3 >>\nstream\nq Q\nendstream\nendobj\n" for _ in range(5))
    return pdf.header + early + body + b"trailer\n<< /Size 9 /Root %d 0 R >>\n" % root


@_kind("no page in the tree", "NO_PAGES")
def no_pages() -> bytes:
    return with_pages()[0].written(with_pages()[1])


@_kind("Kids is null", *_NOTHING)
def kids_null() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[1] = b"<< /Type /Pages /Kids null /Count 1 >>"
    return pdf.written(root)


@_kind("Kids names objects that do not exist", *_NOTHING)
def kids_missing() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[1] = b"<< /Type /Pages /Kids [77 0 R 78 0 R] /Count 2 >>"
    return pdf.written(root)


@_kind("the catalog has no page tree", TEXT, *_NOTHING, shows="witness")
def no_page_tree() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[root] = b"<< /Type /Catalog >>"
    return pdf.written(root)


@_kind("the trailer names no catalog", TEXT, *_NOTHING, shows="witness")
def no_root() -> bytes:
    pdf, root = with_pages(show())
    return pdf.written(root).replace(b"/Root", b"/Toor")


@_kind("the page tree is its own child", TEXT, PARTIAL, *_NOTHING, shows="witness")
def page_tree_loop() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[1] = b"<< /Type /Pages /Kids [3 0 R 1 0 R] /Count 2 /Parent 1 0 R >>"
    return pdf.written(root)


def _with_count(count: int, pages: int) -> bytes:
    pdf, root = with_pages(*(show(f"Page {number + 1}. {SENTENCE}") for number in range(pages)))
    pdf.objects[1] = pdf.objects[1].replace(b"/Count %d" % pages, b"/Count %d" % count)
    return pdf.written(root)


@_kind("100 pages are declared, 98 exist", PARTIAL, TEXT, shows="Page 98.")
def count_too_high() -> bytes:
    return _with_count(100, 98)


@_kind("2 pages are declared, 3 exist", TEXT, PARTIAL, shows="Page 2.")
def count_too_low() -> bytes:
    return _with_count(2, 3)


@_kind("a billion pages are declared, one exists", TEXT, PARTIAL, "TOO_MANY_PAGES", shows="Page 1.")
def count_absurd() -> bytes:
    return _with_count(1_000_000_000, 1)


@_kind("-3 pages are declared", TEXT, *_NOTHING, shows="Page 1.")
def count_negative() -> bytes:
    return _with_count(-3, 2)


@_kind("the second of three pages is null", PARTIAL, TEXT, shows="Page 3.")
def one_page_null() -> bytes:
    pdf, root = with_pages(*(show(f"Page {number}. {SENTENCE}") for number in (1, 2, 3)))
    pdf.objects[5] = b"null"
    return pdf.written(root)


@_kind("the second of three pages is a font", PARTIAL, TEXT, shows="Page 3.")
def one_page_a_font() -> bytes:
    pdf, root = with_pages(*(show(f"Page {number}. {SENTENCE}") for number in (1, 2, 3)))
    pdf.objects[5] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    return pdf.written(root)


@_kind("the same page a hundred times", TEXT, shows="witness")
def same_page_again() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[1] = b"<< /Type /Pages /Kids [%s] /Count 100 >>" % (b"3 0 R " * 100)
    return pdf.written(root)


@_kind("a page tree 10,000 levels deep", TEXT, *_NOTHING, "CRASHED:SIGSEGV", shows="witness")
def deep_page_tree() -> bytes:
    pdf = TinyPdf()
    levels = 10_000
    for level in range(1, levels):
        parent = b"/Parent %d 0 R" % (level - 1) if level > 1 else b""
        pdf.add(b"<< /Type /Pages /Kids [%d 0 R] /Count 1 %s >>" % (level + 1, parent))
    pdf.page(levels - 1, b"%d 0 R" % (levels + 1))
    pdf.stream(show())
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages 1 0 R >>"))


@_kind("arrays nested 100,000 deep in the catalog", TEXT, *_NOTHING, "CRASHED:SIGSEGV", shows="witness")
def deep_arrays() -> bytes:
    return simple(catalog=b"/Deep " + b"[" * 100_000 + b"]" * 100_000)


@_kind("dictionaries nested 50,000 deep in the content", TEXT, BLANK, PARTIAL, "ALL_PAGES_FAILED")
def deep_dictionaries_in_content() -> bytes:
    return simple(show() + b"/P " + b"<< /A " * 50_000 + b">> " * 50_000 + b"BDC EMC")


@_kind("q nested a million deep in the content", TEXT, shows="witness")
def deep_graphics_states() -> bytes:
    pdf = TinyPdf()
    tree = pdf.reserve()
    page = pdf.page(tree, b"%d 0 R" % pdf.flate(b"q " * 1_000_000 + show()))
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


@_kind("5,001 pages", "TOO_MANY_PAGES")
def too_many_pages() -> bytes:
    pdf = TinyPdf()
    tree = pdf.reserve()
    text = pdf.stream(show())
    pages = [pdf.page(tree, b"%d 0 R" % text) for _ in range(5_001)]
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


def _with_object_stream(first: bytes, data: bytes) -> bytes:
    """A page tree inside an object stream, referenced by a cross-reference stream."""
    pdf = TinyPdf()
    pdf.stream(show())  # object 1; 2 catalog, 3 tree and 4 page are in object 5
    body, offsets = pdf.body(at=len(pdf.header))
    at = len(pdf.header) + len(body)
    packed = b"5 0 obj\n<< /Type /ObjStm /N 3 /First %s /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        first,
        len(data),
        data,
    )
    start = at + len(packed)
    rows = [(0, 0, 65535), (1, offsets[1], 0), (2, 5, 0), (2, 5, 1), (2, 5, 2), (1, at, 0), (1, start, 0)]
    table = b"".join(bytes([a]) + b.to_bytes(4, "big") + c.to_bytes(2, "big") for a, b, c in rows)
    head = b"6 0 obj\n<< /Type /XRef /W [1 4 2] /Size 7 /Root 2 0 R /Length %d >>\nstream\n" % len(table)
    return (
        pdf.header + body + packed + head + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    )


def _packed_objects() -> tuple[bytes, bytes]:
    objects = (
        b"<< /Type /Catalog /Pages 3 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 3 0 R %s %s /Contents 1 0 R >>" % (LETTER, RESOURCES),
    )
    at, index = 0, b""
    for number, body in enumerate(objects, start=2):
        index += b"%d %d " % (number, at)
        at += len(body) + 1
    return b"%d" % len(index), index + b" ".join(objects)


@_kind("a valid object stream", TEXT, shows="witness")
def object_stream_sound() -> bytes:
    return _with_object_stream(*_packed_objects())


@_kind("an object stream whose objects begin far beyond its end", *_NOTHING)
def object_stream_first_wrong() -> bytes:
    return _with_object_stream(b"99999999", _packed_objects()[1])


@_kind("a truncated object stream", *_NOTHING)
def object_stream_cut() -> bytes:
    first, data = _packed_objects()
    return _with_object_stream(first, data[: len(data) // 2])


@_kind("a damaged cross-reference stream", TEXT, *_NOTHING, shows="witness")
def xref_stream_damaged() -> bytes:
    return _with_object_stream(*_packed_objects()).replace(b"/W [1 4 2]", b"/W [9 -4 2147483647]")


@_kind("a linearised file whose hints are wrong", TEXT, shows="witness")
def linearised_wrong() -> bytes:
    pdf, root = with_pages(show())
    pdf.add(b"<< /Linearized 1 /L 12 /H [5 5] /O 99 /E 7 /N 4000 /T 3 >>")
    order = {len(pdf.objects): pdf.objects[len(pdf.objects)], **pdf.objects}
    pdf.objects = order
    return pdf.written(root)


@_kind("a stream that declares a thousand times its length", TEXT, shows="witness")
def length_too_long() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[2] = pdf.objects[2].replace(b"/Length ", b"/Length 1000")
    return pdf.written(root)


@_kind("a stream that declares 3 bytes", TEXT, BLANK, shows="witness")
def length_too_short() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[2] = b"<< /Length 3 >>" + pdf.objects[2].partition(b">>")[2]
    return pdf.written(root)


@_kind("a stream's length is the stream itself", TEXT, BLANK, PARTIAL, "ALL_PAGES_FAILED")
def length_circular() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[2] = b"<< /Length 2 0 R >>" + pdf.objects[2].partition(b">>")[2]
    return pdf.written(root)


@_kind("a page without contents", BLANK)
def page_without_contents() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[3] = b"<< /Type /Page /Parent 1 0 R %s >>" % LETTER
    return pdf.written(root)


@_kind("a page without resources", TEXT, BLANK, shows="witness")
def page_without_resources() -> bytes:
    return simple(entries=b"")


@_kind("names and strings of half a megabyte", TEXT, *_NOTHING, shows="witness")
def long_names() -> bytes:
    return simple(
        entries=RESOURCES + b"/" + b"N" * 500_000 + b" (" + b"s" * 500_000 + b")",
        catalog=b"/X /" + b"Y" * 9_000,
    )


@_kind("cycles in structure, outline, labels and annotations", TEXT, shows="witness")
def circles() -> bytes:
    pdf, root = with_pages(show(), entries=RESOURCES + b"/Annots [6 0 R 6 0 R] /StructParents 0")
    pdf.add(b"<< /Type /StructTreeRoot /K 5 0 R /ParentTree 5 0 R >>")
    pdf.add(
        b"<< /Type /Annot /Subtype /Popup /Parent 6 0 R /Popup 6 0 R /Rect [0 0 1 1] /AP << /N 6 0 R >> >>"
    )
    pdf.add(b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Next 7 0 R /Title (loop) /Count 9 >>")
    pdf.add(b"<< /Kids [8 0 R] /Nums [0 << /S /Q /St -9 >> (x) null] >>")
    pdf.objects[root] = (
        b"<< /Type /Catalog /Pages 1 0 R /StructTreeRoot 5 0 R /Outlines 7 0 R /PageLabels 8 0 R >>"
    )
    return pdf.written(root)
