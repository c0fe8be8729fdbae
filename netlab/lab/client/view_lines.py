"""Runs a session's lines about buffers and views, and writes them into its transcript."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from netlab.lab.client.transcript_text import LIMIT, shown
from netlab.lab.state import EntryKind, PythonLine
from netlab.lab.views.looking import is_released
from netlab.lab.views.performing import PythonRefused, perform
from netlab.lab.views.reading_lines import Known, read_line
from netlab.lab.views.refusals import exports_left
from netlab.lab.views.showing import short
from netlab.lab.views.statements import ViewLine
from netlab.lab.views.view_table import ViewTable


class Write(Protocol):
    """Adds an entry to a transcript."""

    def __call__(self, kind: EntryKind, text: str, call: int = 0, did: PythonLine | None = None) -> None:
        """Add it. ``call`` is the number of the line, ``did`` the line itself."""


class ViewLines:
    """The lines of one session. ``number`` gives each its number, ``complain`` writes down an error."""

    def __init__(
        self,
        views: ViewTable,
        write: Write,
        complain: Callable[[Exception, int], None],
        number: Callable[[], int],
    ) -> None:
        self._views, self._write, self._complain, self._number = views, write, complain, number

    def read(self, line: str, operations: Collection[str], *, remote: bool) -> ViewLine | None:
        """The line, if it is about buffers or views. `LabError` if it is, and cannot be run."""
        return read_line(line, Known(self._views.names, self._views.variable, operations, remote))

    def reason(self, error: Exception) -> str:
        """Why a call failed on the client's own buffer: who holds it, or that its view was released; else empty."""
        view = self._views.own_view
        if isinstance(error, BufferError):
            return exports_left(self._views.own_buffer, self._views).removeprefix("; ")
        released = isinstance(error, ValueError) and view is not None and is_released(view)
        return (
            f"{self._views.variable}.buffer was released; the client makes another when it receives" if released else ""
        )

    def run(self, line: ViewLine) -> None:
        """Run it; an exception is written down, with its reason, and raised."""
        number = self._number()
        self._write(EntryKind.CALL, line.text, number, PythonLine(line.text))
        try:
            outcome = perform(line.statement, self._views)
        except PythonRefused as refused:
            self._complain(refused.error, number)
            if refused.reason:
                self._write(EntryKind.NOTE, refused.reason, number)
            raise refused.error from None
        except Exception as error:
            self._complain(error, number)
            raise
        if outcome.shown:
            self._write(EntryKind.RESULT, shown(short(outcome.value, LIMIT), LIMIT), number)
        self._write(EntryKind.NOTE, outcome.note, number)
