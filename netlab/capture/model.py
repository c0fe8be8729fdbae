"""The words of a capture: endpoints, flows and segments.

Nothing here opens a socket or a file, or knows any protocol above TCP and UDP.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Transport(Enum):
    """What carries the bytes."""

    TCP = "tcp"
    UDP = "udp"


class Direction(Enum):
    """Which way a segment went. The value is the arrow that the screen shows."""

    TO_SERVER = "→"
    TO_CLIENT = "←"

    @property
    def other(self) -> Direction:
        """The opposite direction."""
        return Direction.TO_CLIENT if self is Direction.TO_SERVER else Direction.TO_SERVER


class Kind(Enum):
    """What a segment means for its flow."""

    OPEN = "open"
    DATA = "data"
    FIN = "fin"
    RESET = "reset"


class Outcome(Enum):
    """What became of a segment on the wire."""

    DELIVERED = "delivered"
    CHANGED = "changed"
    """It went on, with other bytes than came."""
    DROPPED = "dropped"
    """It did not go on: its bytes belong to no stream."""


class Keep(Enum):
    """What a capture keeps when it has reached its limit."""

    OLDEST = "oldest"
    """Nothing more is kept."""
    NEWEST = "newest"
    """What came first is let go."""


class Endpoint(NamedTuple):
    """An IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation: a client's TCP connection, or a UDP address pair.

    ``number`` counts from 1 in the order of appearance in the capture.
    """

    number: int
    transport: Transport
    client: Endpoint
    server: Endpoint


@dataclass(frozen=True, slots=True)
class Segment:
    """One run of bytes in one direction of one flow, with its time, its fate and what became of it.

    ``number`` counts from 1 in the order of the capture; ``time_ns`` is nanoseconds since the epoch by the wire's
    clock; ``length`` is the payload in bytes as it crossed; ``data`` is what the capture kept of it, a view of the
    mapped file (shorter than ``length`` when the capture was full); ``fate`` is what a fault did to it, in words for
    people, or empty, and ``outcome`` what became of it; ``offset`` is the position of its first byte
    in its direction's stream (always 0 for UDP; below 0 if the first known byte of the stream is a later one of it).
    ``original`` is what entered the wire if a fault changed the bytes, or withheld them (``data`` is empty then), else
    None. ``fragments`` is how many IP fragments it came in, 0 if it was not cut; ``data`` is a copy then.
    """

    number: int
    time_ns: int
    flow: Flow
    direction: Direction
    kind: Kind
    length: int
    data: memoryview
    offset: int = 0
    fate: str = ""
    original: memoryview | None = None
    fragments: int = 0
    outcome: Outcome = Outcome.DELIVERED

    @property
    def carries(self) -> bool:
        """Whether it is there for its bytes: data, or a flag with bytes beside it (RFC 9293 allows SYN, FIN, RST)."""
        return self.kind is Kind.DATA or self.length > 0

    @property
    def words(self) -> str:
        """What was done to it, in words for people: its fate, after ``dropped`` if it was dropped."""
        if self.outcome is not Outcome.DROPPED:
            return self.fate
        return f"{Outcome.DROPPED.value}: {self.fate}" if self.fate else Outcome.DROPPED.value

    @property
    def dropped(self) -> memoryview | None:
        """The bytes of a dropped segment; None if it went on."""
        if self.outcome is not Outcome.DROPPED:
            return None
        return self.data if self.original is None else self.original


class LetGo(IndexError):
    """A segment or a flow was asked for that the capture has let go."""


class CaptureError(Exception):
    """A file could not be read or saved as a capture; the text is one sentence that says why."""


class CaptureDamage(CaptureError):
    """Something in a capture contradicts itself: what it is, the byte where it begins, and what is wrong with it."""

    def __init__(self, what: str, at: int, wrong: str) -> None:
        super().__init__(f"{what} at byte {at:,} {wrong}")
        self._what, self._at, self._wrong = what, at, wrong

    def moved(self, by: int) -> CaptureDamage:
        """The same damage, in a capture of which ``by`` bytes stood before those that were read."""
        return CaptureDamage(self._what, self._at + by, self._wrong)
