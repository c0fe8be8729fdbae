"""A tab's body: one lab on the screen. It draws the lab's changes, and passes the user's requests to the lab.

A timer draws all changes since its last tick at once; a hidden tab draws nothing.
"""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.timer import Timer

from netlab.lab.state import LabState, Phase
from netlab.topics.decrypting import decrypted_by
from netlab.ui.bytes.bytes_pane import BytesPane
from netlab.ui.bytes.fields.plaintext import Plaintexts, whose_keys
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.console.prompt import PromptInput
from netlab.ui.console.transcript import Transcript
from netlab.ui.lab_thread import Changes, LiveLab
from netlab.ui.tab.actions import TabActions
from netlab.ui.tab.app_commands import app_command
from netlab.ui.tab.cursor_links import CursorLinks
from netlab.ui.tab.experiments_and_lanes import ExperimentsAndLanes
from netlab.ui.tab.intercepts import Intercepts
from netlab.ui.tab.load_of_tab import LoadOfTab
from netlab.ui.tab.pane_messages import PaneMessages
from netlab.ui.tab.picture_of_tab import TabPicture
from netlab.ui.tab.status import Banner, StatusLine
from netlab.ui.tab.views import Views
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.dissect_as import DissectAs
from netlab.ui.wire.wire_list import WireList
from netlab.wire.impairment import own_fault

PERIOD = 1 / 30
"""Seconds between two ticks."""

BATCH = 400
"""Log lines drawn per tick; any others are skipped and counted."""

_SLOW = 6
"""Ticks between two updates of waiting times and counters."""

_STANDING = 3
"""Ticks between two looks at where the server stands: ten a second."""


