"""Real labs for experiments: fresh ones on free ports, or the one that is running in a tab, restored afterwards.

A lab that a tab shows is used as it is, so that what an experiment does is seen in its console, wire and log.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path

from netlab.capture.model import Endpoint, Segment, Transport
from netlab.lab.client.repl import ClientTarget
from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.experiments.runner import CheckStop
from netlab.lab.experiments.swim_lanes import Board, LiveLanes
from netlab.lab.lab import Lab
from netlab.lab.state import EntryKind, Phase
from netlab.lab.topic_options import Options, OptionValues
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.experiment import PATIENCE, ExperimentLab

CALL_TIMEOUT = 30.0
"""Seconds that a client's call waits, unless the experiment says otherwise: longer than anything it waits for."""
_LOOK_EVERY = 0.02
_SETTLING = 1.0


class SessionPeer:
    """A session of a lab as the client of an experiment. Waiting for a call, it hears when the run is to stop."""

    def __init__(self, session: Session, check_stop: CheckStop) -> None:
        self.session, self._check_stop = session, check_stop
        self._futures: list[Future[object]] = []

    def connect(self) -> None:
        """Connect without waiting."""
        self._futures.append(self.session.begin_connect())

    def call(self, name: str, /, *arguments: object, **named: object) -> object:
        """Call an operation and wait for it; what it raises is raised."""
        self.begin(name, *arguments, **named)
        outcome = self.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def begin(self, name: str, /, *arguments: object, **named: object) -> None:
        """Call an operation without waiting."""
        self._futures.append(self.session.begin(Call(name, arguments, tuple(named.items()))))

    def wait(self) -> object:
        """Wait for all that was begun; the last outcome."""
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
        """Whether nothing that was begun is still waiting."""
        return all(future.done() for future in self._futures)

    @property
    def outcome(self) -> object:
        """What the last call returned, or the exception that it raised."""
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
        """What the client has told between its calls."""
        return [entry.text for entry in self.session.transcript if entry.kind is EntryKind.NOTE]

    def half_close(self) -> None:
        """Say that no more will be sent."""
        self.session.half_close()

    def reset(self) -> None:
        """Break the connection off."""
        self.session.reset()

    def close(self) -> None:
        """Close the connection, also while a call waits."""
        if self.session.connected:
            with contextlib.suppress(LabError):
                self.session.disconnect()


class ObservedLab:
    """A serving lab as an experiment sees it: what crossed and was said since it was made."""

    def __init__(self, lab: Lab, check_stop: CheckStop) -> None:
        self.lab, self._check_stop = lab, check_stop
        self.peers: list[SessionPeer] = []
        self._dialled: list[socket.socket] = []
        self._segments: list[Segment] = []
        self._lines: list[str] = []
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
        """A new client."""
        peer = self.begin_connect(**options)
        outcome = peer.wait()
        if isinstance(outcome, Exception):
            raise outcome
        self._lanes.meet()
        return peer

    def begin_connect(self, **options: object) -> SessionPeer:
        """A new client, without waiting for its connection."""
        peer = SessionPeer(self.lab.open(target=lambda: self._target(options)), self._check_stop)
        self.peers.append(peer)
        peer.connect()
        return peer

    def dial(self) -> socket.socket:
        """A plain socket, connected to the lab."""
        host, port = self.address
        if self.lab.topic.transport is Transport.TCP:
            dialled = socket.create_connection((host, port), PATIENCE)
        else:
            dialled = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            dialled.settimeout(PATIENCE)
            dialled.connect((host, port))
        self._dialled.append(dialled)
        return dialled

    def fault(self, *specs: str) -> None:
        """Put these faults on the wire in place of those that are there."""
        self.lab.wire.replace(*specs)

    def segments(self) -> Sequence[Segment]:
        """What has crossed the wire so far."""
        if self._board is None:
            self.lab.sync()
            captured = self.lab.capture.segments
            new = [captured[index] for index in range(self._read, len(captured))]
            self._read = len(captured)
            self._segments += [segment for segment in new if segment.flow.number > self._flows]
        return self._segments

    def log(self) -> Sequence[str]:
        """What the server has said so far."""
        if self._board is None:
            lines, self._log = self.lab.log.since(self._log)
            self._lines += [line.text for line in lines]
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
        """The lanes so far, with what the server's log says of all who were answered."""
        if self._board is None:
            self._settle()
        return self._board or self._drawn()

    def _drawn(self) -> Board:
        return self._lanes.board(time.time_ns(), self.segments())

    def end(self) -> None:
        """Close its clients, and remember what was seen. Twice does nothing."""
        if self._board is not None:
            return
        self._settle()
        self.log()
        self._board = self._drawn()
        for dialled in self._dialled:
            dialled.close()
        for peer in self.peers:
            peer.close()

    def _settle(self) -> None:
        """The wire tells sooner than the server's log: wait until that has all who were answered."""
        deadline = time.monotonic() + _SETTLING
        stream = self.lab.topic.transport is Transport.TCP
        while stream and time.monotonic() < deadline:
            if all(lane.accepted is not None for lane in self._drawn().lanes if lane.to_client):
                return
            time.sleep(_LOOK_EVERY)

    def _target(self, options: Mapping[str, object]) -> ClientTarget:
        """What clients are constructed with, and these options instead of the lab's."""
        usual = self.lab.target(self.address)
        known = {option.name: option.parse for option in self.lab.topic.options}
        own = {
            name: known[name](value) if name in known and isinstance(value, str) else value
            for name, value in options.items()
        }
        timeout = {"timeout": CALL_TIMEOUT} if self.lab.topic.transport is Transport.TCP else {}
        return replace(usual, keywords={**usual.keywords, **timeout, **own})


