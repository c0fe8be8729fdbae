"""One lab with the panes that show it; passes the user's requests to the lab and shows the results.

What connects the panes (cursor links, intercepts, experiments, actions) is built on this, and knows no more of a tab.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.message import Message

from netlab.folders import history_file
from netlab.lab.processes.programs.program import Program
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.console.console_pane import Console
from netlab.ui.console.history import History
from netlab.ui.console.prompt_completion import Completion
from netlab.ui.lab_thread import LiveLab
from netlab.ui.tab.app_commands import APP_COMMANDS
from netlab.ui.tab.arrangement.layout import Panes
from netlab.ui.tab.server_log import LogPane, ServerLog
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.views.views_pane import ViewsPane

ELSEWHERE = "Your server logs where you started it."
OUTPUT = "What your program writes appears here."


class LabPanes(Vertical):
    """The panes of one lab, created but not filled."""

    @dataclass
    class Replied(Message):
        """The result of a request: a text, or the exception that it raised."""

        text: str | None
        error: Exception | None

    def __init__(self, live: LiveLab, formatting: Formatting) -> None:
        super().__init__(id=f"panes-of-{live.topic.name}")
        self.live = live
        self.topic, self.lab = live.topic, live.lab
        self.formatting = formatting
        commands = (*self.lab.commands, *APP_COMMANDS)
        self.completion = Completion(variable=self.topic.variable, commands=commands)
        self.history = History(history_file(self.topic.name), [c.name for c in self.lab.commands if c.secret])
        self.console = Console(self.topic, formatting, self.history, self.completion)
        self.wire = WireList(id="wire", live=True)
        self.inspector = Inspector(id="bytes")
        self.log_pane = self._log()
        self.panes = Panes(self.console, self.wire, self.inspector, LogPane(self.log_pane))

    def _log(self) -> ServerLog:
        plan = self.lab.plan
        if isinstance(plan, Program):
            return ServerLog(self.formatting, title=f"output of {self.formatting.text(plan.name)}", empty=OUTPUT)
        return ServerLog(self.formatting, empty=ELSEWHERE if self.topic.attached else ServerLog.EMPTY)

    def ask(self, line: str) -> None:
        """Run a console line."""
        self.live.ask(partial(self.lab.submit, line), self.answer)

    def answer(self, text: str | None, error: Exception | None) -> None:
        """Take a request's result, in any thread."""
        if text or error:
            self.post_message(self.Replied(text, error))

    def on_lab_panes_replied(self, event: Replied) -> None:
        """Show the result in the console."""
        event.stop()
        if event.error is not None:
            self.console.say(str(event.error) or type(event.error).__name__, error=True)
        elif event.text:
            self.console.say(event.text)

    def on_views_pane_line_requested(self, event: ViewsPane.LineRequested) -> None:
        """Run the line as if it were typed."""
        event.stop()
        self.ask(event.line)
        self.console.transcript.scroll_end(animate=False)

    def on_views_pane_bytes_requested(self, event: ViewsPane.BytesRequested) -> None:
        """Go to the bytes."""
        event.stop()
        self.panes.go("bytes")
