"""Frames are decoded as they were encoded, regardless of how they are split; invalid frames are rejected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.sandbox import JSON, wire

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(_JSON), st.integers(min_value=1, max_value=50))
def test_frames_are_decoded_however_they_are_split(values: list[JSON], size: int) -> None:
    data = b"".join(wire.frame(wire.ITEM, value) for value in values)
    reader = wire.FrameReader()
    received = []
    for start in range(0, len(data), size):
        received += list(reader.feed(data[start : start + size]))
    assert received == [(wire.ITEM, value) for value in values]


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_bad_frame(data: bytes) -> None:
    try:
        frames = list(wire.FrameReader().feed(data))
    except wire.BadFrame:
        return
    assert all(kind in wire.KINDS for kind, _ in frames)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"NaN", b"[1e999", b"\xff", b"[" * 100_000, b"1" * 10_000, b"[],' ", b"__import__('os')"],
)
def test_payload_that_is_not_json_is_rejected(payload: bytes) -> None:
    with pytest.raises(wire.BadFrame):
        wire.from_json(payload)


def test_small_payload_that_would_fill_the_memory_is_not_decoded() -> None:
    payload = b"[" + b"[]," * wire.FRAME_VALUES_MAX + b"[]]"
    with pytest.raises(wire.BadFrame, match="values in one frame"):
        wire.from_json(payload)


def test_declared_length_is_checked_before_anything_is_buffered() -> None:
    header = wire.ITEM + (wire.FRAME_BYTES_MAX + 1).to_bytes(4, "big")
    with pytest.raises(wire.BadFrame, match="announced"):
        list(wire.FrameReader().feed(header))
