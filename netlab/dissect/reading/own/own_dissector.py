"""A person's own dissector: a file with ``PROTOCOL``, ``Flow`` or ``dissect``, which is read again when it is saved.

Its code runs in a thread with a deadline. What it raises is said in one line, with the line of the file.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from netlab.capture.model import Transport
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import FlowDissector, Match, Opening, Protocol, Run, stateless
from netlab.dissect.reading.own.own_error import OwnError
from netlab.dissect.reading.timed_thread import TimedThread

T = TypeVar("T")
OWN = "own"
"""The name of the protocol, if the file names none."""
_FIRST = -1


class OwnFlow:
    """One flow, read by a person's own dissector."""

    def __init__(self, owner: OwnDissector, make: Callable[[], FlowDissector]) -> None:
        self._owner = owner
        self._mine = owner.run(make)

    @property
    def state(self) -> object:
        """What the person's dissector remembers."""
        return self._mine

    def __deepcopy__(self, memo: dict[int, object]) -> OwnFlow:
        return OwnFlow(self._owner, lambda: deepcopy(self._mine))

    def feed(self, run: Run) -> Dissection:
        """What it says of a run; an error names the line of the file."""
        return self._owner.run(lambda: self._mine.feed(run))


class OwnDissector:
    """A file, as it stands now. ``problem`` says why it cannot be used, or is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.certain = True
        """All flows are what the file reads; False: it recognises its own."""
        self.protocol = self._broken()
        self._stamp: tuple[int, int] | None = None
        self._deadline = TimedThread(f"own dissector {path.name}")
        self.look()

    def look(self) -> bool:
        """Read the file again if it was saved since; whether it was."""
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            return False  # an editor may just replace it
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._deadline = TimedThread(f"own dissector {self.path.name}")
        try:
            self.protocol, self.certain, self.problem = *self._load(), ""
        except (OSError, OwnError, ValueError) as error:
            self.protocol, self.certain, self.problem = self._broken(), True, str(error)
        return True

    def run(self, work: Callable[[], T]) -> T:
        """Run a part of the file's code, within the deadline; `OwnError` says what went wrong and where."""
        try:
            return self._deadline.call(work)
        except Exception as error:  # noqa: BLE001 - a person's own code may raise anything
            raise OwnError(self._where(error)) from None

    def _where(self, error: BaseException) -> str:
        """An error in one line; the line of the file if it was raised there."""
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, SyntaxError):
            return f"{self.path.name}, line {error.lineno}: {error.msg}"
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)
        ]
        return f"{self.path.name}, line {lines[-1]}: {said}" if lines else f"{self.path.name}: {said}"

    def _load(self) -> tuple[Protocol, bool]:
        source = self.path.read_bytes()
        code = self.run(lambda: compile(source, str(self.path), "exec"))
        module = ModuleType(f"netlab_own_{self.path.stem}")
        module.__file__ = str(self.path)
        sys.modules[module.__name__] = module  # dataclasses look there for their module
        folder = str(self.path.resolve().parent)
        if folder not in sys.path:
            sys.path.append(folder)
        self.run(lambda: exec(code, module.__dict__))
        return self._found(module)

    def _found(self, module: ModuleType) -> tuple[Protocol, bool]:
        own = getattr(module, "PROTOCOL", None)
        if isinstance(own, Protocol):
            return replace(own, make=self._guarded(own.make), recognise=self._careful(own), order=_FIRST), False
        make = getattr(module, "Flow", None)
        if make is None and callable(dissect := getattr(module, "dissect", None)):
            make = stateless(dissect)
        if not callable(make):
            raise OwnError(f"{self.path.name} has no dissect(data, direction, offset), no Flow and no PROTOCOL")
        return Protocol(OWN, self.path.name, _always, self._guarded(make), _FIRST, frozenset(Transport)), True

    def _guarded(self, make: Callable[[], FlowDissector]) -> Callable[[], FlowDissector]:
        return lambda: OwnFlow(self, make)

    def _careful(self, own: Protocol) -> Callable[[Opening], Match]:
        return lambda opening: Match(self.run(lambda: own.recognise(opening)))

    def _broken(self) -> Protocol:
        """Reads nothing, and says why."""

        def make() -> FlowDissector:
            raise OwnError(self.problem or "it was not read yet")

        return Protocol(OWN, self.path.name, _always, make, _FIRST, frozenset(Transport))


def _always(opening: Opening) -> Match:
    return Match.SURE
