"""Where a capture stands when one of its files begins, so that the file can be read without those before it.

A local-use block of netlab, which Wireshark passes over: u64 how many segments came before, then each open flow. Pure:
bytes and values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from struct import Struct
from typing import Final, NamedTuple

CHECKPOINT: Final = 0x80004E4D
"""The block's type."""
MOST_SEGMENTS: Final = 1 << 48
"""No capture has more; a larger count is damage."""
_FLOWS_A_BLOCK: Final = 1000
_KEY_SIZES: Final = frozenset({12, 36})
"""Two addresses of IPv4 or IPv6, and two ports."""
_FLOW = Struct("<BBxxIIQQ")
_HEAD = Struct("<IIQ")
_SIZE = Struct("<I")


class FlowState(NamedTuple):
    """One flow: its protocol, its addresses and ports (the client's first), and where its two streams stand.

    Of each direction, the first to the server: the sequence number of its first byte, and how many bytes it has had.
    """

    protocol: int
    key: bytes
    firsts: tuple[int, int] = (0, 0)
    ends: tuple[int, int] = (0, 0)


class Checkpoint(NamedTuple):
    """How many segments came before, and the flows that were open."""

    segments: int
    flows: tuple[FlowState, ...]


def blocks(segments: int, flows: Iterable[FlowState]) -> bytes:
    """The blocks that say so; at least one."""
    left, written = iter(flows), list[bytes]()
    while (some := tuple(islice(left, _FLOWS_A_BLOCK))) or not written:
        body = b"".join(_FLOW.pack(each.protocol, len(each.key), *each.firsts, *each.ends) + each.key for each in some)
        size = 20 + len(body)
        written.append(_HEAD.pack(CHECKPOINT, size, segments) + body + _SIZE.pack(size))
    return b"".join(written)


def read(found: Sequence[bytes]) -> Checkpoint | None:
    """What some blocks say; None without one, or if they contradict themselves."""
    counts = {_HEAD.unpack_from(block)[2] for block in found if len(block) >= 20}
    if len(counts) != 1 or (segments := counts.pop()) >= MOST_SEGMENTS:
        return None
    return Checkpoint(segments, tuple(flow for block in found for flow in _flows(block)))


def _flows(block: bytes) -> Iterator[FlowState]:
    at, end = 16, len(block) - 4
    while end - at >= _FLOW.size:
        protocol, size, *numbers = _FLOW.unpack_from(block, at)
        at += _FLOW.size
        if size not in _KEY_SIZES or size > end - at:
            return
        yield FlowState(protocol, block[at : at + size], (numbers[0], numbers[1]), (numbers[2], numbers[3]))
        at += size
