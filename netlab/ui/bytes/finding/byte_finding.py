"""The search in a bytes pane: what is looked for, what was found, and what is said about it."""

from __future__ import annotations

from textual.worker import Worker

from netlab.dissect.search import parse_pattern
from netlab.dissect.text import safe
from netlab.ui.bytes.finding.byte_search import SearchEnded, SearchProgressed, SearchRequest, start_search
from netlab.ui.bytes.shown_bytes import ShownBytes
from netlab.ui.keys.hints import hint


class ByteFinding:
    """Searches the bytes that a pane shows, and moves its cursor to the match."""

    def __init__(self, pane: ShownBytes) -> None:
        self._pane = pane
        self.pattern = b""
        """What is looked for; empty if nothing is."""
        self.typed = ""
        """The same, as the person wrote it."""
        self._search: Worker[None] | None = None
        self._acts: tuple[tuple[str, str], ...] = ()
        self._found: int | None = None  # the offset that the last search's result is about

    def begin(self, typed: str) -> None:
        """Look for something else, from the cursor on."""
        self.typed, self.pattern = typed, parse_pattern(typed)
        self.seek(self._pane.bytes.cursor, backward=False)

    def seek(self, start: int, *, backward: bool) -> None:
        """Look for the next match from an offset on."""
        self._remark("searching…")
        self._search = start_search(self._pane, SearchRequest(self._pane.bytes.source, self.pattern, start, backward))

    def progressed(self, event: SearchProgressed) -> None:
        """Show the progress."""
        if self._search is not None:
            self._remark(f"searching {event.percent} %", ("clear", "cancels"))

    def ended(self, event: SearchEnded) -> None:
        """Go to the match, or say that there is none."""
        view = self._pane.bytes
        self._search = None
        self._found = view.cursor if event.at is None else event.at
        if event.sought.source is not view.source or event.cancelled or not self.pattern:
            self._remark("")
        elif event.at is None:
            self._remark(f"{safe(self.typed)} not found")
        else:
            view.mark_match(event.at, event.at + len(event.sought.pattern))
            view.move_to(event.at, by_hand=True)
            ways = (
                (("find(False)", "next"),) if event.wrapped else (("find(False)", "next"), ("find(True)", "previous"))
            )
            self._remark("found, search wrapped around" if event.wrapped else "found", *ways)

    def left(self, cursor: int | None) -> None:
        """Clear the result once the cursor leaves it, unless the search still runs; at once if None."""
        if cursor is None or (self._search is None and cursor != self._found):
            self._remark("")

    def clear(self) -> bool:
        """End the search; whether anything was looked for."""
        if self._search is not None:
            self._search.cancel()
        sought, self.pattern = bool(self.pattern), b""
        if sought:
            self._pane.bytes.mark_match(0, 0)
            self._remark("")
        return sought

    def name_keys(self) -> None:
        """Update the keys that are named in the remark."""
        inspector = self._pane.data_inspector
        inspector.remark(inspector.note, hint(self._pane, *self._acts))

    def _remark(self, note: str, *acts: tuple[str, str]) -> None:
        """Show a remark about the search, and the keys that continue it."""
        self._acts = acts
        self._pane.data_inspector.remark(note, hint(self._pane, *acts))
        self._pane.refresh_bindings()
