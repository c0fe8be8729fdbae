"""WebSocket messages that golden flows are too long or too short for."""

from __future__ import annotations

import zlib

from netlab.capture.model import Direction
from netlab.dissect.fields import MOST_DERIVED, Field
from netlab.dissect.protocols.websocket import PROTOCOL
from netlab.dissect.reading.in_memory import read_pieces

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


def frame(payload: bytes, first: int) -> bytes:
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
    return bytes([first]) + length + payload


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def part(field: Field, name: str) -> Field:
    return next(child for child in field.children[-1].children if child.name == name)


def test_a_bomb_is_unpacked_within_bounds_and_what_follows_is_read() -> None:
    bomb, after = read_pieces(
        PROTOCOL.make, [(DOWN, frame(deflated(bytes(20 << 20)), 0xC2)), (DOWN, frame(deflated(b"after"), 0xC1))]
    )
    unpacked = part(bomb.fields[0], "unpacked")
    assert unpacked.buffer is not None
    assert len(unpacked.buffer.data) == MOST_DERIVED
    assert bomb.fields[0].children[-1].value == f"only the first {MOST_DERIVED:,} bytes are unpacked"
    assert after.summary == "text after"


def test_a_message_of_many_frames_is_put_together_as_far_as_is_kept() -> None:
    first = [(DOWN, frame(b"a" * 60_000, 0x01))]
    found = read_pieces(PROTOCOL.make, [*first, (DOWN, frame(b"b" * 60_000, 0x80))])
    together = part(found[1].fields[0], "put together")
    assert together.buffer is not None
    assert together.buffer.data == b"a" * 60_000 + b"b" * 5_536
    assert together.buffer.cut == 54_464
    assert together.value.endswith("(and 54,464 bytes more)")
