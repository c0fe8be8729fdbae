"""Looking at a large capture copies none of its payload: allocations are traced while it is looked at."""

from __future__ import annotations

import os
import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.capture.model import Direction
from tests.support import build

SIZE = 256 * 1024 * 1024
MARK = b"needle"
ALLOWED = 64 * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A capture with one segment of 256 MiB, all holes but its last bytes."""
    path = tmp_path / "large.pcapng"
    header = build.ip("127.0.0.1", "127.0.0.1", 6, build.tcp_header(53422, 20000, 101, build.ACK), total=0)
    size = 32 + len(header) + SIZE
    with path.open("wb") as file:
        file.write(build.capture(build.opened()))
        file.write(struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(header) + SIZE, len(header) + SIZE) + header)
        file.seek(SIZE - len(MARK), os.SEEK_CUR)
        file.write(MARK + struct.pack("<I", size))
        file.write(build.enhanced(build.tcp(build.CLIENT, build.SERVER, 101 + SIZE, payload=b" after")))
    return path


def test_reading_slices_of_a_large_segment_copies_nothing(large: Path) -> None:
    tracemalloc.start()
    try:
        capture = Capture(large)
        capture.grow()
        segment = capture.segments[1]
        stream = capture.stream(capture.flows[0], Direction.TO_SERVER)
        places = range(0, SIZE, SIZE // 64)
        seen = [(segment.data[at : at + 4096], stream.view(at, at + 4096)) for at in places]
        whole = stream.view(0, SIZE)
        across = stream.view(SIZE - 3, SIZE + 6)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < ALLOWED
    assert (segment.length, len(whole), bytes(across)) == (SIZE, SIZE, b"dle after")
    assert all(view.obj is segment.data.obj for pair in seen for view in pair)


def test_filtering_a_segment_copies_nothing(large: Path) -> None:
    capture = Capture(large)
    capture.grow()
    segment = replace(capture.segments[1], data=capture.segments[1].data[-SIZE // 16 :])  # to search less takes less
    wanted = parse(r"'needle' b'needle' >1000 not b'nothing\x01'")
    tracemalloc.start()
    try:
        matches = wanted.matches(segment)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert matches
    assert peak < ALLOWED
