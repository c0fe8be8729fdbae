"""What a person can have done on a bench, by the names that the table of commands uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from netlab.capture.model import Transport
from netlab.lab.state import Phase
from netlab.ui.reader.pages import LESSON, THEN_NOW, Page, source_pages, text_page
from netlab.ui.reader.reader import Reader
from netlab.ui.tab.copy_choices import copies, last_call
from netlab.ui.tab.cursor_links import Links
from netlab.ui.tab.experiments_and_lanes import Observing
from netlab.ui.tab.panes import LabPanes
from netlab.ui.widgets.chooser import Choice, Chooser
from netlab.ui.widgets.notices import COPIED
from netlab.ui.widgets.saving import what_was_there, write_runs

MODELS = {
    "single": "one client at a time; the others wait in the accept queue",
    "threading": "a thread for each client",
    "forking": "a process for each client",
    "pool": "a fixed number of threads share the work",
    "raw": "the plain socket loop: bind, listen, accept, recv",
    "stream": "file interface: reads lines, answers lines",
    "asyncio": "one thread, one event loop, many clients",
}
"""What each model means, for the list to choose from; a topic may have others."""

COPY_FILE = "netlab-copy.txt"

_LOOKING = ("show_experiments", "toggle_lanes")


class BenchActions:
    """Each public method is an action; `offers` says whether it can be had now."""

    def __init__(self, bench: LabPanes, links: Links, observing: Observing) -> None:
        self._bench, self._links, self._observing = bench, links, observing
        self._live, self._lab = bench.live, bench.lab

    @property
    def serving(self) -> bool:
        """Whether the server serves or is about to."""
        return self._lab.state.phase in (Phase.SERVING, Phase.STARTING)

    @property
    def waiting(self) -> bool:
        """Whether a call of the current client waits, or an experiment runs."""
        current = self._lab.current
        return self._live.running or (current is not None and current.busy is not None)

    def label(self, action: str) -> str | None:
        """What the action would do now, in a word, where that changes."""
        if action == "end_waiting":
            return "stop experiment" if self._live.running else "abandon"
        return ("stop" if self.serving else "start") if action == "toggle_server" else None

    def offers(self, action: str) -> bool | None:
        """True: it can be had; None: not now; False: it is not there."""
        if action == "close_client":
            return True if self._lab.current is not None else None
        if action == "clear_faults":
            return True if self._lab.wire.faults else None
        if action in ("previous_client", "next_client"):
            return True if len(self._lab.sessions) > 1 else None
        if action in ("toggle_server", "choose_model") and self._live.running:
            return None  # it would not be the experiment that is asked about
        if action == "end_waiting":
            return self.waiting
        if action in _LOOKING:
            return self._observing.offers(action)
        return True

    def do(self, action: str, *arguments: object) -> None:
        """Do it."""
        method: Callable[..., None] = getattr(self, action)
        method(*arguments)

    # Server

    def toggle_server(self) -> None:
        """Stop server and wire, or start them; what fails, state and banner tell."""
        if self.serving:
            self._live.ask(self._lab.stop, self._bench.answer)
        else:
            self._live.start()

    def choose_model(self) -> None:
        """Ask which model, and take it."""
        topic = self._bench.topic
        choices = [Choice(model, model, MODELS.get(model, ""), topic.lacking(model)) for model in topic.models]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self.set_model(answer[1])

        title = "how the server handles many clients"
        self._bench.app.push_screen(Chooser(title, choices, self._lab.state.model), chosen)

    def set_model(self, model: str) -> None:
        """Serve with another model."""
        self._live.ask(partial(self._lab.set_model, model), self._bench.answer)

    # Clients

    def new_client(self) -> None:
        """Connect one more."""
        self._bench.ask(":connect")
        self.focus_console()

    def close_client(self) -> None:
        """Close the current one."""
        self._bench.ask(":close")

    def previous_client(self) -> None:
        """The one before, around."""
        self._step_client(-1)

    def next_client(self) -> None:
        """The one after, around."""
        self._step_client(1)

    def _step_client(self, direction: int) -> None:
        numbers = [session.number for session in self._lab.sessions]
        if numbers and self._lab.current is not None:
            index = (numbers.index(self._lab.current.number) + direction) % len(numbers)
            self.use_client(numbers[index])

    def use_client(self, number: int) -> None:
        """Make a client the current one."""
        self._bench.ask(f":use {number}")

    # The wire

    def open_faults(self) -> None:
        """Show the form."""
        from netlab.ui.faults.fault_form import FaultForm  # late: first paint does not need it

        self._bench.app.push_screen(FaultForm(self._live))

    def clear_faults(self) -> None:
        """Take all faults away."""
        self._live.ask(self._lab.wire.clear, self._bench.answer)

    # Panes

    def focus_console(self) -> None:
        """Put the cursor into the input."""
        self._bench.panes.go("console")

    def begin_command(self) -> None:
        """The same, with the colon typed already."""
        self._bench.console.prompt.begin(":")
        self.focus_console()

    def show_pane(self, name: str) -> None:
        """Show a pane and go there."""
        self._bench.panes.go(name)

    def next_pane(self) -> None:
        """One on."""
        self._bench.panes.step(1)

    def previous_pane(self) -> None:
        """One back."""
        self._bench.panes.step(-1)

    def maximize_pane(self) -> None:
        """The whole tab for the focused pane, or no longer."""
        self._bench.panes.toggle_whole()

    def follow_link(self) -> None:
        """From the call to its segments, or back."""
        self._links.follow()

    def search(self) -> None:
        """Ask what to find in the focused pane, or which segments of the wire to show."""
        bench, reader = self._bench, self._bench.panes.reader
        asks: dict[str, Callable[[], None]] = {
            "console": bench.console.transcript.action_find,
            "log": bench.log_pane.action_find,
            "wire": bench.wire.action_filter,
            "bytes": bench.inspector.action_search,
        } | ({"reader": reader.action_find} if reader is not None else {})
        ask = asks.get(bench.panes.pane_of(bench.screen.focused))
        if ask is not None:
            ask()
        else:
            where = "bytes, source, lesson, log and transcript, and filters the wire"
            bench.notify(f"There is nothing to search in this pane: / searches {where}.", markup=False)

    def intercept_wire(self) -> None:
        """Ask what to hold."""
        self._bench.panes.go("wire", self._bench.wire.action_intercept)

    # Experiments and swim lanes

    def show_experiments(self) -> None:
        """The list of them; one that runs, or its outcome, where the pane is there already."""
        self._observing.show_experiments()

    def open_experiment(self, name: str) -> None:
        """Ask the question of one."""
        self._observing.open_experiment(name)

    def end_waiting(self) -> None:
        """Stop the experiment that runs, else give up the call that waits."""
        if self._live.running:
            self._observing.stop()
        elif self._lab.current is not None:
            self._lab.current.abandon()

    def toggle_lanes(self) -> None:
        """The swim lanes, or no longer."""
        self._observing.toggle_lanes()

    # Reading and copying

    def show_source(self) -> None:
        """The running server's code, then what it stands on, page by page; after the last, no longer."""
        pages = source_pages(self._bench.topic, self._lab.state.model)
        reader = self._bench.panes.reader_slot.wanted
        number = pages.index(reader.page) + 1 if reader is not None and reader.page in pages else 0
        if number == len(pages):
            self._bench.panes.put_away(self._bench.panes.reader_slot)
        else:
            self._read(pages[number])

    def follow_model(self, model: str) -> None:
        """Another model serves: its code takes the place of the old one's."""
        reader = self._bench.panes.reader_slot.wanted
        if reader is not None and reader.page.model not in ("", model):
            reader.turn_to(source_pages(self._bench.topic, model)[0])

    def show_lesson(self) -> None:
        """The lesson, or no longer."""
        self._toggle(LESSON)

    def show_then_now(self) -> None:
        """Then and now, or no longer."""
        self._toggle(THEN_NOW)

    def _toggle(self, file: str) -> None:
        page = text_page(self._bench.topic, file)
        reader = self._bench.panes.reader_slot.wanted
        if reader is not None and reader.page == page:
            self._bench.panes.put_away(self._bench.panes.reader_slot)
        else:
            self._read(page)

    def _read(self, page: Page) -> None:
        self._bench.panes.reader_slot.put(Reader(page))
        self._bench.panes.go("reader")

    def copy_as(self) -> None:
        """Ask what to copy, and copy it or write it to a file."""
        bench = self._bench
        current = self._lab.current
        entries = list(current.transcript) if current is not None else []
        address = self._lab.state.address
        last = last_call(bench.topic, address, entries, self._lab.target(address) if address is not None else None)
        waits = any(session.connected and session.local is not None for session in self._lab.sessions)
        waits = waits and self._lab.state.model in ("single", "raw") and bench.topic.transport is Transport.TCP
        found = copies(bench.topic, address, entries, bench.wire.highlighted, last, waits=waits)
        if not found:
            bench.app.notify("There is nothing to copy yet.", markup=False)
            return
        texts = {copy.label: copy.text for copy in found}
        show = bench.presentation.text
        choices = [Choice(copy.label, copy.label, show(copy.meaning)) for copy in found]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._copy(texts[answer[1]], to_file=answer[0] == "w")

        bench.app.push_screen(Chooser("copy", choices, writes=f"writes to {COPY_FILE}"), chosen)

    def _copy(self, text: str, *, to_file: bool) -> None:
        app = self._bench.app
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
            app.notify(f"{len(text):,} characters are in {where}", markup=False)
