"""What has been seen of one flow of a capture: its segments, and its messages as its dissector reads them.

It goes on where it stopped as the flow grows. What is kept is bounded, and payloads stay where they are: a message that
came in one segment is a view of the capture; only one that came in several is joined. It starts no thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from netlab.capture.model import Direction, Flow, Kind, LetGo, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.fields import Field
from netlab.dissect.flow import FlowDissector, Run, moved
from netlab.dissect.picture import Message, SeenFlow
from netlab.dissect.reading.dissector_state import DissectorState, Reading
from netlab.dissect.reading.flow_bytes import Streams, bytes_between
from netlab.dissect.reading.flow_reader import why_given_up
from netlab.dissect.reading.inner_flow import InnerFlow

MOST_MESSAGES = 2000
MOST_SEGMENTS = 10_000
MOST_FIELDS = 100_000
MOST_KEPT = 16 << 20
"""Bytes that were joined or derived, of all messages together."""
_MOST_RESTARTS = 8
_LOOK = 64
"""Segments between two looks whether to go on."""
NO_FACTS: Mapping[str, object] = MappingProxyType({})
Going = Callable[[], bool]
"""Whether to go on reading."""


def _always() -> bool:
    return True


class SeenSoFar:
    """A flow as far as it has been read. ``make`` makes its dissector."""

    def __init__(self, capture: CapturedSegments, flow: Flow, make: Callable[[], FlowDissector]) -> None:
        self._capture, self.flow, self._make = capture, flow, make
        self._segments: list[Segment] = []
        self._lost: list[Message] = []
        self._skipped = 0  # segments beyond the limit
        self._number = self._count = 0  # of the last segment that was read; of the capture's last
        self._streams: Streams = dict.fromkeys(Direction, ())
        self._restarts = 0
        self._begin()

    def _begin(self) -> None:
        self._messages: list[Message] = []
        self._unfinished: dict[Direction, Message] = {}
        self._fields = self._kept = 0
        self._full = ""
        self._state: DissectorState | None = None

    def follow(self) -> bool:
        """Take notice of what was captured; whether there is something to read. Call it where the capture grows."""
        self._streams = {way: self._capture.stream(self.flow, way) for way in Direction}
        self._count = len(self._capture.segments)
        return next(iter(self._capture.numbers(self.flow, self._number)), None) is not None

    def read_on(self, going: Going = _always) -> bool:
        """Read what was taken notice of, in any one thread, while ``going``; whether there is more."""
        return self._read_segments(going) or self._read_messages(going)

    def within(self, records: Mapping[Direction, Sequence[Opened]]) -> InnerFlow:
        """The flow that these opened records carry."""
        return InnerFlow(self._capture, self.flow, records, self._streams)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes have been read, and how many there are."""
        places = self._state.places if self._state is not None else {}
        read = sum(place.position for place in places.values())
        return read, max(sum(_end(chunks) for chunks in self._streams.values()), read)

    def seen(self, facts: Mapping[str, object] = NO_FACTS) -> SeenFlow:
        """The flow as it is known now."""
        waiting = tuple(sorted(self._unfinished.values(), key=lambda message: message.last))
        return SeenFlow(
            self.flow, tuple(self._segments), tuple(self._messages), self._left_out, facts, waiting, tuple(self._lost)
        )

    @property
    def _left_out(self) -> str:
        said = [f"The first {MOST_SEGMENTS:,} of {len(self._segments) + self._skipped:,} segments are shown."]
        said = said if self._skipped else []
        return " ".join(filter(None, [*said, self._full]))

    # Segments

    def _read_segments(self, going: Going) -> bool:
        for looked, number in enumerate(self._capture.numbers(self.flow, self._number)):
            if number > self._count:
                break
            if looked % _LOOK == _LOOK - 1 and not going():
                return True
            self._number = number
            try:
                segment = self._capture.segments[number - 1]
            except LetGo:
                continue
            if len(self._segments) < MOST_SEGMENTS or segment.kind is not Kind.DATA:
                self._segments.append(segment)
                self._read_lost(segment)
            else:
                self._skipped += 1
        return False

    def _read_lost(self, segment: Segment) -> None:
        """Read a datagram that was dropped, alone."""
        data = segment.dropped
        if data is None or self.flow.transport is not Transport.UDP or len(self._lost) >= MOST_MESSAGES:
            return
        try:
            found = self._make().feed(Run(data, segment.direction, transport=Transport.UDP))
            (field,) = _one(found.fields, len(data), found.summary)
        except Exception:  # noqa: BLE001 - a person's own dissector may raise anything; reading the flow says so
            return
        number, when = segment.number, segment.time_ns
        self._lost.append(Message(segment.direction, field, data, 0, number, number, when, when, found.summary))

    # Messages

    def _read_messages(self, going: Going) -> bool:
        looked = 0
        while not self._full:
            try:
                step = self._next()
                if step is None:
                    return False
                state, way, chunk = step
                for reading in state.step(self._streams, way, chunk):
                    self._take(reading)
            except Exception as error:  # noqa: BLE001 - a person's own dissector may raise anything
                self._full = f"{why_given_up(error)[:1].upper()}{why_given_up(error)[1:]}."
                return False
            looked += 1
            if looked % _LOOK == 0 and not going():
                return True
        return False

    def _next(self) -> tuple[DissectorState, Direction, Chunk] | None:
        """The dissector's state, and the chunk that it reads next. If bytes came before that, it begins again."""
        if self._state is None:
            self._state = DissectorState(self._make(), self.flow.transport)
        elif not self._state.relocate(self._streams):
            self._restarts += 1
            self._begin()
            if self._restarts > _MOST_RESTARTS:
                self._full = "Bytes that came late keep changing what was read, so no messages are shown."
                return None
            self._state = DissectorState(self._make(), self.flow.transport)
        step = self._state.next(self._streams)
        return (self._state, *step) if step is not None else None

    def _take(self, reading: Reading) -> None:
        """Keep the messages of a run that are whole, and the last one that is not."""
        self._unfinished.pop(reading.way, None)
        whole = reading.found.done(len(reading.data))
        fields = reading.found.fields
        if self.flow.transport is Transport.UDP:
            fields, whole = _one(fields, len(reading.data), reading.found.summary), len(reading.data)
        for field in fields:
            if self._full:
                return
            message = self._message(reading, field, reading.found.summary if len(fields) == 1 else "")
            if field.buffer is None and field.end > whole:
                self._unfinished[reading.way] = message
                return
            self._add(message)

    def _message(self, reading: Reading, field: Field, summary: str) -> Message:
        start, end = (0, 0) if field.buffer is not None else (field.start, field.end)
        chunks = self._streams[reading.way]
        first, last = _came(chunks, reading.offset + start, reading.offset + end)
        data = bytes_between(chunks, reading.offset + start, reading.offset + end).toreadonly()
        (lowered,) = moved((field,), -start)
        began, ended = self._time(first), self._time(last)
        said = summary or f"{field.name}: {field.value}"
        return Message(reading.way, lowered, data, reading.offset + start, first, last, began, ended, said)

    def _time(self, number: int) -> int:
        try:
            return self._capture.segments[number - 1].time_ns if number else 0
        except IndexError:  # `LetGo`, above all
            return 0

    def _add(self, message: Message) -> None:
        fields, kept = _weight(message.field)
        self._fields += fields
        self._kept += kept + (len(message.data) if message.first != message.last else 0)
        self._messages.append(message)
        if len(self._messages) >= MOST_MESSAGES or self._fields > MOST_FIELDS or self._kept > MOST_KEPT:
            self._full = f"The first {len(self._messages):,} messages are read."
            self._unfinished.clear()


