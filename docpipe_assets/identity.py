"""Who a document is and what an artifact was made from: partition keys, file names, fingerprints."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

# What Dagster or its UI cannot take in a partition key: a comma, brackets, quotes and stars take
# part in its range and selection syntax, "..." is its range operator, control characters break its
# links, and spaces at the ends are trimmed by forms. "%" is ours, so that the encoding is reversible.
_UNSAFE = re.compile(r'[,\[\]"*%\x00-\x1f\x7f-\x9f\u2028\u2029]|^ | \Z|\.(?=\.\.)')


def partition_key(document: str) -> str:
    """The partition key of an S3 key: the same text, percent-encoded only where it has to be.

    Injective, and reversed by ``document_of``.
    """
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), document)


def document_of(key: str) -> str:
    """The S3 key that a partition key stands for."""
    return unquote(key, errors="strict")


def meanings_of(name: str) -> tuple[str, ...]:
    """The S3 keys that somebody may mean by a name: it itself, else what it stands for as a partition key."""
    try:
        return tuple(dict.fromkeys((name, document_of(name))))
    except UnicodeDecodeError:
        return (name,)


def batch_of(document: str) -> str:
    """The batch a document belongs to: the first path segment, or "" at the top of the bucket."""
    return document.split("/", 1)[0] if "/" in document else ""


def path_of(document: str) -> str:
    """A document's path below an asset's folder in the lake: as readable as the partition key, and injective.

    "." and ".." and empty segments are spelt out: they are legal in S3 keys, but not in the URLs and
    folders through which people look at a lake. What no file system or S3 could take for its length is
    cut, and a hash stands for the rest. A comma, which no partition key holds, marks both.
    """
    segments = [_spelt(segment) for segment in partition_key(document).split("/")]
    while len("/".join(segments).encode()) > _PATH_BYTES_MAX:
        is_cut = segments[-1].startswith(",")
        segments[-2 if is_cut else -1 :] = [f",{file_name_of(document)}"]
    return "/".join(segments)


_PATH_BYTES_MAX = 700
"""S3 allows 1,024 for a key; the rest is for the lake's prefix, the asset, and a part's own name."""
_SEGMENT_BYTES_MAX = 200
"""File systems allow 255 for a name; the rest is for suffixes, and what a server adds while it writes."""


def _spelt(segment: str) -> str:
    if segment in ("", ".", ".."):
        return segment.replace(".", "%2E") or ","
    whole = segment.encode()
    if len(whole) <= _SEGMENT_BYTES_MAX:
        return segment
    mark = f",{file_name_of(segment)}"
    head = whole[: _SEGMENT_BYTES_MAX - len(mark)].decode(errors="ignore")
    return re.sub("%[0-9A-F]?$", "", head) + mark


def file_name_of(document: str) -> str:
    """A name for local files: a hash, so that nothing in a key is ever used as a path."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def object_version(size_bytes: int, etag: str, version_id: str | None = None) -> str:
    """A short name for one state of an object, from what a listing tells."""
    return digest([size_bytes, etag, version_id])[:16]


def fingerprint(stage: str, version: str, settings: Mapping[str, object], inputs: Sequence[str]) -> str:
    """What an artifact is made from: the stage's code, the settings and engines it depends on, its inputs.

    Two artifacts with the same fingerprint hold the same rows.
    """
    return digest([stage, version, sorted(settings.items()), list(inputs)])[:32]


def digest(value: object) -> str:
    """SHA-256, hexadecimal, of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
