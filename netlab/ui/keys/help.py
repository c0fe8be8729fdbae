"""Help for the focused pane: what it shows, its keys, and the console's commands. All of it comes from the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from netlab.capture.model import Transport
from netlab.folders import config_file
from netlab.lab.client.operations import Operation
from netlab.lab.console import ConsoleCommand
from netlab.lab.views.completing import HELP
from netlab.platforms import counts_accept_queue
from netlab.topics.contract import Topic
from netlab.ui.keys.commands import COMMANDS, PROMPT_COMMANDS, readable
from netlab.ui.keys.late_paint import LateModal

SHOWS = {
    "console": "You are the client. Type a Python call, or plain text for the topic's usual call; you can copy the "
    "transcript and run it. A line that begins with : is a command to the lab. ⇧tab goes to the transcript: there ↑ "
    "and ↓ select a call and mark its segments in the wire, L goes to them and back, enter shows all of a long result, "
    "and / finds text.",
    "wire": "Every segment that crossed between clients and server, one a line: direction (→ to the server, ← to the "
    "client), time, number of bytes, meaning. ○ beside the arrow: the server has not read all of it (Linux). ▸ in "
    "the console marks the line that caused the segment; L goes there. i holds segments that match a filter, and a "
    "releases them; if a held segment is highlighted, e edits it and d drops it. Otherwise e and d work as "
    "everywhere. / shows only the segments that match a filter (bksp clears it). Filters for / and i: flow 2, -> "
    "or <-, >100, open, data, fin, reset, fate, 0x4865, b'\\x00' and text in quotation marks, joined by and, or, "
    "not and parentheses.",
    "bytes": "The selected segment's bytes in hex and text, its fields, and the values at the cursor. L goes to the "
    "console line that caused the segment. Shift with a movement key selects, and so does dragging; / finds text, "
    "0x hex or b'bytes'.",
    "log": "The server's messages: ! is a warning, ✗ an error. / finds text; n and N go to other matches.",
    "experiment": "A question, your prediction, and a run on this tab's own lab: ✓ marks a check that passed, ✗ one "
    "that failed. Console, wire and log show the run as it happens; model, options and faults are restored afterwards.",
    "lanes": "One row per client on a time axis: · connecting, ░ in the accept queue, █ being served, ┤ closed. When "
    "you choose another model, earlier clients stay above the new ones.",
    "views": "Each buffer of the current client, and each memoryview of it. Lines of the console make them: "
    "a = bytearray(64), v = memoryview(a), w = v[::2]. Exports are what forbids that a buffer is resized. ↑ and ↓ "
    "choose; the bytes pane then shows which bytes the view covers: · before a byte that it does not show, │ where an "
    "element of more than one byte begins. x turns the page: attributes, maps of what each shows, slices side "
    "by side. The other keys write console lines, which you can type as well.",
    "picture": "What happened in the flow of the wire's segment, from top to bottom: the number before a row is its "
    "segment. space shows all of a row and what belongs to it, enter or L goes to its segment in the wire, / finds "
    "text, also in rows that are folded. While you are here, the picture stays with its flow.",
    "load": "Loads on this tab's server, on one time axis: answers a second, latency, and the server's gauges. A "
    "column of the latency is filled up to p50 (█), p90 (▓), p99 (▒) and the maximum (░) of its worst tenth of a "
    "second, on a logarithmic scale; right of it stands the histogram of all. In an open loop latency counts from when "
    "a request was planned, so a server that stalls is not forgiven; waiting counts those that could not be sent yet. "
    "↑ and ↓ choose one of the last runs, t shows several beside each other, or laid over each other by their letters. "
    "W asks for another load.",
    "reader": "The topic's own text, beside the running lab. / finds text; n and N go to other matches. In the "
    "server's code, ← marks the line at which a client's thread, process or task stands now, ░ clients in the accept "
    "queue: beside accept, or beside the line that the server must leave first. At a class, what runs is a method that "
    "it inherits. w goes to the next client.",
}
"""The description of each pane, by id."""

IN_A_FILE = {
    "wire": "Every segment of the file, one a line: direction (→ to the server, ← to the client), time, number of "
    "bytes, meaning. Segments that are written meanwhile appear below; end goes to the newest. Nothing here can change "
    "the file.",
    "bytes": "The selected segment's bytes in hex and text, its fields, and the values at the cursor.",
    "picture": SHOWS["picture"],
}
"""The description of each pane that shows a capture file."""

Row = tuple[str, str]
WIDEST = 100
"""The largest width of the box, in cells."""


def _table(rows: Iterable[Row], width: int) -> list[Content]:
    """Two columns. The right one is wrapped, and starts on a new line if the left one is too long."""
    rows = list(rows)
    column = min(max((len(left) for left, _ in rows), default=0), width * 2 // 5) + 4
    lines: list[Content] = []
    for left, right in rows:
        first, *more = wrap(right, max(width - column, 20)) or [""]
        if len(left) + 4 > column:
            lines.append(Content.styled("  " + left, "bold"))
            left = ""
        lines.append(Content.assemble(("  " + left.ljust(column - 2), "bold"), first))
        lines += [Content(" " * column + text) for text in more]
    return lines


def _text(text: str, width: int) -> list[Content]:
    return [Content(line) for line in wrap(text, width)]


def _heading(text: str) -> list[Content]:
    return [Content(""), Content.styled(text, "bold underline")]


def _pane_keys(bindings: Mapping[str, ActiveBinding], pane: str) -> list[Row]:
    """The keys that only work in the pane: those that its widgets bind, without Textual's own, which have no id."""
    keys: dict[str, tuple[list[str], str]] = {}
    ours = {command.id for command in COMMANDS}
    for key, active in bindings.items():
        inside = any(node.id == pane for node in active.node.ancestors_with_self)
        if inside and active.binding.id and active.binding.id not in ours:
            label = active.tooltip or active.binding.description
            keys.setdefault(active.binding.action, ([], label))[0].append(readable(key))
    return [(" ".join(names[:3]), label) for names, label in keys.values()]


