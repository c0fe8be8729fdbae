"""What happened on the wire, for whoever tells it: a person's terminal or the lab. Frozen values, no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Endpoint
from netlab.capture.writer import Tally


@dataclass(frozen=True, slots=True)
class Listening:
    """Clients can connect at each of ``addresses``; their flows go on to the first of ``targets`` that answers.

    No targets: not known yet.
    """

    addresses: tuple[Endpoint, ...]
    targets: tuple[Endpoint, ...]

    @property
    def address(self) -> Endpoint:
        """The first of the addresses; most listeners have only one."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class ListenFailed:
    """``address`` could not be listened on; ``errno`` is None where the name was no address."""

    address: Endpoint
    errno: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing listens any more; open flows go on."""


@dataclass(frozen=True, slots=True)
class FlowOpened:
    """A client came, at ``time_ns`` of the wire's clock. The server sees ``upstream`` in the client's place."""

    number: int
    client: Endpoint
    upstream: Endpoint
    time_ns: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class FlowClosed:
    """A flow is over since ``time_ns``. Bytes are payload; ``how`` says in a few words how it ended, or is empty.

    ``by_fault`` says that a fault ended it, whatever its words.
    """

    number: int
    to_server: int
    to_client: int
    how: str = ""
    time_ns: int = field(default=0, compare=False)
    by_fault: bool = False


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something went wrong that the wire gets over; one sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Captured:
    """So much of the capture file is complete (bytes), and the counters."""

    length: int
    tally: Tally
    note: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that crossed before the request ``id`` is in the capture and was announced."""

    id: object


@dataclass(frozen=True, slots=True)
class CaptureReplaced:
    """The capture begins anew in ``file``."""

    file: str


@dataclass(frozen=True, slots=True)
class FaultsChanged:
    """These faults act now. ``problem`` says why they are not those that were asked for, or is empty."""

    active: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InterceptChanged:
    """Segments that match this filter are held from now on; none with an empty one."""

    filter: str


@dataclass(frozen=True, slots=True)
class SegmentHeld:
    """A segment waits for a person, at ``time_ns``; told again with other bytes once it was ``edited``."""

    number: int
    flow: int
    client: Endpoint
    direction: Direction
    time_ns: int
    payload: bytes
    edited: bool


@dataclass(frozen=True, slots=True)
class SegmentFreed:
    """These wait no more: they went on, were dropped, or their flow is over."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A request about held segments was done, or not: then ``problem`` says why in a sentence."""

    problem: str = ""


Fact = (
    Listening
    | ListenFailed
    | Paused
    | FlowOpened
    | FlowClosed
    | Troubled
    | Captured
    | Synced
    | CaptureReplaced
    | FaultsChanged
    | InterceptChanged
    | SegmentHeld
    | SegmentFreed
    | Answered
)
Tell = Callable[[Fact], None]
