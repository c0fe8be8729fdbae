"""A tab's body: one lab on the screen. It draws what the lab tells, and asks the lab for what a person wants.

A timer drains the lab's news, as much as came since the last time in one go; a tab that is not seen drains nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.timer import Timer

from netlab.dissect.fields import Dissector
from netlab.lab.state import LabState, Phase
from netlab.ui.bytes.bytes_pane import BytesPane
from netlab.ui.bytes.plaintext import Plaintexts
from netlab.ui.console.prompt import Prompt
from netlab.ui.console.transcript import Transcript
from netlab.ui.lab_thread import LiveLab, Tidings
from netlab.ui.tab.actions import BenchActions
from netlab.ui.tab.cursor_links import Links
from netlab.ui.tab.experiments_and_lanes import Observing
from netlab.ui.tab.intercepts import Intercepts
from netlab.ui.tab.panes import LabPanes
from netlab.ui.tab.status import Banner, StatusLine
from netlab.ui.widgets.formatting import Presentation
from netlab.ui.wire.decrypted_lines import OpenedLines
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:  # panes that come later; the first tab serves earlier without them
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.lanes.lanes_pane import LanesPane
    from netlab.ui.reader.reader import Reader
    from netlab.ui.wire.intercept_editor import ByteEditor

PERIOD = 1 / 30
"""Seconds between two looks at the lab's news."""

BATCH = 400
"""Log lines drawn in one look; what came beyond them is skipped and counted."""

_SLOW = 6
"""Looks between two updates of what waits, and of counters."""


