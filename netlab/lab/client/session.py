"""One client of a lab: a connection, a thread that runs its calls one after another, and their transcript."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial

from netlab.capture.model import Endpoint
from netlab.lab.bounded_log import BoundedLog
from netlab.lab.client import transcript_text
from netlab.lab.client.attribution import Attribution
from netlab.lab.client.close_reason import CloseReasons
from netlab.lab.client.operations import Operation
from netlab.lab.client.repl import ClientTarget, Repl
from netlab.lab.client.worker import Worker
from netlab.lab.errors import LabError
from netlab.lab.state import Busy, Entry, HalfClosed
from netlab.lab.views.view_table import Segment, ViewTable, no_capture
from netlab.topics.client_call import Call
from netlab.topics.contract import Client, Topic

LINES_WAITING = 10_000
_CLOSING = 0.4  # seconds for the thread to end; it is a daemon, so it is left alone if its client waits elsewhere


class Session:
    """One client. Its lines and calls run in its own thread, in order.

    A client's operations are attributes: ``session.send(b"Hello")`` waits for the result and raises what the client
    raises; the transcript has both. The first call connects, or `connect` does. All methods may be called from any
    thread but the session's own.
    """

    def __init__(
        self,
        topic: Topic,
        number: int,
        name: str,
        target: Callable[[], ClientTarget],
        *,
        notify: Callable[[int], None] = lambda number: None,
        place: Callable[[Session], str] = lambda session: "",
        close_reasons: CloseReasons | None = None,
        ended: Callable[[Session], None] = lambda session: None,
        limit: int = transcript_text.LIMIT,
        segment: Segment = no_capture,
    ) -> None:
        self.topic, self.number, self.name = topic, number, name
        self.closed = False
        self._place, self._ended = place, ended
        reasons = close_reasons or CloseReasons()
        repl = self._repl = Repl(topic, target, lambda: notify(number), limit, reasons, segment)
        self._worker = Worker(f"netlab-{name}", repl.watched, repl.look, repl.close)

    @property
    def transcript(self) -> BoundedLog[Entry]:
        """Calls, results and notes: the last 2,000 entries."""
        return self._repl.transcript.entries

    @property
    def views(self) -> ViewTable:
        """The buffers and views that its lines have named, and the client's own."""
        return self._repl.views

    @property
    def attribution(self) -> Attribution:
        """Which segments its calls caused."""
        return self._repl.attribution

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of the client, by name."""
        return self._repl.operations

    @property
    def known_operations(self) -> Mapping[str, Operation]:
        """The operations of the client, and those that the server has listed."""
        return {**self._repl.operations, **self._repl.remote_operations.known}

    def learn(self, name: str = "") -> Future[object]:
        """Ask the server, without waiting, for its operations and the help of one, if the client can do that."""
        return self._worker.ask(lambda: self._repl.learn(name))

    @property
    def busy(self) -> Busy | None:
        """The running call, or None."""
        busy = self._repl.busy
        return busy and replace(busy, place=self._progress(busy) or self._place(self))

    def _progress(self, busy: Busy) -> str:
        """The progress of the call, if its client reports it."""
        done, total = getattr(self.client, "progress", (0, 0))
        return transcript_text.progress(done, total, time.monotonic() - busy.started) if 0 < done < total else ""

    @property
    def client(self) -> Client | None:
        """The client itself, for inspection; its calls run in the session's thread. None before it is connected."""
        return self._repl.connection.client if self._repl.connection is not None else None

    @property
    def connected(self) -> bool:
        """Whether the connection is open on this side."""
        return self._repl.connection is not None and self._repl.connection.connected

    @property
    def peer_closed(self) -> bool:
        """Whether the server has closed the connection while it is open on this side."""
        return self.connected and self._repl.connection is not None and self._repl.connection.peer_closed()

    @property
    def fault(self) -> str:
        """How a fault of the wire ended the connection, as far as known; else empty."""
        return self._repl.close_reason.fault

    @property
    def by_wire(self) -> bool:
        """Whether the wire ended the connection, as far as known."""
        return self._repl.close_reason.by_wire

    @property
    def call_abandoned(self) -> bool:
        """Whether its last call was abandoned and its connection is still open."""
        return self._repl.call_abandoned and self.connected

    @property
    def connected_at(self) -> float:
        """When it last began to connect (`time.monotonic`)."""
        return self._repl.connected_at

    @property
    def answered(self) -> bool:
        """Whether anything was received on this connection."""
        return self._repl.connection is not None and self._repl.connection.answered

    @property
    def unanswered(self) -> bool:
        """Whether the connection is open and nothing was received on it."""
        connection, busy = self._repl.connection, self._repl.busy
        if connection is None or connection.answered:
            return False
        return connection.connected or (busy is not None and connection.shaking_hands)

    @property
    def local(self) -> Endpoint | None:
        """The local address; None while it is not connected."""
        return self._repl.connection.local if self._repl.connection is not None else None

    def addresses(self) -> Mapping[Endpoint, float]:
        """The local addresses of its last connections, and when each began to connect (`time.monotonic`)."""
        return self._repl.connection.addresses() if self._repl.connection is not None else {}

    def reads(self, local: Endpoint) -> tuple[int, ...] | None:
        """The lengths that a connection's calls of ``recv`` have read; None if they are not known."""
        return self._repl.connection.reads(local) if self._repl.connection is not None else None

    def submit(self, text: str) -> None:
        """Run console lines, one after another, without waiting for them."""
        for line in filter(str.strip, text.split("\n")):
            if self._worker.waiting >= LINES_WAITING:
                self.note(f"more than {LINES_WAITING:,} lines wait; the rest was ignored")
                return
            self._worker.ask(partial(self._repl.line, line))

    def run(self, line: str) -> None:
        """Run one console line and wait for its end; its exception is raised."""
        self._wait(self._worker.ask(partial(self._repl.line, line)))

    def invoke(self, call: Call) -> object:
        """Run one call, wait for it, and return its result."""
        return self._wait(self.begin(call))

    def begin(self, call: Call) -> Future[object]:
        """Run one call without waiting for it. The future is cancelled if the client is closed first."""
        return self._worker.ask(lambda: self._repl.perform(call))

    def connect(self) -> None:
        """Open the connection, or a new one; waits, and raises what the client raises."""
        self._wait(self._worker.ask(self._repl.connect))

    def begin_connect(self) -> Future[object]:
        """Open the connection without waiting for it; the transcript and the future have the outcome."""
        return self._worker.ask(self._repl.connect)

    def abandon(self) -> None:
        """Stop waiting for the running call and forget the lines behind it. The connection stays open."""
        forgotten = self._worker.forget()
        if self._repl.busy is not None:
            self._interrupt()
        if forgotten:
            self.note(f"{forgotten:,} more {'line was' if forgotten == 1 else 'lines were'} not run")

    def half_close(self) -> None:
        """Send FIN, even while a call waits. What the server still sends can be read."""
        connection = self._repl.connection
        if connection is None or not connection.half_close():
            raise LabError("there is no open stream to half-close", ":connect opens a connection")
        self._repl.transcript.add_call(f"{self.topic.variable}.socket.shutdown(socket.SHUT_WR)", HalfClosed())

    def reset(self) -> None:
        """Reset the connection (RST), even while a call waits."""
        connection = self._repl.connection
        if connection is None or not connection.reset_on_close():
            raise LabError("there is no open stream to reset", ":connect opens a connection")
        self._drop("this side reset the connection (RST)", without_goodbye=True)

    def disconnect(self) -> None:
        """Close the connection, even while a call waits. The session and its transcript stay."""
        if not self.connected:
            raise LabError("this client is not connected", ":connect opens a connection")
        self._drop("closed")

    def set_timeout(self, seconds: float) -> None:
        """Set how long a call of the open connection waits."""
        if self._repl.connection is not None:
            self._repl.connection.set_timeout(seconds)

    def note(self, text: str) -> None:
        """Add a note to the transcript."""
        self._repl.note(text)

    def complain(self, error: Exception) -> None:
        """Add an error that belongs to no call to the transcript."""
        self._repl.complain(error)

    def wait_idle(self) -> None:
        """Wait until all lines submitted so far have run."""
        with contextlib.suppress(CancelledError):
            self._worker.ask(lambda: None).result()

    def close(self) -> None:
        """End the session: the waiting call, the connection, the thread. The transcript stays. May be called twice."""
        if self.closed:
            return
        self.closed = self._repl.dropping = True
        self._worker.forget()
        if self._repl.busy is not None:
            self._interrupt()
        self._worker.close(_CLOSING)
        self.views.forget_all()
        self._ended(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> OperationName:
        """An operation of the client, to be called."""
        if name.startswith("_") or not (name in self.operations or self._repl.remote):
            raise AttributeError(f"no operation {name!r}; there are {', '.join(self.operations)}")
        return OperationName(self, name)

    def _wait(self, future: Future[object]) -> object:
        try:
            return future.result()
        except CancelledError:
            raise LabError("the call was not run: its client was closed", ":connect opens another one") from None
        except KeyboardInterrupt:
            self.abandon()
            raise

    def _drop(self, reason: str, *, without_goodbye: bool = False) -> None:
        """Close the connection. An idle client may take leave first, as TLS does, unless ``without_goodbye``."""
        self._worker.forget()
        self._repl.dropping = True
        if without_goodbye or self._repl.busy is not None:
            self._interrupt()
        self._wait(self._worker.ask(lambda: self._repl.drop(reason)))

    def _interrupt(self) -> None:
        connection = self._repl.connection
        if connection is not None and not connection.abandon() and not self._repl.dropping:
            self.note("the connection was shut down: this client's waiting cannot be ended otherwise")


class OperationName:
    """An operation by name; dots are allowed, since a server's operations may have them."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name

    def __call__(self, *arguments: object, **keywords: object) -> object:
        """Run it in the session, wait, and return the result."""
        return self._session.invoke(Call(self._name, arguments, tuple(keywords.items())))

    def __getattr__(self, name: str) -> OperationName:
        if name.startswith("__"):
            raise AttributeError(name)
        return OperationName(self._session, f"{self._name}.{name}")
