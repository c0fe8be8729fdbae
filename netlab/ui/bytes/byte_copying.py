"""Copies bytes to the terminal's clipboard, in the format that the user chooses, or to a file."""

from __future__ import annotations

from pathlib import Path

from textual.widget import Widget

from netlab.dissect.export import CLIPBOARD_LIMIT, FORMS, count_of_bytes
from netlab.dissect.text import safe
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.widgets.chooser import Chooser, ChooserItem
from netlab.ui.widgets.notices import COPIED
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.saving import check_new_file, save_runs

FILE = "file"
"""The purpose of the question for a file name; its answer goes to `ByteCopying.write`."""

_TO_FILE = "to a file"
_PREVIEW = 40
"""Bytes and characters of each format that the menu previews."""


class ByteCopying:
    """Copies from one pane, with the question at the pane's foot."""

    def __init__(self, pane: Widget, question: Question) -> None:
        self._pane, self._question = pane, question
        self.forget()

    def forget(self) -> None:
        """Release the chosen bytes: they may be replaced, or their owner may close."""
        self._source: ByteSource = ViewSource()
        self._start, self._end = 0, 0

    @property
    def _size(self) -> str:
        return count_of_bytes(self._end - self._start)

    def ask(self, source: ByteSource, start: int, end: int, what: str) -> None:
        """Ask for a format or a file for these bytes; ``what`` names them."""
        self._source, self._start, self._end = source, start, end
        head = source.view(start, min(end, start + _PREVIEW))
        choices = [ChooserItem(name, name, safe(form(head)[:_PREVIEW])) for name, form in FORMS.items()]
        if end - start > CLIPBOARD_LIMIT:
            choices = []
        choices.append(ChooserItem(_TO_FILE, _TO_FILE, "raw bytes, of any length"))
        title = f"copy {what}: {self._size} as"
        self._pane.app.push_screen(Chooser(title, choices, writes="writes a file"), self._copy)

    def _copy(self, answer: tuple[str, str] | None) -> None:
        how, form = answer or ("", "")
        if form == _TO_FILE or how == "w":
            self._question.ask(FILE, "write bytes to", "", check_new_file)
            return
        if form:
            self.put(FORMS[form](self._source.view(self._start, self._end)))
        self.forget()

    def write(self, name: str) -> None:
        """Write the bytes to a new file."""
        save_runs(self._pane, Path(name).expanduser(), self._source.runs(self._start, self._end), "this pane")
        self.forget()

    def put(self, text: str) -> None:
        """Copy a text to the clipboard, and say so."""
        self._pane.app.copy_to_clipboard(text)
        self._pane.notify(COPIED, markup=False)