class TopicTab(PaneMessages):
    """One topic's tab: status line, banner, and the panes."""

    DEFAULT_CSS = """
    TopicTab { height: 1fr; background: $background; }
    """

    def __init__(self, live: LiveLab, formatting: Formatting) -> None:
        super().__init__(live, formatting)
        self.experiments_and_lanes = ExperimentsAndLanes(self)
        self.views = Views(self)
        self.intercepts = Intercepts(self)
        self.cursor_links = CursorLinks(self)
        self.pictures = TabPicture(self, lambda: self.dissect_as.meanings(self.wire.capture))
        self.load = LoadOfTab(self)
        self.actions = TabActions(
            self, self.cursor_links, self.experiments_and_lanes, self.views, self.pictures, self.load
        )
        self.dissect_as = DissectAs(self, self._dissect_again, self.topic, self.topic.dissect_file)
        self._timer: Timer | None = None
        self._looks = 0
        self._shown: LabState | None = None
        self._shown_at = 0  # in ticks
        self._late_state = False
        self._serving: object = None
        self._offered: object = None
        self._history_reported = False
        self._learned = False

    def compose(self) -> ComposeResult:
        """Status line, banner, panes."""
        yield StatusLine(self.formatting, attached=self.topic.attached)
        yield Banner(self.formatting)
        yield self.panes

    def on_mount(self) -> None:
        """Show the lab's state, and begin to follow it."""
        if not self.query(StatusLine):  # the app was left, or the tab closed, while it was mounted
            return
        self._timer = self.set_interval(PERIOD, self.look)
        self._decrypt()
        if self.topic.dissect_file is not None:
            self.set_interval(1 / 5, self.dissect_as.look)
        self.inspector.make_panel = self.topic.panel
        try:
            self.dissect_as.load()
        except Exception as error:  # noqa: BLE001 - a topic's module may raise anything; its bytes are shown raw
            self.console.say(f"the dissector could not be loaded, so bytes are shown raw: {error}", error=True)
        if self.dissect_as.problem:
            self.console.say(f"bytes are shown raw: {self.dissect_as.problem}", error=True)
        self._draw(Changes(state=True, log=True, sessions=True, capture_replaced=True))

    def _decrypt(self) -> None:
        """Decrypt with the secrets of the lab's clients, and with those that clients from outside write to a file."""
        keys = self.lab.outside_keys
        whose = whose_keys(keys.path.name, also_ours=self.topic.encrypted) if keys is not None else ()
        topic = decrypted_by(self.topic) if keys is not None else self.topic
        self.inspector.plaintexts = Plaintexts(topic.opener, lambda: self.lab.secrets, *whose)
        if topic.encrypted:
            self.wire.decrypted = DecryptedLines(lambda segment: topic.conversation(), lambda: self.lab.secrets)

    def _learn(self) -> None:
        """Load what the console completes; not before the lab serves, because it imports the recipe's client."""
        self._learned = True
        self.completion.operations = self.lab.operations
        self.completion.ask = self._ask_server if self.lab.remote else None
        self.completion.values = {
            **self.completion.values,
            "model": self.topic.usable_models,
            "fault": lambda: [*(kind.name for kind in self.lab.wire.kinds), *own_fault.nearby()],
        }
        self.experiments_and_lanes.learn()

    def _ask_server(self, name: str) -> None:
        self.live.ask(lambda: self.lab.learn(name))

    def watch_lab(self, watching: bool) -> None:
        """Follow the lab, or stop while the tab is hidden."""
        if self._timer is not None:
            if watching:
                self._timer.resume()
                self.look()
            else:
                self._timer.pause()
                self.lab.watch(())
                self.actions.reading.look_away()

    # From the lab to the screen

    def _show_state(self) -> None:
        """Show the lab's state; if only counters or sockets have changed, at most five times a second."""
        state, shown = self.lab.state, self._shown
        counted = shown is not None and replace(state, accounts=shown.accounts, sockets=shown.sockets) == shown
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
        if (serving := (state.model, state.own, state.server_address)) != self._serving:
            self._serving = serving
            self.actions.reading.follow_server()
        self.intercepts.look(state)
        offered = (state.phase, state.model, state.faults, state.intercept, len(state.held))
        if offered != self._offered:  # not the queue: it changes often, and no key depends on it
            self._offered = offered
            self.refresh_bindings()

    def look(self) -> None:
        """Draw the changes."""
        self._looks += 1
        changes = self.live.changes.take()
        if changes is not None:
            self._draw(changes)
        elif self._looks % _SLOW == 0 and any(session.busy for session in self.lab.sessions):
            self.console.update_title()
        if self._late_state and self._looks - self._shown_at >= _SLOW:
            self._show_state()
        self.wire.grow()
        if self._looks % _SLOW == 0:
            self._look_at_flows()
        self.views.look()
        self.experiments_and_lanes.look()
        self.pictures.look()
        self.load.look()
        if self._looks % _STANDING == 0:
            self.actions.reading.look()

    def _look_at_flows(self) -> None:
        """Show what the kernel knows of the flows in view, and let it be asked about them."""
        self.lab.watch(self.wire.clients_in_view | self.experiments_and_lanes.clients_in_view)
        self.wire.show_sockets(self.formatting.sockets(self.lab.state.sockets))

    def _draw(self, changes: Changes) -> None:
        if changes.state:
            self._show_state()
        if changes.log:
            self.log_pane.grow(self.lab.log, BATCH)
        if changes.sessions:
            self.console.show_sessions(self.lab.sessions, self.lab.current)
        if changes.transcripts:
            self.console.grow()
            self.experiments_and_lanes.meet()
        if changes.capture_replaced:
            capture = self.lab.shown_capture
            self.wire.show(capture, self.dissect_as.meanings(capture))

    # From the user to the lab

    def on_prompt_input_entered(self, event: PromptInput.Entered) -> None:
        """Run the lines in order."""
        event.stop()
        for line in event.lines:
            if (command := app_command(line, self.topic)) is not None:
                self.post_message(command)
            else:
                self.ask(line)
        self.console.transcript.scroll_end(animate=False)
        if self.history.problem and not self._history_reported:
            self._history_reported = True
            self.console.say(self.history.problem)

    def on_prompt_input_escaped(self, event: PromptInput.Escaped) -> None:
        """Leave the input; a waiting call keeps waiting."""
        event.stop()
        self.panes.leave_console()

    def on_prompt_input_moved_on(self, event: PromptInput.MovedOn) -> None:
        """Go to the next pane."""
        event.stop()
        self.panes.step(1)

    # Between the panes

    def on_wire_list_segment_highlighted(self, event: WireList.SegmentHighlighted) -> None:
        """Show the segment's bytes."""
        event.stop()
        chosen, flooded = not self.wire.following, self.wire.following and self.wire.flooded
        how = self.dissect_as.meanings(self.wire.capture)
        self.inspector.show_segment(event.segment, self.wire.capture, how, chosen=chosen, flooded=flooded)
        self.cursor_links.highlighted(event.segment)
        self.pictures.highlighted(event.segment)

    def on_inspector_dissect_as_requested(self, event: Inspector.DissectAsRequested) -> None:
        """Ask as what protocol a flow is read."""
        event.stop()
        self.dissect_as.ask(event.flow)

    def _dissect_again(self) -> None:
        """Read what is shown in another way."""
        self.wire.read_as(self.dissect_as.meanings(self.wire.capture))

    def on_transcript_pointed(self, event: Transcript.Pointed) -> None:
        """Go to the call's segments."""
        event.stop()
        self.cursor_links.pointed(event.call)

    def on_wire_list_segment_chosen(self, event: WireList.SegmentChosen) -> None:
        """Go to the bytes."""
        event.stop()
        self.panes.go("bytes")

    def on_wire_list_action_requested(self, event: WireList.ActionRequested) -> None:
        """Hold segments, or act on one."""
        event.stop()
        self.intercepts.do(event)

    def on_bytes_pane_pause_requested(self, event: BytesPane.PauseRequested) -> None:
        """Keep showing the segment whose bytes the user looks at."""
        event.stop()
        self.wire.pause()

    def on_pane_closed(self, event: PaneClosed) -> None:
        """Close the pane, and show again what it covered."""
        event.stop()
        self.panes.close(event.pane)
        if event.pane.id == "views":
            self.views.closed()
