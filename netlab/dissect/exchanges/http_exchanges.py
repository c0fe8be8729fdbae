"""Requests and responses that belong together, of the messages of one HTTP/1 connection.

Responses come in the order of their requests (RFC 9112, section 9.3.2), so no name pairs them. A response that begins
before any request waits is nobody's answer. Where answers are missing, one that comes later answers the latest request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from netlab.capture.model import Direction
from netlab.dissect.fields import Field
from netlab.dissect.picture import Message, SeenFlow

MOST_PARTS = 1000
"""Parts of a long body that are kept one by one."""


@dataclass(slots=True)
class Sent:
    """A request or a response: its message, or its head and the parts of a body too long to be read at once."""

    message: Message
    whole: bool = True
    parts: list[Message] = field(default_factory=list)
    part_count: int = 0
    part_bytes: int = 0

    def add(self, part: Message, whole: bool) -> None:
        """A further part of the body."""
        self.part_count += 1
        self.part_bytes += len(part.data)
        if len(self.parts) >= MOST_PARTS:
            self.parts.pop()
        self.parts.append(part)
        self.whole = whole

    @property
    def ended_ns(self) -> int:
        """When its last byte crossed."""
        return self.parts[-1].ended_ns if self.parts else self.message.ended_ns

    def find(self, *names: str) -> Field | None:
        """The first part of that name, and so on within it; None if it has not come."""
        found: Field | None = self.message.field
        for name in names:
            found = next((each for each in found.children if each.name == name), None) if found is not None else None
        return found

    def says(self, *names: str) -> str:
        """The value of a part, empty if it has not come."""
        found = self.find(*names)
        return found.value if found is not None else ""

    def header(self, name: str) -> str:
        """What the first header of that name, in small letters, says; empty if there is none."""
        headers = self.find("headers")
        found = (each.value for each in headers.children if each.name.lower() == name) if headers is not None else ()
        return next(iter(found), "")

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.says("request line", "method")

    @property
    def status(self) -> int:
        """The status of a response; 0 if it has not come."""
        text = self.says("status line", "status")
        return int(text) if text.isdecimal() else 0

    @property
    def counted(self) -> bool:
        """Whether its headers have come, and say where its body ends."""
        return bool(self.header("content-length") or self.header("transfer-encoding"))

    @property
    def headed(self) -> bool:
        """Whether its headers have come."""
        return self.find("blank line") is not None


@dataclass(slots=True)
class HttpExchange:
    """A request with its answer, and the interim answers (1xx) before that; either may be missing."""

    request: Sent | None
    response: Sent | None = None
    interim: list[Sent] = field(default_factory=list)
    missed: bool = False
    """Whether its answer lies in bytes that are not in the capture."""

    @property
    def upgrades(self) -> bool:
        """Whether the connection speaks another protocol after it (RFC 9110, sections 7.8 and 9.3.6)."""
        if self.response is None:
            return False
        status = self.response.status
        return status == 101 or (200 <= status < 300 and self.request is not None and self.request.method == "CONNECT")


@dataclass(slots=True)
class HttpExchanges:
    """What happened on a connection, in order: exchanges, and messages that are none of HTTP."""

    all: list[HttpExchange | Message] = field(default_factory=list)
    after: list[Message] = field(default_factory=list)
    """What follows an upgrade."""
    upgrade: HttpExchange | None = None
    gap: int = 0
    """The segment before which answers are missing; 0 if none are."""
    _missing: bool = False
    _ends: dict[Direction, int] = field(default_factory=dict)
    _waiting: deque[HttpExchange] = field(default_factory=deque)
    _last: dict[Direction, Sent] = field(default_factory=dict)

    def take(self, message: Message, whole: bool) -> None:
        """The next message, of those in the order in which they began."""
        kind, name, way = message.field.kind, message.field.name, message.direction
        if message.start > self._ends.get(way, 0) and way is Direction.TO_CLIENT and self.upgrade is None:
            self.gap, self._missing = self.gap or message.first, True
        self._ends[way] = message.start + len(message.data)
        if self.upgrade is not None:
            self.after.append(message)
        elif kind == "http" and name == "request" and way is Direction.TO_SERVER:
            self._ask(Sent(message, whole))
        elif kind == "http" and way is Direction.TO_CLIENT and not _is_request(message):
            self._answer(Sent(message, whole))
        elif name == "body" and (last := self._last.get(way)) is not None:
            last.add(message, whole)
        elif name != "empty line":
            self.all.append(message)

    def _ask(self, sent: Sent) -> None:
        exchange = HttpExchange(sent)
        self._last[Direction.TO_SERVER] = sent
        self._waiting.append(exchange)
        self.all.append(exchange)

    def _answer(self, sent: Sent) -> None:
        self._last[Direction.TO_CLIENT] = sent
        while self._missing and len(self._waiting) > 1:  # most clients wait for an answer before they ask again
            self._waiting.popleft().missed = True
        self._missing = False
        if not self._waiting:
            self.all.append(HttpExchange(None, sent))
        elif 100 <= sent.status < 200 and sent.status != 101:
            self._waiting[0].interim.append(sent)
        else:
            exchange = self._waiting.popleft()
            exchange.response = sent
            self.upgrade = exchange if exchange.upgrades else None


def _is_request(message: Message) -> bool:
    return any(part.name == "request line" for part in message.field.children)


def exchanges_of(seen: SeenFlow) -> HttpExchanges:
    """The exchanges of a flow, in the order in which they began."""
    found = HttpExchanges()
    for message, whole in sorted(_messages(seen), key=lambda each: (each[0].first, each[0].start)):
        found.take(message, whole)
    return found


def _messages(seen: SeenFlow) -> Iterator[tuple[Message, bool]]:
    for message in seen.messages:
        yield message, True
    for message in seen.unfinished:
        yield message, False
