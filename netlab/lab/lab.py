"""One topic running, headless: its server, its wire, its capture and its clients.

with Lab("tcp", model="single") as lab, lab.connect() as client:
    client.send(b"Hello")
    client.recv(8192)
    lab.capture.segments
"""

from __future__ import annotations

import atexit
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from netlab.capture.model import Endpoint, Keep, Transport
from netlab.dissect.tls.outside_keys import OutsideKeys
from netlab.lab import console
from netlab.lab.bounded_log import BoundedLog
from netlab.lab.client.close_reason import LabCloseReasons
from netlab.lab.client.facts.client_facts import ClientFacts
from netlab.lab.client.lab_clients import LabClients
from netlab.lab.client.sessions import Sessions
from netlab.lab.errors import LabError
from netlab.lab.lab_capture import LabCapture
from netlab.lab.own.own_server import OwnServer
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.live_capture import LiveCapture
from netlab.lab.processes.server_plan import ServerPlan
from netlab.lab.processes.setup import CAPTURE_LIMIT, Setup, lab_certificates
from netlab.lab.processes.supervisor import Supervisor
from netlab.lab.state import CaptureGrew, Event, LabState, LogGrew, LogLine, StateChanged, TranscriptGrew
from netlab.lab.topic_options import Options
from netlab.lab.wire_control import WireControl
from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named

LOG_KEPT = 5000
_NOTHING: Mapping[str, object] = MappingProxyType({})


