"""Looking at a large capture copies none of its payload: allocations are traced while it is looked at."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.capture.model import Direction
from tests.support.large_capture import SIZE, write_large_capture

ALLOWED = 64 * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return write_large_capture(tmp_path / "large.pcapng")


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
