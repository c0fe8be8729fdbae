"""The segments of a capture in words while it is read: each flow by the protocol that its first bytes show.

Only the newest flows are followed, and of each only what its dissector may still ask for; so memory is bounded. With
secrets, TLS is opened.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from netlab.capture.model import Direction, Flow, Segment, Transport
from netlab.capture.segment_reader import ReadSegment
from netlab.capture.stream import Chunk
from netlab.dissect.decrypted_record import Conversation, Opened
from netlab.dissect.fields import Dissector
from netlab.dissect.flow import MOST_OPENING, MOST_WAITING, Protocol
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.own.own_dissector import OwnDissector
from netlab.dissect.reading.recognition import opening_of, recognise
from netlab.dissect.summary import preview, said
from netlab.dissect.text import safe
from netlab.topics.by_port import dissector_of, guess_topic
from netlab.topics.decrypting import decrypted_by
from netlab.topics.topic_protocols import known_protocols, read_whole

MOST_FLOWS: Final = 64
"""Flows that are followed; a segment of one that was given up is shown as text or hex."""
MOST_KEPT: Final = 32 << 20
"""Bytes of all these flows that are kept."""
MOST_DECRYPTED: Final = 1 << 20
"""Bytes of each direction that are decrypted."""
HANDSHAKE: Final = 22
"""The type of the record with which a client begins TLS (RFC 8446, section 5.1)."""
_MOST_RECORDS: Final = 3
_A_CHUNK: Final = 256
"""Bytes that a chunk takes beside its data."""
_UNDECIDED: Final = 16 * MOST_OPENING
"""Bytes after which a flow's protocol is no longer guessed again."""


class FlowWords:
    """Puts a capture's segments in words: the one place that decides what reads a flow. Ask about each, in order."""

    def __init__(self, secrets: Callable[[], str] | None = None, own: OwnDissector | None = None) -> None:
        """``own`` is a person's own dissector: it reads all flows, or those that it recognises."""
        self._secrets, self._own = secrets, own
        self._flows: OrderedDict[int, _FollowedFlow] = OrderedDict()
        self._kept = 0
        self.opened_in_part = 0
        """Encrypted flows that are longer than what is decrypted of them."""

    def of(self, found: ReadSegment) -> str:
        """A segment in words, escaped."""
        segment = found.segment
        if not segment.data or not found.streamed or segment.dropped is not None:
            return said(segment, None if self._own is not None else dissector_of(guess_topic(segment.flow)))
        flow = self._flows.setdefault(segment.flow.number, _FollowedFlow(segment.flow, self._secrets, self._own))
        self._flows.move_to_end(segment.flow.number)
        while len(self._flows) > MOST_FLOWS or (self._kept > MOST_KEPT and len(self._flows) > 1):
            self._kept -= self._flows.popitem(last=False)[1].kept
        before, stopped = flow.kept, flow.stopped
        words = flow.words(segment)
        self._kept += flow.kept - before
        self.opened_in_part += flow.stopped and not stopped
        return words


