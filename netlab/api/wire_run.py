"""One wire as it runs for a program: its process, its flows, its capture, and what was new when. It knows no lab."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from netlab.api.wire_errors import WireError, advising
from netlab.capture.capture_file import Capture
from netlab.capture.model import Endpoint, Keep, Transport
from netlab.lab.processes import child
from netlab.lab.processes.flow_table import FlowTable
from netlab.lab.processes.live_capture import CaptureExtent, LiveCapture, Saved
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.state import LabState, Phase

T = TypeVar("T")
_ANOTHER = "close it, and make another Wire"


class WireRun:
    """A wire's process from its start to its end. Safe from several threads; methods raise `WireError`.

    In a process that was forked from the one that made it, nothing can be asked of it, and `close` does nothing.
    """

    def __init__(self, transport: Transport, listen: Endpoint, limit: int) -> None:
        self.transport, self.address = transport, listen
        self.flows = FlowTable()
        self._limit, self._capture = limit, LiveCapture(limit)
        self._process: WireProcess | None = None
        self._maker, self._closed = os.getpid(), False
        self._work, self._news = threading.RLock(), threading.Condition()
        self._mark: object = None
        self.changes = 0
        """Counts what happened: a program that waits looks again when it has grown."""

    def start(self, to: Endpoint, faults: Sequence[str], seed: int) -> None:
        """Start the process, and wait until clients can connect. The faults act on the first of them already."""
        with self._work:
            self._refuse_to_work()
            if self._process is not None:
                return
            with advising("set TMPDIR to a folder with room"):
                file = self._capture.next_file()
            words = ["--to", str(to), "--listen", str(self.address), "--write", str(file), "--limit", str(self._limit)]
            words += ["--keep", Keep.NEWEST.value, "--seed", str(seed), "--temporary", "--supervised"]
            words += [word for spec in faults for word in ("--fault", spec)]
            words += ["--udp"] if self.transport is Transport.UDP else []
            try:
                process = WireProcess(words, file, self.address, self.transport, self._changed, self._flows)
            except OSError as error:
                raise WireError(f"no process could be started: {error.strerror}", "close some programs") from None
            self._process = process
            with advising("port 0, which is usual, takes any free one"):
                self.address = process.wait_listening()
            self._capture.began(file)
            process.sync()  # the active faults have been reported then

    def close(self) -> None:
        """End the process. What was captured can still be read."""
        if self._maker != os.getpid():
            return  # a child that ends must not end its parent's wire
        with self._work:
            if not self._closed and self._process is not None:
                self.sync()
                _ = self._capture.shown  # opened before its file is removed
                child.stop(self._process.child)
            self._closed = True
            self._capture.remove()

    @property
    def state(self) -> LabState:
        """What the wire reports."""
        process = self._process
        if process is None:
            return LabState(Phase.STOPPED, "")
        phase = Phase.SERVING if process.alive else Phase.STOPPED
        return process.reported(LabState(phase, "", down=process.endpoint is None))

    @property
    def note(self) -> str:
        """What the capture or the wire lacks, in a sentence; empty if all is well."""
        process = self._process
        return "" if process is None else "; ".join(filter(None, (process.note, process.trouble)))

    @property
    def capture(self) -> Capture:
        """The capture, with everything that has crossed."""
        self.sync()
        self._capture.grow(self._captured)
        return self._capture.capture

    def save(self, path: str | os.PathLike[str]) -> Saved:
        """Copy the capture to a file; what is there is kept beside it."""
        if self._closed:
            raise WireError("the wire is closed, and its capture is gone", "save it before")
        with advising("choose another file"):
            self.sync()
            return self._capture.save(path, self._captured)

    @property
    def _captured(self) -> CaptureExtent:
        """How much of the capture is complete, and in which files."""
        return self._process.captured if self._process is not None else CaptureExtent()

    def sync(self) -> None:
        """Wait until what has crossed is in the capture. Does nothing once the wire has ended."""
        process = self._process
        if process is not None and process.alive and self._maker == os.getpid():
            process.sync()

    def with_wire(self, do: Callable[[WireProcess], T]) -> T:
        """Have the wire do something; one change comes after the other."""
        with self._work:
            return do(self._living())

    def refuse_if_over(self) -> None:
        """Raise `WireError` if nothing more can cross."""
        self._living()

    def wait_for_change(self, seen: int, seconds: float) -> None:
        """Wait until `changes` is not ``seen`` any more, at most so long."""
        with self._news:
            self._news.wait_for(lambda: self.changes != seen, seconds)

    def _refuse_to_work(self) -> None:
        if self._maker != os.getpid():
            raise WireError(f"the wire belongs to process {self._maker}, which forked this one", "make one here")
        if self._closed:
            raise WireError("the wire is closed", "make another Wire")

    def _living(self) -> WireProcess:
        self._refuse_to_work()
        if self._process is None:
            raise WireError("the wire has not been started", "use it as in `with Wire(…) as wire:`")
        if not self._process.alive:
            raise WireError(f"the wire's process ended: {self._process.last_words}", _ANOTHER)
        return self._process

    def _flows(self, message: child.Message) -> None:
        self.flows.take(message)
        self._tell()

    def _changed(self, process: WireProcess, event: str) -> None:
        """The wire reported something. Only what changes something is news: each `sync` has an answer as well."""
        mark = process.length, process.accounts, process.faults, process.held, process.alive
        if mark != self._mark:
            self._mark = mark
            self._tell()

    def _tell(self) -> None:
        with self._news:
            self.changes += 1
            self._news.notify_all()
