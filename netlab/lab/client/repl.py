"""What a session's thread does with a line: connects, calls the client, and writes it all into the transcript.

Everything here but the notes runs in the session's own thread. It knows no queue and no lab.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature

from netlab.capture.model import Endpoint
from netlab.lab.bounded_log import BoundedLog
from netlab.lab.client import transcript_text
from netlab.lab.client.attribution import Attribution
from netlab.lab.client.cancellable_socket import Abandoned, Wake
from netlab.lab.client.close_reason import CloseReason, CloseReasons
from netlab.lab.client.connection import Connection, Notes
from netlab.lab.client.operations import INTROSPECTION, UNKNOWN, Operation, is_remote, operations_of
from netlab.lab.errors import LabError
from netlab.lab.parse import Bare, parse
from netlab.lab.python_hints import AS_TEXT, reads_as_python
from netlab.lab.state import Busy, ClientMade, Entry, EntryKind, HalfClosed
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic

ENTRIES_KEPT = 2000
_LARGEST_KEPT = 1 << 16
"""Bytes of a call's payload that the transcript keeps, so that the call can be copied."""


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """What a session connects to: where, which model serves there, and what its client is constructed with.

    ``secrets`` are the names among ``keywords`` whose values are not shown, ``unshown`` those that are left out.
    """

    address: Endpoint
    model: str
    keywords: Mapping[str, object] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    unshown: frozenset[str] = frozenset({"timeout", "certificates", "keylog"})


