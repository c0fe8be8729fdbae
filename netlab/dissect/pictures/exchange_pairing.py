"""Which datagram answers which: by the number that both carry, else by their order.

A request that is sent again before it is answered is another try of the same call. Pure; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Outcome, Segment
from netlab.dissect.fields import Field
from netlab.dissect.picture import Message, SeenFlow

_NUMBERS = frozenset({"id", "request", "transaction id", "identifier", "message id"})
"""Names of fields that tie an answer to its request."""
_GAVE_UP_NS = 100_000_000
"""A client that asks something else so long after its last try waits for that answer no more; before, it asks several
things at once."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram: its segment, what it says, and the number that it carries, if it has one."""

    segment: Segment
    words: str
    number: str = ""
    field: Field | None = None

    @property
    def lost(self) -> bool:
        """Whether the wire dropped it."""
        return self.segment.outcome is Outcome.DROPPED

    @property
    def data(self) -> memoryview:
        """Its bytes, also if it was dropped."""
        return self.segment.data if self.segment.dropped is None else self.segment.dropped


@dataclass(slots=True)
class Exchange:
    """A call: its tries, and what came back. Without tries, it is an answer to nothing that was asked."""

    tries: list[Datagram] = field(default_factory=list)
    answers: list[Datagram] = field(default_factory=list)
    overtaken: Exchange | None = None
    """The call that the client made meanwhile, having given this one up: its answer is late."""

    @property
    def came(self) -> list[Datagram]:
        """The answers that arrived."""
        return [answer for answer in self.answers if not answer.lost]

    @property
    def round_trip(self) -> int | None:
        """Nanoseconds from the last try before the first answer to that answer; None without one."""
        came = self.came
        if not came or not self.tries:
            return None
        answered = came[0].segment
        before = [each.segment for each in self.tries if each.segment.number < answered.number]
        return answered.time_ns - before[-1].time_ns if before else None


def datagrams(seen: SeenFlow) -> list[Datagram]:
    """The flow's datagrams in order."""
    messages = {message.first: message for message in (*seen.messages, *seen.lost)}
    found = []
    for segment in seen.segments:
        message = messages.get(segment.number)
        words = message.summary if message is not None else _size(segment)
        number = _number(message) if message is not None else ""
        found.append(Datagram(segment, words, number, message.field if message is not None else None))
    return found


def _size(segment: Segment) -> str:
    if not segment.length:
        return "empty datagram"
    return f"{segment.length:,} bytes" if segment.length != 1 else "1 byte"


def _number(message: Message) -> str:
    """The number that ties a request and its answer together."""
    children: Sequence[Field] = message.field.children
    return next((child.value for child in children if child.name.casefold() in _NUMBERS), "")


def pair(found: Iterable[Datagram]) -> list[Exchange]:
    """The calls, in the order in which they were first made."""
    return _Pairing().all(found)


class _Pairing:
    """What is known while the datagrams are gone through in order."""

    def __init__(self) -> None:
        self._calls: list[Exchange] = []
        self._by_number: dict[str, Exchange] = {}
        self._open: list[Exchange] = []  # not answered yet, the oldest first
        self._last: Exchange | None = None  # the newest call
        self._answered: Exchange | None = None  # by order, the last one that was

    def all(self, found: Iterable[Datagram]) -> list[Exchange]:
        for datagram in found:
            if datagram.segment.direction is Direction.TO_SERVER:
                self._ask(datagram)
            else:
                self._answer(datagram)
        return self._calls

    def _ask(self, request: Datagram) -> None:
        call = self._asked_before(request)
        if call is None:
            call = Exchange()
            self._calls.append(call)
            self._open.append(call)
            before, self._last = self._last, call
            if before is not None and not before.came:
                waited = request.segment.time_ns - before.tries[-1].segment.time_ns
                before.overtaken = call if waited >= _GAVE_UP_NS else None
        if request.number:
            self._by_number[request.number] = call
        call.tries.append(request)

    def _asked_before(self, request: Datagram) -> Exchange | None:
        """The call that this is another try of."""
        if request.number:
            call = self._by_number.get(request.number)
            return call if call is not None and not call.came else None
        same = (call for call in reversed(self._open) if call.tries[0].data == request.data)
        return next(same, None)

    def _answer(self, answer: Datagram) -> None:
        call = self._answered_by(answer)
        if call is None:
            call = Exchange()
            self._calls.append(call)
        call.answers.append(answer)
        if not answer.lost and call in self._open:
            self._open.remove(call)
            self._answered = call

    def _answered_by(self, answer: Datagram) -> Exchange | None:
        if answer.number:
            return self._by_number.get(answer.number)
        unnumbered = [call for call in self._open if not call.tries[0].number]
        if unnumbered:
            return unnumbered[0]
        before = self._answered
        same = before is not None and any(each.data == answer.data for each in before.answers)
        return before if same else None