class Lab(LabCapture, LabClients):
    """A topic's server and wire as child processes, its clients as threads, its capture as a file.

    ``port`` is where the wire listens (0: any free port). ``options`` are the topic's. ``notify`` is called with each
    event, from the lab's threads; without it the lab is headless, and `capture` waits for the wire. ``timeout`` is how
    long a client's call waits, ``server_timeout`` how long the server lets a client stall, both in seconds. ``limit``
    is the most that the capture keeps, in bytes, and ``keep`` which segments that are then, the oldest or the newest.
    ``yield_cpu`` gives the children a low priority. ``certificates`` finds or makes the folder of the lab's
    certificates (None: the usual one). ``early`` are children that already run;
    they are taken over if they fit these arguments. ``server`` is what the server is (None: the topic's recipe).
    ``faults`` are those that a new wire begins with. ``keylog`` is a file to which clients from outside write
    their TLS secrets; it need not be there yet.

    Methods raise `LabError`; if it concerns serving, `state` has its problem and advice, too. Methods may block for
    seconds. They may be called from any thread, but not from ``notify``.
    """

    def __init__(
        self,
        topic: str | Topic,
        *,
        model: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        options: Mapping[str, object] = _NOTHING,
        notify: Callable[[Event], None] | None = None,
        limit: int = CAPTURE_LIMIT,
        keep: Literal["oldest", "newest"] = "oldest",
        timeout: float | None = None,
        server_timeout: float | None = None,
        yield_cpu: bool = False,
        certificates: Callable[[], Path] | None = None,
        early: EarlyChildren | None = None,
        server: ServerPlan | None = None,
        faults: Sequence[str] = (),
        keylog: Path | None = None,
    ) -> None:
        self.topic = topic if isinstance(topic, Topic) else _found(topic)
        self.log: BoundedLog[LogLine] = BoundedLog(LOG_KEPT)
        self.options, self.timeout = Options(self.topic, options), timeout
        self._headless, self._notify, self._process = notify is None, notify, os.getpid()
        self.outside_keys = OutsideKeys(keylog) if keylog is not None else None
        _check_port(port)
        self.yields_cpu, self._certificates = yield_cpu, certificates or lab_certificates
        setup = Setup(self.topic, host, limit, yield_cpu, self._certificates, tuple(faults), Keep(keep))
        if early is not None and not early.fits(setup, port, server_timeout, model, options, server):
            early = None
        self._live_capture = LiveCapture(limit, early.take_folder() if early is not None else None)
        first = self.topic.models[0]
        self._supervisor = Supervisor(
            setup, first, port, self.options, self._live_capture, self._report, server_timeout, early, server
        )
        close_reasons = LabCloseReasons(self._supervisor.flows, self._fault, reports=not self.topic.attached)
        self._client_facts = ClientFacts(self.topic.options)
        self._sessions = Sessions(
            self.topic,
            lambda: self.target(self.address),
            self._report,
            lambda: self.state,
            close_reasons,
            self.payload_of,
        )
        self.wire = WireControl(self._supervisor, self.topic.transport)
        self.own = OwnServer(self._supervisor, lambda line: self._report(LogGrew(line)))
        """A person's own server file, in place of the recipe."""
        if model is not None:
            self.set_model(model)

    # Serving

    @property
    def state(self) -> LabState:
        """The state now."""
        return self._supervisor.state

    @property
    def plan(self) -> ServerPlan:
        """What the server is."""
        return self._supervisor.plan

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""
        return self._supervisor.address

    def start(self) -> None:
        """Serve; returns when clients can connect. Does nothing if it already serves."""
        atexit.register(self.close)
        self._supervisor.start()

    def stop(self) -> None:
        """Stop serving and free the port. The capture and the transcripts stay."""
        self._supervisor.stop()

    def hurry(self) -> None:
        """If a person's program is slow to start or to end: end it, the second time at once. Returns at once."""
        self._supervisor.hurry()

    def restart(self) -> None:
        """Stop, and serve again on the same port."""
        self._supervisor.stop()
        self.start()

    def close(self) -> None:
        """End the clients, the server, the wire and the capture. Does nothing the second time or in a forked child."""
        atexit.unregister(self.close)
        if self._process != os.getpid():
            return  # a child that ends must not end its parent's lab
        self.own.close()
        self._sessions.close()
        _ = self.shown_capture  # opened before its file is removed, so that it can still be read
        self._supervisor.close()
        self._live_capture.remove()

    def __enter__(self) -> Lab:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def set_model(self, model: str) -> None:
        """Replace the server by one of another model, on the same port; a person's own file no longer serves then."""
        if self.own.path is not None:
            self.own.leave(model)
        else:
            self._supervisor.set_model(model)

    def set_server(self, server: ServerPlan, why: str) -> None:
        """Replace the server by another one, on the same port. If it does not serve, the old one stays.

        ``why`` is the reason in a few words.
        """
        self._supervisor.replace_server(why, plan=server)

    def set_port(self, port: int) -> Endpoint:
        """Let the wire listen on another port (0: any free port); returns its address."""
        _check_port(port)
        return self._supervisor.listen(port)

    def set_option(self, name: str, text: str) -> None:
        """Set an option of the topic. The server is restarted for it; clients use it from their next connection on.

        If both sides have a secret, only the client's is set, so that a wrong one can be tried.
        """
        option, before = self.options.option(name), self.options.values_now()
        client_only = option.secret and option.client
        self.options.set(name, text, client_only=client_only)
        try:
            if option.server and not client_only:
                self._supervisor.replace_server(option.flag)
        except LabError:
            self.options.restore(before)
            raise

    def set_timeout(self, seconds: float) -> None:
        """Set how long a client's call waits."""
        _check_timeout(seconds)
        self.timeout = seconds
        for session in self.sessions:
            session.set_timeout(seconds)

    @property
    def idle(self) -> float | None:
        """Seconds that the server lets a client stall; `math.inf` is no limit, None the server's default."""
        return self._supervisor.idle

    def set_idle(self, seconds: float) -> None:
        """Set how many seconds a client may stall before the server drops it; `math.inf` is no limit."""
        if self.topic.transport is not Transport.TCP:
            raise LabError(
                f"the {self.topic.name} server waits for no client", "it answers each datagram when it comes"
            )
        if seconds != math.inf:
            _check_timeout(seconds)
        self._supervisor.set_idle(seconds)

    # The console

    @property
    def commands(self) -> Sequence[console.ConsoleCommand]:
        """The console's commands: lines that begin with a colon."""
        return console.commands_for(self.topic)

    def command(self, line: str) -> str | None:
        """Run a command line such as ``:model pool``; returns its answer. Raises `LabError`."""
        return console.run(self, line)

    def submit(self, text: str) -> str | None:
        """Run console lines: commands at once, other lines in the current client without waiting for them.

        A command and its outcome are noted in the current client's transcript. If there is no client, the outcome is
        returned or raised. Among several lines, a command waits for the lines before it.
        """
        return console.run_lines(self, text)

    # Inside

    def _user_holds_something(self) -> bool:
        """Whether a person holds a segment, or has abandoned a call and examines its connection."""
        state = self.state
        return bool(state.intercept or state.held) or any(session.call_abandoned for session in self.sessions)

    def _fault(self, client: Endpoint) -> str:
        """How a fault ended the connection of a client; empty if none did."""
        if self.wire.faults:
            self._supervisor.sync()
        return self._supervisor.flows.fault_of(client)

    def _report(self, event: Event) -> None:
        if isinstance(event, LogGrew):
            self.log.append(event.line)
        elif isinstance(event, StateChanged | TranscriptGrew):
            self._supervisor.suspend(self._user_holds_something())
        if self._notify is None:
            return
        if isinstance(event, CaptureGrew):
            self._live_capture.grow(self._supervisor.captured)
        try:
            self._notify(event)
        except Exception as error:  # noqa: BLE001 - a screen that fails must not end a child's reader thread
            self.log.append(LogLine(0, "error", f"a listener of the lab failed: {type(error).__name__}"))


def _found(name: str) -> Topic:
    try:
        return topic_named(name)
    except KeyError as error:
        raise LabError(str(error.args[0]), "`netlab --help` lists the topics") from None


def _check_timeout(seconds: float) -> None:
    if not 0 < seconds <= 3600:
        raise LabError("a timeout is more than 0 and at most 3600 seconds", "as in :timeout 5")


def _check_port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise LabError(f"{port} is not a port", "ports are 0 to 65535, and 0 takes any free port")
