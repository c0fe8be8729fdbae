"""A lab's state, log lines and transcript entries, and the events that report changes.

All are frozen values, safe to pass between threads. Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from netlab.capture.model import Direction, Endpoint
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.topic_options import Setting
from netlab.topics.client_call import Call
from netlab.topics.peer_event import PeerEvent


class Phase(Enum):
    """The state of the lab's server."""

    STOPPED = "stopped"
    STARTING = "starting"
    SERVING = "serving"
    FAILED = "failed"
    """It could not start. `LabState.problem` says why, `LabState.advice` what to try."""
    STOPPING = "stopping"
    """A person's program is being ended; that may take as long as its grace."""
    DEAD = "dead"
    """It ended without being asked. `LabState.problem` has the end of its stderr."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The wire's exact counters. They include what the capture could not keep.

    ``flows`` counts all flows so far, ``open_flows`` those that are open, ``left_flows`` the open ones on which the
    server has sent its end. Bytes are payload. ``kept`` and ``let_go`` count segments with and without their payload in
    the capture, ``uncaptured`` those of flows that are not captured, which ``segments`` does not count.
    """

    flows: int = 0
    open_flows: int = 0
    left_flows: int = 0
    segments: int = 0
    to_server: int = 0
    to_client: int = 0
    kept: int = 0
    let_go: int = 0
    uncaptured: int = 0

    @property
    def clients(self) -> int:
        """How many clients the server serves or has yet to accept."""
        return self.open_flows - self.left_flows


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """A segment that the wire holds: it came from one side and has not left for the other.

    ``number`` identifies it, ``flow`` is the wire's number of its flow. ``payload`` is what will leave; ``edited`` says
    that it was changed. ``time_ns`` is when it was held or last edited.
    """

    number: int
    flow: int
    client: Endpoint
    direction: Direction
    time_ns: int
    payload: bytes
    edited: bool = False


@dataclass(frozen=True, slots=True)
class ProgramProgress:
    """How far the start or the end of a person's program is.

    ``port`` is where it should listen (0: anywhere), ``seconds`` how long it has not, ``elsewhere`` other ports that it
    listens on; ``foreign`` says that another program has its port. ``kill_in`` is in how many seconds SIGKILL follows;
    None: it is not being ended.
    """

    port: int = 0
    seconds: int = 0
    elsewhere: tuple[int, ...] = ()
    foreign: bool = False
    kill_in: int | None = None


@dataclass(frozen=True, slots=True)
class OwnState:
    """A person's own server file: its name, and why it does not serve as it is now; empty if it does."""

    file: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LabState:
    """A consistent snapshot of a lab. ``None`` means unknown, or there is none.

    ``address`` is where clients connect (the wire); ``server_address`` the server's own behind it. ``queue`` of
    ``backlog`` is the server's accept queue. If the kernel does not report it, ``queue`` is the number of open flows at
    the wire minus the clients that the server has reported as accepted and not as closed; ``queue_derived`` says so.
    ``threads`` and ``processes`` are the server's. ``sockets`` is what else the kernel knows of the server.
    ``faults`` are the active ones, in the words of the status line.
    ``intercept`` is the filter that chooses the segments to hold (empty: none), ``held`` are the held segments.
    ``progress`` is that of a program that starts or ends.
    ``settings`` are the options that the server runs with, those that the status line shows.
    ``own`` is the person's own server file that serves instead of the recipe.
    ``down`` says, in the phase `SERVING`, that the wire refuses clients; ``address`` is where it did not before.
    ``absent`` is where the wire finds nothing that listens in the server's place; it refuses clients meanwhile.
    ``wire_died`` says, in the phase `DEAD`, that the wire ended and not the server.
    ``capture_note`` says when the capture is full or could not be kept.
    """

    phase: Phase
    model: str
    address: Endpoint | None = None
    server_address: Endpoint | None = None
    server_pid: int | None = None
    queue: int | None = None
    queue_derived: bool = False
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
    sockets: ServerSockets | None = None
    progress: ProgramProgress | None = None
    down: bool = False
    absent: Endpoint | None = None
    own: OwnState | None = None
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log, safe for the screen. ``level`` is ``info``, ``warning`` or ``error``.

    ``peer`` is the client that it concerns, if any; ``event`` what it reports of that client's connection.
    """

    time_ns: int
    level: str
    text: str
    event: PeerEvent | None = None
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class ClientMade:
    """How a client was made: its address and its keyword arguments, including secrets."""

    address: Endpoint
    keywords: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HalfClosed:
    """A client's connection was half-closed: it sent FIN and still reads."""


@dataclass(frozen=True, slots=True)
class PythonLine:
    """A line about buffers and views, as Python; see `netlab.lab.views`."""

    text: str


Did = Call | ClientMade | HalfClosed | PythonLine
"""What the text of a call stands for."""


class EntryKind(Enum):
    """What a line of a transcript is."""

    CALL = "call"
    """A Python expression that was run, without its ``>>> ``."""
    RESULT = "result"
    ERROR = "error"
    NOTE = "note"
    """A remark on what happened, shown as a ``# comment``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line (or several, with newlines) of a session's transcript, already safe for the screen.

    ``call`` is the number of its call, from 1; notes outside any call have 0. ``did`` is the value behind the text of a
    call: the call itself, how the client was made, a half-close, or a line of Python. It is None for other entries and
    large calls.
    """

    time_ns: int
    kind: EntryKind
    text: str
    call: int = 0
    did: Did | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """The running call of a session: its text (``recv(8192)``), its start (`time.monotonic`), and where it waits.

    ``place`` is ``"in the accept queue"`` if that is known, else empty.
    """

    text: str
    started: float
    place: str = ""

    def words(self, now: float) -> str:
        """The text for the screen: ``waiting 3.2 s for recv(8192), in the accept queue``."""
        where = f", {self.place}" if self.place else ""
        return f"waiting {max(0.0, now - self.started):.1f} s for {self.text}{where}"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The lab's state has changed."""

    state: LabState


@dataclass(frozen=True, slots=True)
class LogGrew:
    """The server's log has a new line."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class CaptureGrew:
    """The wire has written more segments; the capture can be read up to there."""


@dataclass(frozen=True, slots=True)
class CaptureRestarted:
    """A new capture has begun; the segments of the previous one are gone."""


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A session was opened or closed, or became the current one."""


@dataclass(frozen=True, slots=True)
class TranscriptGrew:
    """A session's transcript has a new entry, or its call began, advanced or ended."""

    session: int


Event = StateChanged | LogGrew | CaptureGrew | CaptureRestarted | SessionsChanged | TranscriptGrew
