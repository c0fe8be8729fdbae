"""A serving lab as an experiment sees it, and its clients."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import replace

from netlab.capture.model import Endpoint, Segment, Transport
from netlab.lab.client.repl import ClientTarget
from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.experiments.observed_load import MakeLoad, ObservedLoad
from netlab.lab.experiments.runner import CheckStop
from netlab.lab.experiments.swim_lanes import Board, LiveLanes
from netlab.lab.lab import Lab
from netlab.lab.state import EntryKind, LogLine
from netlab.topics.client_call import Call
from netlab.topics.experiment import PATIENCE, Load
from netlab.topics.peer_event import PeerEvent

CALL_TIMEOUT = 30.0
"""Seconds that a client's call waits, unless the experiment says otherwise: longer than anything it waits for."""
_LOOK_EVERY = 0.02
_SETTLING = 1.0


class SessionPeer:
    """A session of a lab as the client of an experiment. While it waits for a call, the run can be stopped."""

    def __init__(self, session: Session, check_stop: CheckStop) -> None:
        self.session, self._check_stop = session, check_stop
        self._futures: list[Future[object]] = []

    def connect(self) -> None:
        """Connect without waiting."""
        self._futures.append(self.session.begin_connect())

    def call(self, name: str, /, *arguments: object, **named: object) -> object:
        """Call an operation, wait, and return its result or raise its exception."""
        self.begin(name, *arguments, **named)
        outcome = self.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def begin(self, name: str, /, *arguments: object, **named: object) -> None:
        """Call an operation without waiting."""
        self._futures.append(self.session.begin(Call(name, arguments, tuple(named.items()))))

    def wait(self) -> object:
        """Wait for all calls that were begun, and return the last outcome."""
        try:
            while not self.finished:
                self._check_stop()
                wait(self._futures, _LOOK_EVERY)
        except BaseException:
            self.session.abandon()
            raise
        return self.outcome

    @property
    def finished(self) -> bool:
        """Whether all calls that were begun have ended."""
        return all(future.done() for future in self._futures)

    @property
    def outcome(self) -> object:
        """What the last call returned, or its exception; None while it waits."""
        if not self._futures or not self._futures[-1].done():
            return None
        try:
            return self._futures[-1].exception() or self._futures[-1].result()
        except CancelledError:
            return LabError("the call was not run: its client was closed")

    @property
    def local(self) -> Endpoint | None:
        """The client's own address."""
        return self.session.local

    def notes(self) -> Sequence[str]:
        """What the client has reported between its calls."""
        return [entry.text for entry in self.session.transcript if entry.kind is EntryKind.NOTE]

    def half_close(self) -> None:
        """Send FIN and go on reading."""
        self.session.half_close()

    def reset(self) -> None:
        """Reset the connection."""
        self.session.reset()

    def close(self) -> None:
        """Close the connection, even while a call waits."""
        if self.session.connected:
            with contextlib.suppress(LabError):
                self.session.disconnect()


