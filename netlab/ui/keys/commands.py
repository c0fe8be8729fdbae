"""Every command of the app, once: footer, palette, help and key bindings are read from here.

A command's ``action`` is a method of the app, or ``tab('…')``: the method of that name in `TabActions`, which also says
whether it is available. Every row works: a command that does nothing has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class AppCommand:
    """One command.

    ``key`` may be several keys, separated by commas. The footer shows ``label``; palette and help show ``tooltip``, one
    sentence. ``footer`` is the rank in the footer; 0 keeps it out.
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
    def tab_action(self) -> str | None:
        """The method of `TabActions` that does it, if the app does not."""
        return self.action[len("tab('") : -len("')")] if self.action.startswith("tab('") else None

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
    "right": "→", "equals_sign": "=", "minus": "-", "plus": "+",
    "apostrophe": "'", "greater_than_sign": ">", "backspace": "bksp", "delete": "del",
}  # fmt: skip


def readable(key: str) -> str:
    """A key's name as the screen shows it: ``^p`` for ``ctrl+p``, ``?`` for ``question_mark``."""
    key = key.strip()
    if key.startswith("ctrl+"):
        return "^" + readable(key[5:])
    if key.startswith("shift+"):
        return "⇧" + readable(key[6:])
    return _NAMES.get(key, key)


def _tab(id: str, key: str, label: str, tooltip: str, group: str, action: str, footer: int = 0) -> AppCommand:
    return AppCommand(id, key, label, tooltip, group, f"tab('{action}')", footer)


COMMANDS: tuple[AppCommand, ...] = (
    AppCommand("help", "question_mark,f1", "help", "Explain the focused pane, its keys, and the console's commands",
               "help", "help", 1),
    _tab("console.focus", "greater_than_sign", "console", "Put the cursor into the console, from any pane", "panes",
         "focus_console", 2),
    _tab("console.command", "colon", "command", "Begin a lab command in the console, such as :connect",
         "panes", "begin_command", 2),
    _tab("server.toggle", "s", "start/stop", "Stop server and wire, or start them; capture and transcripts stay",
         "server", "toggle_server", 3),
    _tab("server.model", "m", "model", "Choose how the server handles many clients", "server", "choose_model", 4),
    _tab("fault.form", "f", "faults", "Show, add and remove faults on the wire: delay, slice, corrupt, cut",
         "wire", "open_faults", 5),
    _tab("wire.intercept", "i", "intercept", "Hold segments that match a filter, to inspect, edit, drop or release",
         "wire", "intercept_wire"),
    _tab("fault.clear", "F", "clear faults", "Remove all faults, so that the wire changes nothing", "wire",
         "clear_faults"),
    _tab("experiments", "e", "experiments", "Predict, run, observe: the topic's experiments on this tab's lab", "view",
         "show_experiments", 5),
    AppCommand("waiting.end", "ctrl+c", "abandon",
               "Abandon the waiting call, or stop the running experiment; if text is selected, copy it instead",
               "console", "tab('end_waiting')", 1, priority=True),
    _tab("lanes", "p", "swim lanes", "Show each client on a time axis: connecting, in the accept queue, being served",
         "view", "toggle_lanes"),
    _tab("views", "V", "views", "Show each memoryview of the client: what Python knows of it, and which bytes it shows",
         "view", "toggle_views"),
    _tab("picture", "P", "picture",
         "Show what happened in the selected segment's flow: requests with their answers, handshakes, states", "view",
         "toggle_picture"),
    _tab("load", "W", "load",
         "Put a load on this tab's server, and see on one time axis what becomes of latency, accept queue and threads",
         "view", "show_load"),
    _tab("copy", "c", "copy as", "Copy the address, the last call, the transcript or the segment's bytes",
         "view", "copy_as", 6),
    _tab("search", "slash", "search", "Find text in the focused pane, or filter the wire", "view", "search", 7),
    _tab("link.follow", "L", "follow link",
         "Go from a call to its segments in the wire, or from a segment to the call that caused it", "view",
         "follow_link"),
    _tab("view.source", "v", "source", "Read the recipe: the server's and the client's code", "view",
         "show_source"),
    _tab("server.edit", "E", "edit server",
         "Edit your own server file in $VISUAL or $EDITOR; the first time, a copy of the running recipe", "server",
         "edit_server"),
    _tab("view.lesson", "l", "lesson", "Show the lesson: what this is, what to try and what to look for", "view",
         "show_lesson"),
    _tab("view.then_now", "d", "then/now", "Show the tutorial's code and what became of it", "view",
         "show_then_now"),
    _tab("client.new", "n", "new client", "Connect another client", "clients", "new_client"),
    _tab("client.close", "x", "close client", "Close the current client's connection", "clients", "close_client"),
    _tab("client.previous", "left_square_bracket", "previous client", "Go to the previous client", "clients",
         "previous_client"),
    _tab("client.next", "right_square_bracket", "next client", "Go to the next client", "clients", "next_client"),
    _tab("pane.next", "tab", "next pane", "Go to the next pane", "panes", "next_pane"),
    _tab("pane.previous", "shift+tab", "previous pane", "Go to the previous pane", "panes", "previous_pane"),
    _tab("pane.maximize", "backslash", "maximise", "Give the focused pane the whole tab, or show all panes again",
         "panes", "maximize_pane"),
    AppCommand("jump", "ctrl+o", "jump", "Show a letter on every pane and tab; the letter goes there", "panes", "jump",
               0, priority=True),
    AppCommand("attach", "O", "attach", "Open a tab for a server of your own, in any language: a wire before it",
               "app", "attach"),
    AppCommand("palette", "ctrl+p", "palette", "Find any command by its name", "app", "command_palette", 8,
               priority=True),
    AppCommand("quit", "q", "quit", "Leave netlab; it asks first if clients are connected or a capture is unsaved",
               "app", "leave"),
)  # fmt: skip
"""The app's commands, in the order of help and palette. ``ctrl+q`` always quits as well."""

PROMPT_COMMANDS: tuple[AppCommand, ...] = (
    AppCommand("prompt.leave", "escape", "commands",
               "Leave the console, so that single letters are commands", "console", "leave", 1),
    AppCommand("prompt.complete", "tab", "complete", "Complete the line; in an empty line, go to the next pane",
               "console", "complete", 2),
    AppCommand("prompt.older", "up", "history", "Go to the previous line entered", "console", "older", 3),
    AppCommand("prompt.newer", "down", "newer line", "Go to the next line entered", "console", "newer"),
    AppCommand("prompt.page_up", "pageup", "transcript up", "Scroll the transcript up", "console", "transcript(-1)"),
    AppCommand("prompt.page_down", "pagedown", "transcript down", "Scroll the transcript down", "console",
               "transcript(1)"),
)  # fmt: skip
"""The commands of the console's input."""

EVERY_COMMAND = COMMANDS + PROMPT_COMMANDS


def bindings(commands: Iterable[AppCommand]) -> list[BindingType]:
    """The commands as Textual binds them."""
    return [command.binding() for command in commands]


def clear_key(place: str, tooltip: str) -> Binding:
    """The key that clears what a pane marks, selects or filters, the same in every pane; ``place`` begins its id."""
    return Binding("backspace", "clear", "clear", id=f"{place}.clear", tooltip=tooltip)


def topic_bindings() -> list[BindingType]:
    """``1`` … ``9`` and ``0`` for the first ten tabs. The tabs show them, so the footer does not."""
    return [Binding(str(n % 10), f"show_tab({n})", f"tab {n}", show=False, id=f"tab.{n}") for n in range(1, 11)]