def help_lines(
    topic: Topic, pane: str, bindings: Mapping[str, ActiveBinding], keymap: Mapping[str, str],
    operations: Iterable[Operation], commands: Iterable[ConsoleCommand], width: int,
) -> list[Content]:  # fmt: skip
    """The help's lines, for a box of ``width`` cells."""
    lines = [line.stylize("bold") for line in _text(f"{topic.title} · {topic.summary}.", width)]
    lines += _text(f"To begin: {topic.hint}.", width)
    if pane in SHOWS:
        lines += [*_heading(f"This pane: {pane}"), *_text(SHOWS[pane], width)]
    if pane == "console":
        lines += _table([(readable(keymap.get(c.id, c.key)), c.tooltip) for c in PROMPT_COMMANDS], width)
    elif rows := _pane_keys(bindings, pane):
        lines += _table(rows, width)
    lines += _heading("The client's calls")
    lines += _table([(f"{operation.name}{operation.signature}", operation.help) for operation in operations], width)
    lines += _heading("Commands to the lab")
    lines += _table([(f":{command.name} {command.arguments}".rstrip(), command.help) for command in commands], width)
    if pane in ("console", "views"):
        lines += [*_heading("Lines about buffers and views"), *_table(map(_usage_and_help, HELP.values()), width)]
    if missing := limits(topic):
        lines += [*_heading("On this system"), *_table(missing, width)]
    lines += _heading("Keys outside the console's input (esc leaves it)")
    shown = [(keymap.get(c.id, c.key), c) for c in COMMANDS]
    rows = [(" ".join(readable(k) for k in key.split(",")), command.tooltip) for key, command in shown]
    lines += _table(
        [*rows, ("1 … 9, 0", "Go to that tab; 0 is the tenth"), ("^q", "Leave netlab, from anywhere")], width
    )
    lines += _heading("Your own keys and theme")
    lines += _text(f'In {config_file()}: theme = "textual-light", and under [keys] "server.toggle" = "f9".', width)
    ids = [c.id for c in (*COMMANDS, *PROMPT_COMMANDS)] + sorted(_ids_in(bindings, pane))
    return lines + _text(f"The key ids: {'  '.join(ids)}", width)


def _usage_and_help(text: str) -> Row:
    usage, _, help = text.partition(" · ")
    return usage, help


def limits(topic: Topic) -> list[Row]:
    """What this system cannot do for a topic, each with the reason."""
    rows = [(f"model {model}", reason) for model in topic.models if (reason := topic.lacking(model))]
    if topic.transport is Transport.TCP and not counts_accept_queue():
        why = "only Linux reports it, and what is unread"
        rows.append(("queue", f"counted from the flows that the server has not accepted; {why}"))
    return rows


def file_help_lines(pane: str, bindings: Mapping[str, ActiveBinding], width: int) -> list[Content]:
    """The help's lines for a capture file."""
    lines = [
        *_heading(f"This pane: {pane}")[1:],
        *_text(IN_A_FILE[pane], width),
        *_table(_pane_keys(bindings, pane), width),
    ]
    lines += _heading("Keys everywhere")
    outside = (
        b for b in bindings.values() if b.node.id not in IN_A_FILE and (b.binding.id or "").startswith("inspect.")
    )
    lines += _table([(readable(b.binding.key), b.tooltip or b.binding.description) for b in outside], width)
    return lines


def _ids_in(bindings: Mapping[str, ActiveBinding], pane: str) -> set[str]:
    """The ids of the keys that only work in the pane."""
    ours = {command.id for command in (*COMMANDS, *PROMPT_COMMANDS)}
    inside = (b for b in bindings.values() if any(node.id == pane for node in b.node.ancestors_with_self))
    return {active.binding.id for active in inside if active.binding.id} - ours


def help_width(columns: int) -> int:
    """The cells of a line of help on a screen with this many columns."""
    return max(min(WIDEST, columns * 96 // 100) - 5, 1)


class Help(LateModal[None]):
    """Shows scrollable lines; esc closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 100; max-width: 96%; height: auto; max-height: 92%; border: round $accent; background: $surface;
        border-title-style: bold; border-subtitle-color: $text-muted; padding: 0 1; scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss(None)", "close", show=False, id="help.close"),
        Binding("j", "scroll(1)", "down", show=False, id="help.down"),
        Binding("k", "scroll(-1)", "up", show=False, id="help.up"),
        Binding("space", "scroll(10)", "page down", show=False, id="help.page_down"),
    ]

    def __init__(self, lines: Callable[[int], Sequence[Content]], title: str = "help") -> None:
        """``lines`` gives the text for so many cells."""
        super().__init__()
        self._lines = lines
        self._title = title

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll() as box:
            box.border_title = self._title
            box.border_subtitle = "↑↓ scroll   esc closes"
            yield Static(self._text(self.app.size.width), markup=False)

    def _text(self, columns: int) -> Content:
        return Content("\n").join(self._lines(help_width(columns)))

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines for the new width."""
        self.query_one(Static).update(self._text(event.size.width))

    def action_scroll(self, lines: int) -> None:
        """Scroll up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
