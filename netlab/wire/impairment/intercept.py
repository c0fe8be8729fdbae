"""Holding segments by hand: which match, what waits for a person, and what the person decided.

Pure: bytes and a clock go in, decisions come later, and `Gate.opened` returns what may go on. A gate stands before the
faults of one direction of one flow. On a stream everything behind a held segment waits with it; datagrams overtake.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netlab.capture.model import Direction, Flow, Kind, Segment, Transport
from netlab.wire.facts import Report, SegmentFreed, SegmentHeld

MOST_HELD: Final = 256
"""Segments that wait for a person at a time; further matches pass, and their fate says so."""
LONGEST_EDIT: Final = 1 << 20
"""Bytes that an edited segment may have."""
LONGEST_DATAGRAM: Final = 65_507
"""The same for a datagram: more does not fit into one packet with its headers."""
PIECE: Final = 256
"""Bytes of memory that one piece takes besides its own, for the bounds of what is kept."""

Matches = Callable[[Segment], bool]


class NotHeld(ValueError):
    """No segment with that number waits; the text is one sentence."""


@dataclass(slots=True)
class Waiting:
    """One segment at a gate. ``number`` is 0 if it only waits behind a held one; then it goes as soon as it can.

    ``came`` is what entered the wire, ``payload`` what will leave it; ``fate`` says what was done to it so far.
    """

    number: int
    came: bytes
    payload: bytes
    since: float
    fate: str = ""
    goes: bool = False
    dropped: bool = False

    @property
    def edited(self) -> bool:
        """Whether the bytes that will leave are not those that came."""
        return self.payload != self.came

    def words(self, clock: float) -> str:
        """Its fate when it leaves."""
        if self.dropped:
            return "by hand"
        held = f"held {clock - self.since:.1f} s" if self.number else ""
        return ", ".join(filter(None, (self.fate, held, "edited" if self.edited else "")))


class Intercept:
    """What one wire holds for a person. Facts go to ``report``, times (ns since the epoch) come from ``time_ns``.

    ``matches`` says which segments to hold; None holds nothing.
    """

    def __init__(self, report: Report, time_ns: Callable[[], int]) -> None:
        self.matches: Matches | None = None
        self._report, self._time_ns = report, time_ns
        self._held: dict[int, tuple[Gate, Waiting]] = {}
        self._numbers = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the segments that wait, oldest first."""
        return tuple(self._held)

    def take(self, gate: Gate, payload: bytes) -> int | None:
        """The number for holding a segment; 0 if it matches but too many wait already; None if it passes."""
        if self.matches is None or not self.matches(self._as_segment(gate, payload)):
            return None
        if len(self._held) >= MOST_HELD:
            return 0
        self._numbers += 1
        return self._numbers

    def hold(self, gate: Gate, waiting: Waiting) -> None:
        """A segment begins to wait, or its bytes have changed; report it."""
        self._held[waiting.number] = gate, waiting
        flow = gate.flow
        self._report(SegmentHeld(waiting.number, flow.number, flow.client, gate.direction, self._time_ns(),
                               waiting.payload, waiting.edited))  # fmt: skip

    def free(self, numbers: list[int]) -> None:
        """These no longer wait."""
        known = tuple(number for number in numbers if self._held.pop(number, None) is not None)
        if known:
            self._report(SegmentFreed(known))

    def release(self, number: int | None = None) -> None:
        """Release one, or all. Raises `NotHeld`."""
        for each in self.numbers if number is None else (number,):
            gate, waiting = self._found(each)
            waiting.goes = True
            gate.wake()

    def drop(self, number: int) -> None:
        """Drop one. Raises `NotHeld`."""
        gate, waiting = self._found(number)
        waiting.goes = waiting.dropped = True
        gate.wake()

    def edit(self, number: int, payload: bytes) -> None:
        """Change the bytes that will leave; it goes on waiting. Raises `NotHeld`, and `ValueError` for too many."""
        gate, waiting = self._found(number)
        most = LONGEST_EDIT if gate.flow.transport is Transport.TCP else LONGEST_DATAGRAM
        if len(payload) > most:
            raise ValueError(f"{len(payload)} bytes are too many: {most} is the most")
        waiting.payload = payload
        self.hold(gate, waiting)

    def _found(self, number: int) -> tuple[Gate, Waiting]:
        if number not in self._held:
            raise NotHeld(f"segment {number} is not held")
        return self._held[number]

    def _as_segment(self, gate: Gate, payload: bytes) -> Segment:
        view = memoryview(payload)
        return Segment(0, self._time_ns(), gate.flow, gate.direction, Kind.DATA, len(view), view)


class Gate:
    """The place before one direction of one flow where segments wait. ``wake`` makes the relay look at `opened`.

    ``weight`` is what waits, in bytes; each piece counts `PIECE` more.
    """

    def __init__(self, intercept: Intercept, flow: Flow, direction: Direction, wake: Callable[[], None]) -> None:
        self.flow, self.direction, self.wake = flow, direction, wake
        self.weight = 0
        self._intercept = intercept
        self._ordered = flow.transport is Transport.TCP
        self._waiting: deque[Waiting] = deque()
        self._ended = False

    @property
    def payload(self) -> int:
        """Bytes that came and wait."""
        return self.weight - PIECE * len(self._waiting)

    @property
    def empty(self) -> bool:
        """Whether nothing waits, not even an end."""
        return not (self._waiting or self._ended)

    def stops(self, payload: bytes, clock: float, fate: str = "") -> str | None:
        """Hold a segment if it must wait: None if so, else its fate."""
        number = self._intercept.take(self, payload)
        if not number and not (self._ordered and self._waiting):
            return fate if number is None else f"not held: {MOST_HELD} wait already"
        waiting = Waiting(number or 0, payload, payload, clock, fate, goes=not number)
        self._waiting.append(waiting)
        self.weight += len(payload) + PIECE
        if number:
            self._intercept.hold(self, waiting)
        return None

    def stops_end(self) -> bool:
        """Whether the end of a stream has to wait here, behind held segments."""
        self._ended = self._ordered and bool(self._waiting)
        return self._ended

    def opened(self) -> list[Waiting]:
        """What may go on now, in order."""
        if self._ordered:
            gone = []
            while self._waiting and self._waiting[0].goes:
                gone.append(self._waiting.popleft())
        else:
            gone = [each for each in self._waiting if each.goes]
            self._waiting = deque(each for each in self._waiting if not each.goes)
        self.weight -= sum(len(each.came) + PIECE for each in gone)
        self._intercept.free([each.number for each in gone])
        return gone

    def end_opened(self) -> bool:
        """Whether the end of the stream may go on now; true once."""
        goes = self._ended and not self._waiting
        self._ended = self._ended and not goes
        return goes

    def discard(self) -> None:
        """The flow is over: forget what waits."""
        numbers = [each.number for each in self._waiting]
        self._waiting.clear()
        self._ended, self.weight = False, 0
        self._intercept.free(numbers)
