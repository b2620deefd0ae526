"""Encrypted files: with passwords, with owner passwords only, and with invalid encryption."""

import io
from functools import partial
from typing import Literal, TypeAlias

import pikepdf

from docpipe_assets_tests.hostile.kinds import BLANK, TEXT, Collection
from docpipe_assets_tests.hostile.tiny_pdf import show, simple, with_pages

COLLECTION = Collection()
_kind = COLLECTION.kind


_Revision: TypeAlias = Literal[2, 3, 4, 6]


def _locked(revision: _Revision, user: str, is_aes: bool) -> bytes:
    target = io.BytesIO()
    encryption = pikepdf.Encryption(
        owner="Owner-7", user=user, R=revision, aes=is_aes, metadata=revision >= 4
    )
    with pikepdf.open(io.BytesIO(simple())) as document:
        # Old files use old encryption, which is weak today.
        document.save(target, encryption=encryption, deterministic_id=False, static_id=True)
    return target.getvalue()


_STRENGTHS: dict[str, tuple[_Revision, bool]] = {
    "rc4_40": (2, False),
    "rc4_128": (3, False),
    "aes_128": (4, True),
    "aes_256": (6, True),
}
for _name, (_revision, _is_aes) in _STRENGTHS.items():
    _user = partial(_locked, _revision, "User-7", _is_aes)
    _user.__name__ = f"password_{_name}"  # type: ignore[attr-defined]  # a partial takes any
    _kind(f"a password is needed, {_name.upper().replace('_', '-')}", "PASSWORD_REQUIRED")(_user)
    _owner = partial(_locked, _revision, "", _is_aes)
    _owner.__name__ = f"owner_password_{_name}"  # type: ignore[attr-defined]  # a partial takes any
    _kind(f"an owner password alone, {_name.upper().replace('_', '-')}", TEXT, shows="witness")(_owner)


def _with_encrypt(entries: bytes) -> bytes:
    pdf, root = with_pages(show())
    number = pdf.add(b"<< %s >>" % entries)
    return pdf.written(root, b"/Encrypt %d 0 R /ID [<%s> <%s>]" % (number, b"ab" * 16, b"ab" * 16))


_CODES = ("UNSUPPORTED_ENCRYPTION", "PASSWORD_REQUIRED", "UNREADABLE_PDF")


@_kind("an unknown encryption handler", *_CODES)
def encryption_unknown() -> bytes:
    return _with_encrypt(b"/Filter /Acme.DRM /SubFilter /acme.v9 /V 9 /R 99 /Length 4096")


@_kind("public-key encryption", *_CODES)
def encryption_public_key() -> bytes:
    return _with_encrypt(
        b"/Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s5 /V 4 /Length 128 /Recipients [<00>] "
        b"/CF << /DefaultCryptFilter << /CFM /AESV2 /Recipients [<00>] >> >> "
        b"/StmF /DefaultCryptFilter /StrF /DefaultCryptFilter"
    )


@_kind("a standard handler with half of its entries", *_CODES, TEXT, BLANK)
def encryption_incomplete() -> bytes:
    return _with_encrypt(b"/Filter /Standard /V 2 /R 3 /Length 128 /P -44")


@_kind("a crypt filter that does not exist, and a key of 7 bits", *_CODES, TEXT, BLANK)
def encryption_crypt_filter_missing() -> bytes:
    keys = b"/O <%s> /U <%s>" % (b"ab" * 32, b"cd" * 32)
    return _with_encrypt(b"/Filter /Standard /V 4 /R 4 /Length 7 /P -44 /StmF /None /StrF /Gone " + keys)


@_kind("an Encrypt entry without an object", *_CODES, TEXT, BLANK)
def encryption_missing() -> bytes:
    return simple(trailer=b"/Encrypt 99 0 R")


@_kind("an Encrypt entry that is a number", *_CODES, TEXT, BLANK)
def encryption_a_number() -> bytes:
    return simple(trailer=b"/Encrypt 42")
