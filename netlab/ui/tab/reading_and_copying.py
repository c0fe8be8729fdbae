"""What a tab shows to read, in the reader, and what it copies: to the clipboard or to a file."""

from __future__ import annotations

from pathlib import Path

from netlab.capture.model import Endpoint, Transport
from netlab.ui.reader.pages import Page, source_pages, text_page
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.standing_marks import Marks, marks_of
from netlab.ui.tab.copying.copy_choices import copies, last_call
from netlab.ui.tab.panes import LabPanes
from netlab.ui.widgets.chooser import Chooser, ChooserItem
from netlab.ui.widgets.notices import COPIED
from netlab.ui.widgets.saving import what_was_there, write_runs

COPY_FILE = "netlab-copy.txt"
_WATCHER = "reader"


class ReadingActions:
    """The source and the texts of a topic, in the tab's reader."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab, self._lab = tab, tab.lab

    def show_source(self) -> None:
        """Show the running server's code and what it uses, page by page; after the last page, close it."""
        pages = self._source_pages()
        reader = self._tab.panes.reader_slot.wanted
        number = pages.index(reader.page) + 1 if reader is not None and reader.page in pages else 0
        if number == len(pages):
            self._tab.panes.put_away(self._tab.panes.reader_slot)
        else:
            self._read(pages[number])

    def _source_pages(self) -> tuple[Page, ...]:
        return source_pages(self._tab.topic, self._lab.state.model, self._lab.own.path)

    def follow_server(self) -> None:
        """Another server serves: show its code, on the same page if it has one of that title."""
        reader = self._tab.panes.reader_slot.wanted
        if reader is not None and reader.page.model:
            pages = self._source_pages()
            title = reader.page.title
            reader.turn_to(next((page for page in pages if page.title == title), pages[0]))

    def look(self) -> None:
        """Mark where the server stands, while its code is shown."""
        reader = self._tab.panes.reader
        shows = reader is not None and bool(reader.page.model)
        self._lab.watch_standing(_WATCHER, shows)
        if reader is not None and shows:
            own = self._lab.state.own
            outdated = own is not None and bool(own.problem)  # the code that serves is not the one that is shown
            standings = None if outdated else self._lab.standing
            marks = marks_of(reader.page, standings, self._name) if standings is not None else Marks()
            if marks != reader.marks:
                reader.mark(marks)

    def look_away(self) -> None:
        """Nobody sees it."""
        self._lab.watch_standing(_WATCHER, False)

    def _name(self, client: Endpoint) -> str:
        return self._tab.formatting.text(self._lab.name_of(client))

    def toggle(self, file: str) -> None:
        """Show a text of the topic, or close it."""
        page = text_page(self._tab.topic, file)
        reader = self._tab.panes.reader_slot.wanted
        if reader is not None and reader.page == page:
            self._tab.panes.put_away(self._tab.panes.reader_slot)
        else:
            self._read(page)

    def _read(self, page: Page) -> None:
        self._tab.panes.reader_slot.put(ReaderPane(page))
        self._tab.panes.go("reader")


class Copying:
    """Offers what can be copied from a tab, and copies the choice."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab, self._lab = tab, tab.lab

    def ask(self) -> None:
        """Ask what to copy; copy it, or write it to a file."""
        tab = self._tab
        current = self._lab.current
        entries = list(current.transcript) if current is not None else []
        address = self._lab.state.address
        last = last_call(tab.topic, address, entries, self._lab.target(address) if address is not None else None)
        waits = any(session.connected and session.local is not None for session in self._lab.sessions)
        waits = waits and self._lab.state.model in ("single", "raw") and tab.topic.transport is Transport.TCP
        found = copies(tab.topic, address, entries, tab.wire.highlighted, last, waits=waits)
        if not found:
            tab.app.notify("There is nothing to copy yet.", markup=False)
            return
        texts = {copy.label: copy.text for copy in found}
        show = tab.formatting.text
        choices = [ChooserItem(copy.label, copy.label, show(copy.meaning)) for copy in found]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._copy(texts[answer[1]], to_file=answer[0] == "w")

        tab.app.push_screen(Chooser("copy", choices, writes=f"writes to {COPY_FILE}"), chosen)

    def _copy(self, text: str, *, to_file: bool) -> None:
        app = self._tab.app
        if not to_file:
            app.copy_to_clipboard(text)
            app.notify(COPIED, markup=False)
            return
        try:
            _, kept = write_runs(Path(COPY_FILE), [memoryview(f"{text}\n".encode("utf-8", "surrogateescape"))])
        except OSError as error:
            app.notify(f"{COPY_FILE} could not be written: {error.strerror}", severity="error", markup=False)
        else:
            where = f"{Path(COPY_FILE).absolute()}{what_was_there(kept)}"
            app.notify(f"Wrote {len(text):,} characters to {where}", markup=False)