def seen_flow(
    capture: CapturedSegments,
    flow: Flow,
    make: Callable[[], FlowDissector],
    facts: Mapping[str, object] = NO_FACTS,
) -> SeenFlow:
    """A flow as it is captured now, all of it at once."""
    so_far = SeenSoFar(capture, flow, make)
    so_far.follow()
    so_far.read_on()
    return so_far.seen(facts)


def _end(chunks: Sequence[Chunk]) -> int:
    return chunks[-1].offset + chunks[-1].length if len(chunks) else 0


def _one(fields: Sequence[Field], length: int, summary: str) -> tuple[Field, ...]:
    """A datagram as one field."""
    if len(fields) == 1 and fields[0].buffer is None and (fields[0].start, fields[0].end) == (0, length):
        return tuple(fields)
    return (Field("datagram", 0, length, "message", summary, tuple(fields)),)


def _came(chunks: Sequence[Chunk], start: int, end: int) -> tuple[int, int]:
    """The first and the last of the segments that brought these bytes; (0, 0) if none did."""
    index = max(bisect_left(chunks, start + 1, key=lambda chunk: chunk.offset) - 1, 0)
    first = last = 0
    while index < len(chunks):
        chunk = chunks[index]
        if first and chunk.offset >= end:
            break
        first, last = min(first or chunk.segment, chunk.segment), max(last, chunk.segment)
        index += 1
    return first, last


def _weight(field: Field) -> tuple[int, int]:
    """How many fields there are in a field, and how many bytes in their derived buffers."""
    count, buffers, waiting = 0, dict[int, int](), [field]
    while waiting and count <= MOST_FIELDS:
        each = waiting.pop()
        count += 1
        if each.buffer is not None:
            buffers[id(each.buffer)] = len(each.buffer.data)
        waiting.extend(each.children)
    return count, sum(buffers.values())
