"""Every command of the app, once: footer, palette, help and key bindings are read from here.

A command's ``action`` is a method of the app, or ``bench('…')``: a method of the tab's bench of that name, whose
availability the bench tells. What is not there yet has no row: nothing is shown that does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a person can have done.

    ``key`` may be several, with commas; ``label`` stands in the footer, ``tooltip`` (one sentence) in palette and help;
    ``footer`` is its rank there, 0 for not at all. ``alias`` keys are not remapped and not shown.
    """

    id: str
    key: str
    label: str
    tooltip: str
    group: str
    action: str
    footer: int = 0
    priority: bool = False

    @property
    def bench_action(self) -> str | None:
        """The bench's method that does it, if it is the bench that does it."""
        return self.action[len("bench('") : -len("')")] if self.action.startswith("bench('") else None

    def binding(self) -> Binding:
        """The command as Textual binds it."""
        return Binding(
            self.key,
            self.action,
            self.label,
            show=bool(self.footer),
            tooltip=self.tooltip,
            id=self.id,
            priority=self.priority,
        )


_NAMES = {
    "question_mark": "?", "slash": "/", "backslash": "\\", "left_square_bracket": "[", "right_square_bracket": "]",
    "colon": ":", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "up": "↑", "down": "↓", "left": "←",
    "right": "→", "shift+tab": "⇧tab", "shift+right": "⇧→", "equals_sign": "=", "minus": "-", "plus": "+",
    "apostrophe": "'", "greater_than_sign": ">", "backspace": "bksp", "delete": "del",
}  # fmt: skip


def readable(key: str) -> str:
    """A key's name as a person reads it: ``^p`` for ``ctrl+p``, ``?`` for ``question_mark``."""
    key = key.strip()
    if key.startswith("ctrl+"):
        return "^" + readable(key[5:])
    return _NAMES.get(key, key)


def _bench(id: str, key: str, label: str, tooltip: str, group: str, action: str, footer: int = 0) -> Command:
    return Command(id, key, label, tooltip, group, f"bench('{action}')", footer)


COMMANDS: tuple[Command, ...] = (
    Command("help", "question_mark,f1", "help", "What the focused pane shows, its keys, and what the console takes",
            "help", "help", 1),
    _bench("console.focus", "greater_than_sign", "console", "Put the cursor into the console, from any pane", "panes",
           "focus_console", 2),
    _bench("console.command", "colon", "command", "Begin a line to the lab in the console, such as :connect",
           "panes", "begin_command", 2),
    _bench("server.toggle", "s", "start/stop", "Stop server and wire (capture and transcripts stay), or start them",
           "server", "toggle_server", 3),
    _bench("server.model", "m", "model", "Choose how the server handles many clients", "server", "choose_model", 4),
    _bench("fault.form", "f", "faults", "Let faults act on the wire: delay, slice, corrupt, cut; see those that do",
           "wire", "open_faults", 5),
    _bench("wire.intercept", "i", "intercept", "Hold segments that match a filter, to look at, edit, drop or let go",
           "wire", "intercept_wire"),
    _bench("fault.clear", "F", "clear faults", "Let the wire carry everything unchanged again", "wire",
           "clear_faults"),
    _bench("experiments", "e", "experiments", "Predict, run, see: the topic's experiments on this tab's lab", "view",
           "show_experiments", 5),
    Command("waiting.end", "ctrl+c", "abandon",
            "Give up the call that waits, or stop the experiment that runs; text that is selected is copied instead",
            "console", "bench('end_waiting')", 1, priority=True),
    _bench("lanes", "p", "swim lanes", "Each client's way through connect, accept queue and service, on one time axis",
           "view", "toggle_lanes"),
    _bench("copy", "c", "copy as", "Copy the address, the last call, the transcript or the selected bytes",
           "view", "copy_as", 6),
    _bench("search", "slash", "search", "Find text in the focused pane; in the wire, filter", "view", "search", 7),
    _bench("link.follow", "L", "follow link",
           "From a call to its segments in the wire; from a segment and its bytes to the call that caused it", "view",
           "follow_link"),
    _bench("view.source", "v", "source", "Read the recipe: the server's and the client's code", "view",
           "show_source"),
    _bench("view.lesson", "l", "lesson", "What this is, what to try and what to look for", "view", "show_lesson"),
    _bench("view.then_now", "d", "then/now", "What the tutorial's code was and what it became", "view",
           "show_then_now"),
    _bench("client.new", "n", "new client", "Connect one more client", "clients", "new_client"),
    _bench("client.close", "x", "close client", "Close the current client's connection", "clients", "close_client"),
    _bench("client.previous", "left_square_bracket", "previous client", "Go to the client before", "clients",
           "previous_client"),
    _bench("client.next", "right_square_bracket", "next client", "Go to the next client", "clients", "next_client"),
    _bench("pane.next", "tab", "next pane", "Go to the next pane", "panes", "next_pane"),
    _bench("pane.previous", "shift+tab", "previous pane", "Go to the pane before", "panes", "previous_pane"),
    _bench("pane.maximize", "backslash", "maximise", "Give the focused pane the whole tab, or give it back", "panes",
           "maximize_pane"),
    Command("jump", "ctrl+o", "jump", "Show a letter on every pane and tab, and go to one of them", "panes", "jump", 0,
            priority=True),
    Command("palette", "ctrl+p", "palette", "Find any command by its name", "app", "command_palette", 8, priority=True),
    Command("quit", "q", "quit", "Leave netlab; asks first if clients are connected or a capture is not saved", "app",
            "leave"),
)  # fmt: skip
"""The app's commands, in the order of help and palette. ``ctrl+q`` always quits as well."""

PROMPT_COMMANDS: tuple[Command, ...] = (
    Command("prompt.leave", "escape", "commands",
            "Leave the console, so that single letters act", "console", "leave", 1),
    Command("prompt.complete", "tab", "complete", "Complete what is typed; where nothing is, go to the next pane",
            "console", "complete", 2),
    Command("prompt.older", "up", "history", "The line entered before", "console", "older", 3),
    Command("prompt.newer", "down", "newer line", "The line entered after", "console", "newer"),
    Command("prompt.page_up", "pageup", "transcript up", "Scroll the transcript up", "console", "transcript(-1)"),
    Command("prompt.page_down", "pagedown", "transcript down", "Scroll the transcript down", "console",
            "transcript(1)"),
)  # fmt: skip
"""What the console's input binds for itself."""

EVERY_COMMAND = COMMANDS + PROMPT_COMMANDS


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The commands as Textual binds them."""
    return [command.binding() for command in commands]


def clear_key(place: str, tooltip: str) -> Binding:
    """The key that clears what a pane marks, selects or filters, the same in every pane; ``place`` begins its id."""
    return Binding("backspace", "clear", "clear", id=f"{place}.clear", tooltip=tooltip)


def topic_bindings() -> list[BindingType]:
    """``1`` … ``9`` and ``0`` for the first ten tabs. They are shown on the tabs, so not in the footer."""
    return [Binding(str(n % 10), f"show_tab({n})", f"tab {n}", show=False, id=f"tab.{n}") for n in range(1, 11)]