class ObservedLab:
    """A serving lab as an experiment sees it: its traffic and its log since this object was made."""

    def __init__(self, lab: Lab, check_stop: CheckStop, make_load: MakeLoad | None = None) -> None:
        self.lab, self._check_stop, self._make_load = lab, check_stop, make_load
        self._loads: list[ObservedLoad] = []
        self.peers: list[SessionPeer] = []
        self._plain_sockets: list[socket.socket] = []
        self._segments: list[Segment] = []
        self._lines: list[LogLine] = []
        self._model = lab.state.model
        lab.sync()
        self._read, self._log = len(lab.capture.segments), lab.log.total
        self._flows = len(lab.capture.flows)
        self._lanes = LiveLanes(lab, log=self._log)
        self._board: Board | None = None

    @property
    def model(self) -> str:
        """The server's model."""
        return self._model

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""
        return self.lab.address

    def connect(self, **options: object) -> SessionPeer:
        """Make a client and connect it."""
        peer = self.begin_connect(**options)
        outcome = peer.wait()
        if isinstance(outcome, Exception):
            raise outcome
        self._lanes.remember_clients()
        return peer

    def begin_connect(self, **options: object) -> SessionPeer:
        """Make a client without waiting for its connection."""
        peer = SessionPeer(self.lab.open(target=lambda: self._target(options)), self._check_stop)
        self.peers.append(peer)
        peer.connect()
        return peer

    def dial(self) -> socket.socket:
        """Return a plain socket that is connected to the lab."""
        host, port = self.address
        if self.lab.topic.transport is Transport.TCP:
            plain = socket.create_connection((host, port), PATIENCE)
        else:
            plain = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            plain.settimeout(PATIENCE)
            plain.connect((host, port))
        self._plain_sockets.append(plain)
        return plain

    def fault(self, *specs: str) -> None:
        """Replace the wire's faults by these."""
        self.lab.wire.replace(*specs)

    def load(self, load: Load) -> ObservedLoad:
        """Begin a load."""
        make_load = self._make_load
        if make_load is None:
            raise LabError("no load can be made here")
        begun = ObservedLoad(lambda on_point: make_load(self.lab, load, on_point), self._check_stop)
        self._loads.append(begun)
        return begun

    def segments(self) -> Sequence[Segment]:
        """What has crossed the wire so far."""
        if self._board is None:
            self.lab.sync()
            captured = self.lab.capture.segments
            new = captured[self._read : len(captured)]
            self._read = len(captured)
            self._segments += [segment for segment in new if segment.flow.number > self._flows]
        return self._segments

    def log(self) -> Sequence[str]:
        """The server's log so far."""
        return [line.text for line in self._read_log()]

    def events(self) -> Sequence[PeerEvent]:
        """What the server has reported of its clients so far."""
        return [line.event for line in self._read_log() if line.event is not None]

    def _read_log(self) -> list[LogLine]:
        if self._board is None:
            lines, self._log = self.lab.log.since(self._log)
            self._lines += lines
        return self._lines

    @property
    def queue(self) -> int:
        """How many clients wait in the accept queue."""
        return self.lab.state.queue or 0

    @property
    def threads(self) -> int:
        """How many threads the server has."""
        return self.lab.state.threads or 0

    @property
    def processes(self) -> int:
        """How many processes the server has."""
        return self.lab.state.processes or 0

    @property
    def server_pid(self) -> int:
        """The process id of the server."""
        return self.lab.state.server_pid or 0

    def board(self) -> Board:
        """The lanes so far. Waits until the server's log names all clients that got an answer."""
        if self._board is None:
            self._settle()
        return self._board or self._drawn()

    def _drawn(self) -> Board:
        return self._lanes.board(time.time_ns(), self.segments())

    def end(self) -> None:
        """Close the clients and keep what was seen. A second call does nothing."""
        if self._board is not None:
            return
        for load in self._loads:
            load.close()
        self._settle()
        self._read_log()
        self._board = self._drawn()
        for plain in self._plain_sockets:
            plain.close()
        for peer in self.peers:
            peer.close()

    def _settle(self) -> None:
        """Wait for the server's log, which may lag behind the wire, to name all clients that got an answer."""
        deadline = time.monotonic() + _SETTLING
        stream = self.lab.topic.transport is Transport.TCP
        while stream and time.monotonic() < deadline:
            if all(lane.accepted is not None for lane in self._drawn().lanes if lane.to_client):
                return
            time.sleep(_LOOK_EVERY)

    def _target(self, options: Mapping[str, object]) -> ClientTarget:
        """The lab's keyword arguments for clients, with these options in place of its own."""
        usual = self.lab.target(self.address)
        known = {option.name: option.parse for option in self.lab.topic.options}
        own = {
            name: known[name](value) if name in known and isinstance(value, str) else value
            for name, value in options.items()
        }
        timeout = {"timeout": CALL_TIMEOUT} if self.lab.topic.transport is Transport.TCP else {}
        return replace(usual, keywords={**usual.keywords, **timeout, **own})