class BenchPane(LabPanes):
    """One topic's tab: status line, banner, and the panes."""

    DEFAULT_CSS = """
    BenchPane { height: 1fr; background: $background; }
    """

    def __init__(self, live: LiveLab, presentation: Presentation) -> None:
        super().__init__(live, presentation)
        self.observing = Observing(self)
        self.intercepts = Intercepts(self)
        self.links = Links(self)
        self.actions = BenchActions(self, self.links, self.observing)
        self._dissector: Dissector | None = None
        self._timer: Timer | None = None
        self._looks = 0
        self._shown: LabState | None = None
        self._shown_at = 0  # in looks
        self._late_state = False
        self._offered: object = None
        self._told_history = False
        self._learned = False

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield StatusLine(self.presentation)
        yield Banner(self.presentation)
        yield self.panes

    def on_mount(self) -> None:
        """Show what the lab is now, and begin to follow it."""
        self._timer = self.set_interval(PERIOD, self.look)
        self.inspector.plaintexts = Plaintexts(self.topic.opener, lambda: self.lab.secrets)
        if self.topic.encrypted:
            self.wire.opened = OpenedLines(lambda segment: self.topic.conversation(), lambda: self.lab.secrets)
        self.inspector.make_panel = self.topic.panel
        try:
            self._dissector = self.topic.dissector()
        except Exception as error:  # noqa: BLE001 - whatever a topic's module raises; its bytes are shown raw then
            self.console.say(f"the dissector does not load, bytes are shown raw: {error}", error=True)
        self._draw(Tidings(state=True, log=True, sessions=True, capture_replaced=True))

    def _learn(self) -> None:
        """What the console completes; not before the state is known, because it imports the recipe's client."""
        self._learned = True
        self.completion.operations = self.lab.operations
        self.completion.ask = self._ask_server if self.lab.remote else None
        self.completion.values = {
            **self.completion.values,
            "model": self.topic.usable_models,
            "fault": lambda: [kind.name for kind in self.lab.wire.kinds],
        }
        self.observing.learn()

    def _ask_server(self, name: str) -> None:
        self.live.ask(lambda: self.lab.learn(name))

    def watch_lab(self, watching: bool) -> None:
        """Follow the lab, or let its news gather while the tab is not seen."""
        if self._timer is not None:
            if watching:
                self._timer.resume()
                self.look()
            else:
                self._timer.pause()

    # From the lab to the screen

    def _show_state(self) -> None:
        """Show the lab's state; where only its counters have changed, five times a second at most."""
        state, shown = self.lab.state, self._shown
        counted = shown is not None and replace(state, accounts=shown.accounts) == shown
        self._late_state = counted and self._looks - self._shown_at < _SLOW
        if self._late_state:
            return
        self._shown, self._shown_at = state, self._looks
        self.query_one(StatusLine).state = state
        if not counted:
            self._show_change(state)

    def _show_change(self, state: LabState) -> None:
        self.query_one(Banner).state = state
        if state.phase is not Phase.STARTING and not self._learned:
            self.call_after_refresh(self._learn)
        self.actions.follow_model(state.model)
        self.intercepts.look(state)
        offered = (state.phase, state.model, state.faults, state.intercept, len(state.held))
        if offered != self._offered:  # the queue changes often and decides about no key
            self._offered = offered
            self.refresh_bindings()

    def look(self) -> None:
        """Draw what is new."""
        self._looks += 1
        tidings = self.live.news.take()
        if tidings is not None:
            self._draw(tidings)
        elif self._looks % _SLOW == 0 and any(session.busy for session in self.lab.sessions):
            self.console.tell()
        if self._late_state and self._looks - self._shown_at >= _SLOW:
            self._show_state()
        self.wire.grow()
        current = self.lab.current
        self.inspector.look(current.client if current is not None else None)
        self.observing.look()

    def _draw(self, tidings: Tidings) -> None:
        if tidings.state:
            self._show_state()
        if tidings.log:
            self.log_pane.grow(self.lab.log, BATCH)
        if tidings.sessions:
            self.console.show_sessions(self.lab.sessions, self.lab.current)
        if tidings.transcripts:
            self.console.grow()
            self.observing.meet()
        if tidings.capture_replaced:
            self.wire.show(self.lab.shown_capture, self._dissector)

    # From the person to the lab

    def on_prompt_entered(self, event: Prompt.Entered) -> None:
        """Run the lines in their order."""
        event.stop()
        for line in event.lines:
            self.ask(line)
        self.console.transcript.scroll_end(animate=False)
        if self.history.problem and not self._told_history:
            self._told_history = True
            self.console.say(self.history.problem)

    def on_prompt_left(self, event: Prompt.Left) -> None:
        """Leave the input; a call that waits goes on waiting."""
        event.stop()
        self.panes.leave_console()

    def on_prompt_moved_on(self, event: Prompt.MovedOn) -> None:
        """Go to the next pane."""
        event.stop()
        self.panes.step(1)

    # Between the panes

    def on_wire_list_segment_highlighted(self, event: WireList.SegmentHighlighted) -> None:
        """Show the segment's bytes."""
        event.stop()
        chosen, hurried = not self.wire.following, self.wire.following and self.wire.hurried
        self.inspector.show_segment(event.segment, self.wire.capture, self._dissector, chosen=chosen, hurried=hurried)
        self.links.highlighted(event.segment)

    def on_transcript_pointed(self, event: Transcript.Pointed) -> None:
        """Go to the call's segments."""
        event.stop()
        self.links.pointed(event.call)

    def on_wire_list_segment_chosen(self, event: WireList.SegmentChosen) -> None:
        """Go to the bytes."""
        event.stop()
        self.panes.go("bytes")

    def on_wire_list_wanted(self, event: WireList.Wanted) -> None:
        """Hold segments, or do something with one."""
        event.stop()
        self.intercepts.do(event)

    def on_byte_editor_applied(self, event: ByteEditor.Applied) -> None:
        """Let these bytes leave in place of those held."""
        event.stop()
        self.intercepts.apply(event)

    def on_byte_editor_cancelled(self, event: ByteEditor.Cancelled) -> None:
        """Put the editor away."""
        event.stop()
        self.intercepts.close()

    def on_bytes_pane_held(self, event: BytesPane.Held) -> None:
        """Keep the segment whose bytes are looked at."""
        event.stop()
        self.wire.hold()

    def on_experiment_pane_wanted(self, event: ExperimentPane.Wanted) -> None:
        """Run it."""
        event.stop()
        self.observing.run(event.experiment)

    def on_experiment_pane_left(self, event: ExperimentPane.Left) -> None:
        """See what it does on the wire."""
        event.stop()
        self.panes.go("wire")

    def on_experiment_pane_closed(self, event: ExperimentPane.Closed) -> None:
        """Show the bytes again."""
        event.stop()
        self.panes.put_away(self.panes.experiment_slot)

    def on_experiment_pane_code_wanted(self, event: ExperimentPane.CodeWanted) -> None:
        """Show it in the place of wire and bytes."""
        event.stop()
        self.observing.show_code(event.experiment)

    def on_lanes_pane_closed(self, event: LanesPane.Closed) -> None:
        """Put them away."""
        event.stop()
        self.panes.put_away(self.panes.lanes_slot)

    def on_reader_closed(self, event: Reader.Closed) -> None:
        """Show wire and bytes again."""
        event.stop()
        self.panes.put_away(self.panes.reader_slot)
