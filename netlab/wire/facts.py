"""What happened on the wire, as frozen values, for a person's terminal or for the lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from netlab.capture.files.destination import CaptureFile
from netlab.capture.model import Direction, Endpoint
from netlab.capture.writer import Tally


@dataclass(frozen=True, slots=True)
class Listening:
    """Clients can connect at each of ``addresses``; their flows go on to the first of ``targets`` that answers.

    Without targets the server is not known yet.
    """

    addresses: tuple[Endpoint, ...]
    targets: tuple[Endpoint, ...]

    @property
    def address(self) -> Endpoint:
        """The first of the addresses; most listeners have only one."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class ListenFailed:
    """The wire could not listen on ``address``; ``errno`` is None if the name is not an address."""

    address: Endpoint
    errno: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The wire no longer listens; open flows go on."""


@dataclass(frozen=True, slots=True)
class TargetAbsent:
    """Nothing listens at ``target``: clients are refused, until `Listening` says that they are taken again."""

    target: Endpoint


@dataclass(frozen=True, slots=True)
class FlowOpened:
    """A client connected, at ``time_ns`` of the wire's clock. The server sees ``upstream`` in the client's place."""

    number: int
    client: Endpoint
    upstream: Endpoint
    time_ns: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class FlowClosed:
    """A flow ended at ``time_ns``. Bytes are payload; ``how`` says in a few words how it ended, or is empty.

    ``by_fault`` says that a fault ended it, ``unreached`` that the server could not be reached; neither depends on
    ``how``.
    """

    number: int
    to_server: int
    to_client: int
    how: str = ""
    time_ns: int = field(default=0, compare=False)
    by_fault: bool = False
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something went wrong, but the wire goes on; one sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Captured:
    """How many bytes of the capture are complete, and the counters.

    ``files`` are those of a capture that keeps the newest; the oldest of them may be gone when this is read.
    """

    length: int
    tally: Tally
    note: str
    files: tuple[CaptureFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that crossed before the request ``id`` is in the capture and has been announced."""

    id: object


@dataclass(frozen=True, slots=True)
class FlowsMeasured:
    """Of some open flows: number, bytes that crossed to the server before the capture began, bytes for it that wait."""

    rows: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class CaptureReplaced:
    """A new capture has begun in ``file``."""

    file: str


@dataclass(frozen=True, slots=True)
class FaultsChanged:
    """These faults act now. ``problem`` says why the requested ones do not, or is empty."""

    active: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InterceptChanged:
    """Segments that match this filter are held from now on; an empty filter holds none."""

    filter: str


@dataclass(frozen=True, slots=True)
class SegmentHeld:
    """A segment waits for a person, at ``time_ns``; reported again once it was ``edited``."""

    number: int
    flow: int
    client: Endpoint
    direction: Direction
    time_ns: int
    payload: bytes
    edited: bool


@dataclass(frozen=True, slots=True)
class SegmentFreed:
    """These no longer wait: they went on, were dropped, or their flow is over."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A request about held segments was carried out, or ``problem`` says in a sentence why not."""

    problem: str = ""


Fact = (
    Listening
    | ListenFailed
    | Paused
    | TargetAbsent
    | FlowOpened
    | FlowClosed
    | Troubled
    | Captured
    | Synced
    | FlowsMeasured
    | CaptureReplaced
    | FaultsChanged
    | InterceptChanged
    | SegmentHeld
    | SegmentFreed
    | Answered
)
Report = Callable[[Fact], None]