class Repl:
    """A client at a prompt, and the transcript of it. ``notify`` is called after each change, from any thread."""

    def __init__(
        self,
        topic: Topic,
        target: Callable[[], ClientTarget],
        notify: Callable[[], None],
        limit: int,
        close_reasons: CloseReasons,
    ) -> None:
        self.topic = topic
        self.transcript: BoundedLog[Entry] = BoundedLog(ENTRIES_KEPT)
        self.attribution = Attribution()
        self.connection: Connection | None = None
        self.connected_at = 0.0
        self.busy: Busy | None = None
        self.dropping = False
        self.call_abandoned = False
        self.ending = CloseReason()
        self._client_class = topic.client_class()
        self.operations: Mapping[str, Operation] = operations_of(self._client_class)
        self.remote = is_remote(self._client_class)
        self.remote_operations: Mapping[str, Operation] = {}
        self._target, self._notify, self._limit, self._close_reasons = target, notify, limit, close_reasons
        self._wake = Wake()
        self._numbers = itertools.count(1)
        self._call = 0
        self._asked: Call | None = None  # while it runs
        self._closed_noted = self._more = False
        self._explained: Endpoint | None = None

    def add(self, kind: EntryKind, text: str, call: int = 0, did: Call | ClientMade | HalfClosed | None = None) -> None:
        """Add an entry; the text is made safe and bounded here."""
        self.transcript.append(Entry(time.time_ns(), kind, transcript_text.cut(text, self._limit), call, did))
        self._notify()

    def note(self, text: str) -> None:
        """Add a note that belongs to the running call, or to none."""
        self.add(EntryKind.NOTE, text, self._call)

    def complain(self, error: Exception, call: int = 0) -> None:
        """Add an error, and what it means."""
        self.add(
            EntryKind.ERROR, str(error) if isinstance(error, LabError) else transcript_text.error_line(error), call
        )
        if meaning := self._cause(error) or transcript_text.meaning(error) or self._usage(error):
            self.add(EntryKind.NOTE, meaning, call)

    def write_call(self, text: str, did: HalfClosed) -> None:
        """Write a call that was made from outside of the thread, while another one may be waiting."""
        self.add(EntryKind.CALL, text, next(self._numbers), did)

    def line(self, line: str) -> None:
        """Run one console line; raises what it raised, after writing it down."""
        meaning = self._parse(line)
        if isinstance(meaning, Call):
            self.perform(meaning)
            return
        if reads_as_python(meaning.text):
            self.note(AS_TEXT)
        calls = self._meant(meaning)
        if self.connection is not None and (not self.connection.connected or self.connection.peer_closed()):
            self.note("connecting again")
            self.connect()
        try:
            for index, call in enumerate(calls, 1):
                self._more = index < len(calls)
                self.perform(call)
        finally:
            self._more = False

    def perform(self, call: Call) -> object:
        """Run one call, connecting first where that was never done; returns and raises what the client does."""
        if self.connection is None:
            self.connect()
        with_variable = transcript_text.written(call, self.topic.variable)
        self._asked = call
        try:
            result = self._run(with_variable, transcript_text.spelt(call), lambda: self._invoke(call), _kept(call))
        finally:
            self._asked = None
        if result is not None:
            self.add(EntryKind.RESULT, transcript_text.shown(result, self._limit), self._call)
        self._call = 0
        self.note_closed()
        return result

    def connect(self) -> None:
        """Construct the client, in place of the one before."""
        self.close()
        try:
            target = self._target()
        except LabError as error:
            self.complain(error)
            raise
        self.connection = connection = Connection(self._wake, self._close_reasons.holding)
        self._closed_noted, self.ending, self.connected_at = False, CloseReason(), time.monotonic()
        told = {name: value for name, value in target.keywords.items() if name not in target.unshown}
        text = transcript_text.constructed((target.address.host, target.address.port), told, target.secrets)
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
        """Ask the server which operations it has, and how this one is called; each once, by calls like any."""
        if not self.remote:
            return
        if not self.remote_operations:
            names = self.perform(Call("remote_operations"))
            if isinstance(names, list):
                self.remote_operations = {each: Operation(each, UNKNOWN, "") for each in map(str, names)}
                self._notify()
        known = self.remote_operations.get(name)
        if known is not None and not known.described:
            told = self.perform(Call("remote_help", (name,)))
            signature, text = map(str, told) if isinstance(told, tuple) else ("", "")
            described = Operation(name, signature or UNKNOWN, text or "the server says no more about it")
            self.remote_operations = {**self.remote_operations, name: described}
            self._notify()

    def drop(self, reason: str) -> None:
        """Close the connection, and say so."""
        self.close()
        self.dropping = False
        self.note(reason)

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()

    def note_closed(self) -> None:
        """Note, once, that the connection was closed, where it was, and not in answer to this side; and by whom.

        What looks like a result may be what had come when a fault ended a connection, which its client then closed.
        """
        if self._more or self.dropping or self.connection is None or self.connection.shut:
            return
        told, closed = self._closed_noted, self.connection.peer_closed()
        self._closed_noted |= closed
        if closed and not told:
            self._notify()  # first, for who can say why may take a moment
        explained = self._explained
        ending = self._find_close_reason(closed=closed and not told)
        if ending.fault:
            if self._explained != explained:
                self.note(ending.words)
        elif closed and not told:
            how = (
                "the connection was reset (RST)" if self.connection.peer_reset() else "the server closed the connection"
            )
            self.note(f"{how}: {ending.restart}" if ending.restart else ending.words or how)

    def watched(self) -> int | None:
        """The descriptor on which the server's closing shows; None once that was noted."""
        return None if self._closed_noted or self.connection is None else self.connection.stream_fileno()

    def _parse(self, line: str) -> Call | Bare:
        try:
            return parse(line, self.operations, self.topic.variable, remote=self.remote)
        except LabError as error:
            self.note(transcript_text.cut(line.strip(), 200))
            self.complain(error)
            raise

    def _meant(self, bare: Bare) -> list[Call]:
        """The calls that bare text stands for."""
        try:
            return list(self.topic.bare(bare.text, self._target().model))
        except Exception as error:
            self.note(transcript_text.cut(bare.text.strip(), 200))
            self.complain(error)
            raise

    def _run(
        self, text: str, waiting_for: str, action: Callable[[], object], did: Call | ClientMade | HalfClosed | None
    ) -> object:
        """Write the call down, run it, and write down what it raised."""
        self._call = next(self._numbers)
        self.call_abandoned = False
        self._wake.clear()
        self.busy = Busy(transcript_text.cut(waiting_for, 60), time.monotonic())
        if self.dropping:  # looked at after `busy` is set: who drops the connection interrupts what is busy
            self._wake.set()
        self.add(EntryKind.CALL, text, self._call, did)
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
        """What a call returned or raised; neither counts where its connection was shut down to end it."""
        if self.dropping:
            raise Abandoned("you stopped waiting")
        try:
            result = action()
        except Exception:
            self._check_shut()
            raise
        self._check_shut()
        return result

    def _check_shut(self) -> None:
        if self.connection is not None and self.connection.shut and self._wake.is_set():
            raise Abandoned("you stopped waiting")

    def _invoke(self, call: Call) -> object:
        assert self.connection is not None
        client = self.connection.client
        if client is None:
            raise LabError("this client is not connected", ":connect opens a connection")
        if call.name in self.operations or (self.remote and call.name in INTROSPECTION):
            return getattr(client, call.name)(*call.arguments, **dict(call.keywords))
        if call.keywords:
            raise LabError("the server's operations take no keyword arguments", "leave the names out")
        return client.call(call.name, *call.arguments)  # type: ignore[attr-defined]  # a RemoteClient: see `remote`

    def _failed(self, error: Exception) -> None:
        number, self._call = self._call, 0
        self._closed_noted |= isinstance(error, ConnectionError)
        if not isinstance(error, Abandoned):
            self.complain(error, number)
        elif self.dropping:
            self.add(EntryKind.ERROR, "Abandoned: the connection was closed while this waited", number)
        else:
            self.call_abandoned = True
            self._note_abandoned(error, number)

    def _note_abandoned(self, error: Abandoned, number: int) -> None:
        """A person stopped waiting: what that means for the connection."""
        connection = self.connection
        if connection is not None and connection.shut:
            self.add(
                EntryKind.ERROR, transcript_text.error_line(error), number
            )  # what became of the connection, a note tells
            return
        if connection is None or not connection.connected:
            began = connection is not None and connection.client is not None
            why = "the connection is closed: " + ("half an answer was on its way" if began else "it was not ready yet")
        elif connection.of_one_call:
            why = "the call's connection is closed: its answer reaches nobody"
        else:
            self.complain(error, number)
            return
        self.add(EntryKind.ERROR, transcript_text.error_line(error), number)
        self.add(EntryKind.NOTE, f"with that {why}", number)

    def _cause(self, error: Exception) -> str:
        """What else than the call made it fail: the wire, or the server, which says why it ended the connection."""
        if self.busy is None or self.connection is None or isinstance(error, LabError | Abandoned):
            return ""
        closed = isinstance(error, ConnectionError | EOFError) or self.connection.peer_closed()
        ending = self._find_close_reason(closed=closed)
        if not (closed or ending.fault or isinstance(error, TimeoutError)):
            return ""
        return ending.words

    def _find_close_reason(self, *, closed: bool) -> CloseReason:
        local = self.connection.last_local if self.connection is not None else None
        self.ending = self._close_reasons.of(local, closed=closed) if local is not None else CloseReason()
        if self.ending.fault:
            self._explained = local
        return self.ending

    def _usage(self, error: Exception) -> str:
        """For wrong arguments: how the operation is called."""
        call = self._asked
        method = getattr(self.topic.client_class(), call.name, None) if call is not None else None
        if call is None or method is None or not isinstance(error, TypeError) or call.name not in self.operations:
            return ""
        try:
            signature(method).bind(None, *call.arguments, **dict(call.keywords))
        except TypeError:
            return self.operations[call.name].usage
        return ""


def _kept(call: Call) -> Call | None:
    """The call, unless it would keep a large payload alive for as long as its line stands in the transcript."""
    values = [*call.arguments, *(value for _, value in call.keywords)]
    return None if any(isinstance(v, bytes | str) and len(v) > _LARGEST_KEPT for v in values) else call
