"""The console: the clients' names, the current client's transcript, what its call waits for, and the prompt."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from netlab.lab.client.session import Session
from netlab.lab.state import Busy
from netlab.lab.views.completing import ViewCompletion
from netlab.topics.contract import Topic
from netlab.ui.console.history import History
from netlab.ui.console.prompt import PromptInput
from netlab.ui.console.prompt_completion import Completion
from netlab.ui.console.transcript import Transcript
from netlab.ui.keys.hints import follow_keys
from netlab.ui.widgets.formatting import Formatting, shortened

PATIENCE = 0.3
"""Seconds that a call may wait before the screen says so. Most calls return sooner; showing them would flicker."""

GUIDED = 2
"""Lines after which the console stops suggesting a next step."""

_BROKEN = 12
"""Cells that may stay empty when a line is broken between words."""

_LEAST_OF_CALL = 5
"""Cells of a waiting call that are shown in any case."""

_UNKNOWN = 1000
"""Assumed cells of a line that is not laid out yet."""

_CORNERS = 4
"""Cells of the top border that hold no title."""


def _title_of(titles: Sequence[Content], first: int, last: int) -> Content:
    """The pane's title with the clients from ``first`` up to ``last`` (exclusive); "…" stands for the others."""
    before, after = [Content("…")] * (first > 0), [Content("…")] * (last < len(titles))
    return Content(" ─ ").join([Content("console"), *before, *titles[first:last], *after])


def _ended(session: Session) -> str:
    """Whether the session's connection is closed, and who closed it. One that only makes buffers has none yet."""
    if session.busy or not session.connected_at:
        return ""
    if not session.connected:
        return " ✕ closed"
    return f" ✕ closed by {'wire' if session.by_wire else 'server'}" if session.peer_closed else ""


def hints(topic: Topic) -> list[str]:
    """The text of an empty console: what this is, and what to do next."""
    if topic.attached:
        return [
            f"{topic.title} · {topic.summary}. The wire stands before it.",
            "Your own clients connect to the first address in the line above; c copies it.",
            f"Or {topic.hint}. F1 shows help.",
            "Press esc, then a letter: f faults, i intercept, c copy, s stop, l lesson, ? help, > console.",
        ]
    return [
        f"{topic.title} · {topic.summary}.",
        f"{topic.hint[:1].upper()}{topic.hint[1:]}. F1 shows help.",
        "Press esc, then a letter: m model, f faults, e experiments, v source, l lesson, ? help, > console.",
    ]


def waiting_line(seconds: str, call: str, place: str, room: int) -> str:
    """What a call waits for. Where it is short of room, the call is cut, then the place; what ends the wait never."""
    waits, leaves = f"waiting {seconds} for ", " · ctrl+c abandons"
    room -= cell_len(waits + leaves)
    call = shortened(call, max(room - cell_len(place), _LEAST_OF_CALL))
    return f"{waits}{call}{shortened(place, max(room - cell_len(call), 1)) if place else ''}{leaves}"


