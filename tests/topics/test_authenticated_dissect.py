"""Recorded conversations of both topics and how their bytes read; then any bytes at all.

``samples/*.txt``: a line with direction and hex, under it the expected tree, indented; then the other direction.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Dissector, Field
from netlab.topics.hmac.dissect import dissect as dissect_hmac
from netlab.topics.multiprocessing.dissect import dissect as dissect_multiprocessing
from tests.support.folders import TOPIC_SAMPLES

DISSECTORS = {"hmac": dissect_hmac, "multiprocessing": dissect_multiprocessing}
FILES = sorted(file.stem for name in DISSECTORS for file in TOPIC_SAMPLES.glob(f"{name}-*.txt"))


def tree(fields: Iterable[Field], indent: str = "  ") -> Iterator[str]:
    for field in fields:
        yield f"{indent}{field.name} {field.start}-{field.end} {field.kind} {field.value}".rstrip()
        yield from tree(field.children, indent + "  ")


def halves(stem: str) -> list[tuple[Direction, bytes, list[str]]]:
    """Each direction's bytes and expected tree."""
    found: list[tuple[Direction, bytes, list[str]]] = []
    for line in (TOPIC_SAMPLES / f"{stem}.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match("(→|←) ([0-9a-f]*)$", line):
            found.append((Direction(match[1]), bytes.fromhex(match[2]), []))
        else:
            found[-1][2].append(line)
    return found


def dissector(stem: str) -> Dissector:
    return DISSECTORS[stem.partition("-")[0]]


def check_spans(fields: tuple[Field, ...], start: int, end: int) -> None:
    for field in fields:
        assert start <= field.start <= field.end <= end
        check_spans(field.children, field.start, field.end)


@pytest.mark.parametrize("stem", FILES)
def test_recorded_bytes_read_as_they_did(stem: str) -> None:
    assert halves(stem)
    for direction, data, expected in halves(stem):
        read = dissector(stem)(memoryview(data), direction, 0)
        assert [f"  {read.summary}", *tree(read.fields)] == expected
        assert (read.needs, read.problem) == (0, "")


@pytest.mark.parametrize("stem", FILES)
def test_every_truncation_waits_for_more_or_ends_a_message(stem: str) -> None:
    for direction, data, _ in halves(stem):
        for cut in range(len(data)):
            part = memoryview(data)[:cut]
            read = dissector(stem)(part, direction, 0)
            check_spans(read.fields, 0, cut)
            if read.needs:
                grown = dissector(stem)(memoryview(data)[: cut + read.needs], direction, 0)
                assert [(f.name, f.start) for f in grown.fields[:-1]] == [(f.name, f.start) for f in read.fields[:-1]]
                assert grown.fields[-1].end == cut + read.needs


@pytest.mark.parametrize("name", DISSECTORS)
@given(st.binary(max_size=300), st.sampled_from(Direction), st.sampled_from([0, 1, 31, 32, 48, 1000]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_fields(name: str, data: bytes, direction: Direction, offset: int) -> None:
    read = DISSECTORS[name](memoryview(data), direction, offset)
    assert isinstance(read, Dissection)
    check_spans(read.fields, 0, len(data))
    assert read.needs >= 0
    assert bool(read.fields) == bool(data)


@given(st.lists(st.binary(max_size=40).map(lambda m: len(m).to_bytes(4, "big") + m)).map(b"".join), st.integers(0, 100))
@settings(max_examples=200, deadline=None)
def test_any_messages_are_told_apart(data: bytes, cut: int) -> None:
    part = memoryview(data)[: max(0, len(data) - cut)]
    read = dissect_multiprocessing(part, Direction.TO_SERVER, 0)
    check_spans(read.fields, 0, len(part))
    assert not read.problem
    assert [field.start for field in read.fields[1:]] == [field.end for field in read.fields[:-1]]


def test_a_segment_from_the_middle_of_the_stream() -> None:
    _, data, _ = halves("multiprocessing-from-3.12")[0]
    whole = dissect_multiprocessing(memoryview(data), Direction.TO_SERVER, 0)
    third = whole.fields[3]
    alone = dissect_multiprocessing(memoryview(data)[third.start : third.end], Direction.TO_SERVER, third.start)
    assert (alone.fields[0].name, alone.fields[0].value) == (third.name, third.value)
    inside = dissect_multiprocessing(memoryview(data)[third.start + 7 :], Direction.TO_SERVER, third.start + 7)
    assert "follow the stream" in inside.problem


def test_what_is_no_frame_falls_back_to_raw_and_says_so() -> None:
    text = dissect_multiprocessing(memoryview(b"GET / HTTP/1.1\r\n\r\n"), Direction.TO_SERVER, 0)
    assert text.needs == 0x47455420 - 14
    negative = dissect_multiprocessing(memoryview(b"\xff\xff\xff\xfe1234"), Direction.TO_SERVER, 0)
    assert (negative.fields[0].kind, negative.problem) == ("bytes", "-2 is not a length")
    no_pickle = dissect_multiprocessing(memoryview(b"\0\0\0\x02hi"), Direction.TO_SERVER, 0)
    assert (no_pickle.fields[0].name, no_pickle.fields[0].value) == ("bytes", "not a pickle")


def test_the_handshake_of_hmac_waits_for_its_32_bytes() -> None:
    read = dissect_hmac(memoryview(bytes(20)), Direction.TO_CLIENT, 0)
    assert (read.fields[0].name, read.needs) == ("challenge", 12)
    rest = dissect_hmac(memoryview(bytes(12) + b"Hello"), Direction.TO_CLIENT, 20)
    assert [(f.name, f.start, f.end) for f in rest.fields] == [("challenge", 0, 12), ("payload", 12, 17)]


@pytest.mark.parametrize("unit", [b"\0\0\0\x01N", b"\0\0\0\x00", b"\0\0\0\x06\x80\x04(tt.", b"("])
def test_the_time_does_not_grow_faster_than_the_bytes(unit: bytes) -> None:
    def seconds(count: int) -> float:
        data = memoryview(unit * count)
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            dissect_multiprocessing(data, Direction.TO_SERVER, 0)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(80_000) < 40 * max(seconds(8_000), 0.001)
