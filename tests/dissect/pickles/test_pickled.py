"""Pickle opcodes and length prefixes, read and never loaded."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.dissect.field_reader import Short
from netlab.dissect.length_prefix import NoLength, read_frame
from netlab.dissect.pickles.pickled import LONGEST, read_pickle

VALUES: list[object] = [
    None,
    -1,
    2**70,
    [1, 2.5, "x", b"y", True],
    {"a": (1, 2, 3, 4), "b": {}},
    {1},
    frozenset([1]),
    ((), [], "grün" * 100, b"\0" * 1000),
    1j,
    bytearray(b"xy"),
    ["shared"] * 3,
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_the_opcodes_and_their_places_are_those_of_genops(value: object, protocol: int) -> None:
    pickled = pickle.dumps(value, protocol)
    read = read_pickle(memoryview(pickled), 0, len(pickled))
    expected = [(opcode.name, at) for opcode, _, at in pickletools.genops(pickled)]
    assert [(field.name, field.start) for field in read.opcodes] == expected
    assert [field.end for field in read.opcodes] == [field.start for field in read.opcodes[1:]] + [len(pickled)]
    assert (read.end, read.problem) == (len(pickled), "")


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        ({"a": (1, 2)}, "{'a': (1, 2)}"),
        ([(1,), None, [True, []]], "[(1,), None, [True, []]]"),
        ({1: {2: 3}, 4: 5}, "{1: {2: 3}, 4: 5}"),
        ({7}, "{7}"),
        ((), "()"),
        (-3, "-3"),
        (2**70, str(2**70)),
        (1 + 2j, "(1+2j)"),
        (os.system, "posix.system"),
    ],
)
def test_a_pickle_reads_as_python(value: object, reading: str) -> None:
    pickled = pickle.dumps(value, 4)
    assert read_pickle(memoryview(pickled), 0, len(pickled)).reading == reading


@pytest.mark.parametrize(
    ("pickled", "reading", "name"),
    [
        (b"cos\nsystem\n(S'id'\ntR.", "os.system('id')", "os.system"),
        (b"(S'id'\nios\npopen\n.", "os.popen('id')", "os.popen"),
        (b"(cos\nsystem\nS'id'\no.", "os.system('id')", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", "os.system('id')", "os.system"),
        (b"\x80\x04\x8c\x01m\x8c\x01C\x93)\x81}\x8c\x01x\x4b\x01sb.", "m.C() with state {'x': 1}", "m.C"),
    ],
)
def test_what_loading_would_call_is_told(pickled: bytes, reading: str, name: str) -> None:
    read = read_pickle(memoryview(pickled), 0, len(pickled))
    assert (read.reading, read.names, read.problem) == (reading, (name,), "")


@given(
    st.binary()
    | st.binary().map(lambda tail: b"\x80\x04" + tail)
    | st.lists(
        st.sampled_from(
            [opcode.code.encode("latin-1") for opcode in pickletools.opcodes] + [b"1\n", b"\x01\0\0\0", b"a b\n"]
        )
    ).map(b"".join)
)
@settings(max_examples=500, deadline=None)
def test_any_bytes_can_be_read(data: bytes) -> None:
    read = read_pickle(memoryview(data), 0, len(data))
    assert all(0 <= field.start < field.end <= len(data) for field in read.opcodes)
    assert [field.start for field in read.opcodes[1:]] == [field.end for field in read.opcodes[:-1]]
    assert len(read.reading) <= LONGEST
    assert read.problem == "" or not read.opcodes or read.opcodes[-1].name != "STOP"


@given(st.sampled_from(VALUES), st.integers(0, 60))
def test_a_pickle_cut_off_says_so(value: object, cut: int) -> None:
    pickled = pickle.dumps(value, 4)[:cut]
    read = read_pickle(memoryview(pickled), 0, len(pickled))
    assert bool(read.problem) == (cut < len(pickle.dumps(value, 4)))


def test_a_large_pickle_is_neither_copied_nor_shown_whole() -> None:
    pickled = memoryview(pickle.dumps([b"x" * (32 << 20), "y" * (32 << 20)], 4))
    tracemalloc.start()
    read = read_pickle(pickled, 0, len(pickled))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
    assert read.reading.startswith("[b'xxx")


def test_only_so_many_opcodes_are_shown() -> None:
    pickled = pickle.dumps(list(range(100_000)))
    read = read_pickle(memoryview(pickled), 0, len(pickled))
    assert len(read.opcodes) == 2000
    assert "only its first 2,000" in read.problem


def test_frames() -> None:
    assert read_frame(memoryview(b"??\0\0\0\x02ab"), 2) == read_frame(memoryview(b"..\0\0\0\x02"), 2)
    frame = read_frame(memoryview(struct.pack("!iQ", -1, 1 << 40)), 0)
    assert (frame.body, frame.end) == (12, 12 + (1 << 40))
    assert frame.prefix().kind == "i32 -1, u64"
    with pytest.raises(Short) as short:
        read_frame(memoryview(b"\0\0\0"), 0)
    assert short.value.missing == 1
    with pytest.raises(NoLength, match="-2"):
        read_frame(memoryview(struct.pack("!i", -2)), 0)
