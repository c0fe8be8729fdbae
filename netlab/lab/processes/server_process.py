"""The server of a lab: a child that runs ``netlab serve``, and what it says about itself. It knows no wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes import child, message_fields
from netlab.lab.processes.child import Child, Message
from netlab.lab.standing.standings import StandingReports, Standings
from netlab.lab.state import LabState, LogLine
from netlab.lab.topic_options import Setting
from netlab.topics.peer_event import PeerEvent, PeerEventKind

STARTING = 15.0  # seconds; a Python starts in 0.1 s, on a loaded machine in many more


@dataclass(frozen=True, slots=True)
class ServerGauges:
    """What the server's process last reported; None is unknown."""

    queue: int | None = None
    backlog: int | None = None
    threads: int | None = None
    processes: int | None = None


class ServerProcess:
    """One server process. ``changed`` and ``add_line`` are called in its reader thread.

    ``accepted`` and ``closed`` count what it logged of clients: if the kernel does not report the accept queue, the
    flows that are open at the wire less those that the server holds are those that wait. ``settings`` are options that
    it was started with.
    """

    def __init__(
        self,
        model: str,
        arguments: Sequence[str],
        extra_environment: Mapping[str, str],
        changed: Callable[[ServerProcess], None],
        add_line: Callable[[LogLine], None],
        early: Callable[[Sequence[str]], Child | None] | None = None,
    ) -> None:
        words = ["serve", *arguments]
        self.model = model
        self.endpoint: Endpoint | None = None
        self.gauges = ServerGauges()
        self.accepted = self.closed = 0
        self.settings: tuple[Setting, ...] = ()
        self._standing, self._reports_standing = StandingReports(), False
        self._failure = ""
        self._changed, self._add_line = changed, add_line
        self._settled = threading.Event()
        self.child: Child = (early and early(words)) or Child(words, extra_environment)
        self.child.attach(self._on_message, self._end)

    @property
    def held(self) -> int:
        """How many connections the server has accepted and not closed, by its log."""
        return max(0, self.accepted - self.closed)

    def reported(self, state: LabState, transport: Transport) -> LabState:
        """A lab's state with what the server reports; the wire's report is in it already.

        If the kernel does not report the accept queue, it is the clients at the wire that the server does not hold.
        """
        queue, stream = self.gauges.queue, transport is Transport.TCP
        derived = queue is None and stream
        if queue is None:
            queue = max(0, state.accounts.clients - self.held)
        return replace(
            state,
            server_address=self.endpoint,
            server_pid=self.child.pid,
            queue=queue if stream else None,
            queue_derived=derived,
            backlog=self.gauges.backlog,
            threads=self.gauges.threads,
            processes=self.gauges.processes,
            settings=self.settings,
        )

    @property
    def running(self) -> bool:
        """Whether it listens and has not ended."""
        return self.endpoint is not None and not self.child.ended.is_set()

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""
        return self.child.died

    def wait(self) -> Endpoint:
        """Wait until it listens, and return where; raises `LabError` with its reason if it does not."""
        if not self._settled.wait(STARTING):
            raise LabError(f"the server did not begin to listen within {STARTING:g} s", ":start tries again")
        if self.endpoint is None:
            raise LabError(f"the server could not start: {self.last_words}", self.advice)
        return self.endpoint

    @property
    def last_words(self) -> str:
        """Why it failed, else the end of its stderr, else its exit status; one line."""
        words = self._failure or " ".join(self.child.last_words[-1:])
        return words or how_it_ended(self.child.exit_status)

    progress = None
    advice = "another :model or option may do"

    @property
    def reports(self) -> bool:
        """It reports whom it has accepted."""
        return True

    def hurry(self) -> None:
        """It starts and ends soon."""

    def _on_message(self, message: Message) -> None:
        match message.get("event"):
            case "listening":
                self.endpoint = message_fields.endpoint(message)
                self._settled.set()
            case "failed":
                self._failure = message_fields.text(message, "text")
            case "gauges":
                self.gauges = ServerGauges(
                    *(message_fields.number(message, name) for name in ("queue", "backlog", "threads", "processes"))
                )
            case "log" | "accepted" | "closed" | "dropped" | "refused":
                self._log(message)
            case "standing":
                self._standing.take(message, self.child.pid)
                return  # it changes often, and no part of the state does
        self._changed(self)

    def _log(self, message: Message) -> None:
        event = _peer_event(message)
        if event is not None:
            self.accepted += not event.ends
            self.closed += event.ends
        level, text = message_fields.text(message, "level") or "info", message_fields.text(message, "text")
        peer = message_fields.endpoint(message) if "host" in message else None
        self._add_line(LogLine(message_fields.number(message, "time_ns") or 0, level, text, event, peer))

    def set_patience(self, seconds: float | None, *, suspended: bool) -> None:
        """How long clients may stall; without ``seconds`` as before."""
        self.child.request({"request": "patience", "seconds": seconds, "suspended": suspended})

    def watch_standing(self, on: bool) -> None:
        """Let it report where it stands, or report that no more."""
        if on != self._reports_standing and self.child.request({"request": "standing", "on": on}):
            self._reports_standing = on
            if not on:
                self._standing.clear()

    @property
    def standing(self) -> Standings | None:
        """Where it stands; None until it has reported that."""
        return self._standing.latest

    def retire(self) -> None:
        """It says in one line each which clients it lost."""

    def stop(self) -> None:
        """End it, within 2 s."""
        child.stop(self.child)

    def _end(self) -> None:
        self._settled.set()
        self._changed(self)


def _peer_event(message: Message) -> PeerEvent | None:
    if message.get("event") == "log":
        return None
    return PeerEvent(
        PeerEventKind(message.get("event")), message_fields.endpoint(message), message_fields.text(message, "reason")
    )


def how_it_ended(status: int | None) -> str:
    """An exit status in words."""
    if status is None:
        return "it has not ended"
    return f"it was killed by signal {-status}" if status < 0 else f"it ended with exit status {status}"
