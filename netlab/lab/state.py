"""What a lab tells: its state, its log, the transcripts' entries, and the events that say which of them changed.

All are frozen values, safe to hand from thread to thread. Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from netlab.capture.model import Direction, Endpoint
from netlab.topics.client_call import Call
from netlab.topics.peer_event import PeerEvent


class Phase(Enum):
    """Where the lab's server stands."""

    STOPPED = "stopped"
    STARTING = "starting"
    SERVING = "serving"
    FAILED = "failed"
    """It could not start; `LabState.problem` says why and `LabState.advice` what to try."""
    DEAD = "dead"
    """It ended without being asked; `LabState.problem` holds its last words."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The wire's exact counters, also of what the capture could not keep.

    ``flows`` counts all so far, ``open_flows`` those not yet closed, ``left_flows`` those of them on which the server
    has said its last; bytes are payload; ``kept`` and ``let_go`` count segments whose payload the capture has and has
    not.
    """

    flows: int = 0
    open_flows: int = 0
    left_flows: int = 0
    segments: int = 0
    to_server: int = 0
    to_client: int = 0
    kept: int = 0
    let_go: int = 0

    @property
    def clients(self) -> int:
        """How many the server serves, or has yet to accept."""
        return self.open_flows - self.left_flows


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """A segment that waits at the wire for a person: it came from one side and has not left for the other.

    ``number`` is its own, ``flow`` the wire's number of its flow; ``payload`` is what will leave, ``edited`` says that
    it is not what came. ``time_ns`` is when it was held, or edited last.
    """

    number: int
    flow: int
    client: Endpoint
    direction: Direction
    time_ns: int
    payload: bytes
    edited: bool = False


@dataclass(frozen=True, slots=True)
class LabState:
    """One consistent look at a lab. ``None`` means unknown or not there.

    ``address`` is where clients connect (the wire); ``server_address`` the server's own behind it. ``queue`` of
    ``backlog`` is the server's accept queue; where the kernel does not tell, ``queue`` is the flows that are open at
    the wire less those that the server has logged as accepted and not yet as closed. ``threads``
    and ``processes`` are the server's. ``faults`` are the active ones, in the words of the status line.
    ``intercept`` is the filter by which segments are held by hand (empty: none are), ``held`` those that wait.
    ``wire_died`` tells, in the phase `DEAD`, that it was the wire and not the server.
    ``capture_note`` says when the capture is full or could not be kept.
    """

    phase: Phase
    model: str
    address: Endpoint | None = None
    server_address: Endpoint | None = None
    server_pid: int | None = None
    queue: int | None = None
    backlog: int | None = None
    threads: int | None = None
    processes: int | None = None
    accounts: Accounts = field(default_factory=Accounts)
    faults: tuple[str, ...] = ()
    intercept: str = ""
    held: tuple[HeldSegment, ...] = ()
    problem: str = ""
    advice: str = ""
    capture_note: str = ""
    wire_died: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log, already safe for the screen. ``level`` is ``info``, ``warning`` or ``error``.

    ``peer`` is the client that it is about, if it is about one; ``event`` what it says of that client's connection.
    """

    time_ns: int
    level: str
    text: str
    event: PeerEvent | None = None
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class ClientMade:
    """How a client was made: where it connects to, and its keyword arguments, secrets among them."""

    address: Endpoint
    keywords: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HalfClosed:
    """A client's connection was half-closed: FIN was sent, reading goes on."""


class EntryKind(Enum):
    """What a line of a transcript is."""

    CALL = "call"
    """A Python expression as it was run, without its ``>>> ``."""
    RESULT = "result"
    ERROR = "error"
    NOTE = "note"
    """What happened between the lines, shown as a ``# comment``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line (or several, with newlines) of a session's transcript, already safe for the screen.

    ``call`` numbers the call that it belongs to, from 1; notes outside any call have 0. ``did`` is what the text of a
    call shows: the call itself, how the client was made, or a half-close; None for anything else or too large.
    """

    time_ns: int
    kind: EntryKind
    text: str
    call: int = 0
    did: Call | ClientMade | HalfClosed | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """The call that a session is in: its text (``recv(8192)``), since when (`time.monotonic`), and where it waits.

    ``place`` is ``"in the accept queue"`` where that is known, else empty.
    """

    text: str
    started: float
    place: str = ""

    def words(self, now: float) -> str:
        """As a line shows it: ``waiting 3.2 s for recv(8192), in the accept queue``."""
        where = f", {self.place}" if self.place else ""
        return f"waiting {max(0.0, now - self.started):.1f} s for {self.text}{where}"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The lab's state is another one now."""

    state: LabState


@dataclass(frozen=True, slots=True)
class LogGrew:
    """The server said something."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class CaptureGrew:
    """The wire announced more segments; the capture can be read up to there."""


@dataclass(frozen=True, slots=True)
class CaptureRestarted:
    """The capture was begun anew: what was read from it before is gone."""


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A session was opened or closed, or another one is the current one."""


@dataclass(frozen=True, slots=True)
class TranscriptGrew:
    """A session's transcript has a new entry, or its call began, progressed or ended."""

    session: int


Event = StateChanged | LogGrew | CaptureGrew | CaptureRestarted | SessionsChanged | TranscriptGrew
