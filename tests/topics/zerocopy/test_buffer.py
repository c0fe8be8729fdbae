"""What is said of the buffer's bytes: where a number was read, and where the newest piece lies."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from netlab.topics.zerocopy import drawing
from netlab.topics.zerocopy.buffer import Buffered
from netlab.topics.zerocopy.transfer import Transfer, address_of


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def client(notes: list[str]) -> Iterator[Buffered]:
    """A client that has received 64 bytes."""
    buffered = Buffered(notes.append)
    buffered.transfer = Transfer("recv_into", 64, [64], 64)
    buffered.transfer.place(memoryview(bytearray(range(64))))
    yield buffered


@pytest.mark.parametrize(("offset", "at"), [(3, 3), (-5, 59)])
def test_unpacking_says_where_it_read_and_what_slicing_first_copies(
    client: Buffered, notes: list[str], offset: int, at: int
) -> None:
    assert client.unpack("!BI", offset) == struct.unpack("!BI", bytes(range(at, at + 5)))
    assert notes[-1].startswith(f"read at {address_of(client.buffer) + at:#x}; unpack(…, data[{at}:{at + 5}]) first")


def test_unpacking_what_is_not_there_says_so_and_nothing_else(client: Buffered, notes: list[str]) -> None:
    with pytest.raises(struct.error, match="requires a buffer of at least 65 bytes"):
        client.unpack("!I", 61)
    assert notes == []


@pytest.mark.parametrize("width", [30, 60])
def test_the_newest_piece_is_the_call_that_filled_it(width: int) -> None:
    transfer = Transfer("recv_into", 100, [40, 10], 50)
    transfer.address = 0x7F0000001000
    line = drawing.arrived_lines(transfer, width)[3]
    assert line.startswith("recv_into(view[40:]) filled 10")
    assert ("at 0x7f0000001028" in line) == (width == 60)
    transfer.way = "join"
    assert not any("recv_into" in line for line in drawing.arrived_lines(transfer, width))


@pytest.mark.parametrize(
    ("peak", "shown"), [(1024, "peak 1.0 KiB"), (1 << 20, "peak 1.0 MiB"), (3 << 20, "peak 3.0 MiB")]
)
def test_the_memory_of_a_small_payload_is_not_shown_as_none(peak: int, shown: str) -> None:
    assert repr(Transfer("recv_into", peak, [peak], peak, peak, 0, peak, 0.5)).endswith(shown)
