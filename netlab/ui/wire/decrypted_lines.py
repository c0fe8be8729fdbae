"""The text of encrypted segments for the lines of the wire list, after their records have been decrypted.

A line asks for it when it is drawn; what is not known yet is decrypted in a thread and drawn later. It knows no widget
and no protocol: a topic's `Conversation` decrypts the records and puts each into words.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from netlab.capture.model import Direction, Flow, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Conversation, Opened
from netlab.dissect.fields import Dissection
from netlab.dissect.reading.meanings import How, Meanings
from netlab.dissect.summary import READ, preview
from netlab.dissect.text import safe
from netlab.ui.bytes.fields.dissecting import Extent, dissect, joined

_LOOKS = 10
MOST = 3
"""At most this many records of a segment are shown on its line."""
_REST = 4
"""After a turn, this many times its duration passes before the next: in a flood, keys need the time."""
Turn = Callable[[], tuple[bool, float]]
"""Returns whether more is known than before, and the seconds that it took. It runs in any thread."""
Conversations = Callable[[Segment], Callable[[], Conversation] | None]
"""Returns what decrypts a segment's flow; None if the flow is not encrypted. Called in the decrypting thread."""


@dataclass(slots=True)
class _Opening:
    """One flow: its records so far, and the lengths and secrets of the last attempt."""

    flow: Flow
    sample: Segment
    records: dict[Direction, Sequence[Opened]] = field(default_factory=dict)
    conversation: Conversation | None = None
    never: bool = False
    """Whether it cannot be decrypted at all."""
    tried: tuple[int, ...] = ()
    looks: int = 0
    """Remaining attempts: its secrets may be logged after its segments have crossed."""


@dataclass(frozen=True, slots=True)
class Work:
    """A flow to decrypt further, and its streams, which are joined in the decrypting thread."""

    opening: _Opening
    streams: tuple[Sequence[Chunk], Sequence[Chunk]]


class DecryptedLines:
    """Decrypts the flows of one capture. ``secrets`` returns the current key log."""

    def __init__(self, conversations: Conversations, secrets: Callable[[], str]) -> None:
        self._conversations, self._secrets = conversations, secrets
        self._openings: dict[int, _Opening] = {}

    def forget(self) -> None:
        """Forget all flows: another capture is shown."""
        self._openings.clear()

    def line(self, segment: Segment, how: How) -> str:
        """The text of a segment; empty if it is not known, or not yet known: then `work` has something to do."""
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
        return _line(segment, records[first : min(after, first + MOST)], after - first, how)

    def work(self, capture: CapturedSegments) -> list[Work]:
        """The flows to decrypt now. Call it in the thread that grows the capture."""
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
        """Decrypt these flows, in any thread. Returns whether more is known than before."""
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
        except Exception:  # noqa: BLE001 - an installed package may raise anything; the inspector shows the error
            opening.never = True
            return False
        if records is not None:
            opening.records = dict(records)
        return sum(map(len, opening.records.values())) > before


class Turns:
    """The turns of finding out in a thread what segments mean: one at a time, with rests between them."""

    def __init__(self) -> None:
        self._running, self._rest_until = False, 0.0

    def next(self, capture: CapturedSegments | None, how: How, decrypted: DecryptedLines | None) -> Turn | None:
        """The next turn: to read flows on and to decrypt what was drawn without. None if it is not due.

        Call it in the thread that grows the capture; run the turn in another thread, then call `ended`.
        """
        if capture is None or self._running or time.monotonic() < self._rest_until:
            return None
        work = list(how.work()) if isinstance(how, Meanings) else []
        if decrypted is not None and (sealed := decrypted.work(capture)):
            work.append(partial(decrypted.open, sealed))
        if not work:
            return None
        self._running = True

        def turn() -> tuple[bool, float]:
            began = time.monotonic()
            more = sum(each() for each in work) > 0
            return more, time.monotonic() - began

        return turn

    def ended(self, seconds: float) -> None:
        """A turn has ended; it took ``seconds``."""
        self._running = False
        self._rest_until = time.monotonic() + _REST * seconds


def _line(segment: Segment, records: Sequence[Opened], count: int, how: How) -> str:
    """The records of a segment in words: those in clear as its dissector reads them, the others decrypted."""
    if not records:
        return ""
    parts = []
    if records[0].start > segment.offset:
        parts = [
            safe(f"{each.name}: {each.value}")
            for each in _in_clear(segment, how).fields
            if segment.offset + each.end <= records[0].start
        ]
    count += len(parts)
    parts += [_words(record, segment.offset) for record in records]
    more = f" and {count - MOST:,} more" if count > MOST else ""
    return "; ".join(parts[:MOST]) + more


def _in_clear(segment: Segment, how: How) -> Dissection:
    """What a segment says without being decrypted."""
    if isinstance(how, Meanings):
        meaning = how.of(segment.flow)
        if meaning.reader is not None:
            start, end = how.place(segment)
            quick = how.at_once(segment, meaning.reader)
            return meaning.reader.at(segment.direction, start, end) if quick else Dissection(())
        how = meaning.dissector
    if how is None:
        return Dissection(())
    return dissect(Extent(segment.data[:READ], segment.direction, segment.offset, 0, READ), how)


def _words(record: Opened, offset: int) -> str:
    """A record's words, or its plaintext; if it began in an earlier segment, only the part in this one."""
    if record.words:
        return safe(record.words)
    here = memoryview(record.plaintext)[max(offset - record.at, 0) :]
    return preview(here) if here else f"the end of {record.name}"
