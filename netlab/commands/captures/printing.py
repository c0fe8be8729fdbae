"""Prints a capture while it is read: a line or a JSON object a segment, or the raw bytes of one direction of a flow.

Little stays in memory, however long the capture is. What could not be read is said on standard error.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from netlab.capture.filter import Test
from netlab.capture.in_order import InOrder
from netlab.capture.model import CaptureError, Direction
from netlab.capture.segment_reader import ReadSegment, SegmentReader
from netlab.capture.unread import count_of, not_read
from netlab.commands.captures.flow_words import MOST_DECRYPTED, FlowWords
from netlab.commands.captures.segment_fields import SegmentRow
from netlab.dissect.export import count_of_bytes
from netlab.dissect.reading.own.own_dissector import OwnDissector
from netlab.dissect.text import safe

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Printing:
    """Which segments are printed, and how."""

    line: Callable[[SegmentRow], str]
    matches: Test
    flow: int | None = None
    secrets: Callable[[], str] | None = None
    """The current key log, to open TLS."""
    own: OwnDissector | None = None
    """A person's own dissector, to read the flows."""
    with_words: bool = True
    """Whether a line has the segment's summary, which takes most of the time."""


def name_of(path: Path) -> str:
    """A capture for a sentence."""
    return "standard input" if str(path) == STANDARD_INPUT else safe(str(path))


def print_segments(path: Path, printing: Printing) -> int:
    """Print the segments that are meant; returns the exit status."""
    return _with_reader(path, lambda source: _lines(source, printing))


def print_stream(path: Path, flow: int, way: Direction) -> int:
    """Write the bytes that went one way in a flow, and nothing else; returns the exit status."""
    return _with_reader(path, lambda source: _bytes(source, flow, way))


class _Source:
    """An open capture, read to its end by `segments`."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.reader = SegmentReader()
        self._by_and_by = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)

    def segments(self) -> Iterator[ReadSegment]:
        """All segments. What was printed is flushed before more is waited for, as far as it comes by and by."""
        reader = self.reader
        while not reader.problem and (piece := self._file.read(reader.wanted)):
            yield from reader.feed(piece)
            if self._by_and_by:
                sys.stdout.flush()
        reader.end()


def _with_reader(path: Path, work: Callable[[_Source], str]) -> int:
    """Open the capture and work on it; say what is wrong with it, and what was not read."""
    try:
        file = FileIO(0, closefd=False) if str(path) == STANDARD_INPUT else FileIO(path)
    except OSError as error:
        return _failed(f"cannot open {name_of(path)}: {error.strerror}")
    with file:
        source = _Source(file)
        try:
            problem = work(source)
        except CaptureError as error:
            return _failed(f"cannot read {name_of(path)}: {error}")
    sys.stdout.flush()
    if source.reader.unread:
        _say(not_read(source.reader.unread))
    if source.reader.problem:
        return _failed(f"{name_of(path)}: {source.reader.problem}")
    return _failed(f"{name_of(path)}: {problem}") if problem else 0


def _lines(source: _Source, printing: Printing) -> str:
    words, start, write = FlowWords(printing.secrets, printing.own), None, sys.stdout.write
    for found in source.segments():
        segment = found.segment
        start = segment.time_ns if start is None else start
        if printing.flow not in (None, segment.flow.number):
            continue
        summary = words.of(found) if printing.with_words else ""  # of each: a flow is read in order
        if printing.matches(segment):
            write(printing.line(SegmentRow(segment, start, summary)) + "\n")
    if words.opened_in_part:
        sys.stdout.flush()
        flows = count_of(words.opened_in_part, "flow")
        _say(f"TLS of {flows} was opened up to {MOST_DECRYPTED >> 20} MiB of each direction, and not beyond")
    return ""


def _bytes(source: _Source, flow: int, way: Direction) -> str:
    """Returns what is wrong with the flow, if anything."""
    order, flows, write = InOrder(), 0, sys.stdout.buffer.write
    for segment, streamed in source.segments():
        flows = max(flows, segment.flow.number)
        if streamed and segment.flow.number == flow and segment.direction is way:
            for piece in order.add(segment):
                write(piece)
    for piece in order.end():
        write(piece)
    if flow > flows:
        return f"there is no flow {flow}; it has {count_of(flows, 'flow')}"
    if order.missing:
        _say(f"{count_of_bytes(order.missing)} of flow {flow} are not in the capture")
    return ""


def _say(text: str) -> None:
    sys.stderr.write(f"netlab inspect: {text}\n")


def _failed(text: str) -> int:
    _say(text)
    return 1