class FreshLabs:
    """A lab of its own for each that the experiment asks for, on free ports; one at a time."""

    def __init__(self, topic: Topic, certificates: Callable[[], Path] | None = None) -> None:
        self._topic, self._certificates = topic, certificates
        self._observed: ObservedLab | None = None

    def open(self, model: str | None, options: Mapping[str, object], check_stop: CheckStop) -> ExperimentLab:
        """A new lab; the one before ends."""
        self.close()
        lab = Lab(self._topic, model=model, options=options, certificates=self._certificates)
        with contextlib.ExitStack() as opening:
            opening.enter_context(lab)
            self._observed = ObservedLab(lab, check_stop)
            opening.pop_all()
        return self._observed

    def board(self, lab: ExperimentLab) -> Board:
        """The lanes of a lab of this run."""
        return _ours(lab).board()

    def close(self) -> None:
        """End the lab."""
        if self._observed is not None:
            try:
                self._observed.end()
            finally:
                self._observed.lab.close()


@dataclass(frozen=True, slots=True)
class _Usual:
    """What a tab's lab is put back to."""

    model: str
    options: OptionValues
    faults: tuple[str, ...]
    intercept: str
    serving: bool


class TabLab:
    """The lab of a tab, for one run after the other. What was set in it is set again after each.

    The clients of a run stay in the tab, closed, so that their transcripts can be read; the next run removes them.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._observed: ObservedLab | None = None
        self._usual: _Usual | None = None

    def open(self, model: str | None, options: Mapping[str, object], check_stop: CheckStop) -> ExperimentLab:
        """The lab, with another model and options; flows from before are reset."""
        lab = self._lab
        self._remove_clients()
        if self._usual is None:
            state = lab.state
            serving = state.phase is Phase.SERVING
            self._usual = _Usual(state.model, lab.options.values_now(), state.faults, state.intercept, serving)
        lab.options.restore(Options(lab.topic, options).values_now())
        lab.set_model(model or lab.topic.models[0])
        lab.start()
        lab.wire.clear()
        lab.wire.let_all_go()
        self._observed = ObservedLab(lab, check_stop)
        return self._observed

    def board(self, lab: ExperimentLab) -> Board:
        """The lanes of a lab of this run."""
        return _ours(lab).board()

    def close(self) -> None:
        """Close the clients of the run, and set everything as it was."""
        if self._observed is not None:
            self._observed.end()
        usual, self._usual = self._usual, None
        if usual is None:
            return
        self._lab.options.restore(usual.options)
        if usual.serving:
            self._lab.wire.replace(*usual.faults)
            self._lab.wire.intercept(usual.intercept)
        else:
            self._lab.stop()
        self._lab.set_model(usual.model)

    def _remove_clients(self) -> None:
        if self._observed is not None:
            self._observed.end()
            for peer in self._observed.peers:
                peer.session.close()


def _ours(lab: ExperimentLab) -> ObservedLab:
    assert isinstance(lab, ObservedLab)
    return lab
