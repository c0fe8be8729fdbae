"""Byte sources hand out slices, joined only across chunks, and tell where bytes are missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.stream import Chunk
from netlab.ui.bytes.byte_source import StreamSource, ViewSource

PIECES = st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=9)), max_size=8)


def chunks_of(pieces: list[tuple[int, bytes]]) -> tuple[list[Chunk], bytes, set[int]]:
    """Chunks with a gap before each, what `view` should give, and the offsets that are missing."""
    chunks, whole, missing = [], b"", set[int]()
    for number, (gap, data) in enumerate(pieces, 1):
        missing |= set(range(len(whole), len(whole) + gap))
        whole += bytes(gap)
        chunks.append(Chunk(len(whole), len(data), memoryview(data), number))
        whole += data
    return chunks, whole, missing


@given(PIECES, st.integers(-2, 70), st.integers(-2, 70))
def test_a_stream_reads_as_its_chunks_joined(pieces: list[tuple[int, bytes]], start: int, end: int) -> None:
    chunks, whole, missing = chunks_of(pieces)
    source = StreamSource(chunks)
    low, high = max(start, 0), max(end, 0)
    assert source.length == len(whole)
    assert source.view(start, end) == whole[low:high]
    known = bytes(b for i, b in enumerate(whole) if low <= i < high and i not in missing)
    assert b"".join(source.runs(start, end)) == known
    gaps = {at for first, last in source.gaps(start, end) for at in range(first, last)}
    assert gaps == {at for at in missing if low <= at < high}
    assert list(source.starts(low, high)) == [c.offset for c in chunks if low <= c.offset < high]


@given(PIECES)
def test_each_byte_knows_its_chunk(pieces: list[tuple[int, bytes]]) -> None:
    chunks, _, _ = chunks_of(pieces)
    source = StreamSource(chunks)
    for index, chunk in enumerate(chunks):
        assert all(source.run_at(at) == index for at in range(chunk.offset, chunk.offset + chunk.length))


def test_a_slice_within_a_chunk_is_that_chunks_memory() -> None:
    memory = bytearray(b"Hello")
    source = StreamSource([Chunk(0, 5, memoryview(memory), 1), Chunk(5, 2, memoryview(b", "), 2)])
    part, alone = source.view(1, 4), ViewSource(memoryview(memory)).view(1, 4)
    memory[1:4] = b"ULL"
    assert part == alone == b"ULL"


def test_a_chunk_that_was_not_kept_whole_leaves_a_gap() -> None:
    source = StreamSource([Chunk(0, 5, memoryview(b"He"), 1), Chunk(5, 1, memoryview(b"!"), 2)])
    assert source.view(0, 9) == b"He\0\0\0!"
    assert source.gaps(0, 9) == [(2, 5)]


def test_views_of_other_items_are_read_as_bytes() -> None:
    assert ViewSource(memoryview(bytearray(8)).cast("I")).length == 8
