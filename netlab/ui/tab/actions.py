"""The actions of a tab, by the names in the table of commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from netlab.lab.state import Phase
from netlab.ui.reader.pages import LESSON, THEN_NOW
from netlab.ui.tab.app_commands import AppCommandEntered
from netlab.ui.tab.cursor_links import CursorLinks
from netlab.ui.tab.experiments_and_lanes import ExperimentsAndLanes
from netlab.ui.tab.load_of_tab import LoadOfTab
from netlab.ui.tab.offered_actions import OfferedActions
from netlab.ui.tab.panes import LabPanes
from netlab.ui.tab.picture_of_tab import TabPicture
from netlab.ui.tab.reading_and_copying import Copying, ReadingActions
from netlab.ui.tab.views import Views
from netlab.ui.widgets.chooser import Chooser, ChooserItem

MODELS = {
    "single": "one client at a time; the others wait in the accept queue",
    "threading": "a thread per client",
    "forking": "a process per client",
    "pool": "a fixed number of threads share the work",
    "raw": "the plain socket loop: bind, listen, accept, recv",
    "stream": "file interface: reads lines, answers lines",
    "asyncio": "one thread, one event loop, many clients",
}
"""A description of each model for the list of models; a topic may have others."""

NO_MODELS = "How your server handles many clients is in its own code. The tabs 1 to 8 have models."


class TabActions(OfferedActions):
    """Each public method is an action; `OfferedActions` says whether it is available."""

    def __init__(
        self,
        tab: LabPanes,
        cursor_links: CursorLinks,
        experiments_and_lanes: ExperimentsAndLanes,
        views: Views,
        pictures: TabPicture,
        load: LoadOfTab,
    ) -> None:
        super().__init__(tab, experiments_and_lanes)
        self._cursor_links, self._views, self._pictures, self._load = cursor_links, views, pictures, load
        self.reading, self._copying = ReadingActions(tab), Copying(tab)

    def do(self, action: str, *arguments: object) -> None:
        """Run an action."""
        method: Callable[..., None] = getattr(self, action)
        method(*arguments)

    # Server

    def toggle_server(self) -> None:
        """Stop server and wire, or start them; status line and banner show a failure.

        A program that starts or ends slowly is ended without waiting for what is under way.
        """
        state = self._lab.state
        if state.phase is Phase.STOPPING or state.progress is not None:
            self._lab.hurry()
        elif self.serving:
            self._live.ask(self._lab.stop, self._tab.answer)
        else:
            self._live.start()

    def choose_model(self) -> None:
        """Ask for a model, and switch to it. An attachment has none, and that is said."""
        topic = self._tab.topic
        if topic.attached:
            self._tab.notify(NO_MODELS, title="models", markup=False)
            return
        choices = [ChooserItem(model, model, MODELS.get(model, ""), topic.lacking(model)) for model in topic.models]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self.set_model(answer[1])

        title = "model: how the server handles many clients"
        self._tab.app.push_screen(Chooser(title, choices, self._lab.state.model), chosen)

    def set_model(self, model: str) -> None:
        """Serve with another model."""
        self._live.ask(partial(self._lab.set_model, model), self._tab.answer)

    def edit_server(self) -> None:
        """Open the person's own server file in an editor; ask first for the folder of a copy, if there is none yet."""
        topic = self._tab.topic
        if self._lab.own.path is not None:
            self._tab.post_message(AppCommandEntered("edit", "", topic))
        else:
            self._tab.console.prompt.begin(f":edit netlab-{topic.name}")
            self.focus_console()

    # Clients

    def new_client(self) -> None:
        """Connect another client."""
        self._tab.ask(":connect")
        self.focus_console()

    def close_client(self) -> None:
        """Close the current client."""
        self._tab.ask(":close")

    def previous_client(self) -> None:
        """Go to the previous client; from the first, to the last."""
        self._step_client(-1)

    def next_client(self) -> None:
        """Go to the next client; from the last, to the first."""
        self._step_client(1)

    def _step_client(self, direction: int) -> None:
        numbers = [session.number for session in self._lab.sessions]
        if numbers and self._lab.current is not None:
            index = (numbers.index(self._lab.current.number) + direction) % len(numbers)
            self.use_client(numbers[index])

    def use_client(self, number: int) -> None:
        """Make a client the current one."""
        self._tab.ask(f":use {number}")

    # The wire

    def open_faults(self) -> None:
        """Show the fault form."""
        from netlab.ui.faults.fault_form import FaultForm  # late: first paint does not need it

        self._tab.app.push_screen(FaultForm(self._live))

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._live.ask(self._lab.wire.clear, self._tab.answer)

    # Panes

    def focus_console(self) -> None:
        """Put the cursor into the console's input."""
        self._tab.panes.go("console")

    def begin_command(self) -> None:
        """The same, after typing a colon."""
        self._tab.console.prompt.begin(":")
        self.focus_console()

    def show_pane(self, name: str) -> None:
        """Show a pane and go there."""
        self._tab.panes.go(name)

    def next_pane(self) -> None:
        """Go to the next pane."""
        self._tab.panes.step(1)

    def previous_pane(self) -> None:
        """Go to the previous pane."""
        self._tab.panes.step(-1)

    def maximize_pane(self) -> None:
        """Give the focused pane the whole tab, or show all panes again."""
        self._tab.panes.toggle_whole()

    def follow_link(self) -> None:
        """Go from the call to its segments, or back."""
        self._cursor_links.follow()

    def search(self) -> None:
        """Ask for a text to find in the focused pane, or for a filter of the wire."""
        tab, reader = self._tab, self._tab.panes.reader
        asks: dict[str, Callable[[], None]] = {
            "console": tab.console.transcript.action_find,
            "log": tab.log_pane.action_find,
            "wire": tab.wire.action_filter,
            "bytes": tab.inspector.action_search,
        } | ({"reader": reader.action_find} if reader is not None else {})
        if (picture := tab.panes.picture_slot.pane) is not None:
            asks["picture"] = picture.action_find
        ask = asks.get(tab.panes.pane_of(tab.screen.focused))
        if ask is not None:
            ask()
        else:
            where = "bytes, picture, source, lesson, log and transcript, and filters the wire"
            tab.notify(f"This pane cannot be searched. / searches {where}.", markup=False)

    def intercept_wire(self) -> None:
        """Ask which segments to hold."""
        self._tab.panes.go("wire", self._tab.wire.action_intercept)

    # Experiments and swim lanes

    def show_experiments(self) -> None:
        """Show the experiments; if the pane is open already, the running experiment or its outcome."""
        self._experiments_and_lanes.show_experiments()

    def open_experiment(self, name: str) -> None:
        """Show an experiment's question."""
        self._experiments_and_lanes.open_experiment(name)

    def end_waiting(self) -> None:
        """Stop the running experiment or load, else abandon the waiting call."""
        if self._live.running:
            self._experiments_and_lanes.stop()
        elif self._live.loading:
            self._load.stop()
        elif self._lab.current is not None:
            self._lab.current.abandon()

    def toggle_lanes(self) -> None:
        """Show the swim lanes, or close them."""
        self._experiments_and_lanes.toggle_lanes()

    def toggle_views(self) -> None:
        """Show the client's buffers and views, or close them."""
        self._views.toggle()

    def toggle_picture(self) -> None:
        """Show the picture of the selected segment's flow, or close it."""
        self._pictures.toggle()

    def show_load(self) -> None:
        """Show the last loads; if they are shown already, or there are none, ask for one."""
        self._load.show()

    # Reading and copying

    def show_source(self) -> None:
        """Show the running server's code and what it uses, page by page; after the last page, close it."""
        self.reading.show_source()

    def show_lesson(self) -> None:
        """Show the lesson, or close it."""
        self.reading.toggle(LESSON)

    def show_then_now(self) -> None:
        """Show then and now, or close it."""
        self.reading.toggle(THEN_NOW)

    def copy_as(self) -> None:
        """Ask what to copy; copy it, or write it to a file."""
        self._copying.ask()
