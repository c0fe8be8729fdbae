"""What encrypted segments say, for the lines of the wire list, once the records that they carry have been opened.

A line asks when it is drawn; what is not known yet is opened in a thread and drawn then. It knows no widget and no
protocol: a topic's `Conversation` opens the records and says each in words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Flow, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Conversation, Opened
from netlab.dissect.fields import Dissector
from netlab.dissect.text import safe
from netlab.ui.bytes.dissecting import Extent, dissect, joined
from netlab.ui.wire.segment_row import READ, preview

_LOOKS = 10
MOST = 3
"""Records of a segment that its line shows."""
Conversations = Callable[[Segment], Callable[[], Conversation] | None]
"""What opens a segment's flow; None for what is not encrypted. Called in the thread that opens."""


@dataclass(slots=True)
class _Opening:
    """One flow: its records so far, and with which lengths and secrets they were looked for last."""

    flow: Flow
    sample: Segment
    records: dict[Direction, Sequence[Opened]] = field(default_factory=dict)
    conversation: Conversation | None = None
    never: bool = False
    """It cannot be opened at all."""
    tried: tuple[int, ...] = ()
    looks: int = 0
    """How often it is still to be looked at: its secrets may be written down after its segments have crossed."""


@dataclass(frozen=True, slots=True)
class Work:
    """A flow to be opened further, and its streams, which are joined in the thread that opens."""

    opening: _Opening
    streams: tuple[Sequence[Chunk], Sequence[Chunk]]


class OpenedLines:
    """Opens the flows of one capture. ``secrets`` gives the key log as it is now."""

    def __init__(self, conversations: Conversations, secrets: Callable[[], str]) -> None:
        self._conversations, self._secrets = conversations, secrets
        self._openings: dict[int, _Opening] = {}

    def forget(self) -> None:
        """Another capture is shown."""
        self._openings.clear()

    def line(self, segment: Segment, dissector: Dissector | None) -> str:
        """What a segment says; empty if that is not known, or not yet: then `work` has something to do."""
        if not segment.data or segment.flow.transport is Transport.UDP:
            return ""
        opening = self._openings.setdefault(segment.flow.number, _Opening(segment.flow, segment))
        if opening.never:
            return ""
        start, end = segment.offset, segment.offset + len(segment.data)
        records = opening.records.get(segment.direction, ())
        first = bisect_right(records, start, key=lambda record: record.end)
        after = bisect_left(records, end, key=lambda record: record.start)
        if not records or records[-1].end < end:
            opening.looks = _LOOKS
        return _line(segment, records[first : min(after, first + MOST)], after - first, dissector)

    def work(self, capture: CapturedSegments) -> list[Work]:
        """What is to be opened now; to be asked for in the thread that grows the capture."""
        found = []
        wanted = [opening for opening in self._openings.values() if opening.looks]
        secrets = len(self._secrets()) if wanted else 0
        for opening in wanted:
            opening.looks -= 1
            chunks = [capture.stream(opening.flow, way) for way in Direction]
            tried = (*map(len, chunks), secrets)
            if secrets and tried != opening.tried:
                opening.tried = tried
                found.append(Work(opening, (chunks[0], chunks[1])))
        return found

    def open(self, work: Iterable[Work]) -> bool:
        """Open what is to be opened, in any thread; whether more is known than before."""
        return sum(self._open(each.opening, *map(joined, each.streams)) for each in work) > 0

    def _open(self, opening: _Opening, to_server: memoryview, to_client: memoryview) -> bool:
        before = sum(map(len, opening.records.values()))
        try:
            if opening.conversation is None:
                make = self._conversations(opening.sample)
                if make is None:
                    opening.never = True
                    return False
                opening.conversation = make()
            records = opening.conversation.grow(self._secrets(), to_server, to_client)
        except Exception:  # noqa: BLE001 - an installed package may raise anything; the inspector says what
            opening.never = True
            return False
        if records is not None:
            opening.records = dict(records)
        return sum(map(len, opening.records.values())) > before


def _line(segment: Segment, records: Sequence[Opened], count: int, dissector: Dissector | None) -> str:
    """The records of a segment in words: those in clear as the dissector reads them, the others as they were opened."""
    if not records:
        return ""
    parts = []
    if records[0].start > segment.offset and dissector is not None:
        clear = dissect(Extent(segment.data[:READ], segment.direction, segment.offset, 0, READ), dissector)
        parts = [
            safe(f"{each.name}: {each.value}") for each in clear.fields if segment.offset + each.end <= records[0].start
        ]
    count += len(parts)
    parts += [_words(record, segment.offset) for record in records]
    more = f" and {count - MOST:,} more" if count > MOST else ""
    return "; ".join(parts[:MOST]) + more


def _words(record: Opened, offset: int) -> str:
    """A record's words, or its plaintext; of one that began in an earlier segment, what this one carries of it."""
    if record.words:
        return safe(record.words)
    here = memoryview(record.plaintext)[max(offset - record.at, 0) :]
    return preview(here) if here else f"the end of {record.name}"
