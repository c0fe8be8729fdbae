"""What the two sides of a TLS connection said, message by message, in order: in clear, opened, or closed.

It puts handshake messages together that were cut into records. It draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netlab.capture.model import Direction
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.picture import Message, SeenFlow
from netlab.dissect.tls.tls_names import HANDSHAKES, RECORDS
from netlab.dissect.tls.tls_records import CIPHERTEXT, HANDSHAKE, HEADER, MOST_MESSAGE

_NUMBERS = {name: number for number, name in RECORDS.items()}
UNREADABLE = -1


@dataclass(frozen=True, slots=True)
class Said:
    """One handshake message, or what one other record carried.

    ``kind`` is the record's type, `UNREADABLE` for bytes that are none; ``message`` the handshake message's type,
    `UNREADABLE` where none begins. ``body`` is its content, None where that stays closed. ``secret`` names what opened
    it; empty in clear. ``record`` is where it ended, ``began`` the segment where it began, ``size`` its bytes there.
    """

    record: Message
    kind: int
    began: int
    size: int
    body: memoryview | None = None
    message: int = UNREADABLE
    secret: str = ""

    @property
    def direction(self) -> Direction:
        """Who said it."""
        return self.record.direction


@dataclass(slots=True)
class _Joining:
    """The handshake messages of one direction: bytes of one that is not complete, and where it began."""

    waiting: bytes = b""
    began: int = 0
    sizes: int = field(default=0)


def opened_of(seen: SeenFlow) -> dict[tuple[Direction, int], Opened]:
    """The records that secrets have opened, by where they begin. They are the fact ``records``."""
    given = seen.facts.get("records")
    if not isinstance(given, Mapping):
        return {}
    return {
        (direction, each.start): each
        for direction in Direction
        for each in given.get(direction, ())
        if isinstance(each, Opened)
    }


def conversation(seen: SeenFlow) -> Iterator[Said]:
    """All that was said, in the order in which it was complete."""
    opened, joining = opened_of(seen), {direction: _Joining() for direction in Direction}
    for record in seen.messages:
        size = len(record.data)
        if size < HEADER or record.data[0] not in RECORDS:
            yield Said(record, UNREADABLE, record.first, size)
            continue
        kind, secret, body = record.data[0], "", record.data[HEADER:]
        if (found := opened.get((record.direction, record.start))) is not None:
            kind, secret = _NUMBERS.get(found.name, UNREADABLE), found.secret
            body = memoryview(found.plaintext)
        elif any(child.name == CIPHERTEXT for child in record.field.children):
            yield Said(record, kind, record.first, size)
            continue
        if kind == HANDSHAKE:
            yield from _messages(record, body, secret, joining[record.direction])
        else:
            yield Said(record, kind, record.first, size, body, secret=secret)


def _messages(record: Message, body: memoryview, secret: str, joining: _Joining) -> Iterator[Said]:
    """The handshake messages that end in this record. What cannot be one is given as it is."""
    if not joining.waiting:
        joining.began, joining.sizes = record.first, 0
    data = memoryview(joining.waiting + bytes(body)) if joining.waiting else body
    joining.sizes += len(record.data)
    at = 0
    while len(data) - at >= 4:
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        if kind not in HANDSHAKES or length > MOST_MESSAGE:
            yield Said(record, HANDSHAKE, joining.began, len(record.data), data[at:], secret=secret)
            at = len(data)
            break
        if len(data) - at - 4 < length:
            break
        content = data[at + 4 : at + 4 + length]
        yield Said(record, HANDSHAKE, joining.began, joining.sizes, content, kind, secret)
        at += 4 + length
        joining.began, joining.sizes = record.first, len(record.data)
    joining.waiting = bytes(data[at:])
