"""Frames between the worker, the zygote and a child: a kind, a length, JSON; nothing else is transferred.

The reader never trusts the writer: a child may have been taken over by the document it parses. So there is no
pickle, lengths are checked before anything is stored, and the values of a frame are counted before they are
created, because a few bytes of JSON can need twenty times the memory as Python objects.
"""

import json
import struct
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None

ITEM, DONE, ERROR = b"i", b"d", b"e"
KINDS = (ITEM, DONE, ERROR)

FRAME_BYTES_MAX = 64 * 2**20
FRAME_VALUES_MAX = 5_000_000
"""A page of two million characters, each word with its box, stays below both limits."""

_HEADER = struct.Struct(">cI")
HEADER_BYTES = _HEADER.size


class BadFrame(Exception):
    """The bytes violate the protocol; their writer is broken or hostile."""


class FrameTooLarge(Exception):
    """A frame's payload is larger than ``FRAME_BYTES_MAX``."""


def to_json(value: object) -> bytes:
    """Compact JSON. Raises ``TypeError`` or ``ValueError`` for values that JSON cannot represent (including
    NaN).
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # The text of damaged PDFs contains lone surrogates, which must be preserved.
    return text.encode("utf-8", "surrogatepass")


def from_json(payload: bytes | bytearray) -> JSON:
    values = payload.count(b",") + payload.count(b"[") + payload.count(b"{")
    if values > FRAME_VALUES_MAX:
        raise BadFrame(f"{values} values in one frame; at most {FRAME_VALUES_MAX} are accepted")
    try:
        value: JSON = json.loads(payload.decode("utf-8", "surrogatepass"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise BadFrame(f"a frame of {len(payload)} bytes is not JSON: {exc}") from exc
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def frame(kind: bytes, value: object) -> bytes:
    payload = to_json(value)
    if len(payload) > FRAME_BYTES_MAX:
        raise FrameTooLarge(f"{len(payload)} bytes in one frame; at most {FRAME_BYTES_MAX} are accepted")
    return _HEADER.pack(kind, len(payload)) + payload


def payload_length(header: bytes | bytearray) -> tuple[bytes, int]:
    """Kind and payload length, validated."""
    kind, length = _HEADER.unpack_from(header)
    if kind not in KINDS:
        raise BadFrame(f"unknown frame kind {kind!r}")
    if length > FRAME_BYTES_MAX:
        raise BadFrame(f"a frame of {length} bytes is announced; at most {FRAME_BYTES_MAX} are accepted")
    return kind, length


class FrameReader:
    """Converts chunks of bytes, split anywhere, to frames; buffers at most one incomplete frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, JSON]]:
        self._buffer += chunk
        while len(self._buffer) >= HEADER_BYTES:
            kind, length = payload_length(self._buffer)
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                return
            payload = self._buffer[HEADER_BYTES:end]
            del self._buffer[:end]
            yield kind, from_json(payload)

    @property
    def is_between_frames(self) -> bool:
        return not self._buffer
