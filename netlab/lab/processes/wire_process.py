"""The wire of a lab: a child that runs ``netlab wire``, what it says, and what it is asked. It knows no server."""

from __future__ import annotations

import base64
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from netlab.capture.files.destination import CaptureFile
from netlab.capture.model import Direction, Endpoint, Transport
from netlab.capture.unread import count_of
from netlab.lab.errors import LabError
from netlab.lab.processes import message_fields
from netlab.lab.processes.child import Child, Message
from netlab.lab.processes.live_capture import CaptureExtent
from netlab.lab.processes.port_owner import cannot_listen
from netlab.lab.processes.server_process import STARTING, how_it_ended
from netlab.lab.state import Accounts, HeldSegment, LabState

ANSWERING = 10.0  # seconds that a running wire may take to answer a request, on however busy a machine
_AWAITED = frozenset({"listening", "failed", "paused", "replaced", "faults", "answered"})
_ACCOUNTS = Accounts.__match_args__


class WireProcess:
    """One wire process. Its reader thread calls ``changed`` with each event's name, ``flows`` with those of flows.

    A thread that waits for an event goes on only when ``changed`` has returned, so that it finds the new state.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        file: Path,
        listen: Endpoint,
        transport: Transport,
        changed: Callable[[WireProcess, str], None],
        flows: Callable[[Message], None] = lambda message: None,
        early: Callable[[Sequence[str]], Child | None] | None = None,
    ) -> None:
        self.file = file
        self.endpoint: Endpoint | None = None
        self.length = 0
        self.files: tuple[CaptureFile, ...] = ()
        self.accounts = Accounts()
        self.note = self.trouble = ""
        self.absent: Endpoint | None = None
        """Where the server should listen and nothing does: clients are refused meanwhile."""
        self.faults: tuple[str, ...] = ()
        self.intercept = ""
        self.held: dict[int, HeldSegment] = {}
        self.measured: Mapping[int, tuple[int, int]] = {}
        """By the wire's number of a flow, as of the last `measure`: bytes that crossed to the server before the capture
        began, and bytes for the server that wait in the wire."""
        self._asked, self._transport, self._changed, self._flows = listen, transport, changed, flows
        self._condition = threading.Condition()
        self._answers: dict[str, Message] = {}
        self._ids = itertools.count(1)
        self._synced = 0
        words = ["wire", *arguments]
        self.child = (early and early(words)) or Child(words)
        self.child.attach(self._on_message, self._end)

    @property
    def last_words(self) -> str:
        """The end of its stderr, else its exit status; one line."""
        return " ".join(self.child.last_words[-1:]) or how_it_ended(self.child.exit_status)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return not self.child.ended.is_set()

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""
        return self.child.died

    def reported(self, state: LabState) -> LabState:
        """A lab's state with what the wire reports."""
        note = "; ".join(filter(None, (self._capture_note, self.trouble)))
        return replace(
            state,
            accounts=self.accounts,
            faults=self.faults,
            capture_note=note,
            absent=self.absent,
            intercept=self.intercept,
            held=tuple(self.held.values()),
        )

    @property
    def _capture_note(self) -> str:
        """What the capture lacks."""
        if self.files and self.accounts.let_go:
            return f"the oldest {count_of(self.accounts.let_go, 'segment')} were let go"
        return self.note and f"{self.note}; :clear starts a new capture"

    @property
    def captured(self) -> CaptureExtent:
        """How much of the capture is complete, and in which files."""
        with self._condition:
            return CaptureExtent(self.length, self.files)

    def wait_listening(self) -> Endpoint:
        """Wait until it listens, and return where; raises `LabError` that names who holds the port."""
        message = self._await(("listening", "failed"), STARTING)
        if message.get("event") == "failed":
            host, port = self._asked
            raise cannot_listen(
                host,
                port,
                message_fields.number(message, "errno") or 0,
                message_fields.text(message, "text"),
                self._transport,
            )
        return message_fields.endpoint(message)

    def listen(self, at: Endpoint) -> Endpoint:
        """Listen there instead, and return where; raises `LabError` that names who holds the port."""
        self._asked = at
        self._forget("listening", "failed")
        self.child.request({"request": "listen", "host": at.host, "port": at.port})
        return self.wait_listening()

    def pause(self, *, wait: bool = True) -> None:
        """Stop listening; open flows go on. Without ``wait`` from any thread, also its reader's."""
        self._forget("paused")
        if self.child.request({"request": "pause"}) and wait:
            self._await(("paused",), ANSWERING)

    def target(self, server: Endpoint) -> None:
        """New flows go to this server."""
        self.child.request({"request": "target", "host": server.host, "port": server.port})

    def drop_flows(self, why: str) -> None:
        """Reset all flows; the capture says why in a few words."""
        self.child.request({"request": "drop-flows", "why": why})

    def sync(self) -> None:
        """Wait until what has crossed is in the capture and announced; gives up on a wire that does not answer."""
        wanted = next(self._ids)
        if not self.child.request({"request": "sync", "id": wanted}):
            return
        deadline = time.monotonic() + ANSWERING
        with self._condition:
            self._condition.wait_for(lambda: self._synced >= wanted or not self.alive, deadline - time.monotonic())

    def measure(self, flows: Sequence[int]) -> None:
        """Ask for `measured` of these flows; the answer comes soon."""
        self.child.request({"request": "measure", "flows": flows})

    def restart_capture(self, file: Path) -> None:
        """Start a new capture in that file; raises `LabError` if the wire does not."""
        self._forget("replaced")
        self.child.request({"request": "restart-capture", "file": str(file)})
        self._await(("replaced",), ANSWERING)

    def set_faults(self, specs: Sequence[str], seed: int) -> tuple[str, ...]:
        """Ask for these faults; those that are active now. Raises `LabError` with the wire's reason if it refuses."""
        self._forget("faults")
        self.child.request({"request": "faults", "specs": list(specs), "seed": seed})
        message = self._await(("faults",), ANSWERING)
        problem = message_fields.text(message, "problem")
        if problem:
            raise LabError(problem, ":faults shows what is active")
        return self.faults

    def ask(self, request: str, **more: object) -> None:
        """Ask for something about held segments; raises `LabError` with the wire's reason if it refuses."""
        self._forget("answered")
        if not self.child.request({"request": request, **more}):
            raise LabError("the wire does not take requests now", "try again, or shorter")
        problem = message_fields.text(self._await(("answered",), ANSWERING), "problem")
        if problem:
            raise LabError(problem)

    def ask_with(self, payload: bytes, request: str, **more: object) -> None:
        """The same with bytes, which go through a file beside the capture: a request is short."""
        with tempfile.NamedTemporaryFile(dir=self.file.parent, prefix="payload-") as file:
            file.write(payload)
            file.flush()
            self.ask(request, file=file.name, **more)

    def _forget(self, *events: str) -> None:
        with self._condition:
            for event in events:
                self._answers.pop(event, None)

    def _await(self, events: Sequence[str], seconds: float) -> Message:
        """The first of these events since `_forget`, or since the start."""
        with self._condition:
            self._condition.wait_for(lambda: self._answer(events) or not self.alive, seconds)
            answer = self._answer(events)
        if answer is not None:
            return answer
        if self.alive:
            raise LabError(f"the wire did not answer within {seconds:g} s", ":restart begins with a new one")
        raise LabError(f"the wire ended: {self.last_words}", ":start begins with a new one")

    def _answer(self, events: Sequence[str]) -> Message | None:
        return next((self._answers[event] for event in events if event in self._answers), None)

    def _on_message(self, message: Message) -> None:
        event = message_fields.text(message, "event")
        if event == "flows":
            self._flows(message)
            return
        if event == "measured":
            self.measured = _measured(message.get("flows"))
            return
        with self._condition:
            self._take(event, message)
        self._changed(self, event)
        with self._condition:
            if event in _AWAITED:
                self._answers[event] = message
            if event == "synced":
                self._synced = message_fields.number(message, "id") or 0
            self._condition.notify_all()

    def _take(self, event: str, message: Message) -> None:
        match event:
            case "listening":
                self.endpoint, self.absent = message_fields.endpoint(message), None
            case "failed" | "paused":
                self.endpoint = self.absent = None
            case "absent":
                self.absent = message_fields.endpoint(message)
            case "captured":
                self.length = message_fields.number(message, "length") or 0
                self.files = _files(message.get("files"))
                self.accounts = _accounts(message.get("accounts"))
                self.note, self.trouble = message_fields.text(message, "note"), message_fields.text(message, "trouble")
            case "replaced":
                self.file = Path(str(message.get("file")))
                self.length, self.files = 0, ()
            case "faults":
                self.faults = message_fields.texts(message, "active")
            case "intercept":
                self.intercept = message_fields.text(message, "filter")
            case "held":
                held = _held(message)
                self.held = {**self.held, held.number: held}
            case "freed":
                gone = message.get("ids")
                self.held = {number: held for number, held in self.held.items() if number not in _numbers(gone)}

    def _end(self) -> None:
        with self._condition:
            self.endpoint = self.absent = None
            self.held = {}
            self._condition.notify_all()
        self._changed(self, "ended")


def _numbers(value: object) -> frozenset[object]:
    return frozenset(value) if isinstance(value, list) else frozenset()


def _measured(rows: object) -> Mapping[int, tuple[int, int]]:
    found = {}
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [int(number), int(before), int(waiting)]:
                found[number] = before, waiting
    return found


def _held(message: Message) -> HeldSegment:
    return HeldSegment(
        message_fields.number(message, "id") or 0,
        message_fields.number(message, "flow") or 0,
        message_fields.endpoint(message),
        Direction(message.get("direction")),
        message_fields.number(message, "time_ns") or 0,
        base64.b64decode(str(message.get("payload"))),
        message.get("edited") is True,
    )


def _files(value: object) -> tuple[CaptureFile, ...]:
    rows = value if isinstance(value, list) else []
    return tuple(CaptureFile(str(path), int(start)) for path, start in rows)


def _accounts(value: object) -> Accounts:
    if not isinstance(value, Mapping):
        return Accounts()
    return Accounts(**{name: message_fields.number(value, name) or 0 for name in _ACCOUNTS})
