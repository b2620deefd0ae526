"""Fonts, encodings and strings that are damaged, missing, or self-referential."""

from docpipe_assets_tests.hostile.kinds import BLANK, TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import LETTER, SENTENCE, TinyPdf, show, simple, with_pages

COLLECTION = Collection()
_kind = COLLECTION.kind
_GARBAGE = bytes(range(256)) * 40


def _with_font(font: bytes, contents: bytes, *more: bytes) -> bytes:
    """A page whose font F1 is object 5, followed by ``more``."""
    pdf, root = with_pages(contents, entries=b"/Resources << /Font << /F1 5 0 R >> >>", box=LETTER)
    pdf.add(font)
    for body in more:
        pdf.add(body)
    return pdf.written(root)


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


@_kind("a font that does not exist", TEXT, BLANK, shows="witness")
def font_missing() -> bytes:
    return _with_font(b"null", show())


@_kind("a font that is a number", TEXT, BLANK, shows="witness")
def font_a_number() -> bytes:
    return _with_font(b"42", show())


@_kind("a TrueType font of garbage", TEXT, BLANK, shows="witness")
def font_file_garbage() -> bytes:
    descriptor = b"<< /Type /FontDescriptor /FontName /Broken /Flags 32 /FontFile2 7 0 R >>"
    font = b"<< /Type /Font /Subtype /TrueType /BaseFont /Broken /FontDescriptor 6 0 R >>"
    return _with_font(font, show(), descriptor, _stream(b"\0\1\0\0\0\x0c" + _GARBAGE))


@_kind("a font that is its own descendant", TEXT, BLANK, "ALL_PAGES_FAILED")
def font_descends_from_itself() -> bytes:
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /Loop /Encoding /Identity-H /DescendantFonts [5 0 R] >>"
    return _with_font(font, show())


@_kind("an encoding that is the font", TEXT, shows="witness")
def encoding_circular() -> bytes:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding 5 0 R /ToUnicode 5 0 R >>"
    return _with_font(font, show())


@_kind("a CMap that uses itself", TEXT, BLANK, "ALL_PAGES_FAILED")
def cmap_uses_itself() -> bytes:
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Loop /Encoding 6 0 R /DescendantFonts ["
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Loop /CIDSystemInfo "
        b"<< /Registry (A) /Ordering (B) /Supplement 0 >> >>] >>"
    )
    cmap = _stream(b"begincmap 0 usecmap endcmap", b"/Type /CMap /CMapName /Loop /UseCMap 6 0 R")
    return _with_font(font, show(), cmap)


@_kind("a map to Unicode of a hundred million entries", TEXT, BLANK, "ALL_PAGES_FAILED")
def cmap_bomb() -> bytes:
    ranges = b"".join(b"<%08x> <%08x> <0041>\n" % (n << 16, (n << 16) + 0xFFFF) for n in range(1_600))
    cmap = b"begincmap 1 begincodespacerange <00000000> <ffffffff> endcodespacerange\n"
    cmap += b"1600 beginbfrange\n" + ranges + b"endbfrange endcmap"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    return _with_font(font, show(), _stream(cmap))


@_kind("a map to Unicode with control characters, surrogates and a NUL", TEXT, BLANK)
def cmap_to_surrogates() -> bytes:
    cmap = b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 4 beginbfchar "
    cmap += b"<54> <D800> <68> <0000> <65> <000C> <20> <DFFF> endbfchar endcmap"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    return _with_font(font, show(), _stream(cmap))


@_kind("a Type 3 font whose glyphs are written in the font itself", TEXT, BLANK, "ALL_PAGES_FAILED")
def type_3_in_itself() -> bytes:
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] "
        b"/FirstChar 97 /LastChar 97 /Widths [1000] /Encoding << /Differences [97 /a] >> "
        b"/CharProcs << /a 6 0 R >> /Resources << /Font << /F1 5 0 R >> >> >>"
    )
    glyph = _stream(b"1000 0 d0 BT /F1 1 Tf (aaaa) Tj ET")
    return _with_font(font, show("aaaa " * 20), glyph)


@_kind("a font size of a billion, and one of zero", TEXT, BLANK)
def font_sizes() -> bytes:
    return simple(show(size=1_000_000_000) + show(size=0) + show(y=300))


@_kind("one word of a million letters", TEXT)
def one_long_word() -> bytes:
    pdf = TinyPdf()
    return _flat(pdf, b"BT /F1 12 Tf 72 700 Td (" + b"a" * 1_000_000 + b") Tj ET")


def _flat(pdf: TinyPdf, contents: bytes) -> bytes:
    tree = pdf.reserve()
    page = pdf.page(tree, b"%d 0 R" % pdf.flate(contents))
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


@_kind("content that ends inside a string", TEXT, BLANK, shows="witness")
def string_unclosed() -> bytes:
    return simple(show() + b"BT /F1 12 Tf 72 600 Td (and then")


@_kind("operators without operands, and operands without operators", TEXT, BLANK, shows="witness")
def operators_alone() -> bytes:
    return simple(
        b"Tj TJ cm re Do gs sh ' \" Q Q Q Q ET BI ID EI ] >> " + b"1 2 3 4 5 " * 1000 + b"\n" + show()
    )


@_kind("an inline image without an end marker", TEXT, BLANK, shows="witness")
def inline_image_unclosed() -> bytes:
    return simple(show() + b"BI /W 9999 /H 9999 /BPC 8 /CS /G ID \0\1\2")


@_kind("contents are a number, an array of itself and null", TEXT, BLANK, "ALL_PAGES_FAILED")
def contents_odd() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[3] = pdf.objects[3].replace(b"/Contents 2 0 R", b"/Contents [7 null 5 0 R 2 0 R]")
    pdf.add(b"[5 0 R 5 0 R]")
    return pdf.written(root)


@_kind("text outside the page", TEXT, BLANK)
def text_off_the_page() -> bytes:
    return simple(show(x=5000, y=-9000) + show(SENTENCE, x=-99999))