class _FollowedFlow:
    """One flow: its newest bytes, and who reads them."""

    def __init__(self, flow: Flow, secrets: Callable[[], str] | None, own: OwnDissector | None) -> None:
        self._flow, self._own = flow, own
        self._streams: dict[Direction, list[Chunk]] = {way: [] for way in Direction}
        self.kept = self._seen = 0
        self._final = False
        self._protocol: Protocol | None = None
        self._reader: FlowReader | None = None
        self._dissector: Dissector | None = None
        encrypted = secrets is not None and flow.transport is Transport.TCP
        self._decrypting = _DecryptedFlow(secrets) if encrypted and secrets is not None else None

    def words(self, segment: Segment) -> str:
        chunk = self._added(segment)
        opened = self._decrypting.words(segment) if self._decrypting is not None else ""
        if opened or chunk is None:
            return opened or said(segment, self._dissector)
        self._recognise()
        if self._reader is None:
            return said(segment, self._dissector)
        self._reader.advance()
        return safe(self._reader.summary(segment.number) or "") or preview(segment.data)

    @property
    def stopped(self) -> bool:
        """Whether it was decrypted, but not to its end, because there is too much."""
        return self._decrypting is not None and self._decrypting.stopped

    def _added(self, segment: Segment) -> Chunk | None:
        """The segment's part of its stream, unless it came too late; what is too old is forgotten."""
        chunks = self._streams[segment.direction]
        end = chunks[-1].offset + chunks[-1].length if chunks else 0
        at = end if self._flow.transport is Transport.UDP else segment.offset
        if at < end:
            return None
        chunk = Chunk(at, len(segment.data), memoryview(bytes(segment.data)), segment.number)
        chunks.append(chunk)
        self._seen += chunk.length
        self.kept += chunk.length + _A_CHUNK
        while self.kept > 2 * MOST_WAITING and len(chunks) > 1:
            self.kept -= chunks.pop(0).length + _A_CHUNK
        return chunk

    def _recognise(self) -> None:
        if self._final:
            return
        protocol = self._guessed()
        if protocol is None or protocol is self._protocol:
            return
        self._protocol, self._reader = protocol, None
        self._dissector = read_whole(protocol.name) if self._own is None else None
        if self._dissector is None:
            self._reader = FlowReader(protocol.make, self._streams, self._flow.transport)

    def _guessed(self) -> Protocol | None:
        if self._own is not None and self._own.certain:
            self._final = True
            return self._own.protocol
        known = known_protocols() if self._own is None else (self._own.protocol, *known_protocols())
        guess = recognise(opening_of(self._flow, self._streams), known)
        self._final = guess.final or self._seen > _UNDECIDED
        return guess.protocol


class _DecryptedFlow:
    """A flow's records, opened as it grows, as far as it is encrypted and the secrets are known."""

    def __init__(self, secrets: Callable[[], str]) -> None:
        self._secrets = secrets
        self._bytes = {way: bytearray() for way in Direction}
        self._conversation: Conversation | None = None
        self._never = False
        self._known = self.stopped = False

    def words(self, segment: Segment) -> str:
        """The records of a segment in words; empty if they are not known."""
        mine = self._bytes[segment.direction]
        if self._never or segment.offset != len(mine):
            return ""
        if len(mine) > MOST_DECRYPTED:
            self.stopped = self._known
            return ""
        mine += segment.data
        records = self._opened().get(segment.direction, ())
        self._known = self._known or bool(records)
        first = bisect_right(records, segment.offset, key=lambda record: record.end)
        after = bisect_left(records, segment.offset + len(segment.data), key=lambda record: record.start)
        return _in_words(records[first : min(after, first + _MOST_RECORDS)], after - first, segment.offset)

    def _opened(self) -> Mapping[Direction, Sequence[Opened]]:
        to_server, to_client = (self._bytes[way] for way in Direction)
        if to_server and to_server[0] != HANDSHAKE:
            self._never = True
            return {}
        try:
            if self._conversation is None:
                make = decrypted_by(None).conversation()
                assert make is not None  # of TLS
                self._conversation = make()
            with memoryview(to_server) as sent, memoryview(to_client) as received:
                return self._conversation.grow(self._secrets(), sent, received) or {}
        except Exception:  # noqa: BLE001 - hostile bytes are not to end the listing
            self._never = True
            return {}


def _in_words(records: Sequence[Opened], count: int, offset: int) -> str:
    """The first of so many records."""
    more = f" and {count - _MOST_RECORDS:,} more" if count > _MOST_RECORDS else ""
    return "; ".join(_record(record, offset) for record in records) + more


def _record(record: Opened, offset: int) -> str:
    """A record's words, or its plaintext; if it began in an earlier segment, only the part in this one."""
    if record.words:
        return safe(record.words)
    return preview(memoryview(record.plaintext)[max(offset - record.at, 0) :]) or f"the end of {safe(record.name)}"
