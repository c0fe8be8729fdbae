"""Runs a console line for a session: connects, calls the client, and writes the transcript.

All but the notes runs in the session's own thread. It knows no queue and no lab.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from netlab.capture.model import Endpoint
from netlab.lab.client import transcript_text
from netlab.lab.client.arrivals import Arrivals
from netlab.lab.client.attribution import Attribution
from netlab.lab.client.cancellable_socket import Abandoned, Wake
from netlab.lab.client.close_reason import CloseReason, CloseReasons
from netlab.lab.client.connection import Connection, Notes
from netlab.lab.client.facts.client_facts import ClientFacts
from netlab.lab.client.failure_cause import FailureCause
from netlab.lab.client.operations import Operation, invoke, is_remote, operations_of, usage_of
from netlab.lab.client.remote_operations import RemoteOperations
from netlab.lab.client.session_transcript import SessionTranscript
from netlab.lab.client.view_lines import ViewLines
from netlab.lab.client.worker import Watched
from netlab.lab.errors import LabError
from netlab.lab.parse import parse
from netlab.lab.python_hints import AS_TEXT, reads_as_python
from netlab.lab.state import Busy, ClientMade, Did, EntryKind
from netlab.lab.views.statements import ViewLine
from netlab.lab.views.view_table import Segment, ViewTable, no_capture
from netlab.platforms import PEER_CLOSED
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic

RECEIVE = "receive"
"""The operation that takes what has come, of a client to which a server speaks unasked."""
_LARGEST_KEPT = 1 << 16
"""The largest payload, in bytes, with which the transcript keeps a call so that it can be copied."""


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """What a session connects to: the address, the server's model, and the client's keyword arguments.

    ``secrets`` are the names of ``keywords`` whose values are hidden, ``unshown`` those that are left out. ``newline``
    ends a line of bare text. ``facts`` gets to know the client.
    """

    address: Endpoint
    model: str
    keywords: Mapping[str, object] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    unshown: frozenset[str] = frozenset({"timeout", "certificates", "keylog"})
    newline: str = ""
    facts: ClientFacts = field(default_factory=ClientFacts)


class Repl:
    """A client and its transcript. ``notify`` is called after each change, from any thread."""

    def __init__(
        self,
        topic: Topic,
        target: Callable[[], ClientTarget],
        notify: Callable[[], None],
        limit: int,
        close_reasons: CloseReasons,
        segment: Segment = no_capture,
    ) -> None:
        self.topic = topic
        self.views = ViewTable(topic.variable, lambda: self.connection and self.connection.client, segment)
        self.transcript = SessionTranscript(limit, notify)
        self.attribution = Attribution()
        self.connection: Connection | None = None
        self.connected_at = 0.0
        self.busy: Busy | None = None
        self.dropping = self.call_abandoned = self._closed_noted = self._more = False
        self._client_class = topic.client_class()
        self.operations: Mapping[str, Operation] = operations_of(self._client_class)
        self.remote = is_remote(self._client_class)
        self._arrivals = Arrivals(self.note) if getattr(self._client_class, "announced", False) else None
        self.remote_operations = RemoteOperations(self.perform, notify)
        self._cause = FailureCause(close_reasons)
        self._target, self._notify, self._close_reasons = target, notify, close_reasons
        self._wake = Wake()
        self._view_lines = ViewLines(self.views, self.transcript.add, self.complain, self.transcript.next_call)
        self._call = 0
        self._asked: Call | None = None  # while it runs

    @property
    def close_reason(self) -> CloseReason:
        """Why the connection closed, or gets no answer, as far as that was asked."""
        return self._cause.found

    def note(self, text: str) -> None:
        """Add a note that belongs to the running call, or to none."""
        self.transcript.add(EntryKind.NOTE, text, self._call)

    def complain(self, error: Exception, call: int = 0) -> None:
        """Add an error, and what it means."""
        self.transcript.add(EntryKind.ERROR, transcript_text.error_line(error), call)
        usage = usage_of(self._asked, self._client_class, self.operations) if isinstance(error, TypeError) else ""
        if meaning := self._cause_of(error) or transcript_text.meaning(error) or usage:
            self.transcript.add(EntryKind.NOTE, meaning, call)

    def line(self, line: str) -> None:
        """Run one console line. An exception is written down, then raised."""
        with self._complaining_about(line):
            of_views = self._view_lines.read(line, self.operations, remote=self.remote)
            meaning = of_views or parse(line, self.operations, self.topic.variable, remote=self.remote)
        if isinstance(meaning, ViewLine):
            self._view_lines.run(meaning)
            return
        if isinstance(meaning, Call):
            self.perform(meaning)
            return
        if reads_as_python(meaning.text):
            self.note(AS_TEXT)
        with self._complaining_about(meaning.text):
            target = self._target()
            calls = self.topic.bare(meaning.text + target.newline, target.model)
        if self.connection is not None and (not self.connection.connected or self.connection.peer_closed()):
            self.note("connecting again")
            self.connect()
        if self._answered_late():
            calls = [Call(RECEIVE), *calls]
        try:
            for index, call in enumerate(calls, 1):
                self._more = index < len(calls)
                self.perform(call)
        finally:
            self._more = False

    def _answered_late(self) -> bool:
        """Whether something waits that would be taken for the answer to the next line."""
        if self.connection is None or self._arrivals is None or RECEIVE not in self.operations:
            return False
        return self.connection.unread(1)[0] > 0

    def perform(self, call: Call) -> object:
        """Run one call, and connect before the first; returns and raises what the client does."""
        if self.connection is None:
            self.connect()
        with_variable = transcript_text.written(call, self.topic.variable)
        self._asked = call
        try:
            result = self._run(with_variable, transcript_text.spelt(call), lambda: self._invoke(call), _kept(call))
        finally:
            self._asked = None
        if result is not None:
            self.transcript.add_result(result, self._call)
        self._call = 0
        self.note_closed()
        return result

    def connect(self) -> None:
        """Construct a client that replaces the previous one."""
        self.close()
        try:
            target = self._target()
        except LabError as error:
            self.complain(error)
            raise
        self.connection = connection = Connection(self._wake, self._close_reasons.holding)
        self._closed_noted, self.connected_at = False, time.monotonic()
        self._cause.forget()
        keywords = {name: value for name, value in target.keywords.items() if name not in target.unshown}
        text = transcript_text.constructed((target.address.host, target.address.port), keywords, target.secrets)
        with target.facts.of(connection, target.keywords):
            self._run(
                f"{self.topic.variable} = {text}",
                f"a connection to {target.address}",
                lambda: connection.open(self._client_class, target.address, Notes(self.note), target.keywords),
                ClientMade(target.address, target.keywords),
            )
        if connection.local is not None and connection.local.port:
            self.note(f"connected from {connection.local}")
        self._call = 0

    def learn(self, name: str) -> None:
        """Ask the server for its operations and the signature of one; each once, with visible calls."""
        if self.remote:
            self.remote_operations.learn(name)

    def drop(self, reason: str) -> None:
        """Close the connection and note why."""
        self.close()
        self.dropping = False
        self.note(reason)

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()

    def note_closed(self) -> None:
        """Note once that the other side closed the connection, and why.

        This also explains a short result: it may be what had come before a fault ended the connection.
        """
        if self._more or self.dropping or self.connection is None or self.connection.shut:
            return
        noted, closed = self._closed_noted, self.connection.peer_closed()
        self._closed_noted |= closed
        if closed and not noted:
            self._notify()  # first, since finding the reason may take a moment
        explained = self._cause.by_fault
        ending = self._cause.find(self.connection, closed=closed and not noted)
        if ending.fault:
            if self._cause.by_fault != explained:
                self.note(ending.words)
        elif closed and not noted:
            self.note(ending.of_closed(reset=self.connection.peer_reset()))

    def watched(self) -> Watched | None:
        """What shows, while no call runs, that the server has closed or, if that is noted, that it has said something.

        None once its closing was noted.
        """
        if self._closed_noted or self.connection is None:
            return None
        stream = self.connection.stream_fileno()
        if self._arrivals is not None:
            return self._arrivals.watched(self.connection, PEER_CLOSED)
        return None if stream is None else Watched(stream, PEER_CLOSED)

    def look(self) -> None:
        """Something has happened while no call runs."""
        if self._arrivals is not None and self.connection is not None:
            self._arrivals.look(self.connection)
        self.note_closed()

    @contextlib.contextmanager
    def _complaining_about(self, text: str) -> Iterator[None]:
        """If the body fails, write down the text and the error."""
        try:
            yield
        except Exception as error:
            self.note(transcript_text.cut(text.strip(), 200))
            self.complain(error)
            raise

    def _run(self, text: str, waiting_for: str, action: Callable[[], object], did: Did | None) -> object:
        """Write the call down, run it, and write down its exception."""
        self._call = self.transcript.next_call()
        self.call_abandoned = False
        self._wake.clear()
        self.busy = Busy(transcript_text.cut(waiting_for, 60), time.monotonic())
        if self.dropping:  # checked after `busy` is set, since dropping a connection interrupts a busy one
            self._wake.set()
        self.transcript.add(EntryKind.CALL, text, self._call, did)
        try:
            with self.attribution.of(self._call, self.connection.marks if self.connection is not None else dict):
                return self._unless_shut(action)
        except Exception as error:
            self._failed(error)
            raise
        finally:
            self.busy = None
            self._notify()

    def _unless_shut(self, action: Callable[[], object]) -> object:
        """Run a call; its result or exception does not count if its connection was shut down to end it."""
        if self.dropping:
            raise Abandoned("you stopped waiting")
        try:
            return action()
        finally:
            if self.connection is not None and self.connection.shut and self._wake.is_set():
                raise Abandoned("you stopped waiting")

    def _invoke(self, call: Call) -> object:
        client = self.connection.client if self.connection is not None else None
        if client is None:
            raise LabError("this client is not connected", ":connect opens a connection")
        with self.views.alone(call.name):
            return invoke(client, call, self.operations, remote=self.remote)

    def _failed(self, error: Exception) -> None:
        number, self._call = self._call, 0
        self._closed_noted |= isinstance(error, ConnectionError)
        if not isinstance(error, Abandoned):
            self.complain(error, number)
        elif self.dropping:
            self.transcript.add(EntryKind.ERROR, "Abandoned: the connection was closed while this waited", number)
        else:
            self.call_abandoned = True
            self._note_abandoned(error, number)

    def _note_abandoned(self, error: Abandoned, number: int) -> None:
        """Note what it means for the connection that a person stopped waiting."""
        lost = Connection.NOT_READY if self.connection is None else self.connection.lost_by_abandoning
        if not lost and not (self.connection is not None and self.connection.shut):
            self.complain(error, number)
            return
        self.transcript.add(EntryKind.ERROR, transcript_text.error_line(error), number)
        if lost:  # for a connection that was shut down, a note was written then
            self.transcript.add(EntryKind.NOTE, lost, number)

    def _cause_of(self, error: Exception) -> str:
        """Why the running call failed, if the cause is the wire, the server, or a view."""
        if self.busy is None or self.connection is None:
            return ""
        return self._view_lines.reason(error) or self._cause.of_error(self.connection, error)


def _kept(call: Call) -> Call | None:
    """The call; None if it would keep a large payload in memory as long as the transcript has its line."""
    values = [*call.arguments, *(value for _, value in call.keywords)]
    return None if any(isinstance(v, bytes | str) and len(v) > _LARGEST_KEPT for v in values) else call
