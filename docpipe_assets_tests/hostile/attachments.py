"""Scripts, actions, attachments and names that must never be executed, opened, or used as a path."""

from docpipe_assets_tests.hostile.kinds import TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import RESOURCES, show, simple, with_pages

COLLECTION = Collection()
_kind = COLLECTION.kind


@_kind("a script that runs when the file is opened", TEXT, shows="witness")
def open_action_script() -> bytes:
    return simple(catalog=b"/OpenAction << /S /JavaScript /JS (while \\(true\\) app.alert\\(1\\)) >>")


@_kind("a program to launch, and links to files and services inside the network", TEXT, shows="witness")
def launch_and_links() -> bytes:
    actions = (
        b"<< /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) /P (/c calc) >> >>",
        b"<< /S /URI /URI (http://169.254.169.254/latest/meta-data/) >>",
        b"<< /S /GoToR /F (//files.example.com/share/x.pdf) /D [0 /Fit] >>",
        b"<< /S /SubmitForm /F (file:///etc/passwd) >>",
    )
    links = b" ".join(b"<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A %s >>" % one for one in actions)
    return simple(
        entries=RESOURCES + b"/Annots [%s] /AA << /O %s >>" % (links, actions[0]),
        catalog=b"/OpenAction " + actions[0],
    )


@_kind("attachments named ../../x, /etc/cron.d/x and with a NUL", TEXT, shows="witness")
def attachments_named_as_paths() -> bytes:
    pdf, root = with_pages(show())
    file = pdf.stream(b"#!/bin/sh\necho gone\n", b"/Type /EmbeddedFile")
    names = (b"../../../../tmp/docpipe-was-here", b"/etc/cron.d/docpipe-was-here", b"a\\000b", b"C:\\\\x.exe")
    specs = b" ".join(
        b"(%s) << /Type /Filespec /F (%s) /UF (%s) /EF << /F %d 0 R >> >>" % (name, name, name, file)
        for name in names
    )
    pdf.objects[root] = (
        b"<< /Type /Catalog /Pages 1 0 R /Names << /EmbeddedFiles << /Names [%s] >> >> >>" % specs
    )
    return pdf.written(root)


@_kind("an XFA form that reads a local file through an XML entity", TEXT, shows="witness")
def xfa_entity() -> bytes:
    pdf, root = with_pages(show())
    xml = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY a "%s">]>' % (b"ha" * 99)
    number = pdf.stream(xml + b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'>&f;&a;</xdp:xdp>")
    pdf.objects[root] = b"<< /Type /Catalog /Pages 1 0 R /AcroForm << /XFA %d 0 R /Fields [] >> >>" % number
    return pdf.written(root)


@_kind("metadata with entities that expand a billion times", TEXT, shows="witness")
def metadata_entities() -> bytes:
    pdf, root = with_pages(show())
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    number = pdf.stream(b"<!DOCTYPE x [%s]><x>&a9;</x>" % entities, b"/Type /Metadata /Subtype /XML")
    pdf.objects[root] = b"<< /Type /Catalog /Pages 1 0 R /Metadata %d 0 R >>" % number
    return pdf.written(root)


@_kind("a stream that is stored in another file", TEXT, "BLANK")
def external_stream() -> bytes:
    pdf, root = with_pages(show())
    pdf.objects[2] = b"<< /Length 0 /F (/etc/passwd) /FFilter [] >>\nstream\n\nendstream"
    return pdf.written(root)


@_kind("a title with lone surrogates, control characters and escape sequences", TEXT, shows="witness")
def title_hostile() -> bytes:
    pdf, root = with_pages(show())
    title = b"<FEFFD800DC00DFFF0041000000070008001B005B0033>"
    number = pdf.add(
        b"<< /Title %s /Producer (\\033]0;x\\007\\033[2J<script>alert(1)</script>) /Author (\xff\xfe\xfd) >>"
        % title
    )
    return pdf.written(root, b"/Info %d 0 R" % number)


@_kind("a title of a megabyte, and invalid dates", TEXT, shows="witness")
def title_long() -> bytes:
    pdf, root = with_pages(show())
    number = pdf.add(b"<< /Title (%s) /CreationDate (D:99999999999999Z99) /Trapped 7 >>" % (b"T" * 1_000_000))
    return pdf.written(root, b"/Info %d 0 R" % number)


@_kind("document information that is the catalog, and the catalog an action", TEXT, shows="witness")
def info_is_catalog() -> bytes:
    pdf, root = with_pages(show(), catalog=b"/OpenAction 4 0 R /AA 4 0 R /Names 4 0 R")
    return pdf.written(root, b"/Info %d 0 R" % root)


@_kind("optional content that hides the text", TEXT, "BLANK", shows="witness")
def hidden_layer() -> bytes:
    off = b"/OCProperties << /OCGs [5 0 R] /D << /OFF [5 0 R] >> >>"
    pdf, root = with_pages(
        b"/OC /L BDC " + show() + b"EMC",
        entries=RESOURCES[:-2] + b"/Properties << /L 5 0 R >> >>",
        catalog=off,
    )
    pdf.add(b"<< /Type /OCG /Name (..//hidden) >>")
    return pdf.written(root)