class Console(Vertical):
    """One topic's clients, shown one at a time."""

    DEFAULT_CSS = """
    Console {
        background: $surface; border-top: solid $primary-muted; border-title-color: $foreground;
        &:focus-within { border-top: heavy $accent; border-title-style: bold; }
        Transcript { height: 1fr; padding: 0 1 0 0; }
        #explained { height: auto; min-height: 1; max-height: 2; padding: 0 1; color: $text-muted; }
        #explained.-waiting { color: $text-warning; text-style: bold; }
        #entry { height: 1; padding: 0 1; }
        #entry > Static { width: auto; color: $text-primary; text-style: bold; }
    }
    """

    def __init__(self, topic: Topic, formatting: Formatting, history: History, completion: Completion) -> None:
        super().__init__(id="console")
        self._topic = topic
        self._formatting = formatting
        self._history = history
        self._completion = completion
        self._sessions: Sequence[Session] = ()
        self._current: Session | None = None
        self._entered = 0
        self._then = topic.then
        self._explained = ""
        self.border_title = "console"

    def compose(self) -> ComposeResult:
        """Transcript, one line of explanation, prompt."""
        transcript = Transcript(self._formatting, hints(self._topic), id="transcript")
        yield transcript
        yield transcript.find_bar
        yield Static("", id="explained", markup=False)
        with Horizontal(id="entry"):
            yield Static(f"{self._topic.name} ❯ ", markup=False)
            yield PromptInput(self._history, self._completion)

    def on_mount(self) -> None:
        """Show the hints, and name keys only while they act."""
        follow_keys(self, self._explain)
        self.transcript.show(None)

    @property
    def transcript(self) -> Transcript:
        """The transcript's widget."""
        return self.query_one(Transcript)

    @property
    def prompt(self) -> PromptInput:
        """The input."""
        return self.query_one(PromptInput)

    def show_sessions(self, sessions: Sequence[Session], current: Session | None) -> None:
        """Show these clients in the title, and the current one's transcript."""
        self._sessions = sessions
        if current is not self._current:
            self._current = current
            self.transcript.show(current.transcript if current is not None else None)
            self._completion.views = ViewCompletion(current.views) if current is not None else None
        self._learn()
        self._completion.values = {**self._completion.values, "use": [session.name for session in sessions]}
        self.update_title()

    def say(self, text: str, *, error: bool = False) -> None:
        """Show the lab's answer to a line, in the transcript on the screen only."""
        if self._current is not None:
            self.transcript.grow(self._current.transcript)  # earlier entries come first
        style = "scrollback--error" if error else "scrollback--note"
        self.transcript.add([((style, "# "), (style, self._formatting.text(line))) for line in text.splitlines()])

    def grow(self) -> None:
        """Draw new entries of the current transcript."""
        if self._current is not None:
            self.transcript.grow(self._current.transcript)
        self._learn()
        self.update_title()

    def _learn(self) -> None:
        """Complete the operations that the current client's server has reported."""
        known = self._current.known_operations if self._current is not None else self._completion.operations
        if known != self._completion.operations:
            self._completion.operations = known
            self.prompt.learned()

    def on_resize(self) -> None:
        """Fit the title to the new width."""
        self.update_title()

    def update_title(self) -> None:
        """Show in the title each client's state, and below it what the current client's call waits for."""
        title = self._title(brief=False)
        if title.cell_length > self.size.width - _CORNERS:
            title = self._title(brief=True)
        if title.cell_length > self.size.width - _CORNERS:
            title = self._excerpt(self.size.width - _CORNERS)
        if title != self.border_title:
            self.border_title = title
        self._explain()

    def _title(self, brief: bool) -> Content:
        """All clients; if ``brief``, only the current one's state is in words."""
        return _title_of(self._titles(brief), 0, len(self._sessions))

    def _titles(self, brief: bool) -> list[Content]:
        return [self._titled(session, brief and session is not self._current) for session in self._sessions]

    def _excerpt(self, room: int) -> Content:
        """The current client, and as many of its neighbours as fit."""
        titles = self._titles(brief=True)
        first = next((i for i, session in enumerate(self._sessions) if session is self._current), 0)
        last = first + 1
        while True:
            wider = [(first - 1, last)] * (first > 0) + [(first, last + 1)] * (last < len(titles))
            fitting = [span for span in wider if _title_of(titles, *span).cell_length <= room]
            if not fitting:
                return _title_of(titles, first, last)
            first, last = fitting[0]

    def _titled(self, session: Session, brief: bool) -> Content:
        waits = self._waited(session.busy) >= PATIENCE
        state = " ◔ waiting" if waits else _ended(session)
        name = Content(session.name + (state[:2] if brief else state))
        if session is self._current:
            name = Content("▸") + name.stylize("bold reverse")
        return name.stylize(Style.from_meta({"@click": f"app.tab('use_client', {session.number})"}))

    @property
    def waiting(self) -> str:
        """What the current client's call waits for; empty if it does not wait."""
        busy = self._current.busy if self._current is not None else None
        seconds = self._waited(busy)
        if busy is None or seconds < PATIENCE:
            return ""
        place = f" · {busy.place}" if busy.place else ""
        text = self._formatting.text(busy.text)
        return waiting_line(self._formatting.seconds(seconds), text, place, self._room)

    @property
    def _room(self) -> int:
        """Cells of the two lines below the transcript, less those that breaking between words may leave empty."""
        width = self.query_one("#explained").content_size.width
        return 2 * width - _BROKEN if width else _UNKNOWN

    @staticmethod
    def _waited(busy: Busy | None) -> float:
        return time.monotonic() - busy.started if busy is not None else 0.0

    def _explain(self) -> None:
        line = self.query_one("#explained", Static)
        waiting = self.waiting
        line.set_class(bool(waiting), "-waiting")
        text = (
            waiting or self._completion.explain(self.prompt.value, self._room) or self._unfolding() or self._next_step()
        )
        text = shortened(text, self._room)
        if text != self._explained:
            fits = max(cell_len(text), cell_len(self._explained)) <= line.content_size.width
            self._explained = text
            line.update(text, layout=not fits)  # one line replaces one line, so nothing else moves

    def _next_step(self) -> str:
        """What to try next: after the first call, until a few lines were typed."""
        session, then = self._current, self._then
        if not then.lines or session is None or not session.connected or session.busy or self.prompt.value:
            return ""
        return f"next: {then}" if 0 < self._entered <= GUIDED and session.transcript.total > 1 else ""

    def _unfolding(self) -> str:
        """How to show all of a result, while the prompt is empty."""
        idle = self.screen.focused is self.prompt and not self.prompt.value
        return "⇧tab, then enter: show all of the result" if idle and self.transcript.last_is_folded else ""

    def on_prompt_input_entered(self, event: PromptInput.Entered) -> None:
        """Count the lines; the tab runs them."""
        self._entered += len(event.lines)
        for line in event.lines:
            self._then = self._then.after(line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Explain the line that is being typed."""
        event.stop()
        self._explain()

    def on_prompt_input_transcript_scrolled(self, event: PromptInput.TranscriptScrolled) -> None:
        """Scroll the transcript; the cursor stays in the input."""
        event.stop()
        if event.pages < 0:
            self.transcript.scroll_page_up(animate=False)
        else:
            self.transcript.scroll_page_down(animate=False)
