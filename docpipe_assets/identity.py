"""Identities: partition keys of documents, local file names, paths in the lake, fingerprints of artifacts."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

# Characters that Dagster or its UI does not support in a partition key: comma, brackets, quotes and
# asterisks belong to its range and selection syntax, "..." is its range operator, control characters
# break its links, and forms trim spaces at the ends. "%" is escaped to keep the encoding reversible.
_UNSAFE = re.compile(r'[,\[\]"*%\x00-\x1f\x7f-\x9f\u2028\u2029]|^ | \Z|\.(?=\.\.)')


def partition_key(document: str) -> str:
    """The partition key of an S3 key: the same text, percent-encoded only where necessary.

    Injective; ``document_of`` is its inverse.
    """
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), document)


def document_of(key: str) -> str:
    """The S3 key of a partition key."""
    return unquote(key, errors="strict")


def candidate_documents(name: str) -> tuple[str, ...]:
    """The S3 keys that a name may refer to: the name itself first, then the name decoded as a
    partition key.
    """
    try:
        return tuple(dict.fromkeys((name, document_of(name))))
    except UnicodeDecodeError:
        return (name,)


def batch_of(document: str) -> str:
    """The batch of a document: the first path segment, or "" without one."""
    return document.split("/", 1)[0] if "/" in document else ""


def path_of(document: str) -> str:
    """The path of a document below an asset's folder in the lake: as readable as the partition key, and
    injective.

    The segments "", "." and ".." are escaped: they are legal in S3 keys, but not in URLs and folders.
    Segments and paths that exceed the limits of file systems or S3 are truncated and end with a hash. Both
    contain a comma, which no partition key contains.
    """
    segments = [_escaped(segment) for segment in partition_key(document).split("/")]
    while len("/".join(segments).encode()) > _PATH_BYTES_MAX:
        is_cut = segments[-1].startswith(",")
        segments[-2 if is_cut else -1 :] = [f",{file_name_of(document)}"]
    return "/".join(segments)


_PATH_BYTES_MAX = 700
"""S3 allows 1,024 bytes per key; the rest is reserved for the lake prefix, the asset and the part name."""
_SEGMENT_BYTES_MAX = 200
"""File systems allow 255 bytes per name; the rest is reserved for suffixes, including those of servers during
a write."""


def _escaped(segment: str) -> str:
    if segment in ("", ".", ".."):
        return segment.replace(".", "%2E") or ","
    whole = segment.encode()
    if len(whole) <= _SEGMENT_BYTES_MAX:
        return segment
    mark = f",{file_name_of(segment)}"
    head = whole[: _SEGMENT_BYTES_MAX - len(mark)].decode(errors="ignore")
    return re.sub("%[0-9A-F]?$", "", head) + mark


def file_name_of(document: str) -> str:
    """A local file name: a hash, so that no part of a key is ever used as a path."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def object_version(size_bytes: int, etag: str, version_id: str | None = None) -> str:
    """A short identifier of one version of an object, from the data of a listing."""
    return digest([size_bytes, etag, version_id])[:16]


def fingerprint(stage: str, version: str, settings: Mapping[str, object], inputs: Sequence[str]) -> str:
    """The fingerprint of an artifact: code version of the stage, settings and engines it depends on,
    fingerprints of its inputs.

    Two artifacts with the same fingerprint have the same rows.
    """
    return digest([stage, version, sorted(settings.items()), list(inputs)])[:32]


def digest(value: object) -> str:
    """SHA-256, hexadecimal, of the canonical JSON of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
