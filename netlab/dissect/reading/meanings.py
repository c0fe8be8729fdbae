"""How each flow of a capture is read: as the person chose, as its topic says, or as its first bytes show.

One object for each capture on the screen. It starts no thread: what takes long is left to `work`, whose parts may run
in one. It knows no widget.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from netlab.capture.model import Direction, Flow, Segment, Transport
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissector
from netlab.dissect.flow import MOST_OPENING, Protocol
from netlab.dissect.reading.flow_bytes import Streams
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.protocol_discovery import protocol_named, protocols
from netlab.dissect.reading.recognition import opening_of, recognise
from netlab.dissect.summary import preview, said
from netlab.dissect.text import safe

MOST_FLOWS = 64
"""Flows whose reading is kept; of others only what they are."""
_AT_ONCE = 0.002
"""Seconds that a line of the list may take …"""
_IN_ALL = 0.010
"""… and all lines, until `work` was asked for again."""
_SLICE = 0.05
_MOST_LINES = 200

How: TypeAlias = "Dissector | Meanings | None"
"""How bytes are read: by one dissector, each flow by its own meaning, or not at all."""

Choice = Callable[[Flow], Protocol | None]
"""What the person chose for a flow, or for its port; None: nothing."""


@dataclass(slots=True)
class FlowMeaning:
    """One flow: its protocol, and who reads it: a dissector that sees the stream up to each segment, or a reader."""

    protocol: Protocol
    dissector: Dissector | None
    reader: FlowReader | None
    final: bool
    seen: tuple[int, int] = (0, 0)
    """How much of its beginning was known when it was recognised."""
    wanted: dict[int, tuple[Direction, int, int]] = field(default_factory=dict)
    """Places of segments whose lines are not known yet, by number."""


class Meanings:
    """The meanings of a capture's flows. ``always`` is what all flows are unless the person chose something else.

    ``known`` are the protocols to recognise; those in ``whole`` are read by a dissector that sees the stream up to the
    segment. ``slow``: nothing is read in the caller's thread, because a person's own file may take any time.
    """

    def __init__(
        self,
        capture: CapturedSegments,
        *,
        always: Protocol | None = None,
        known: Callable[[], Sequence[Protocol]] = protocols,
        whole: Callable[[str], Dissector | None] = lambda name: None,
        choice: Choice = lambda flow: None,
        slow: bool = False,
    ) -> None:
        self.capture = capture
        self._always, self._known, self._choice, self.slow = always, known, choice, slow
        self._whole = whole
        self._flows: OrderedDict[int, FlowMeaning] = OrderedDict()
        self._left = _IN_ALL
        self.hurried = False
        """Whether lines show a preview, and nothing is read for them: more segments come than can be read."""

    @property
    def guesses(self) -> bool:
        """Whether it is not given beforehand what flows are."""
        return self._always is None

    def forget(self) -> None:
        """Read all flows again: the person chose something else, or changed the dissector."""
        self._flows.clear()

    def of(self, flow: Flow) -> FlowMeaning:
        """A flow's meaning as far as it is known. Call it in the thread that grows the capture."""
        streams: Streams = {way: self.capture.stream(flow, way) for way in Direction}
        meaning = self._flows.get(flow.number)
        if meaning is None or not meaning.final:
            meaning = self._recognised(flow, streams, meaning)
            self._flows[flow.number] = meaning
        elif meaning.reader is not None:
            meaning.reader.follow(streams)
        self._flows.move_to_end(flow.number)
        if len(self._flows) > MOST_FLOWS:
            self._flows.popitem(last=False)
        return meaning

    def _recognised(self, flow: Flow, streams: Streams, before: FlowMeaning | None) -> FlowMeaning:
        chosen = self._choice(flow) or self._always
        if chosen is not None:
            return self._read_as(chosen, flow, streams, final=True)
        seen = (_length(streams, Direction.TO_SERVER), _length(streams, Direction.TO_CLIENT))
        if before is not None and before.reader is not None:
            before.reader.follow(streams)
        if before is not None and before.seen == seen:
            return before
        guess = recognise(opening_of(flow, streams), self._known())
        protocol = guess.protocol or plain()
        if before is not None and before.protocol is protocol:
            before.final, before.seen = guess.final, seen
            return before
        return self._read_as(protocol, flow, streams, guess.final, seen)

    def _read_as(
        self, protocol: Protocol, flow: Flow, streams: Streams, final: bool, seen: tuple[int, int] = (0, 0)
    ) -> FlowMeaning:
        dissector = self._whole(protocol.name)
        reader = FlowReader(protocol.make, streams, flow.transport) if dissector is None else None
        return FlowMeaning(protocol, dissector, reader, final, seen)

    def place(self, segment: Segment) -> tuple[int, int]:
        """Where a segment's bytes begin and end in their direction's stream, in which datagrams follow one another."""
        if segment.flow.transport is not Transport.UDP:
            return segment.offset, segment.offset + len(segment.data)
        chunks = self.capture.stream(segment.flow, segment.direction)
        low, high = 0, len(chunks)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if chunks[middle].segment < segment.number else (low, middle)
        start = chunks[low].offset if low < len(chunks) else 0
        return start, start + len(segment.data)

    def at_once(self, segment: Segment, reader: FlowReader) -> bool:
        """Whether a segment can be dissected in the caller's thread."""
        start, end = self.place(segment)
        return not self.slow and reader.quick(segment.direction, start, end, segment.number)

    # Lines

    def words(self, segment: Segment) -> str:
        """A segment in a line, escaped; a preview of its bytes until `work` knows more."""
        if self.hurried or not segment.carries or (segment.length and not segment.data):
            return said(segment, None)
        meaning = self.of(segment.flow)
        reader = meaning.reader
        if reader is None:
            return said(segment, meaning.dissector)
        if segment.dropped is not None or not segment.number:
            if self.slow:
                return said(segment, None)
            data = segment.data if segment.dropped is None else segment.dropped
            return safe(reader.alone(segment.direction, data).summary) or preview(data)
        known = reader.summary(segment.number)
        if known is None:
            known = self._soon(segment, meaning, reader)
        return safe(known or "") or preview(segment.data)

    def _soon(self, segment: Segment, meaning: FlowMeaning, reader: FlowReader) -> str | None:
        """The line now if that is quick; else None, and `work` has something to do."""
        if self._left > 0 and not self.slow and not meaning.wanted and not reader.problem:
            began = time.monotonic()
            reader.advance(_AT_ONCE)
            self._left -= time.monotonic() - began
            if (known := reader.summary(segment.number)) is not None:
                return known
        if not reader.problem and len(meaning.wanted) < _MOST_LINES:
            meaning.wanted[segment.number] = (segment.direction, *self.place(segment))
        return None

    def work(self) -> list[Callable[[], bool]]:
        """What is to be done for lines that were drawn without their meaning: each a call for a thread.

        It returns whether the lines are to be drawn again. Call this in the thread that grows the capture, a few times
        a second.
        """
        self._left = _IN_ALL
        found = []
        for meaning in self._flows.values():
            if meaning.wanted and meaning.reader is not None:
                found.append(_Work(meaning.reader, meaning.wanted).do)
                meaning.wanted = {}
        return found


@dataclass(frozen=True, slots=True)
class _Work:
    """The lines of one flow that are wanted."""

    reader: FlowReader
    wanted: Mapping[int, tuple[Direction, int, int]]

    def do(self) -> bool:
        """Read on for a while, then answer for single segments; whether it is worth drawing them again."""
        until = time.monotonic() + 4 * _SLICE
        more = True
        while more and self._unknown() and time.monotonic() < until:
            more = self.reader.advance(_SLICE)
        for number in self._unknown() if not more else ():
            self.reader.remember(number, self.reader.at(*self.wanted[number]).summary)
            if time.monotonic() > until:
                break
        return True

    def _unknown(self) -> list[int]:
        return [number for number in self.wanted if self.reader.summary(number) is None]


def plain() -> Protocol:
    """Text or bytes: what is left if nothing is recognised."""
    protocol = protocol_named("text")
    assert protocol is not None  # it is one of ours
    return protocol


def _length(streams: Streams, way: Direction) -> int:
    """How many bytes of a stream's beginning are there, as far as they count."""
    chunks = streams[way]
    return min(chunks[-1].offset + chunks[-1].length, MOST_OPENING) if len(chunks) else 0
