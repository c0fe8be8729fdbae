"""Blocks of a capture as they are written: what begins it, and packets. Pure: values in, bytes out.

Source of the format: draft-ietf-opsawg-pcapng. Little-endian, link type RAW, times in nanoseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from netlab import __version__
from netlab.capture import outcomes
from netlab.capture.model import Outcome

LINKTYPE_RAW: Final = 101
ORIGINAL_BLOCK: Final = 0x80004E4C
"""Local-use block before a packet whose payload a fault changed: u32 length, then what entered the wire, padded."""

_HEAD = struct.Struct("<IIIIIII").pack
_ENDS = tuple(struct.Struct(f"<{pad}xI").pack for pad in range(4))
_AROUND = struct.calcsize("<IIIIIII") + 4
_LOW = 0xFFFFFFFF
_END_OF_OPTIONS = struct.pack("<HH", 0, 0)


def packet(
    time_ns: int, header: bytes, length: int, missing: int, fate: str, outcome: Outcome
) -> tuple[bytes, bytes, int]:
    """What stands before and behind ``length`` bytes of payload in an enhanced packet block, and the block's size.

    ``missing`` bytes of payload are only counted in it.
    """
    captured = len(header) + length
    pad = -captured % 4
    total = _AROUND + captured + pad
    if fate or outcome is not Outcome.DELIVERED:
        comments = outcomes.comments(fate, outcome)
        options = b"".join(_option(1, comment.encode()[:4096]) for comment in comments) + _END_OF_OPTIONS
        total += len(options)
        end = b"\0" * pad + options + _ENDS[0](total)
    else:
        end = _ENDS[pad](total)
    return _HEAD(6, total, 0, time_ns >> 32, time_ns & _LOW, captured, captured + missing) + header, end, total


def original(payload: memoryview) -> bytes:
    """The block with what entered the wire."""
    pad = -len(payload) % 4
    total = 16 + len(payload) + pad
    head = struct.pack("<III", ORIGINAL_BLOCK, total, len(payload))
    return b"".join((head, payload, _ENDS[pad](total)))


class PacketShape:
    """Packets of one flow's direction and one length: all that is the same in each of them, so that the rest is quick.

    ``header`` is IP and TCP header, without options; its two numbers do not matter.
    """

    __slots__ = ("_ahead", "_behind", "_end", "_kind", "_numbers", "_pack", "length")

    def __init__(self, header: bytes, length: int) -> None:
        self.length = length
        captured = len(header) + length
        pad = -captured % 4
        self._kind = struct.pack("<III", 6, _AROUND + captured + pad, 0)
        self._ahead = struct.pack("<II", captured, captured) + header[:-16]
        self._behind = header[-8:]
        self._end = _AROUND + captured + pad
        self._pack = _layout(len(self._ahead), length, pad)

    def block(self, time_ns: int, numbers: bytes, payload: bytes) -> bytes:
        """The whole block; ``numbers`` are the sequence and acknowledgement numbers as a header has them."""
        high, low = time_ns >> 32, time_ns & _LOW
        return self._pack(self._kind, high, low, self._ahead, numbers, self._behind, payload, self._end)


@lru_cache(maxsize=256)
def _layout(ahead: int, length: int, pad: int) -> Callable[..., bytes]:
    return struct.Struct(f"<12sII{ahead}s8s8s{length}s{pad}xI").pack


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    total = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + total + body + total


def preamble() -> bytes:
    """The section header and the one interface."""
    application = _option(4, f"netlab {__version__}".encode())
    announcement = _option(1, outcomes.ANNOUNCEMENT.encode())
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    section = _block(0x0A0D0D0A, head + announcement + application + _END_OF_OPTIONS)
    nanoseconds = _option(2, b"netlab wire") + _option(9, b"\x09") + _END_OF_OPTIONS
    return section + _block(1, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + nanoseconds)
